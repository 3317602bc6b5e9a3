"""One history of both devices: entries, merging, pages, cursors and live calls (H)."""

from __future__ import annotations

import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from functools import reduce
from hashlib import blake2b
from itertools import combinations, islice, permutations, product
from math import ceil, log2
from typing import Any, overload

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from unique_account.core.account import Account, Call, CallStatus, Direction
from unique_account.core.cursors import decode_cursor, encode_cursor
from unique_account.core.errors import InvalidCursor
from unique_account.core.events import CallChanged, CallEnded, apply
from unique_account.core.history import (
    DEFAULT_DAYS,
    MAX_SIZE,
    CallRecord,
    HistoryStatus,
    combine,
    days_before,
    finished,
    merge,
    ongoing,
    page,
)
from unique_account.core.machine import Device
from unique_account.core.user import User

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FINAL = [HistoryStatus.MISSED, HistoryStatus.EMITTED, HistoryStatus.ANSWERED]


def record(number: int = 0, status: HistoryStatus = HistoryStatus.MISSED, **fields: Any) -> CallRecord:
    """A record of alice's call that began so many seconds after noon."""
    outgoing = status is HistoryStatus.EMITTED
    defaults: dict[str, Any] = {
        "id": f"call-{number}",
        "user": "alice",
        "start": NOON + number * SECOND,
        "status": status,
        "direction": Direction.OUTGOING if outgoing else Direction.INCOMING,
    }
    return CallRecord(**defaults | fields)


def newest_first(records: Sequence[CallRecord]) -> list[CallRecord]:
    return sorted(records, key=lambda each: each.key, reverse=True)


def history_of(records: Sequence[CallRecord]) -> list[CallRecord]:
    """What a history of these records is, said without merging."""
    calls: dict[tuple[Any, ...], list[CallRecord]] = {}
    for each in records:
        calls.setdefault((each.start, each.id, each.user), []).append(each)
    entries = [reduce(combine, doubles) for doubles in calls.values()]
    return newest_first(sorted(entries, key=lambda each: each.user))


def all_records() -> Iterator[CallRecord]:
    """Every record there can be of a few calls of alice: so few that doubles are common."""
    instants = (None, NOON, NOON + SECOND)
    parties = (("", ""), ("1002", ""), ("1002", "Bob"), ("1002", "Carol"), ("1003", "Bob"))
    for number, name, status, direction, device, party, answered, ended in product(
        range(3), "ab", HistoryStatus, Direction, (None, *Device), parties, instants, instants
    ):
        fields: dict[str, Any] = {"direction": direction, "device": device, "ended": ended}
        with suppress(ValueError):
            yield record(
                number, status, id=name, peer=party[0], peer_name=party[1], answered=answered, **fields
            )


POOL = tuple(all_records())
RECORDS = st.sampled_from(POOL)
ALL_USERS = st.sampled_from((*POOL, *(evolve(each, user="bob") for each in POOL)))
ALL_DOUBLES = [each for each in POOL if each.key == POOL[0].key]
DOUBLES = st.sampled_from(ALL_DOUBLES)
SOURCES = st.lists(ALL_USERS, max_size=8).map(newest_first)
MINE = st.lists(RECORDS, max_size=10).map(newest_first)


