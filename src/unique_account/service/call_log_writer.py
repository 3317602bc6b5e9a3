"""Records calls that are over; what the call log could not be given waits until it can."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from unique_account.core.account import Account
from unique_account.core.diversions import CallDiverted, diverted
from unique_account.core.errors import Unreachable
from unique_account.core.events import CallEnded
from unique_account.core.history import CallRecord, finished
from unique_account.ports.call_log import CallLog
from unique_account.ports.clock import Clock
from unique_account.ports.observer import Observer, PortRequest

RETRY: Final = timedelta(seconds=5)
"""How long after a call log could not be reached it is tried again."""

MOST_OWED: Final = 10_000
"""How many records are kept for a call log that cannot be reached; beyond that the oldest are given up."""


class CallLogWriter:
    """Hands records to a call log, in the order in which they come.

    Args:
        call_log: Where they go.
        clock: When it is time to try again.
        observer: Is notified of a call log that fails, once, and when it works again.
        on_record: Is called with the user whose history has a new record.
    """

    def __init__(
        self,
        call_log: CallLog,
        clock: Clock,
        observer: Observer,
        on_record: Callable[[str], Awaitable[None]],
    ) -> None:
        self._call_log = call_log
        self._clock = clock
        self._observer = observer
        self._on_record = on_record
        self._owed: deque[CallRecord] = deque()

    async def record(self, account: Account, event: CallEnded | CallDiverted) -> None:
        """Record a live call of an account that is over (H3), or keep it until that is possible.

        A call that the PBX sent elsewhere is over for its user (H4).
        """
        if isinstance(event, CallEnded):
            record = finished(account, event.call_id, event.at)
        else:
            record = diverted(account, event)
        if record is not None:
            await self._write(record)

    async def _write(self, record: CallRecord) -> None:
        """Write a record, or keep it until that is possible."""
        try:
            if not self._owed and await self._settled(record):
                return
        except asyncio.CancelledError:  # nobody reports the end of this call again
            self._owe(record)
            raise
        self._owe(record)

    def _owe(self, record: CallRecord) -> None:
        """Keep a record until the call log can be reached."""
        if not self._owed:
            self._try_again_later()
        self._owed.append(record)
        if len(self._owed) > MOST_OWED:
            self._say(self._owed.popleft(), OverflowError(f"{MOST_OWED} calls wait already"))

    async def _settled(self, record: CallRecord) -> bool:
        """Whether nothing is left to do for a record; what the call log refuses, it would refuse again."""
        try:
            await self._call_log.add([record])
        except Unreachable as error:
            if not self._owed:
                self._say(record, error)
            return False
        except Exception as error:
            self._say(record, error)
        else:
            await self._report(record.user)
        return True

    async def _report(self, user: str) -> None:
        """Report a new record; the record stays whatever comes of that."""
        try:
            await self._on_record(user)
        except Exception as error:
            self._observer.failed(PortRequest("cti", "history_changed", user=user), error)

    def _say(self, record: CallRecord, error: Exception) -> None:
        self._observer.failed(PortRequest("call log", "add", user=record.user), error)

    def _try_again_later(self) -> None:
        self._clock.call_at(self._clock.now() + RETRY, self.make_up)

    async def make_up(self) -> None:
        """Write what waits, the oldest first, as far as the call log can be reached."""
        waited = bool(self._owed)
        while self._owed:
            record = self._owed[0]
            if not await self._settled(record):
                self._try_again_later()
                return
            if self._owed and self._owed[0] is record:
                self._owed.popleft()
        if waited:
            self._observer.recovered(PortRequest("call log", "add"))
