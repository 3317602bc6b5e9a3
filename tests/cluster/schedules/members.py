"""The processes of the group, each behind wires of its own to the database and to each node."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Final

from lab.ports import LOOPBACK, port
from tests.adapters.asterisk.ami.scripted_node import SECRET
from tests.cluster.schedules.process import FAULT, STEP
from tests.e2e.drivers.tcp_proxy import TcpProxy, tcp_proxy
from tests.paths import ROOT
from unique_account.adapters.people_file import hash_password

LEASE: Final = 2
"""How many seconds a session that is lost holds its account."""

TIMES: Final = {
    "renew": 0.2,
    "look": 0.1,
    "stop": 1.2,
    "takeover": 1.6,
    "dead": 2.5,
    "tenure": 1.0,
    "young": 0.5,
    "rest": 0.2,
    "longest_rest": 0.5,
    "close": 2.0,
}
USER: Final = (
    '[[users]]\nid = "{0}"\nextension = "{1}"\ndeskphone = "PJSIP/{0}"\nwebrtc = "PJSIP/{0}_w"\n'
    'media_server = "{2}"\n'
)
_NODE: Final = """
[[nodes]]
name = "{0}"
port = {1}
username = "tester"
secret.file = "ami.secret"
sip = "192.0.2.1:5060"
proxy_path = "/ws-{0}"
passwords.file = "secrets.conf"
"""
_CONFIG: Final = """
lease = {lease}
users.file = "users.toml"
monitor.port = 0
[accounts.postgresql]
url = "{url}"
password.file = "database.secret"
{nodes}
[assistant]
people.file = "people.toml"
key.file = "tokens.key"
passwords.file = "secrets.conf"
sip = "wss://pbx.example.org/ws"
port = {port}
[cluster]
group = "paris"
name = "{name}"
address = "http://127.0.0.1:{port}"
[cluster.times]
{times}
"""
_PERSON: Final = (
    '[[people]]\nlogin = "{0}"\nuser = "{0}"\nname = "{0}"\nnumbers = ["{1}"]\npassword = "{2}"\n'
)
PASSWORD: Final = "sésame"


class Member:
    """A member of the group, whose process is started again and again.

    Attributes:
        name: Its name.
        port: Where it serves browsers while it is the owner.
        database: Its wire to the database.
        nodes: Its wire to each node.
        is_wanted: Whether its process is to be started again when it ends, as systemd does.
    """

    def __init__(self, folder: Path, name: str, database: TcpProxy, nodes: Mapping[str, TcpProxy]) -> None:
        self.name = name
        self.port = port()
        self.database = database
        self.nodes = nodes
        self.folder = folder / name
        self.process: asyncio.subprocess.Process | None = None
        self._read = 0
        self._log = ""
        self._started = 0
        self._starting = asyncio.Lock()
        self.is_wanted = False

    @property
    def lives(self) -> bool:
        """Whether its process runs, or is paused."""
        return self.process is not None and self.process.returncode is None

    @property
    def log(self) -> str:
        """All that its processes have logged."""
        with suppress(FileNotFoundError), (self.folder / "log").open("rb") as log:
            log.seek(self._read)
            more = log.read()
            self._read += len(more)
            self._log += more.decode("utf-8", "replace")
        return self._log

    @property
    def is_ready(self) -> bool:
        """Whether its process contends, or owns the group."""
        return "the group paris" in self.log[self._started :]

    @property
    def epoch(self) -> int:
        """The epoch of the last ownership that it logged; 0 if there was none."""
        found = re.findall(r"took the group paris over, epoch (\d+)", self.log)
        return int(found[-1]) if found else 0

    async def start(self, fault: str = "") -> None:
        """Start a process, unless one runs: a schedule and what starts it again may want it at once."""
        self.is_wanted = True
        async with self._starting:
            if not self.lives:
                self.process = await self._new_process(fault)

    async def _new_process(self, fault: str) -> asyncio.subprocess.Process:
        self._started = len(self.log)
        environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            FAULT: fault,
            STEP: str(self.folder.parent / "step"),
        }
        with (self.folder / "log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *("setpriv", "--pdeathsig=KILL", sys.executable, "-m", "tests.cluster.schedules.process"),
                *("serve", "--config", "unique_account.toml"),
                cwd=self.folder,
                env=environ,
                stdin=asyncio.subprocess.DEVNULL,
                stderr=log,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send its process a signal."""
        if self.process is not None and self.lives:
            self.process.send_signal(number)

    async def kill(self) -> None:
        """End its process at once."""
        self.is_wanted = False
        async with self._starting:
            if self.process is not None and self.lives:
                self.process.kill()
                await self.process.wait()

    def stop(self) -> None:
        """Ask its process to end in order."""
        self.is_wanted = False
        self.signal(signal.SIGTERM)

    async def ended(self) -> None:
        """Wait until its process has ended."""
        if self.process is not None:
            await asyncio.wait_for(self.process.wait(), 10)

    def configure(self, url: str, password: str, users: str) -> None:
        """Write its files."""
        self.folder.mkdir(exist_ok=True)
        nodes = "".join(_NODE.format(name, wire.port) for name, wire in self.nodes.items())
        times = "\n".join(f"{name} = {value}" for name, value in TIMES.items())
        place = url.replace(f":{password}@", "@")
        place = re.sub(r"@127\.0\.0\.1:\d+", f"@{LOOPBACK}:{self.database.port}", place)
        config = _CONFIG.format(
            lease=LEASE, url=place, nodes=nodes, port=self.port, name=self.name, times=times
        )
        files = {"unique_account.toml": config, "users.toml": users, "database.secret": password}
        files |= {"ami.secret": SECRET, "tokens.key": "k" * 40}
        files["secrets.conf"] = "[alice_w-auth](+)\npassword = secret\n"
        for name, text in files.items():
            (self.folder / name).write_text(text, "utf-8")
            (self.folder / name).chmod(0o600)
        people = self.folder.parent / "people.toml"
        shutil.copy(people, self.folder / "people.toml")


def write_people(folder: Path, numbers: Mapping[str, str]) -> None:
    """Write who may log in, for all members; to hash a password takes a while."""
    password = hash_password(PASSWORD)
    people = "".join(_PERSON.format(user, number, password) for user, number in numbers.items())
    (folder / "people.toml").write_text(people, "utf-8")


async def wired(
    opened: AsyncExitStack, folder: Path, names: Sequence[str], database: int, nodes: Mapping[str, int]
) -> list[Member]:
    """Members with wires to a port of the database and to the ports of nodes."""
    members = []
    for name in names:
        wire = await opened.enter_async_context(tcp_proxy(database))
        wires = {node: await opened.enter_async_context(tcp_proxy(to)) for node, to in nodes.items()}
        members.append(Member(folder, name, wire, wires))
    return members