class TestCallRecord:
    """H4, H6: what one source says of one user's part in one call."""

    def test_instants_are_kept_in_utc(self) -> None:
        local = NOON.astimezone(timezone(timedelta(hours=2)))
        kept = record(status=HistoryStatus.ANSWERED, start=local, answered=local, ended=local)
        assert {each.tzinfo for each in (kept.start, kept.answered, kept.ended) if each} == {UTC}
        assert kept.key == (NOON, "call-0")

    def test_an_instant_without_a_time_zone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="has no time zone"):
            record(start=datetime(2026, 3, 1))

    @pytest.mark.parametrize("field", ["id", "user"])
    def test_a_record_of_no_call_or_no_user_is_refused(self, field: str) -> None:
        nothing: dict[str, Any] = {field: ""}
        with pytest.raises(ValueError, match="needs an id and a user"):
            record(**nothing)

    @pytest.mark.parametrize("status", FINAL)
    @pytest.mark.parametrize("direction", Direction)
    def test_emitted_is_the_one_final_status_of_outgoing_calls(
        self, status: HistoryStatus, direction: Direction
    ) -> None:
        if (status is HistoryStatus.EMITTED) is (direction is Direction.OUTGOING):
            assert record(status=status, direction=direction).status is status
        else:
            with pytest.raises(ValueError, match=f"is {status} and {direction}"):
                record(status=status, direction=direction)

    @pytest.mark.parametrize("direction", Direction)
    def test_ongoing_goes_either_way(self, direction: Direction) -> None:
        assert record(status=HistoryStatus.ONGOING, direction=direction).direction is direction

    def test_an_ongoing_call_has_not_ended(self) -> None:
        with pytest.raises(ValueError, match="ongoing and has ended"):
            record(status=HistoryStatus.ONGOING, ended=NOON)
        with pytest.raises(ValueError, match="ongoing and has ended"):
            record(status=HistoryStatus.ONGOING, settled=True)

    def test_nothing_rings_for_less_than_no_time(self) -> None:
        with pytest.raises(ValueError, match="rang for -1 day"):
            record(rang=-SECOND)
        with pytest.raises(ValueError, match="waited for -1 day"):
            record(waited=-SECOND)

    def test_a_missed_call_was_not_answered(self) -> None:
        with pytest.raises(ValueError, match="missed and was answered"):
            record(status=HistoryStatus.MISSED, answered=NOON)

    def test_the_duration_is_how_long_the_parties_talked(self) -> None:
        talked = record(status=HistoryStatus.ANSWERED, answered=NOON + 5 * SECOND, ended=NOON + 30 * SECOND)
        assert talked.duration == 25 * SECOND
        assert evolve(talked, waited=5 * SECOND).duration == 20 * SECOND
        assert evolve(talked, waited=26 * SECOND).duration == timedelta(0)

    @pytest.mark.parametrize("known", [{}, {"answered": NOON}, {"ended": NOON}])
    def test_the_duration_is_zero_while_it_is_not_known(self, known: dict[str, Any]) -> None:
        assert record(status=HistoryStatus.ANSWERED, **known).duration == timedelta(0)

    def test_a_clock_that_stepped_back_makes_no_negative_duration(self) -> None:
        stepped = record(status=HistoryStatus.EMITTED, answered=NOON, ended=NOON - SECOND)
        assert stepped.duration == timedelta(0)


class TestCombining:
    """H2: one call is one entry; answered anywhere means missed nowhere, and final beats ongoing."""

    def test_the_order_of_two_records_does_not_matter_for_any_two_there_can_be(self) -> None:
        for one, other in combinations(ALL_DOUBLES, 2):
            assert combine(one, other) is combine(other, one)

    @given(DOUBLES, DOUBLES, DOUBLES)
    def test_how_three_records_are_paired_does_not_matter(
        self, one: CallRecord, two: CallRecord, three: CallRecord
    ) -> None:
        assert combine(combine(one, two), three) == combine(one, combine(two, three))

    @given(DOUBLES)
    def test_a_record_told_twice_is_that_record(self, one: CallRecord) -> None:
        assert combine(one, evolve(one)) == one

    @given(DOUBLES, DOUBLES)
    def test_the_entry_is_one_of_the_records_as_it_was(self, one: CallRecord, other: CallRecord) -> None:
        assert combine(one, other) in (one, other)

    @given(st.lists(DOUBLES, min_size=1))
    def test_answered_anywhere_is_missed_nowhere(self, doubles: list[CallRecord]) -> None:
        assume(any(each.status is HistoryStatus.ANSWERED for each in doubles))
        assert reduce(combine, doubles).status is HistoryStatus.ANSWERED

    @given(st.lists(DOUBLES, min_size=1))
    def test_a_call_that_is_over_anywhere_is_ongoing_nowhere(self, doubles: list[CallRecord]) -> None:
        over = any(each.status is not HistoryStatus.ONGOING for each in doubles)
        assert (reduce(combine, doubles).status is not HistoryStatus.ONGOING) is over

    @pytest.mark.parametrize(
        "more",
        [
            {"peer": "1002"},
            {"peer_name": "Bob"},
            {"device": Device.WEBRTC},
            {"ended": NOON},
            {"answered": NOON},
        ],
    )
    def test_of_two_that_agree_the_one_that_knows_more_wins(self, more: dict[str, Any]) -> None:
        less = record(status=HistoryStatus.ANSWERED)
        assert combine(less, evolve(less, **more)) == evolve(less, **more)

    @pytest.mark.parametrize("known", [{"peer": "1002"}, {"peer_name": "Bob"}, {"device": Device.WEBRTC}])
    def test_a_known_party_or_device_is_worth_more_than_a_later_end(self, known: dict[str, Any]) -> None:
        early, late = (record(status=HistoryStatus.ANSWERED, ended=NOON + end * SECOND) for end in (1, 2))
        assert combine(evolve(early, **known), late) == evolve(early, **known)

    def test_of_two_parties_the_one_spoken_with_last_wins(self) -> None:
        first = record(status=HistoryStatus.ANSWERED, ended=NOON + SECOND, peer="1003")
        last = evolve(first, ended=NOON + 2 * SECOND, peer="1002")
        assert combine(first, last) == last

    @pytest.mark.parametrize(("settled", "live"), list(product(FINAL, HistoryStatus)))
    def test_a_settled_record_replaces_what_was_told_live_but_makes_nothing_missed(
        self, settled: HistoryStatus, live: HistoryStatus
    ) -> None:
        written = record(status=settled, settled=True)
        reported = record(status=live, peer="1002", peer_name="Bob", device=Device.WEBRTC)
        taken = settled is HistoryStatus.MISSED and live in {HistoryStatus.EMITTED, HistoryStatus.ANSWERED}
        assert combine(written, reported) == combine(reported, written) == (reported if taken else written)

    @pytest.mark.parametrize(
        "more",
        [{"rang": SECOND}, {"forwarded_from": "1003"}, {"transferred_to": "1003"}, {"waited": SECOND}],
    )
    def test_ring_time_forwards_and_transfers_count_too(self, more: dict[str, Any]) -> None:
        assert combine(record(), record(**more)) == combine(record(**more), record()) == record(**more)

    @pytest.mark.parametrize("change", [{"id": "b"}, {"start": NOON + SECOND}, {"user": "bob"}])
    def test_records_of_two_entries_are_not_combined(self, change: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="are two entries"):
            combine(record(), record(**change))


