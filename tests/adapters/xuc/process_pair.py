"""Two processes in one: servers of UC Assistants that share a store, and a lease in memory."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from tests.adapters.xuc.assistants import ALICE, BOB, Browser, server
from unique_account.adapters.memory import MemoryAccounts, MemoryObserver
from unique_account.adapters.xuc import XucCti
from unique_account.adapters.xuc.processes import Browsers, Processes
from unique_account.adapters.xuc.storage.store import FileStore
from unique_account.assistant.static_files import PageFiles
from unique_account.bootstrap import bootstrap
from unique_account.ports.group_leases import Fence, GroupLease
from unique_account.service.service import Service

BEAT: Final = 0.4


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Lease:
    """The lease of the only group, in memory."""

    def __init__(self) -> None:
        self.now: GroupLease | None = None

    def own(self, owner: str, address: str = "") -> int:
        """Let another process own the group, or none; returns the epoch."""
        epoch = 1 if self.now is None else self.now.epoch + 1
        self.now = GroupLease(group="all", owner=owner, address=address, epoch=epoch, counter=0)
        return epoch

    def of(self, _: str) -> GroupLease | None:
        return self.now


class Process:
    """One process: its server, which always serves, and its service, which runs while it owns the group."""

    def __init__(self, name: str, cti: XucCti, lease: Lease, accounts: MemoryAccounts) -> None:
        self.name = name
        self.cti = cti
        self.browser = Browser(cti)
        self.service: Service | None = None
        self._lease = lease
        self._accounts = accounts
        self._running: AsyncExitStack | None = None
        self.standing: asyncio.Task[None] | None = None

    async def address(self) -> str:
        return f"http://127.0.0.1:{await self.cti.port()}"

    async def own(self) -> int:
        """Own the group."""
        epoch = self._lease.own(self.name, await self.address())
        await self.serve(epoch)
        return epoch

    async def serve(self, epoch: int) -> None:
        """Run the service under an epoch."""
        self.cti.own(Fence("all", epoch))
        self._running = AsyncExitStack()
        running = bootstrap(cti=self.cti, accounts=self._accounts, observer=MemoryObserver())
        self.service = await self._running.enter_async_context(running)

    def mistake(self, owner: str, address: str) -> None:
        """Take another process for the owner, whatever the lease says."""
        lease = GroupLease(group="all", owner=owner, address=address, epoch=1, counter=0)
        self.cti._hub.processes = Processes(owner=lambda _: lease, name=self.name)

    async def stop(self) -> None:
        """End the process."""
        if self.standing is not None:
            self.standing.cancel()
            await asyncio.gather(self.standing, return_exceptions=True)

    async def give_up(self) -> None:
        """Stop the service."""
        if self._running is not None:
            await self._running.aclose()
        self._running = self.service = None


class Pair:
    """Two processes that share everything that is kept.

    Attributes:
        lease: Who owns the group.
        one, two: The processes.
    """

    def __init__(self, lease: Lease, one: Process, two: Process) -> None:
        self.lease = lease
        self.one = one
        self.two = two


@asynccontextmanager
async def pair(browsers: Browsers = Browsers.REDIRECT) -> AsyncIterator[Pair]:
    """Two processes that stand by, each with the page, on a store in memory."""
    ports = [free_port(), free_port()]
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    lease, accounts, store = Lease(), MemoryAccounts(), FileStore(None, MemoryObserver(), lambda: 0.0)
    await accounts.add([ALICE, BOB])

    def process(name: str, port: int) -> Process:
        processes = Processes(owner=lease.of, name=name, browsers=browsers, addresses=addresses, beat=BEAT)
        page = PageFiles("wss://pbx.example.org", *processes.origins)
        cti = server(processes=processes, shared=(store, None), page=page, port=port)
        return Process(name, cti, lease, accounts)

    at = Pair(lease, process("one", ports[0]), process("two", ports[1]))
    for each in (at.one, at.two):
        each.standing = asyncio.create_task(each.cti.stand_by())
    try:
        yield at
    finally:
        for each in (at.one, at.two):
            await each.browser.close()
            await each.give_up()
            await each.stop()
        await store.aclose()
