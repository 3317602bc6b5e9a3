"""From rows that a PBX wrote to records in the call log; no row is lost, and none counts twice.

A row is of use until its call is over. So the place from which a source would be read again stays before
the first row of every call that goes on. It is saved in the transaction of the records that were made: a
process that dies before that reads the same rows again, and the log takes the same records once (H6). A
call that is over but began before that place could not be made again from its later rows alone; the
position names these rows, and they are not read again.

Rows are numbered as they are written and seen as they are committed, so a number that is missing may come
yet. For a while nothing is read beyond it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from unique_account.core.errors import UniqueAccountError
from unique_account.ports.call_log import CallLog, Position
from unique_account.ports.cel_rows import CallRecords, CelRows, Columns
from unique_account.ports.clock import Clock

BATCH: Final = 2000
"""How many rows are read at a time."""

GAP_PATIENCE: Final = timedelta(seconds=10)
"""How long a missing number is waited for; longer than any PBX takes to commit a row."""

REREAD: Final = 500_000
"""How many rows at most are read again after a crash: what a longer call is known of is lost with it."""


@define(eq=False, weakref_slot=False)
class CallLogIngest:
    """Reads one source into one log, from where it was read to before.

    Attributes:
        rows: The source.
        read: Makes of a row what ``calls`` takes; raises `UniqueAccountError` where it cannot be read.
        calls: What makes records of rows.
        log: Where the records go.
        clock: Decides when a call is quiet, and how long a row has been missing.
        complain: Gets the number of each row that cannot be read, and why; the row is skipped.
        batch: How many rows are read at a time.
        done: How many rows were read so far.
        made: How many records they came to so far.
    """

    rows: CelRows
    read: Callable[[Columns], object]
    calls: CallRecords
    log: CallLog
    clock: Clock
    complain: Callable[[int, UniqueAccountError], None]
    batch: int = BATCH
    done: int = field(init=False, default=0)
    made: int = field(init=False, default=0)
    _saved: Position | None = field(init=False, default=None)
    _reached: int = field(init=False, default=0)
    """The last row that was read."""
    _known: frozenset[int] = field(init=False, default=frozenset())
    """The rows after the place where it was taken up that need not be read."""
    _missed: tuple[int, datetime] | None = field(init=False, default=None)
    """The number before a missing one, and since when that is missing."""
    _open: dict[int, tuple[object, int]] = field(init=False, factory=dict)
    """The rows of calls that are not over, by identity, with their numbers."""
    _over: list[list[int]] = field(init=False, factory=list)
    """The rows of calls that were over at the same time, as far as they reach beyond the saved place."""

    async def step(self) -> bool:
        """Read a batch and save its records; returns whether there may be more to read at once."""
        if self._saved is None:
            await self._resume()
        found = await self.rows.after(self._reached, self.batch)
        ready = self._ready([number for number, _ in found])
        self._feed([(number, columns) for number, columns in found[:ready] if number not in self._known])
        if ready:
            self._reached = found[ready - 1][0]
        all_read = ready == len(found) < self.batch
        await self._save(self.clock.now() if all_read else None)
        return ready > 0

    async def catch_up(self, reported: Callable[[int], object] = lambda _: None) -> None:
        """Read all that is there; ``reported`` gets after each batch how many rows were read so far."""
        while await self.step():
            reported(self.done)

    async def follow(self, poll: float = 1.0) -> None:
        """Read all that is there and all that comes, looking once in so many seconds; never returns."""
        while True:
            await self.catch_up()
            await asyncio.sleep(poll)

    async def _resume(self) -> None:
        self._saved = await self.log.position(self.rows.name) or Position(self.rows.name, 0)
        self._reached = self._saved.row
        self._known = frozenset(self._saved.beyond)
        self._over = [[self._saved.row, *self._saved.beyond]]

    def _ready(self, numbers: Sequence[int]) -> int:
        """How many rows come before a missing one that may come yet: not if much was written after it."""
        old = self.batch // 2 if len(numbers) == self.batch else 0
        for place, number in enumerate(numbers):
            before = numbers[place - 1] if place else self._reached
            if number != before + 1 and place >= old and not self._waited(before):
                return place
        return len(numbers)

    def _waited(self, before: int) -> bool:
        """Whether the number after this one has been missing for long; before the first row none is."""
        now = self.clock.now()
        if self._missed is None or self._missed[0] != before:
            self._missed = (before, now)
        return before == 0 or now - self._missed[1] >= GAP_PATIENCE

    def _feed(self, new: Sequence[tuple[int, Columns]]) -> None:
        readable = []
        for number, columns in new:
            try:
                row = self.read(columns)
            except UniqueAccountError as error:
                self.complain(number, error)
                continue
            self._open[id(row)] = (row, number)
            readable.append(row)
        self.calls.feed(readable)
        self.done += len(new)

    async def _save(self, now: datetime | None) -> None:
        records = self.calls.final(now)
        waiting = {id(row) for row in self.calls.waiting()}
        over = [key for key in self._open if key not in waiting]
        if over:
            self._over.append(sorted(self._open.pop(key)[1] for key in over))
        position = self._position()
        if records or position != self._saved:
            await self.log.add(records, position)
            self._saved = position
            self.made += len(records)

    def _position(self) -> Position:
        """Before the first row of every call that is not over."""
        numbers = (number for _, number in self._open.values())
        needed = min((number for number in numbers if number > self._reached - REREAD), default=None)
        place = self._reached if needed is None else needed - 1
        self._over = [numbers for numbers in self._over if numbers[-1] > place]
        begun = [number for numbers in self._over if numbers[0] <= place for number in numbers]
        return Position(self.rows.name, place, tuple(sorted(number for number in begun if number > place)))