class TestMerging:
    """H1, H2, H6: one list of the calls of both devices, newest first, whatever the sources look like."""

    @given(st.lists(SOURCES, max_size=5))
    def test_the_history_is_what_the_records_come_to(self, sources: list[list[CallRecord]]) -> None:
        assert list(merge(*sources)) == history_of([each for source in sources for each in source])

    @given(st.lists(ALL_USERS, max_size=12), st.data())
    def test_how_records_are_split_and_doubled_does_not_matter(
        self, whole: list[CallRecord], data: st.DataObject
    ) -> None:
        split: list[list[CallRecord]] = [[], [], []]
        for each in data.draw(st.permutations(whole)):
            for number in data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=4)):
                split[number].append(each)
        assert list(merge(*map(newest_first, split))) == history_of(whole)

    @given(SOURCES, SOURCES)
    def test_the_order_of_the_sources_does_not_matter(
        self, one: list[CallRecord], other: list[CallRecord]
    ) -> None:
        assert list(merge(one, other)) == list(merge(other, one))

    @given(SOURCES, SOURCES, SOURCES)
    def test_how_the_sources_are_grouped_does_not_matter(
        self, one: list[CallRecord], two: list[CallRecord], three: list[CallRecord]
    ) -> None:
        flat = list(merge(one, two, three))
        assert list(merge(merge(one, two), three)) == flat
        assert list(merge(one, merge(two, three))) == flat

    @given(SOURCES)
    def test_a_source_told_twice_changes_nothing(self, source: list[CallRecord]) -> None:
        assert list(merge(source, source)) == list(merge(source))

    @given(SOURCES)
    def test_a_history_is_a_source_of_itself(self, source: list[CallRecord]) -> None:
        entries = list(merge(source))
        assert list(merge(entries)) == entries

    @given(st.lists(SOURCES, max_size=4))
    def test_no_call_is_two_entries_of_one_user(self, sources: list[list[CallRecord]]) -> None:
        entries = [(each.key, each.user) for each in merge(*sources)]
        assert len(entries) == len(set(entries))

    def test_no_sources_are_no_history(self) -> None:
        assert list(merge()) == []
        assert list(merge([], iter(()))) == []

    def test_calls_that_began_at_once_are_ordered_by_their_ids(self) -> None:
        a, b, c = (record(id=name) for name in "abc")
        assert list(merge([b], [c, a])) == [c, b, a]

    def test_each_user_of_a_call_has_an_entry(self) -> None:
        for_bob = record(user="bob", status=HistoryStatus.EMITTED)
        for_alice = record(status=HistoryStatus.ANSWERED)
        assert list(merge([for_bob], [for_alice, for_bob])) == [for_alice, for_bob]


