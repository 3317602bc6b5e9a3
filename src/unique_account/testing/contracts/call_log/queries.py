"""How a call log is read: in pages that stay, and by search."""

from __future__ import annotations

import asyncio

from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unique_account.core.history import CallRecord
from unique_account.ports.call_log import CallLog
from unique_account.testing.contracts.call_log.records import (
    NINE,
    SECOND,
    a_record,
    answered,
    called,
    listed,
    records,
)
from unique_account.testing.contracts.scenario import Contract, scenario


class QueriesContract(Contract[CallLog]):
    """A user's records, newest first, after a key, since an instant, of a party."""

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
                while 0 < len(given) <= len(drawn) and (page := await log.before("alice", given[-1], size)):
                    given += [entry.key for entry in page]
                assert given == sorted(expected, reverse=True)

        asyncio.run(check())

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
