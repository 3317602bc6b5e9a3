"""A call log that is gone with the process."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from operator import attrgetter

from attrs import define, field

from unique_account.core.cursors import Key, in_microseconds
from unique_account.core.history import CallRecord, combine
from unique_account.core.search import matches
from unique_account.ports.call_log import Position


@define(eq=False, weakref_slot=False)
class _Calls:
    """One user's records, oldest first, and beside them when each began: numbers are fast to seek."""

    records: list[CallRecord] = field(factory=list)
    starts: array[int] = field(factory=lambda: array("q"))

    def take(self, record: CallRecord) -> None:
        place = self.place(record.key)
        if place < len(self.records) and self.records[place].key == record.key:
            self.records[place] = combine(self.records[place], record)
        else:
            self.records.insert(place, record)
            self.starts.insert(place, in_microseconds(record.start))

    def place(self, key: Key) -> int:
        """How many records sort before a key."""
        start, id_ = in_microseconds(key[0]), key[1]
        first = bisect_left(self.starts, start)
        if first == len(self.starts) or self.starts[first] != start:
            return first
        return bisect_left(self.records, id_, first, bisect_right(self.starts, start, first), key=_ID)

    def forget(self, end: int) -> int:
        del self.records[:end], self.starts[:end]
        return end


_ID = attrgetter("id")


class MemoryCallLog:
    """Keeps each user's records in a list, in the order in which a history is read, backwards."""

    def __init__(self) -> None:
        self._users: dict[str, _Calls] = {}
        self._positions: dict[str, Position] = {}

    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        """Take records in; one for a known user and call is combined with it."""
        for record in list(records):
            self._users.setdefault(record.user, _Calls()).take(record)
        if read is not None:
            saved = self._positions.get(read.source, read)
            self._positions[read.source] = read if read.row >= saved.row else saved

    async def position(self, source: str) -> Position | None:
        """How far a source has been read."""
        return self._positions.get(source)

    async def before(
        self,
        user: str,
        key: Key | None,
        limit: int,
        since: datetime | None = None,
        matching: str = "",
    ) -> Sequence[CallRecord]:
        """A user's records that sort after ``key`` in a list newest first, at most ``limit``."""
        calls = self._users.get(user, _Calls())
        end = len(calls.records) if key is None else calls.place(key)
        start = 0 if since is None else calls.place((since, ""))
        entries = (calls.records[place] for place in range(end - 1, start - 1, -1))
        return list(islice((entry for entry in entries if not matching or matches(entry, matching)), limit))

    async def forget_before(self, instant: datetime) -> int:
        """Take away all records of calls that started before an instant."""
        return sum(calls.forget(calls.place((instant, ""))) for calls in self._users.values())
