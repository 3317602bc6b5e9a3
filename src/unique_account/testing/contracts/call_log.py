"""What every call log must do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import groupby
from operator import attrgetter

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unique_account.core.account import Direction
from unique_account.core.history import CallRecord, HistoryStatus, combine
from unique_account.core.machine import Device
from unique_account.ports.call_log import CallLog, Position
from unique_account.testing.contracts.scenario import Contract, scenario

NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def a_record(number: int, start: datetime = NINE, user: str = "alice") -> CallRecord:
    """A missed call, one of several that may start at the same instant."""
    return CallRecord(
        id=f"{number}.1",
        user=user,
        start=start,
        status=HistoryStatus.MISSED,
        direction=Direction.INCOMING,
        peer="3000",
    )


def answered(record: CallRecord) -> CallRecord:
    """What another source says of the same call: it was answered."""
    return evolve(
        record,
        status=HistoryStatus.ANSWERED,
        device=Device.WEBRTC,
        answered=record.start + SECOND,
        ended=record.start + 2 * SECOND,
    )


def called(number: int, peer: str, name: str) -> CallRecord:
    """A missed call of somebody, so many seconds after nine."""
    return evolve(a_record(number, NINE + number * SECOND), peer=peer, peer_name=name)


@st.composite
def records(draw: st.DrawFn) -> CallRecord:
    """Records of a few calls that start within a few seconds, so that starts and calls are shared."""
    number = draw(st.integers(1, 5))
    user = draw(st.sampled_from(("alice", "bob")))
    record = a_record(number, NINE + (number // 2) * SECOND, user)
    ongoing = evolve(record, status=HistoryStatus.ONGOING)
    settled = evolve(record, settled=True, rang=SECOND)
    named = evolve(record, peer_name="Carol")
    return draw(st.sampled_from((record, ongoing, answered(record), named, settled)))


def listed(given: Sequence[CallRecord], user: str) -> list[CallRecord]:
    """What a user's list comes to: one entry for each call, newest first."""
    own = sorted((record for record in given if record.user == user), key=attrgetter("key"))
    return [reduce(combine, doubles) for _, doubles in groupby(own, key=attrgetter("key"))][::-1]