class TestUnsortedSources:
    """H6: a source that is not sorted newest first is an error of whoever made it, and says where."""

    @pytest.mark.parametrize("position", [1, 2, 3])
    def test_the_source_and_the_position_are_named(self, position: int) -> None:
        unsorted = newest_first([record(number) for number in range(4)])
        unsorted[position] = record(99)
        with pytest.raises(ValueError, match=rf"source 1 is not sorted .* record {position}$"):
            list(merge([record(7)], unsorted))

    def test_ids_count_as_well_as_starts(self) -> None:
        with pytest.raises(ValueError, match="not sorted"):
            list(merge([record(id="a"), record(id="b")]))

    def test_doubles_within_a_source_are_no_error(self) -> None:
        assert list(merge([record(), record()])) == [record()]

    @given(st.lists(RECORDS, max_size=6), st.lists(SOURCES, max_size=2))
    def test_no_disorder_goes_unnoticed(
        self, source: list[CallRecord], others: list[list[CallRecord]]
    ) -> None:
        keys = [each.key for each in source]
        assume(keys != sorted(keys, reverse=True))
        with pytest.raises(ValueError, match="source 0 is not sorted"):
            list(merge(source, *others))


class TestLaziness:
    """H5: a merge takes no more of a source than it needs."""

    def test_nothing_is_taken_before_the_first_entry_is_asked_for(self) -> None:
        def untouchable() -> Iterator[CallRecord]:
            pytest.fail("a record was taken")
            yield record()

        merge(untouchable())

    @pytest.mark.parametrize("entries", [1, 2, 10])
    def test_it_is_one_record_of_each_source_ahead_at_most(self, entries: int) -> None:
        sources = [Endless(1), Endless(2), Endless(7)]
        *_, last = islice(merge(*sources), entries)
        for source in sources:
            taken = sum(source.at(position).key >= last.key for position in range(source.taken))
            assert source.taken == taken + 1

    def test_one_source_is_one_record_ahead(self) -> None:
        source = Endless(1)
        assert next(merge(source)) == source.at(0)
        assert source.taken == 2

    def test_doubles_are_awaited_and_no_more(self) -> None:
        sources = [Endless(1), Endless(1), Endless(1)]
        next(merge(*sources))
        assert [source.taken for source in sources] == [2, 2, 2]


class Endless:
    """A history without an end, in steps of so many seconds, that counts what is taken of it."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.taken = 0

    def at(self, position: int) -> CallRecord:
        number = -position * self.step
        return record(number)

    def __iter__(self) -> Iterator[CallRecord]:
        while True:
            self.taken += 1
            yield self.at(self.taken - 1)


class Counted(Sequence[CallRecord]):
    """A history of any length, made as it is looked at, that counts the look-ups."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.looked_up = 0

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> CallRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[CallRecord]: ...
    def __getitem__(self, index: int | slice) -> CallRecord | Sequence[CallRecord]:
        assert isinstance(index, int)
        self.looked_up += 1
        return record(self.length - index)


def read_all(*sources: Sequence[CallRecord], size: int, since: datetime | None = None) -> list[CallRecord]:
    entries: list[CallRecord] = []
    cursor = None
    for _ in range(1 + sum(map(len, sources))):
        got = page(*sources, user="alice", size=size, cursor=cursor, since=since)
        entries += got.entries
        if got.next is None:
            return entries
        assert len(got.entries) == size
        cursor = got.next
    pytest.fail("the pages have no end")


class TestPages:
    """H5: a history by count, in pages that join up to the whole."""

    @given(st.lists(MINE, max_size=3), st.integers(1, 5))
    def test_the_pages_are_the_whole(self, sources: list[list[CallRecord]], size: int) -> None:
        assert read_all(*sources, size=size) == list(merge(*sources))

    @given(st.lists(MINE, max_size=3), st.integers(1, 5))
    def test_a_next_page_is_announced_exactly_when_something_is_left(
        self, sources: list[list[CallRecord]], size: int
    ) -> None:
        got = page(*sources, user="alice", size=size)
        assert (got.next is None) is (len(list(merge(*sources))) <= size)

    def test_a_history_that_ends_with_the_page_has_no_next(self) -> None:
        assert page([record(1), record(0)], user="alice", size=2).next is None

    def test_an_empty_history_is_one_empty_page(self) -> None:
        assert page(user="alice") == page([], (), user="alice")
        assert page(user="alice").entries == ()

    def test_a_page_has_50_entries_unless_told_otherwise(self) -> None:
        assert len(page(Counted(1000), user="alice").entries) == 50

    @pytest.mark.parametrize("size", [-1, 0, MAX_SIZE + 1])
    def test_a_size_out_of_range_is_refused(self, size: int) -> None:
        with pytest.raises(ValueError, match=f"a page of {size} entries; from 1 to {MAX_SIZE}"):
            page(user="alice", size=size)

    def test_the_greatest_size_is_allowed(self) -> None:
        assert len(page(Counted(2 * MAX_SIZE), user="alice", size=MAX_SIZE).entries) == MAX_SIZE

    def test_a_record_of_another_user_is_never_shown(self) -> None:
        with pytest.raises(ValueError, match="holds call call-0 of another user"):
            page([record(1), record(0, user="bob")], user="alice")

    def test_a_live_call_leads_the_first_page_once(self) -> None:
        live = record(9, HistoryStatus.ONGOING)
        stored = [record(9, HistoryStatus.ANSWERED), record(8)]
        assert page([live], stored, user="alice").entries == tuple(stored)


