"""A call log that is gone with the process."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from unique_account.core.cursors import Key
from unique_account.core.history import CallRecord, combine
from unique_account.core.search import matches
from unique_account.ports.call_log import Position


class MemoryCallLog:
    """Keeps each user's records in a dict, their keys sorted."""

    def __init__(self) -> None:
        self._records: dict[str, dict[Key, CallRecord]] = {}
        self._keys: dict[str, list[Key]] = {}
        self._positions: dict[str, Position] = {}

    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        """Take records in; one for a known user and call is combined with it."""
        for record in list(records):
            known = self._records.setdefault(record.user, {})
            if record.key in known:
                known[record.key] = combine(known[record.key], record)
            else:
                known[record.key] = record
                insort(self._keys.setdefault(record.user, []), record.key)
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
        keys = self._keys.get(user, [])
        end = len(keys) if key is None else bisect_left(keys, key)
        start = 0 if since is None else bisect_left(keys, (since, ""))
        entries = (self._records[user][keys[place]] for place in range(end - 1, start - 1, -1))
        return list(islice((entry for entry in entries if not matching or matches(entry, matching)), limit))

    async def forget_before(self, instant: datetime) -> int:
        """Take away all records of calls that started before an instant."""
        forgotten = 0
        for user, keys in self._keys.items():
            end = bisect_left(keys, (instant, ""))
            for key in keys[:end]:
                del self._records[user][key]
            del keys[:end]
            forgotten += end
        return forgotten
