"""The connection to a node: made again whenever it is lost, and shared by all that use the node."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection
from unique_account.adapters.asterisk.ami.login import ManagerLogin, connect, delays
from unique_account.adapters.asterisk.node.reports import NodeReports
from unique_account.adapters.asterisk.node.subscription import EVENT_CLASSES
from unique_account.core.errors import Unreachable
from unique_account.ports.group_leases import Fenced
from unique_account.ports.pbx import NodeDown

BEGINS_WITHIN: Final = 15.0
"""How many seconds after the log-in a node may take to boot and to report all that it knows."""

STEADY_AFTER: Final = 10.0
"""After how many seconds a connection is steady: when it is lost, the next attempt follows at once."""


class NodeConnection:
    """Connects to a node as long as `keep` runs, and gives the connection to all that use the node."""

    def __init__(self, login: ManagerLogin, media_server: str, reports: NodeReports) -> None:
        self._login = login
        self._name = media_server
        self._reports = reports
        self._current: Connection | None = None
        self._fenced: Fenced | None = None
        self._is_kept = False
        self._tried = asyncio.Event()
        self._reported_lost = False
        self._reported_down = False

    @property
    def current(self) -> Connection | None:
        """The connection that may be used now; None while the node is down."""
        return self._current

    async def reach(self) -> Connection:
        """The connection to a node that is up; waits for the first attempt to connect, and for no other.

        Raises:
            Unreachable: There is none, best a `NodeDown`.
        """
        if not self._is_kept:
            raise Unreachable(f"nobody listens to the PBX {self._name}")
        await self._tried.wait()
        if self._fenced is not None:
            raise NodeDown(f"the PBX {self._name} is closed to this process: {self._fenced}")
        if self._current is None:
            raise NodeDown(f"the PBX {self._name} cannot be reached")
        return self._current

    async def keep(
        self,
        begin: Callable[[Connection], Awaitable[None]],
        use: Callable[[], Awaitable[None]],
        down: Callable[[], None],
        returned: Callable[[], None],
    ) -> None:
        """Connect, and again whenever the connection is lost, until cancelled.

        Args:
            begin: Prepares a new connection; only then may others use it. It raises `ActionRefused` or
                `ConnectionError` where that fails, and `Fenced` where no connection may be made any more.
            use: Uses the connection until it raises `ConnectionError`.
            down: Called when the node does not come back at once.
            returned: Called when a connection may be used after one was lost, or could not be made.

        Raises:
            Fenced: A newer owner has taken the node; no connection is made again.
        """
        self._is_kept = True
        waits = delays(Random())
        try:
            while True:
                was_up, is_steady = await self._connect(begin, use, returned)
                if is_steady:
                    waits = delays(Random())
                if not was_up and not self._reported_down:
                    self._reported_down = True
                    down()
                self._tried.set()
                await asyncio.sleep(next(waits))
        except Fenced as error:
            self._fenced = error
            down()
            raise
        finally:
            self._is_kept = self._fenced is not None
            self._tried.set()

    async def _connect(
        self,
        begin: Callable[[Connection], Awaitable[None]],
        use: Callable[[], Awaitable[None]],
        returned: Callable[[], None],
    ) -> tuple[bool, bool]:
        """Make one connection and use it; gives whether it was up, and whether for long."""
        began = asyncio.get_running_loop().time()
        try:
            async with connect(self._login, "system") as connection:
                await self._begin(begin(connection))
                self._is_up(connection, returned)
                await use()
        except ConnectionError as error:
            self._is_lost(error)
        finally:
            was_up, self._current = self._current is not None, None
        return was_up, was_up and asyncio.get_running_loop().time() - began > STEADY_AFTER

    async def _begin(self, begun: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(BEGINS_WITHIN):
                await begun
        except TimeoutError:
            problem = f"it has not reported all that it knows within {BEGINS_WITHIN:g} s"
            raise Unreachable(f"{problem}; read = {EVENT_CLASSES}") from None
        except ActionRefused as error:
            raise Unreachable(str(error)) from error

    def _is_up(self, connection: Connection, returned: Callable[[], None]) -> None:
        self._current, self._reported_down = connection, False
        self._tried.set()
        if self._reported_lost:
            self._reported_lost = False
            self._reports.recovered("connection")
            returned()

    def _is_lost(self, error: ConnectionError) -> None:
        """Report that the node went down; of further attempts only that the node is down."""
        self._reports.failed("connection", NodeDown(str(error)) if self._reported_lost else error)
        self._reported_lost = True
