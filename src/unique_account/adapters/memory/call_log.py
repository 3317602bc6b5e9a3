"""A call log that is gone with the process."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from datetime import datetime

from unique_account.core.cursors import Key
from unique_account.core.history import CallRecord, combine


class MemoryCallLog:
    """Keeps each user's records in a dict, their keys sorted."""

    def __init__(self) -> None:
        self._records: dict[str, dict[Key, CallRecord]] = {}
        self._keys: dict[str, list[Key]] = {}

    async def add(self, records: Iterable[CallRecord]) -> None:
        """Take records in; one for a known user and call is combined with it."""
        for record in list(records):
            known = self._records.setdefault(record.user, {})
            if record.key in known:
                known[record.key] = combine(known[record.key], record)
            else:
                known[record.key] = record
                insort(self._keys.setdefault(record.user, []), record.key)

    async def before(
        self, user: str, key: Key | None, limit: int, since: datetime | None = None
    ) -> Sequence[CallRecord]:
        """A user's records that sort after ``key`` in a list newest first, at most ``limit``."""
        keys = self._keys.get(user, [])
        end = len(keys) if key is None else bisect_left(keys, key)
        start = max(end - limit, 0 if since is None else bisect_left(keys, (since, "")))
        return [self._records[user][key] for key in reversed(keys[start:end])]

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