class TestStability:
    """H5, H6: pages do not move while calls arrive, and what arrives late is not added to them."""

    @given(MINE, st.lists(RECORDS, max_size=10), st.integers(1, 4))
    def test_the_second_page_is_what_sorts_after_the_first_whatever_arrives(
        self, source: list[CallRecord], arriving: list[CallRecord], size: int
    ) -> None:
        first = page(source, user="alice", size=size)
        assume(first.next is not None)
        later = newest_first(source + arriving)
        last = first.entries[-1].key
        rest = [each for each in history_of(later) if each.key < last]
        second = page(later, user="alice", size=MAX_SIZE, cursor=first.next)
        assert list(second.entries) == rest

    @given(MINE, st.lists(st.lists(RECORDS, max_size=4), max_size=8), st.integers(1, 3))
    def test_arrivals_between_pages_repeat_nothing_and_lose_nothing_that_was_there(
        self, source: list[CallRecord], arrivals: list[list[CallRecord]], size: int
    ) -> None:
        there = {each.key for each in source}
        seen: list[tuple[datetime, str]] = []
        cursor, waiting = None, iter(arrivals)
        for _ in range(1 + len(source) + sum(map(len, arrivals))):
            got = page(source, user="alice", size=size, cursor=cursor)
            seen += [each.key for each in got.entries]
            if (cursor := got.next) is None:
                break
            source = newest_first(source + next(waiting, []))
        assert seen == sorted(set(seen), reverse=True)
        assert there <= set(seen)

    def test_a_late_record_after_the_cursor_is_on_the_next_page(self) -> None:
        first = page([record(5), record(3)], user="alice", size=1)
        late = [record(5), record(4), record(3)]
        assert page(late, user="alice", cursor=first.next).entries == (record(4), record(3))

    def test_a_late_record_before_the_cursor_is_not(self) -> None:
        first = page([record(5), record(3)], user="alice", size=1)
        late = [record(9), record(6), record(5), record(3)]
        assert page(late, user="alice", cursor=first.next).entries == (record(3),)

    def test_a_late_double_of_the_last_entry_does_not_show_it_again(self) -> None:
        missed = record(5)
        first = page([missed, record(3)], user="alice", size=1)
        answered = record(5, HistoryStatus.ANSWERED)
        assert page([answered], [missed, record(3)], user="alice", cursor=first.next).entries == (record(3),)


