"""A real ``unique-account serve`` on a real Asterisk that has the rendered files."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import IO, Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from attrs import evolve

from lab.browser import Tab, browser
from lab.patience import until
from lab.phones import Phone, phone
from lab.ports import LOOPBACK, port
from lab.postgresql import PostgresqlServer
from lab.processes import Process, start
from tests.e2e.agreement import agree, held, shown
from tests.e2e.rendered import Rendered, rendered, write_config
from tests.e2e.user_events import report
from tests.e2e.wire import Wire, wire
from unique_account.adapters.asterisk import entries, plans
from unique_account.adapters.people import hash_password
from unique_account.adapters.postgresql import PostgresqlAccounts
from unique_account.adapters.sqlite import SqliteAccounts
from unique_account.core.account import Account
from unique_account.core.events import restore
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.core.routing import Plan

LEASE: Final = 300
"""How many seconds a lost session holds its account, so that it outlives what a test does to the service."""

ASSISTANT: Final = """
[assistant]
people.file = "people.toml"
key.file = "tokens.key"
passwords.file = "etc/unique_account_secrets.conf"
sip = "{sip}"
port = {port}
store.file = "assistant.sqlite"
"""
FILE: Final = 'file = "accounts.sqlite"'
DATABASE: Final = 'postgresql = {{ url = "{url}", password.file = "database.secret" }}'
PERSON: Final = """
[[people]]
login = "alice"
user = "alice"
name = "Alice"
numbers = ["1001"]
password = "{password}"
"""


class Served:
    """The node, the phones, and the service, which a test stops, kills and starts again.

    Attributes:
        at: The node.
        alice: The user's deskphone.
        tab: The user's browser.
        bob: A colleague's deskphone.
        wire: The service's way to the node.
    """

    def __init__(
        self,
        at: Rendered,
        alice: Phone,
        tab: Tab,
        bob: Phone,
        wire: Wire,
        database: PostgresqlServer | None,
    ) -> None:
        self.at = at
        self.alice = alice
        self.tab = tab
        self.bob = bob
        self.wire = wire
        self._database = database
        self._assistant = port()
        self._process: Process

    @property
    def log(self) -> str:
        """What the service has logged so far."""
        return (self.at.folder / "serve.log").read_text("utf-8")

    async def start(self) -> None:
        """Start the service, and wait until its node is connected and it is ready."""
        log = self.at.folder / "serve.log"
        seen = self.log.count("ready: ") if log.exists() else 0
        config = str(self.at.folder / "unique_account.toml")
        command = (sys.executable, "-m", "unique_account", "serve", "--config", config)
        self._process = await start(*command, log=log)
        await self.logs("ready: ", seen + 1)
        await self.connected()

    async def logs(self, what: str, times: int) -> None:
        """Wait until the service has logged something so many times."""

        async def logged() -> bool:
            return self.log.count(what) >= times

        await until(logged, f"{what!r} in the log")

    def configure(self, lease: int) -> None:
        """Write what the service is told."""
        folder = self.at.folder
        write_config(folder, self.wire.port, self.at.monitor)
        config = folder / "unique_account.toml"
        assistant = ASSISTANT.format(sip=self.at.pbx.websocket, port=self._assistant)
        stored = self._stored_in(config.read_text("utf-8"))
        config.write_text(f"lease = {lease}\n{stored}{assistant}", "utf-8")
        (folder / "tokens.key").write_text("k" * 32, "utf-8")
        (folder / "tokens.key").chmod(0o600)
        people = PERSON.format(password=hash_password("secret of alice"))
        (folder / "people.toml").write_text(people, "utf-8")

    def _stored_in(self, config: str) -> str:
        """A configuration in which the accounts are in the database, if there is one."""
        if self._database is None:
            return config
        (self.at.folder / "database.secret").write_text(self._database.password, "utf-8")
        (self.at.folder / "database.secret").chmod(0o600)
        url = self._database.url().replace(f":{self._database.password}@", "@")
        return config.replace(FILE, DATABASE.format(url=url))

    def assistant(self, scheme: str) -> str:
        """Where the CTI server is."""
        return f"{scheme}://{LOOPBACK}:{self._assistant}/xuc/api/2.0"

    async def page(self) -> tuple[str, str]:
        """The page, and what it may load and connect to."""
        return await asyncio.to_thread(self._page)

    def _page(self) -> tuple[str, str]:
        with urlopen(f"http://{LOOPBACK}:{self._assistant}/", timeout=5) as answer:
            return answer.read().decode(), answer.headers["Content-Security-Policy"]

    async def token(self, login: str, password: str) -> str:
        """Log in at the CTI server."""
        return await asyncio.to_thread(self._token, login, password)

    def _token(self, login: str, password: str) -> str:
        body = json.dumps({"login": login, "password": password}).encode()
        asked = Request(f"{self.assistant('http')}/auth/login", body, {"Content-Type": "application/json"})
        with urlopen(asked, timeout=5) as answer:
            return str(json.load(answer)["token"])

    async def kill(self) -> None:
        """End the service at once."""
        await self._process.kill()

    async def stop(self) -> None:
        """Stop the service in order."""
        await self._process.stop()

    def asks_for_resync(self) -> None:
        """Ask the service to make the PBX agree."""
        self._process.signal(signal.SIGHUP)

    async def spoil(self) -> None:
        """Take alice's plan from the PBX, and leave one there of somebody who has no account."""
        now = await self.installed()
        assert now is not None
        ami, family = self.at.pbx.ami, ("Family", "unique_account")
        await ami.act("DBDel", family, ("Key", "1001@default"))
        stray = evolve(now, user="mallory", numbers=("6666",))
        for _, key, value in entries(stray):
            await ami.act("DBPut", family, ("Key", key), ("Val", value))

    async def health(self) -> tuple[int, str, str]:
        """The status of the health page, and its words on the node and on the store."""
        return await asyncio.to_thread(self._health)

    def _health(self) -> tuple[int, str, str]:
        try:
            with urlopen(f"http://{LOOPBACK}:{self.at.monitor}/health", timeout=5) as answer:
                return answer.status, *_words(answer)
        except HTTPError as error:
            with error:
                return error.code, *_words(error)

    async def connected(self) -> None:
        """Wait until the service is connected to the node, and to its store."""
        await self._is(200, "connected", "connected")

    async def disconnected(self) -> None:
        """Wait until the service knows that it is not connected to the node."""
        await self._is(503, "disconnected", "connected")

    async def storeless(self) -> None:
        """Wait until the service knows that it is not connected to its store."""
        await self._is(503, "connected", "disconnected")

    async def _is(self, *health: object) -> None:
        async def so() -> bool:
            return await self.health() == health

        await until(so, f"the health {health}")

    async def does(self, deed: str, **headers: str) -> None:
        """Tell what alice did, by a user event."""
        await report(self.at.pbx.ami, "alice", deed, **headers)

    async def logs_in(self) -> None:
        """Alice logs in, and her calls go to the browser."""
        await self.does("log_in", Session="tab-1")
        await self.planned("webrtc")

    async def selects(self, device: str) -> None:
        """Alice selects a device, and the PBX knows."""
        await self.does("select", Device=device)
        await self.planned(device)

    async def planned(self, device: str) -> None:
        """Wait until the plan on the PBX begins with a device."""

        async def begins() -> bool:
            now = await self.installed()
            return now is not None and str(now.candidates[0].device) == device

        await until(begins, f"a plan that begins with {device}")

    async def silenced(self) -> None:
        """Wait until the plan on the PBX leads every call away."""

        async def led() -> bool:
            now = await self.installed()
            return now is not None and now.gate.do_not_disturb is not None

        await until(led, "a plan that leads every call away")

    async def installed(self) -> Plan | None:
        """The plan of alice that the PBX holds."""
        return plans(await held(self.at.pbx.ami)).get("alice")

    async def stored(self) -> Account:
        """The account of alice that the service's store holds."""
        async with self._store() as store:
            found = await store.load("alice")
        assert found is not None
        return restore(*found)

    def _store(self) -> AbstractAsyncContextManager[Any]:
        """The service's store of accounts, opened beside it."""
        if self._database is None:
            return aclosing(SqliteAccounts(self.at.folder / "accounts.sqlite"))
        return aclosing(PostgresqlAccounts(self._database.url()))

    async def chose(self, device: Device) -> None:
        """Wait until a selection of alice is stored."""

        async def stored() -> bool:
            return (await self.stored()).selection is device

        await until(stored, f"the selection {device}")

    async def shows(self, presence: Presence) -> None:
        """Wait until phones that watch alice's number are shown a presence."""

        async def so() -> bool:
            return await shown(self.at.pbx.ami, "1001") is presence

        await until(so, f"the presence {presence.name}")

    async def agree(self) -> None:
        """Wait until the PBX holds and shows just what the stored accounts come to."""
        async with self._store() as store:
            await agree(store, {"default": self.at.pbx})

    async def call_rings(self, device: str) -> None:
        """Bob calls alice: that device rings, and the other stays silent."""
        began = time.monotonic()
        await self.bob.dial("1001")
        if device == "webrtc":
            await self.tab.event("ringing", after=began)
        else:
            await self.alice.event("CALL_INCOMING", after=began)
        await self.bob.hang_up()
        await self.bob.event("CALL_CLOSED", after=began)
        silent = "alice" if device == "webrtc" else "alice_w"
        assert not self._called(silent, began)

    def _called(self, name: str, began: float) -> bool:
        told = self.at.pbx.ami.journal.told
        new = [one.what["Channel"] for one in told if one.at >= began and one.what.event == "Newchannel"]
        return any(channel.startswith(f"PJSIP/{name}-") for channel in new)


def _words(page: IO[bytes]) -> tuple[str, str]:
    said = json.load(page)
    return said["nodes"]["default"], said["store"]


@asynccontextmanager
async def served(database: PostgresqlServer | None = None, lease: int = LEASE) -> AsyncIterator[Served]:
    """The service has run for a moment, and all three phones are registered.

    Args:
        database: Where its accounts are; None: in a file.
        lease: How many seconds a lost session holds its account.
    """
    async with (
        rendered() as at,
        wire(at.pbx.ports.ami) as line,
        phone(at.pbx, at.endpoint("alice")) as alice,
        phone(at.pbx, at.endpoint("bob")) as bob,
        browser() as chromium,
    ):
        tab = await chromium.tab(at.pbx, at.endpoint("alice_w"))
        one = Served(at, alice, tab, bob, line, database)
        one.configure(lease)
        await one.start()
        try:
            yield one
        finally:
            await one.stop()