class CallLogContract(Contract[CallLog]):
    """The contract of `unique_account.ports.call_log.CallLog`; ``open`` gives an empty log."""

    # -- add -----------------------------------------------------------------------------------------

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
        """The log comes to the same whatever the order, and its pages put together are the whole."""

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
        """From several writers at a time, who tell of the same calls in different orders."""

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

    # -- position ------------------------------------------------------------------------------------

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

    # -- before --------------------------------------------------------------------------------------

    @scenario
    async def test_a_user_without_records_has_none(self, log: CallLog) -> None:
        """A user's records, nobody else's."""
        await log.add([a_record(1)])
        assert list(await log.before("bob", None, 10)) == []

    @scenario
    async def test_the_newest_come_first_and_no_more_than_asked_for(self, log: CallLog) -> None:
        """At most ``limit``, from the newest on."""
        calls = [a_record(number, NINE + number * SECOND) for number in range(1, 6)]
        await log.add(calls)
        for limit in (0, 1, 3, 5, 100):
            assert list(await log.before("alice", None, limit)) == calls[::-1][:limit]

    @scenario
    async def test_equal_starts_are_ordered_by_id_as_text(self, log: CallLog) -> None:
        """The order is that of the key: the start, then the id by code point (H6)."""
        await log.add([a_record(number) for number in (9, 10, 99, 100)])
        entries = await log.before("alice", None, 10)
        assert [entry.id for entry in entries] == ["99.1", "9.1", "100.1", "10.1"]

    @scenario
    async def test_a_page_begins_after_its_key(self, log: CallLog) -> None:
        """A user's records that sort after ``key``, whether a record has that key or not."""
        calls = [a_record(number) for number in (1, 2, 3)]
        await log.add(calls)
        assert list(await log.before("alice", calls[2].key, 10)) == [calls[1], calls[0]]
        assert list(await log.before("alice", (NINE, "2.9"), 10)) == [calls[1], calls[0]]
        assert list(await log.before("alice", calls[0].key, 10)) == []

    @scenario
    async def test_what_arrives_does_not_move_the_next_page(self, log: CallLog) -> None:
        """A late record is on the next page if it sorts after the key, and is not if it sorts before (H5)."""
        calls = [a_record(number, NINE + number * SECOND) for number in (2, 4, 6)]
        await log.add(calls)
        last = (await log.before("alice", None, 2))[-1]
        newer, late = a_record(7, NINE + 7 * SECOND), a_record(3, NINE + 3 * SECOND)
        await log.add([newer, late])
        assert list(await log.before("alice", last.key, 10)) == [late, calls[0]]

    @scenario
    async def test_since_leaves_out_what_started_earlier(self, log: CallLog) -> None:
        """Only calls that started at this instant or later."""
        calls = [a_record(number, NINE + number * SECOND) for number in (1, 2, 3)]
        await log.add(calls)
        for skipped in range(4):
            since = NINE + (skipped + 1) * SECOND
            assert list(await log.before("alice", None, 10, since)) == calls[skipped:][::-1]
        assert list(await log.before("alice", calls[2].key, 1, NINE + SECOND)) == [calls[1]]

    @given(drawn=st.lists(records(), max_size=20), size=st.integers(1, 3), first=st.integers(0, 12))
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    def test_pages_are_the_whole_while_records_are_added(
        self, drawn: list[CallRecord], size: int, first: int
    ) -> None:
        """H5: what was there is on some page once, what arrives before the key on none, after it on one."""

        async def check() -> None:
            async with self.open() as log:
                await log.add(drawn[:first])
                given = [entry.key for entry in await log.before("alice", None, size)]
                expected = {entry.key for entry in listed(drawn[:first], "alice")}
                for record in drawn[first:]:
                    await log.add([record])
                    if record.user == "alice" and given and record.key < given[-1]:
                        expected.add(record.key)
                    if given:
                        given += [entry.key for entry in await log.before("alice", given[-1], size)]
                while given and (page := await log.before("alice", given[-1], size)):
                    given += [entry.key for entry in page]
                assert given == sorted(expected, reverse=True)

        asyncio.run(check())

    # -- before, matching ----------------------------------------------------------------------------

    @scenario
    async def test_a_search_finds_numbers_and_names(self, log: CallLog) -> None:
        """Only calls with a party whose number or name holds this text."""
        zoe, paul = called(1, "+33 1 23", "Zoé Martin"), called(2, "0123", "Jean-Paul 100%_")
        await log.add([zoe, paul, evolve(zoe, user="bob"), called(3, "", "")])
        found = {
            text: [entry.peer for entry in await log.before("alice", None, 10, matching=text)]
            for text in (
                "123",
                "+331",
                "01 23",
                "zoe m",
                "ZOÉ",
                "jean paul",
                "%",
                "_",
                "0%",
                "12333",
                "nobody",
            )
        }
        both, all_ = [paul.peer, zoe.peer], ["", paul.peer, zoe.peer]
        assert found == {
            "123": both,
            "+331": [zoe.peer],
            "01 23": [paul.peer],
            "zoe m": [zoe.peer],
            "ZOÉ": [zoe.peer],
            "jean paul": [paul.peer],
            "%": all_,
            "_": all_,
            "0%": [paul.peer],
            "12333": [],
            "nobody": [],
        }

    @scenario
    async def test_a_search_has_pages_too(self, log: CallLog) -> None:
        """A search is asked for by key, number of records and age, as all is."""
        calls = [called(number, "300", ("Carol", "Dave")[number % 2]) for number in range(1, 9)]
        await log.add(calls)
        carols = [call for call in calls[::-1] if call.peer_name == "Carol"]
        first = await log.before("alice", None, 3, matching="carol")
        assert list(first) == carols[:3]
        assert list(await log.before("alice", first[-1].key, 3, matching="carol")) == carols[3:]
        since = NINE + 5 * SECOND
        assert list(await log.before("alice", None, 3, since, "carol")) == carols[:2]

    @scenario
    async def test_a_search_follows_what_becomes_of_a_call(self, log: CallLog) -> None:
        """A record that is combined with another is found by what it says then."""
        await log.add([a_record(1)])
        await log.add([evolve(answered(a_record(1)), peer="4000", peer_name="Carol")])
        assert len(await log.before("alice", None, 10, matching="carol")) == 1
        assert list(await log.before("alice", None, 10, matching="3000")) == []

    # -- forget_before -------------------------------------------------------------------------------

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
