"""A real ``unique-account serve`` over two Asterisks, whose files one configuration was rendered to."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.request import urlopen

from lab.asterisk import Node, node
from lab.config import Endpoint
from lab.parties import Party, party
from lab.patience import until
from lab.ports import LOOPBACK, port
from lab.processes import Process, own_folder, start
from tests.e2e.agreement import agree, held
from tests.e2e.rendered import APPENDED, EXTENSIONS, SECRET, command
from tests.e2e.user_events import report
from unique_account.adapters.asterisk import MANAGER_PORT, plans, read_secrets
from unique_account.adapters.sqlite import SqliteAccounts, SqliteCallLog
from unique_account.core.history import CallRecord
from unique_account.core.routing import Plan

HOME: Final = {"alice": "default", "bob": "default", "carol": "mds1"}
"""The node of each user's phones."""

NUMBERS: Final = {"alice": "1001", "bob": "1002", "carol": "1003"}
ADDRESSES: Final = {"default": "127.0.0.2", "mds1": "127.0.0.3"}
LAMP: Final = Endpoint(name="lamp", password="")
"""As whom phones watch, on either node."""

PERSON: Final = """
[[users]]
id = "{name}"
extension = "{number}"
deskphone = "PJSIP/{name}"
webrtc = "PJSIP/{name}_w"
media_server = "{home}"
max_forwards = 4
"""
CONFIG: Final = """
lease = 300
[users]
file = "users.toml"
[accounts]
file = "accounts.sqlite"
[monitor]
port = {monitor}
"""
NODE: Final = """
[[nodes]]
name = "{name}"
port = {manager}
secret.file = "manager.secret"
websocket = "ws"
sip = "{sip}"
proxy_path = "/{name}"
"""


class Nodes:
    """Two nodes, a phone of each user, and the service.

    Attributes:
        folder: Where the configuration is.
        pbxs: The nodes, by name.
        phones: The deskphones, by user.
    """

    def __init__(self, folder: Path, monitor: int, pbxs: Mapping[str, Node]) -> None:
        self.folder = folder
        self.pbxs = pbxs
        self.phones: dict[str, Party] = {}
        self._monitor = monitor
        self._process: Process | None = None

    # -- the service -----------------------------------------------------------------------------------

    @property
    def log(self) -> str:
        """What the service has logged so far."""
        return (self.folder / "serve.log").read_text("utf-8")

    async def serve(self) -> None:
        """Start the service, and wait until it is ready."""
        config = str(self.folder / "unique_account.toml")
        line = (sys.executable, "-m", "unique_account", "serve", "--config", config)
        self._process = await start(*line, log=self.folder / "serve.log")
        await self.logs("ready: ")

    def moves(self, user: str, node: str) -> None:
        """Let the users' file say that a user is on a node, and have it read."""
        assert self._process is not None
        _write_users(self.folder, {**HOME, user: node})
        self._process.signal(signal.SIGHUP)

    async def kill(self) -> None:
        """End the service at once."""
        if self._process is not None:
            await self._process.kill()

    async def stop(self) -> None:
        """Stop the service in order."""
        if self._process is not None:
            await self._process.stop()

    async def logs(self, what: str) -> None:
        """Wait until the service has logged something."""

        async def logged() -> bool:
            return what in self.log

        await until(logged, f"{what!r} in the log")

    async def health(self) -> tuple[int, dict[str, str]]:
        """The status of the health page, and its word on each node."""
        return await asyncio.to_thread(self._health)

    def _health(self) -> tuple[int, dict[str, str]]:
        try:
            with urlopen(f"http://{LOOPBACK}:{self._monitor}/health", timeout=5) as answer:
                return answer.status, json.load(answer)["nodes"]
        except HTTPError as error:
            with error:
                return error.code, json.load(error)["nodes"]

    async def connected(self, **nodes: str) -> None:
        """Wait until the health page says this of the nodes."""

        async def so() -> bool:
            status, told = await self.health()
            return told == nodes and (status == 200) is (set(nodes.values()) == {"connected"})

        await until(so, f"the health of {nodes}")

    async def trunks(self) -> None:
        """Wait until each node knows that it can call the other one."""

        async def reachable() -> bool:
            return all([await self._reaches(name) for name in self.pbxs])

        await until(reachable, "trunks that are reachable")

    async def no_trunk(self, name: str) -> None:
        """Wait until a node knows that it cannot call the other one."""

        async def unreachable() -> bool:
            return not await self._reaches(name)

        await until(unreachable, f"that {name} cannot call the other node")

    async def _reaches(self, name: str) -> bool:
        """Whether a node would call the other one; asked as dialplans do, for a call keeps a line in use."""
        other = "mds1" if name == "default" else "default"
        variable = f"PJSIP_DIAL_CONTACTS(unique-account-{other})"
        return bool((await self.pbxs[name].ami.act("Getvar", ("Variable", variable)))["Value"])

    # -- the users -------------------------------------------------------------------------------------

    async def does(self, user: str, deed: str, **headers: str) -> None:
        """Tell what a user did, at the user's own node."""
        await report(self.pbxs[HOME[user]].ami, user, deed, **headers)

    async def installed(self, user: str) -> Plan | None:
        """The plan that the user's node holds."""
        return plans(await held(self.pbxs[HOME[user]].ami)).get(user)

    async def planned(self, user: str, device: str) -> None:
        """Wait until the plan of a user begins with a device."""

        async def begins() -> bool:
            now = await self.installed(user)
            return now is not None and str(now.candidates[0].device) == device

        await until(begins, f"a plan of {user} that begins with {device}")

    async def agree(self) -> None:
        """Wait until both nodes hold and show just what the stored accounts come to."""
        async with aclosing(SqliteAccounts(self.folder / "accounts.sqlite")) as store:
            await agree(store, self.pbxs)

    async def forwards(self, user: str, number: str) -> None:
        """A user dials the code that forwards every call, and it is in force."""
        call = self.phones[user].dial(f"*21{number}")

        async def there() -> bool:
            now = await self.installed(user)
            return now is not None and now.gate.forward is not None

        await until(there, f"the forward of {user}")
        await self.phones[user].sees("answered")  # the announcement
        await self.phones[user].hang_up(call)

    async def rings(self, user: str, start: float) -> float:
        """After how many seconds a user's phone rings."""
        return (await self.phones[user].sees("ringing", after=start)).at - start

    async def record(self, user: str) -> CallRecord:
        """The first record of a user in the call log, once there is one."""
        log = SqliteCallLog(self.folder / "accounts.sqlite")
        found: list[CallRecord] = []

        async def recorded() -> bool:
            found[:] = await log.before(user, None, 10)
            return bool(found)

        try:
            await until(recorded, f"a call of {user} in the log")
        finally:
            await log.aclose()
        (record,) = found
        return record


