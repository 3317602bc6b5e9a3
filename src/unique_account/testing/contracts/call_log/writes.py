"""How records come into a call log, and go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unique_account.core.account import Direction
from unique_account.core.history import CallRecord, HistoryStatus
from unique_account.ports.call_log import CallLog, Position
from unique_account.testing.contracts.call_log.records import (
    NINE,
    SECOND,
    a_record,
    answered,
    listed,
    records,
)
from unique_account.testing.contracts.scenario import Contract, scenario


class WritesContract(Contract[CallLog]):
    """Records are taken in together with the position of their source, and forgotten by age."""

    @scenario
    async def test_a_record_is_taken_in(self, log: CallLog) -> None:
        """Take records in."""
        await log.add([a_record(1)])
        assert list(await log.before("alice", None, 10)) == [a_record(1)]

    @scenario
    async def test_a_record_comes_back_whole(self, log: CallLog) -> None:
        """Every field of a record is kept, to the microsecond and in any script."""
        record = evolve(
            answered(a_record(1, NINE + timedelta(microseconds=1))),
            peer="+33 1",
            peer_name="Zoé 日本 'x'",
            rang=timedelta(microseconds=1),
            waited=timedelta(microseconds=2),
            forwarded_from="1002",
            transferred_to="1003",
            settled=True,
        )
        dialled = evolve(record, id="2.1", direction=Direction.OUTGOING, status=HistoryStatus.EMITTED)
        await log.add([record, dialled])
        assert list(await log.before("alice", None, 10)) == [dialled, record]

    @scenario
    async def test_the_same_record_twice_changes_nothing(self, log: CallLog) -> None:
        """Records come more than once (H6)."""
        await log.add([a_record(1), a_record(1)])
        await log.add([a_record(1)])
        assert list(await log.before("alice", None, 10)) == [a_record(1)]

    @scenario
    async def test_one_call_is_one_entry(self, log: CallLog) -> None:
        """One for a known user and call is combined with it (H2), whichever came first."""
        await log.add([a_record(1), answered(a_record(2))])
        await log.add([answered(a_record(1)), a_record(2)])
        assert list(await log.before("alice", None, 10)) == [answered(a_record(2)), answered(a_record(1))]

    @scenario
    async def test_one_call_is_an_entry_of_each_of_its_users(self, log: CallLog) -> None:
        """A store of call records, one for each user and call."""
        await log.add([a_record(1), a_record(1, user="bob")])
        assert list(await log.before("alice", None, 10)) == [a_record(1)]
        assert list(await log.before("bob", None, 10)) == [a_record(1, user="bob")]

    @scenario
    async def test_a_batch_that_breaks_is_taken_in_not_at_all(self, log: CallLog) -> None:
        """All or none of them."""

        def broken() -> Iterator[CallRecord]:
            yield a_record(1)
            yield answered(a_record(2))
            raise LookupError("the third record")

        await log.add([a_record(2)])
        with pytest.raises(LookupError):
            await log.add(broken())
        assert list(await log.before("alice", None, 10)) == [a_record(2)]

    @given(drawn=st.lists(records(), max_size=12), size=st.integers(1, 4), batch=st.integers(1, 12))
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    def test_the_order_of_coming_does_not_matter(
        self, drawn: list[CallRecord], size: int, batch: int
    ) -> None:
        """The log is the same whatever the order, and its pages put together are the whole."""

        async def check() -> None:
            async with self.open() as log:
                for start in range(0, len(drawn), batch):
                    await log.add(drawn[start : start + batch])
                for user in ("alice", "bob"):
                    assert await self._paged(log, user, size) == listed(drawn, user)

        asyncio.run(check())

    @given(drawn=st.lists(records(), min_size=1, max_size=12), writers=st.integers(2, 4))
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    def test_several_writers_at_a_time_come_to_the_same(self, drawn: list[CallRecord], writers: int) -> None:
        """From several writers at a time, who write the same calls in different orders."""

        async def check() -> None:
            async with self.open() as log:
                orders = (drawn[number:] + drawn[:number] for number in range(writers))
                await asyncio.gather(*(log.add(order) for order in orders), *(log.add([r]) for r in drawn))
                for user in ("alice", "bob"):
                    assert await self._paged(log, user, 100) == listed(drawn, user)

        asyncio.run(check())

    async def _paged(self, log: CallLog, user: str, size: int) -> list[CallRecord]:
        entries: list[CallRecord] = []
        while page := await log.before(user, entries[-1].key if entries else None, size):
            assert len(page) <= size
            assert not entries or page[0].key < entries[-1].key  # else the pages would never end
            entries += page
        return entries

    @scenario
    async def test_nothing_was_read_of_an_unknown_source(self, log: CallLog) -> None:
        """None if nothing was ever read of it."""
        await log.add([a_record(1)], Position("one", 7))
        assert await log.position("other") is None

    @scenario
    async def test_a_position_is_kept_with_its_records(self, log: CallLog) -> None:
        """It is kept together with the records, also with those that are there already, by source."""
        await log.add([a_record(1)], Position("one", 7))
        await log.add([a_record(1)], Position("one", 1 << 40))
        await log.add([], Position("other", 1, (3, 1 << 40)))
        assert await log.position("one") == Position("one", 1 << 40)
        assert await log.position("other") == Position("other", 1, (3, 1 << 40))

    @scenario
    async def test_of_two_positions_the_later_one_stays(self, log: CallLog) -> None:
        """One of an earlier row than is kept changes nothing, but its records are taken in."""
        await log.add([a_record(2)], Position("one", 8, (10, 11)))
        await log.add([a_record(1)], Position("one", 7, (9,)))
        assert await log.position("one") == Position("one", 8, (10, 11))
        await log.add([], Position("one", 8, (10, 11, 12)))
        assert await log.position("one") == Position("one", 8, (10, 11, 12))
        await log.add([], Position("one", 12))
        assert await log.position("one") == Position("one", 12)
        assert list(await log.before("alice", None, 10)) == [a_record(2), a_record(1)]

    @scenario
    async def test_a_batch_that_breaks_moves_no_position(self, log: CallLog) -> None:
        """Together with the records, or not at all."""

        def broken() -> Iterator[CallRecord]:
            yield a_record(1)
            raise LookupError("the second record")

        with pytest.raises(LookupError):
            await log.add(broken(), Position("one", 7))
        assert await log.position("one") is None

    @scenario
    async def test_what_started_before_an_instant_is_forgotten(self, log: CallLog) -> None:
        """Take away all records of calls that started before an instant; returns how many."""
        calls = [a_record(number, NINE + number * SECOND) for number in (1, 2, 3)]
        await log.add([*calls, a_record(1, NINE, "bob")])
        assert await log.forget_before(NINE + 2 * SECOND) == 2
        assert list(await log.before("alice", None, 10)) == [calls[2], calls[1]]
        assert list(await log.before("bob", None, 10)) == []
        assert await log.forget_before(NINE + 2 * SECOND) == 0

    @scenario
    async def test_what_was_forgotten_can_come_again(self, log: CallLog) -> None:
        """Records come late, those of forgotten calls included."""
        await log.add([a_record(1)])
        await log.forget_before(NINE + SECOND)
        await log.add([a_record(1)])
        assert list(await log.before("alice", None, 10)) == [a_record(1)]
