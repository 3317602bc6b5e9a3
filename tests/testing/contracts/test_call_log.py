"""The contract of the call log can fail: it finds each adapter that breaks a promise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import pytest

from tests.testing.promises import broken_promises, keeps
from unique_account.adapters.memory import (
    MemoryCallLog,
)
from unique_account.core.cursors import Key
from unique_account.core.history import CallRecord
from unique_account.core.search import matches
from unique_account.ports.call_log import Position
from unique_account.testing.contracts import (
    CallLogContract,
)


class KeepsTheFirst(MemoryCallLog):
    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        coming = list(records)
        kept = {user: {known.key for known in of.records} for user, of in self._users.items()}
        await super().add([r for r in coming if r.key not in kept.get(r.user, ())], read)


class KeepsTheLast(MemoryCallLog):
    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        fresh = list(records)
        for record in fresh:
            kept = self._users[record.user].records if record.user in self._users else []
            kept[:] = [record if known.key == record.key else known for known in kept]
        await super().add(fresh, read)


class HalfABatch(MemoryCallLog):
    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        for record in records:
            await super().add([record], read)


class ReadBeforeItIsKept(MemoryCallLog):
    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        await super().add([], read)
        await super().add(records)


class ReadsAgain(MemoryCallLog):
    """Takes any position, an earlier one included."""

    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        await super().add(records)
        if read is not None:
            self._positions[read.source] = read


class OneSource(MemoryCallLog):
    async def position(self, source: str) -> Position | None:
        rows = [position.row for position in self._positions.values()]
        return Position(source, max(rows)) if rows else None


class Asks(MemoryCallLog):
    """Passes on what is asked of it; a change of one answer is a way to be broken."""

    async def before(
        self,
        user: str,
        key: Key | None,
        limit: int,
        since: datetime | None = None,
        matching: str = "",
    ) -> Sequence[CallRecord]:
        return await self.asked(user, key, limit, since, matching)

    async def asked(
        self, user: str, key: Key | None, limit: int, since: datetime | None, matching: str
    ) -> Sequence[CallRecord]:
        return await super().before(user, key, limit, since, matching)


class Inclusive(Asks):
    async def asked(
        self, user: str, key: Key | None, limit: int, since: datetime | None, matching: str
    ) -> Sequence[CallRecord]:
        after = None if key is None else (key[0], key[1] + "\0")
        return await super().asked(user, after, limit, since, matching)


class SinceTooLate(Asks):
    async def asked(
        self, user: str, key: Key | None, limit: int, since: datetime | None, matching: str
    ) -> Sequence[CallRecord]:
        later = None if since is None else since + timedelta(microseconds=1)
        return await super().asked(user, key, limit, later, matching)


class OldestFirst(Asks):
    async def asked(
        self, user: str, key: Key | None, limit: int, since: datetime | None, matching: str
    ) -> Sequence[CallRecord]:
        return (await super().asked(user, key, limit, since, matching))[::-1]


class FindsExactlyWhatIsTyped(Asks):
    async def asked(
        self, user: str, key: Key | None, limit: int, since: datetime | None, matching: str
    ) -> Sequence[CallRecord]:
        found = await super().asked(user, key, 1000, since, "")
        return [entry for entry in found if matching in f"{entry.peer} {entry.peer_name}"][:limit]


class SearchesOnePage(Asks):
    async def asked(
        self, user: str, key: Key | None, limit: int, since: datetime | None, matching: str
    ) -> Sequence[CallRecord]:
        found = await super().asked(user, key, limit, since, "")
        return [entry for entry in found if matches(entry, matching)]


class ForgetsTooMuch(MemoryCallLog):
    async def forget_before(self, instant: datetime) -> int:
        return await super().forget_before(instant + timedelta(microseconds=1))


@pytest.mark.parametrize(
    "adapter",
    [
        KeepsTheFirst,
        KeepsTheLast,
        HalfABatch,
        ReadBeforeItIsKept,
        ReadsAgain,
        OneSource,
        Inclusive,
        SinceTooLate,
        OldestFirst,
        FindsExactlyWhatIsTyped,
        SearchesOnePage,
        ForgetsTooMuch,
    ],
)
def test_a_broken_call_log_is_found_out(adapter: type[MemoryCallLog]) -> None:
    assert broken_promises(keeps(CallLogContract, adapter))


def test_a_whole_one_breaks_no_promise() -> None:
    assert broken_promises(keeps(CallLogContract, MemoryCallLog, within=5)) == []