@asynccontextmanager
async def rendered_nodes() -> AsyncIterator[Nodes]:
    """Both nodes as they were rendered, and every deskphone registered; the service is not started."""
    monitor, ports = port(), {name: port() for name in ADDRESSES}
    sip = {name: f"{address}:{ports[name]}" for name, address in ADDRESSES.items()}
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(own_folder("nodes"))
        _write(folder, monitor, sip, dict.fromkeys(sip, MANAGER_PORT))
        done = command(
            "asterisk", "render", "--config", "unique_account.toml", "--into", "etc", folder=folder
        )
        assert done.returncode == 0, done.stderr
        pbxs, passwords = {}, {}
        for name in ADDRESSES:
            files = {path.name: path.read_text("utf-8") for path in (folder / "etc" / name).iterdir()}
            passwords[name] = read_secrets(files["unique_account_secrets.conf"]).by_endpoint
            pbxs[name] = await stack.enter_async_context(
                node(
                    (LAMP,),
                    EXTENSIONS,
                    name=name,
                    more_files=files,
                    appended=APPENDED,
                    sip=ports[name],
                    address=ADDRESSES[name],
                )
            )
        _write(folder, monitor, sip, {name: pbx.ports.ami for name, pbx in pbxs.items()})
        at = Nodes(folder, monitor, pbxs)
        for user, home in HOME.items():
            line = Endpoint(name=user, password=passwords[home][user])
            at.phones[user] = await stack.enter_async_context(party(pbxs[home], line))
            await at.phones[user].register()
        await at.trunks()
        stack.push_async_callback(at.stop)
        yield at


@asynccontextmanager
async def served_nodes() -> AsyncIterator[Nodes]:
    """Both nodes, and the service is connected to them."""
    async with rendered_nodes() as at:
        await at.serve()
        await at.connected(default="connected", mds1="connected")
        yield at


def _write(folder: Path, monitor: int, sip: Mapping[str, str], managers: Mapping[str, int]) -> None:
    _write_users(folder, HOME)
    (folder / "manager.secret").write_text(f"{SECRET}\n", "utf-8")
    (folder / "manager.secret").chmod(0o600)
    nodes = (NODE.format(name=name, manager=managers[name], sip=where) for name, where in sip.items())
    (folder / "unique_account.toml").write_text(CONFIG.format(monitor=monitor) + "".join(nodes), "utf-8")


def _write_users(folder: Path, homes: Mapping[str, str]) -> None:
    people = (PERSON.format(name=user, number=NUMBERS[user], home=home) for user, home in homes.items())
    (folder / "users.toml").write_text("".join(people), "utf-8")