class TestCost:
    """H5: a page costs the same however long the history is."""

    @pytest.mark.parametrize("length", [100, 10_000, 1_000_000])
    @pytest.mark.parametrize("sources", [1, 3])
    def test_a_page_looks_up_its_entries_and_the_logarithm_of_the_length(
        self, length: int, sources: int
    ) -> None:
        cursor = encode_cursor("alice", record(length // 2).key)
        histories = [Counted(length) for _ in range(sources)]
        assert len(page(*histories, user="alice", size=10, cursor=cursor).entries) == 10
        for history in histories:
            assert history.looked_up <= 10 + 2 + ceil(log2(length)) + 1

    @pytest.mark.parametrize("length", [100, 10_000, 1_000_000])
    def test_the_first_page_looks_up_its_entries_and_two_more(self, length: int) -> None:
        history = Counted(length)
        page(history, user="alice", size=10)
        assert history.looked_up == 12

    def test_a_history_by_days_looks_no_further_than_its_days(self) -> None:
        history = Counted(1_000_000)
        page(history, user="alice", since=record(999_998).start)
        assert history.looked_up <= 5


class TestByDays:
    """H5: a history by days begins at an instant; 10 days back where nothing else is asked."""

    @given(st.lists(MINE, max_size=3), st.integers(1, 3), st.integers(-1, 4))
    def test_the_pages_are_the_part_of_the_whole_since_then(
        self, sources: list[list[CallRecord]], size: int, seconds: int
    ) -> None:
        since = NOON + seconds * SECOND
        whole = [each for each in merge(*sources) if each.start >= since]
        assert read_all(*sources, size=size, since=since) == whole

    def test_a_call_that_began_at_that_instant_is_part_of_it(self) -> None:
        assert page([record(0)], user="alice", since=NOON).entries == (record(0),)

    def test_an_instant_without_a_time_zone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="has no time zone"):
            page(user="alice", since=datetime(2026, 3, 1))

    def test_ten_days_are_the_default(self) -> None:
        assert DEFAULT_DAYS == 10
        assert days_before(NOON) == datetime(2026, 2, 19, 12, tzinfo=UTC)

    def test_days_are_counted_from_the_instant_given(self) -> None:
        assert days_before(NOON.astimezone(timezone(timedelta(hours=5))), 1) == NOON - timedelta(days=1)

    @pytest.mark.parametrize("days", [10**6, 10**12])
    def test_more_days_than_there_were_are_the_whole_history(self, days: int) -> None:
        assert days_before(NOON, days).year == 1

    @pytest.mark.parametrize("days", [0, -1])
    def test_less_than_a_day_is_refused(self, days: int) -> None:
        with pytest.raises(ValueError, match=f"a history of {days} days; at least 1"):
            days_before(NOON, days)


PLACES = st.tuples(
    st.datetimes(timezones=st.just(UTC)), st.text(st.characters(codec="utf-8", exclude_characters="\0"))
)
CURSOR = encode_cursor("alice", (NOON, "1772366400.17"))
DAMAGED = "the cursor is damaged, or never was one; ask for the first page again"


def resealed(body: bytes) -> str:
    """A cursor with a valid checksum around any content."""
    seal = blake2b(body, digest_size=8).digest()
    return urlsafe_b64encode(body + seal).rstrip(b"=").decode()


def body_of(cursor: str) -> bytes:
    return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[:-8]


class TestCursor:
    """H5: a cursor is opaque, url-safe text that stands for a place in one user's history."""

    @given(st.text(), PLACES)
    def test_a_place_comes_back_as_it_was(self, user: str, place: tuple[datetime, str]) -> None:
        assert decode_cursor(user, encode_cursor(user, place)) == place

    @given(st.text(), PLACES)
    def test_it_is_url_safe(self, user: str, place: tuple[datetime, str]) -> None:
        assert set(encode_cursor(user, place)) <= set(string.ascii_letters + string.digits + "-_")

    def test_it_does_not_show_the_user(self) -> None:
        assert b"alice" not in body_of(CURSOR)

    @given(st.text(), st.text(), PLACES)
    def test_another_users_is_refused_as_such(
        self, user: str, other: str, place: tuple[datetime, str]
    ) -> None:
        assume(user != other)
        with pytest.raises(InvalidCursor, match="was issued for the history of another user"):
            decode_cursor(other, encode_cursor(user, place))

    def test_another_users_is_refused_by_a_page(self) -> None:
        with pytest.raises(InvalidCursor, match="another user"):
            page(user="bob", cursor=CURSOR)

    @given(st.text())
    def test_garbage_is_refused(self, garbage: str) -> None:
        with pytest.raises(InvalidCursor, match=DAMAGED):
            page(user="alice", cursor=garbage)

    @given(st.text(string.ascii_letters + string.digits + "-_=+/\n", max_size=80))
    def test_garbage_that_looks_like_a_cursor_is_refused(self, garbage: str) -> None:
        with pytest.raises(InvalidCursor, match=DAMAGED):
            decode_cursor("alice", garbage)

    @given(st.binary(max_size=60))
    def test_garbage_with_a_valid_checksum_is_a_place_or_refused(self, body: bytes) -> None:
        try:
            start, call_id = decode_cursor("alice", resealed(body))
        except InvalidCursor:
            return
        assert encode_cursor("alice", (start, call_id)) == resealed(body)

    @pytest.mark.parametrize("microseconds", [-(2**63), 2**63 - 1])
    def test_a_start_beyond_the_calendar_is_refused(self, microseconds: int) -> None:
        forged = body_of(CURSOR)[:9] + microseconds.to_bytes(8, "big", signed=True)
        with pytest.raises(InvalidCursor, match=DAMAGED):
            decode_cursor("alice", resealed(forged))

    def test_an_id_that_is_no_text_is_refused(self) -> None:
        with pytest.raises(InvalidCursor, match=DAMAGED):
            decode_cursor("alice", resealed(body_of(CURSOR) + b"\xff"))

    @pytest.mark.parametrize("odd", [b"\0", b"1\x001", b"\xed\xa0\x80", b"\xed\xbf\xbf"])
    def test_an_id_that_no_store_takes_is_refused(self, odd: bytes) -> None:
        with pytest.raises(InvalidCursor, match=DAMAGED):
            decode_cursor("alice", resealed(body_of(CURSOR) + odd))
        with pytest.raises(ValueError, match="call id"):
            encode_cursor("alice", (NOON, odd.decode("utf-8", "surrogatepass")))

    @pytest.mark.parametrize("position", range(len(CURSOR)))
    def test_any_character_changed_is_refused(self, position: int) -> None:
        for character in string.ascii_letters + string.digits + "-_=é ":
            changed = CURSOR[:position] + character + CURSOR[position + 1 :]
            if changed != CURSOR:
                with pytest.raises(InvalidCursor, match=DAMAGED):
                    decode_cursor("alice", changed)

    @pytest.mark.parametrize("length", range(len(CURSOR)))
    def test_any_part_of_it_is_refused(self, length: int) -> None:
        for part in (CURSOR[:length], CURSOR[len(CURSOR) - length :]):
            with pytest.raises(InvalidCursor, match=DAMAGED):
                decode_cursor("alice", part)

    @pytest.mark.parametrize("more", ["A", "=", "==", "\n", " ", "é", "\ud800"])
    def test_anything_added_to_it_is_refused(self, more: str) -> None:
        for longer in (CURSOR + more, more + CURSOR):
            with pytest.raises(InvalidCursor, match=DAMAGED):
                decode_cursor("alice", longer)

    def test_one_of_another_format_is_refused_as_such(self) -> None:
        later = resealed(b"\x02" + body_of(CURSOR)[1:])
        with pytest.raises(InvalidCursor, match="of format 2, and only 1 is known"):
            decode_cursor("alice", later)

    def test_a_store_can_seek_by_it(self) -> None:
        history = newest_first([record(number) for number in range(10)])
        first = page(history, user="alice", size=4)
        assert first.next is not None
        place = decode_cursor("alice", first.next)
        answer = [each for each in history if each.key < place][: 4 + 1]
        again = page(answer, user="alice", size=4, cursor=first.next)
        assert again == page(history, user="alice", size=4, cursor=first.next)


ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")


def leg(name: str = "leg-1", **fields: Any) -> Call:
    defaults: dict[str, Any] = {
        "id": name,
        "device": Device.DESKPHONE,
        "direction": Direction.INCOMING,
        "status": CallStatus.RINGING,
        "started": NOON,
        "linked_id": "call-0",
    }
    return Call(**defaults | fields)


def account_with(*legs: Call) -> Account:
    account = Account(ALICE)
    for each in legs:
        account = apply(account, CallChanged(each))
    return account


class TestOngoing:
    """H3: a call shows live as ongoing, and its final record takes its place."""

    def test_no_calls_are_no_entries(self) -> None:
        assert ongoing(Account(ALICE)) == ()

    def test_a_live_call_is_an_ongoing_record(self) -> None:
        live = leg(
            direction=Direction.OUTGOING,
            status=CallStatus.TALKING,
            answered=NOON + 2 * SECOND,
            peer="1002",
            peer_name="Bob",
        )
        assert ongoing(account_with(live)) == (
            CallRecord(
                id="call-0",
                user="alice",
                start=NOON,
                status=HistoryStatus.ONGOING,
                direction=Direction.OUTGOING,
                device=Device.DESKPHONE,
                peer="1002",
                peer_name="Bob",
                answered=NOON + 2 * SECOND,
            ),
        )

    def test_a_leg_without_a_linked_id_goes_by_its_own(self) -> None:
        assert [each.id for each in ongoing(account_with(leg(linked_id="")))] == ["leg-1"]

    def test_several_calls_are_newest_first(self) -> None:
        starts = {"a": NOON, "c": NOON + SECOND, "b": NOON}
        legs = [leg(f"leg-{name}", linked_id=name, started=start) for name, start in starts.items()]
        assert [each.id for each in ongoing(account_with(*legs))] == ["c", "b", "a"]

    def test_the_legs_of_one_call_are_one_entry_that_began_with_the_earliest(self) -> None:
        legs = [leg("leg-2", started=NOON + SECOND), leg("leg-1"), leg("leg-3", started=NOON + 2 * SECOND)]
        (entry,) = ongoing(account_with(*legs))
        assert entry.key == (NOON, "call-0")

    def test_the_leg_that_was_answered_carries_the_call(self) -> None:
        browser = leg("leg-1", device=Device.WEBRTC, answered=NOON + SECOND, peer="1002")
        phone = leg("leg-2", started=NOON + 2 * SECOND)
        for legs in ((browser, phone), (phone, browser)):
            (entry,) = ongoing(account_with(*legs))
            assert (entry.device, entry.peer) == (Device.WEBRTC, "1002")

    def test_a_call_moved_to_the_other_device_is_carried_by_that_and_answered_once(self) -> None:
        browser = leg("leg-1", device=Device.WEBRTC, answered=NOON + SECOND)
        phone = leg("leg-2", started=NOON + 5 * SECOND, answered=NOON + 6 * SECOND)
        (entry,) = ongoing(account_with(browser, phone))
        assert (entry.device, entry.answered) == (Device.DESKPHONE, NOON + SECOND)

    def test_a_leg_handed_on_is_carried_by_the_device_that_rings_now(self) -> None:
        browser = leg("leg-2", device=Device.WEBRTC)
        phone = leg("leg-1", started=NOON + SECOND)
        (entry,) = ongoing(account_with(phone, browser))
        assert entry.device is Device.DESKPHONE

    @pytest.mark.parametrize("status", FINAL)
    def test_the_final_record_takes_the_place_of_the_live_one(self, status: HistoryStatus) -> None:
        account = account_with(leg())
        older = record(-5)
        assert [each.status for each in merge(ongoing(account), [older])] == [
            HistoryStatus.ONGOING,
            HistoryStatus.MISSED,
        ]
        final = record(0, status)
        assert list(merge(ongoing(account), [final, older])) == [final, older]
        account = apply(account, CallEnded("leg-1", NOON + SECOND))
        assert list(merge(ongoing(account), [final, older])) == [final, older]


LATER = NOON + 30 * SECOND


class TestFinished:
    """H3, H4: the last leg that ends makes the final record of its call."""

    def test_an_incoming_call_that_was_answered_is_answered(self) -> None:
        account = account_with(leg(answered=NOON + SECOND, device=Device.WEBRTC, peer="1002"))
        entry = finished(account, "leg-1", LATER)
        assert entry is not None
        assert (entry.status, entry.device, entry.peer) == (HistoryStatus.ANSWERED, Device.WEBRTC, "1002")
        assert entry.duration == 29 * SECOND

    def test_an_incoming_call_that_was_not_is_missed(self) -> None:
        entry = finished(account_with(leg()), "leg-1", LATER)
        assert entry is not None
        assert (entry.status, entry.ended) == (HistoryStatus.MISSED, LATER)

    @pytest.mark.parametrize("answered", [None, NOON + SECOND])
    def test_an_outgoing_call_is_emitted_answered_or_not(self, answered: datetime | None) -> None:
        account = account_with(leg(direction=Direction.OUTGOING, answered=answered))
        entry = finished(account, "leg-1", LATER)
        assert entry is not None
        assert entry.status is HistoryStatus.EMITTED

    @pytest.mark.parametrize("linked_id", ["call-0", ""])
    def test_it_takes_the_place_of_the_live_entry(self, linked_id: str) -> None:
        account = account_with(leg(linked_id=linked_id))
        entry = finished(account, "leg-1", LATER)
        assert entry is not None
        assert list(merge(ongoing(account), [entry])) == [entry]

    def test_a_call_goes_on_while_another_leg_lives(self) -> None:
        account = account_with(leg("leg-1"), leg("leg-2"))
        assert finished(account, "leg-1", LATER) is None

    def test_a_call_moved_to_another_leg_goes_on(self) -> None:
        account = account_with(leg("leg-1", answered=NOON), leg("leg-2", answered=NOON + SECOND))
        assert finished(account, "leg-1", LATER) is None

    def test_another_call_does_not_keep_it_open(self) -> None:
        account = account_with(leg("leg-1"), leg("leg-2", linked_id="call-1"))
        assert finished(account, "leg-1", LATER) is not None

    def test_a_leg_that_is_not_held_makes_no_record(self) -> None:
        assert finished(account_with(leg("leg-1")), "leg-2", LATER) is None

    @pytest.mark.parametrize("order", [*permutations(["leg-1", "leg-2", "leg-3"])])
    def test_answered_on_one_leg_is_missed_in_no_order_of_the_ends(self, order: tuple[str, ...]) -> None:
        account = account_with(leg("leg-1"), leg("leg-2", answered=NOON + SECOND), leg("leg-3"))
        reported = []
        for name in order:
            reported.append(finished(account, name, LATER))
            account = apply(account, CallEnded(name, LATER))
        (entry,) = merge(*([each] for each in reported if each is not None))
        assert entry.status is HistoryStatus.ANSWERED
