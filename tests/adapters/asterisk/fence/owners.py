"""Owners of a scripted node: an earlier one that is paused somewhere, and a new one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from typing import Final

from attrs import evolve, frozen

from tests.adapters.asterisk.ami.scripted_node import Session, scripted_node
from unique_account.adapters.asterisk import AsteriskPbx
from unique_account.adapters.asterisk.ami.login import ManagerLogin
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.hints.watchdog import Watchdog
from unique_account.adapters.memory import MemoryObserver
from unique_account.core.account import Account
from unique_account.core.events import Event
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.core.routing import plan
from unique_account.core.user import User
from unique_account.ports.group_leases import Fence, Fenced, NodeTaken

ALICE: Final = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
PLAN: Final = plan(Account(ALICE))
CALL_ID: Final = "1767600000.1"
CALL: Final = (
    "Channel: PJSIP/alice-00000001\r\nChannelState: 6\r\nConnectedLineNum: 3000\r\n"
    f"Uniqueid: {CALL_ID}\r\nLinkedid: {CALL_ID}"
)
HARMLESS: Final = frozenset(
    (
        *("Challenge", "Login", "Ping", "Filter", "Events", "DBGet", "DBGetTree", "Getvar", "ExtensionState"),
        *("DeviceStateList", "PJSIPShowContacts", "PJSIPShowEndpoints", "CoreShowChannels", "Command"),
    )
)
"""The actions that change nothing; a command of the console only lists sessions, or ends them."""


@frozen
class Schedule:
    """When the earlier owner is paused and goes on.

    Attributes:
        pauses_after: After how many of its actions it is paused.
        resumes_after: After how many actions of the new owner it goes on; None: once that has the node.
        lingers: How many looks at the list a session survives that is to end.
    """

    pauses_after: int
    resumes_after: int | None
    lingers: int


class PausedProcess:
    """Stands between an owner and the node, and pauses as a process does: it sends and reads nothing.

    Attributes:
        paused: Set once it is paused.
        addresses: From where it has connected to the node.
    """

    def __init__(self, port: int, pauses_after: int) -> None:
        self._port = port
        self._left = pauses_after
        self._runs = asyncio.Event()
        self._runs.set()
        self.paused = asyncio.Event()
        self.addresses: set[object] = set()

    def resume(self) -> None:
        """Go on, for good."""
        self._left = -1
        self._runs.set()

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection in both directions."""
        with suppress(OSError, asyncio.IncompleteReadError):
            await self._runs.wait()
            node_reader, node_writer = await asyncio.open_connection("127.0.0.1", self._port)
            self.addresses.add(node_writer.get_extra_info("sockname"))
            try:
                back = asyncio.create_task(self._back(node_reader, writer))
                await self._forth(reader, node_writer)
            finally:
                back.cancel()
                node_writer.close()
        writer.close()

    async def _forth(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            action = await reader.readuntil(b"\r\n\r\n")
            if self._left == 0:
                self._runs.clear()
                self.paused.set()
            await self._runs.wait()
            self._left -= 1
            writer.write(action)
            await writer.drain()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._runs.wait()
                writer.write(data)
        writer.close()


class _NoWatchdog(Watchdog):
    """None, which saves a process."""

    async def restore(self, number: str, devices: str | None) -> None:
        """Do nothing."""


class Owner(MemoryObserver):
    """One process that owns the node's group, or believes so.

    Attributes:
        pbx: Its adapter.
        fenced: Why it owns the group no more.
        on_taken: Called once it has the node.
    """

    def __init__(self, login: ManagerLogin, epoch: int) -> None:
        super().__init__()
        self.fenced: asyncio.Future[Fenced] = asyncio.get_running_loop().create_future()
        self.on_taken: Callable[[], object] = lambda: None
        fence = Fence("main", epoch)
        self.pbx = AsteriskPbx(
            *(login, self), fence=fence, on_fenced=self.fenced.set_result, commits_within=0
        )
        self.pbx._watchdog = _NoWatchdog(login)

    def node_taken(self, taken: NodeTaken) -> None:
        """It has the node."""
        super().node_taken(taken)
        self.on_taken()

    async def connected(self) -> None:
        """Wait until it may use the node."""
        while not self.pbx.connected:  # noqa: ASYNC110 - no event reports it
            await asyncio.sleep(0.001)

    async def work(self) -> None:
        """Change plans, hints and calls without end."""
        for version in count(1):
            with suppress(ConnectionError):
                await self.pbx.install(evolve(PLAN, version=version))
                await self.pbx.hint(Number("1001"), list(Presence)[version % 8])
                await self.pbx.hang_up(CALL_ID)
            await asyncio.sleep(0)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Listen and work."""
        listens = asyncio.create_task(self.pbx.listen(_ignore, lambda: None))
        await asyncio.sleep(0)
        works = asyncio.create_task(self.work())
        try:
            yield
        finally:
            works.cancel()
            listens.cancel()
            await asyncio.gather(works, listens, return_exceptions=True)


async def _ignore(_: str, __: Event) -> None:
    """Report to nobody."""


async def late_actions(schedule: Schedule) -> list[str]:
    """What the earlier owner still changes once the new one has the node; nothing, if the fence holds."""
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(scripted_node())
        node.channels[CALL_ID] = CALL
        node.lingers = schedule.lingers
        process = PausedProcess(node.login.port, schedule.pauses_after)
        server = await asyncio.start_server(process.forward, "127.0.0.1", 0)
        stack.callback(server.close)
        old = Owner(evolve(node.login, port=server.sockets[0].getsockname()[1]), 1)
        new = Owner(node.login, 2)
        log = _Log(new, process, schedule.resumes_after)
        node.carried_out = log.carried_out
        await stack.enter_async_context(old.at_work())
        async with asyncio.timeout(20):
            await process.paused.wait()
            await stack.enter_async_context(new.at_work())
            await new.connected()
            process.resume()
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await asyncio.shield(old.fenced)
            opened = node.opened
            await asyncio.sleep(0.02)
        late = list(log.late)
        if not old.fenced.done() or node.opened > opened:
            late.append("it is not fenced")
        return late


class _Log:
    """What the earlier owner changes, once the new one has the node."""

    def __init__(self, new: Owner, process: PausedProcess, resumes_after: int | None) -> None:
        self._process = process
        self._resumes_after = resumes_after
        self._has_node = False
        self._done = 0
        self.late: list[str] = []
        new.on_taken = self._taken

    def _taken(self) -> None:
        self._has_node = True

    def carried_out(self, session: Session, action: Message) -> None:
        """Note an action."""
        if session.writer.get_extra_info("peername") in self._process.addresses:
            if self._has_node and action["Action"] not in HARMLESS:
                self.late.append(f"{action['Action']} on connection {session.number}")
            return
        self._done += 1
        if self._done == self._resumes_after:
            self._process.resume()
