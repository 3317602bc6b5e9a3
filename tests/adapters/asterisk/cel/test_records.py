"""Histories from rows of CEL in any order, often, in pieces, and with some of them lost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any, Final

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.asterisk.cel.recorded import recordings
from tests.e2e.scenes.people import ALICE, BOB, ERIN, EVERYBODY, USERS
from unique_account.adapters.asterisk.cel.order import GRACE, UnsortedRows
from unique_account.adapters.asterisk.cel.records import CallHistory
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.core.account import Direction
from unique_account.core.errors import Ineligible
from unique_account.core.history import CallRecord, HistoryStatus, merge
from unique_account.core.machine import Device
from unique_account.core.user import User

RECORDED: Final = {recording.name: recording.rows for recording in recordings()}
CALLS: Final = st.lists(st.sampled_from(sorted(RECORDED)), min_size=1, max_size=3, unique=True)
NOON: Final = datetime(2027, 3, 1, 12, tzinfo=UTC)
FIRST: Final = f"pbx-{int(NOON.timestamp())}.9"
SECOND: Final = f"pbx-{int(NOON.timestamp())}.10"


def rows_of(names: Iterable[str]) -> list[CelRow]:
    return [row for name in names for row in RECORDED[name]]


def history(rows: Iterable[CelRow], users: Iterable[User] = EVERYBODY) -> list[CallRecord]:
    """What a history of exactly these rows is."""
    made = CallHistory(users)
    made.feed(rows)
    return made.rest()


def piecemeal(rows: Iterable[CelRow]) -> list[CallRecord]:
    """The history of rows that are taken in one by one, newest first."""
    made, given_so_far = CallHistory(EVERYBODY), list[CallRecord]()
    for one in rows:
        made.feed([one])
        given_so_far += made.final()
    return newest_first([*given_so_far, *made.rest()])


def newest_first(records: Iterable[CallRecord]) -> list[CallRecord]:
    return sorted(records, key=lambda record: record.key, reverse=True)


def row(kind: str, second: float, channel: str, **more: Any) -> CelRow:
    """A row of a call of bob's (`FIRST`) to alice's deskphone."""
    number = {"bob": "1002", "alice": "1001"}[channel]
    more = {"uniqueid": FIRST if channel == "bob" else SECOND, "linkedid": FIRST, "number": number} | more
    more = {"channel": f"PJSIP/{channel}-0000000a"} | more
    return CelRow(kind=kind, at=NOON + timedelta(seconds=second), **more)


def call(*, answered: bool = True) -> tuple[CelRow, ...]:
    """A short call, without the rows of which a history has no need."""
    rows = (
        row("CHAN_START", 0, "bob", extension="1001", context="default"),
        row("CHAN_START", 0.1, "alice"),
        row("ANSWER", 3, "alice"),
        row("ANSWER", 3, "bob"),
        row("CHAN_END", 10, "alice"),
        row("CHAN_END", 10, "bob"),
        row("LINKEDID_END", 10, "bob"),
    )
    return tuple(one for one in rows if answered or one.kind != "ANSWER")


class TestOrder:
    """H6: rows may come in any order, more than once and in any pieces, and the history is the same."""

    def test_every_order_of_a_short_call_is_the_same_call(self) -> None:
        whole = history(call(), (ALICE, BOB))
        assert [record.status for record in whole] == [HistoryStatus.ANSWERED, HistoryStatus.EMITTED]
        assert all(record.settled for record in whole)
        for order in permutations(call()):
            assert history(order, (ALICE, BOB)) == whole

    @given(CALLS, st.data())
    def test_order_and_doubles_do_not_matter(self, names: list[str], data: st.DataObject) -> None:
        rows = rows_of(names)
        again = data.draw(st.lists(st.sampled_from(rows), max_size=10))
        shuffled = data.draw(st.permutations([*rows, *again]))
        assert history(shuffled) == history(rows)

    @given(CALLS, st.data())
    def test_pieces_do_not_matter(self, names: list[str], data: st.DataObject) -> None:
        rows = sorted(rows_of(names), key=lambda one: one.at)
        made, given_so_far = CallHistory(EVERYBODY), list[CallRecord]()
        cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=5)))
        for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            made.feed(rows[start:end])
            given_so_far += made.final()
        given_so_far += made.rest()
        assert newest_first(given_so_far) == newest_first(history(rows))

    @given(CALLS, st.integers(1, 9))
    def test_a_table_that_is_read_from_its_end_tells_the_same(self, names: list[str], days: int) -> None:
        rows = sorted(rows_of(names), key=lambda one: one.at, reverse=True)
        later = [row("CHAN_END", days * 86_400, "bob", uniqueid="pbx-1.1", linkedid="pbx-1.1")]
        assert piecemeal([*later, *rows]) == newest_first(history(rows))

    @given(CALLS)
    def test_what_is_told_again_after_it_was_given_is_given_as_it_was(self, names: list[str]) -> None:
        made = CallHistory(EVERYBODY)
        made.feed(rows_of(names))
        first = made.rest()
        made.feed(rows_of(names))
        assert made.rest() == first

    @given(CALLS, CALLS, CALLS)
    def test_the_histories_of_parts_merge_to_that_of_the_whole(
        self, one: list[str], two: list[str], three: list[str]
    ) -> None:
        parts = [newest_first(history(rows_of(names))) for names in (one, two, three)]
        whole = list(merge(newest_first(history(rows_of({*one, *two, *three})))))
        assert list(merge(*parts)) == list(merge(*reversed(parts))) == whole
        assert list(merge(list(merge(parts[0], parts[1])), parts[2])) == whole
        assert list(merge(parts[0], list(merge(parts[1], parts[2])))) == whole


class TestLostRows:
    """H2: whatever is lost, a user has one entry for a call, and what was answered is not missed."""

    @given(CALLS, st.data())
    def test_one_entry_for_each_user_and_call(self, names: list[str], data: st.DataObject) -> None:
        rows = data.draw(st.lists(st.sampled_from(rows_of(names)), unique=True))
        entries = history(rows)
        assert len({(entry.user, entry.key) for entry in entries}) == len(entries)

    @given(CALLS, st.data())
    def test_answered_anywhere_is_missed_nowhere(self, names: list[str], data: st.DataObject) -> None:
        rows = data.draw(st.lists(st.sampled_from(rows_of(names)), unique=True))
        lines = {user.interface(device): user.id for user in EVERYBODY for device in Device}
        answered = {
            (lines.get(one.channel.rpartition("-")[0]), one.linkedid) for one in rows if one.kind == "ANSWER"
        }
        missed = {(one.user, one.id) for one in history(rows) if one.status is HistoryStatus.MISSED}
        assert not answered & missed

    @given(st.sampled_from(Device), st.permutations(list(Device)), st.data())
    def test_answered_on_one_device_is_missed_on_none(
        self, by: Device, rung: list[Device], data: st.DataObject
    ) -> None:
        legs = []
        for place, device in enumerate(rung):
            times = {"CHAN_START": 1 + place, "ANSWER": 3, "CHAN_END": 9 if device is by else 3}
            legs += [
                evolve(
                    row(kind, second, "alice", uniqueid=f"{FIRST}{place}"),
                    channel=f"{ALICE.interface(device)}-1",
                )
                for kind, second in times.items()
                if kind != "ANSWER" or device is by
            ]
        caller = [one for one in call() if "bob" in one.channel]
        (entry,) = history(data.draw(st.permutations([*caller, *legs])), (ALICE,))
        assert (entry.status, entry.device) == (HistoryStatus.ANSWERED, by)
        assert (entry.rang, entry.duration) == (timedelta(seconds=2), timedelta(seconds=6))

    @given(CALLS, st.data())
    def test_nothing_of_which_a_channel_has_no_end_is_settled(
        self, names: list[str], data: st.DataObject
    ) -> None:
        rows = rows_of(names)
        lost = data.draw(st.sampled_from([one for one in rows if one.kind == "CHAN_END"]))
        entries = history([one for one in rows if one != lost])
        settled = {one.key for one in history(rows)} - {one.key for one in entries if one.settled}
        assert len(settled) <= 1
        assert not any(one.settled for one in entries if one.id == lost.linkedid)


class TestWaiting:
    """H6: a call is waited for until all was told of it, and not for ever."""

    def test_a_call_is_given_once_its_grace_is_over(self) -> None:
        made = CallHistory((ALICE, BOB))
        made.feed(call())
        assert made.final() == []
        end = NOON + timedelta(seconds=10)
        assert made.final(end + GRACE - timedelta(microseconds=1)) == []
        assert len(list(made.waiting())) == len(call())
        assert [record.user for record in made.final(end + GRACE)] == ["alice", "bob"]
        assert made.final(end + GRACE) == []
        assert not list(made.waiting())

    @pytest.mark.parametrize("lost", range(7))
    def test_without_all_of_its_rows_it_is_given_after_a_day(self, lost: int) -> None:
        rows = [one for number, one in enumerate(call(answered=True)) if number != lost]
        needed = call()[lost].kind in {"CHAN_START", "CHAN_END", "LINKEDID_END"}
        made = CallHistory((ALICE, BOB))
        made.feed(rows)
        assert bool(made.final(NOON + timedelta(hours=23))) is not needed
        given = made.final(NOON + timedelta(hours=25))
        assert bool(given) is needed
        assert not any(record.settled for record in given)
        assert made.rows == 0

    def test_a_row_that_begins_another_call_is_a_clock(self) -> None:
        made = CallHistory((ALICE, BOB))
        made.feed(call())
        made.feed([row("CHAN_START", 60, "bob", uniqueid="pbx-1.1", linkedid="pbx-1.1")])
        assert len(made.final()) == 2

    def test_no_more_rows_are_kept_than_there_is_room_for(self) -> None:
        made = CallHistory((ALICE, BOB), capacity=100)
        for number in range(1000):
            one = row("CHAN_START", number, "alice", uniqueid=f"pbx-9.{number}", linkedid=f"pbx-8.{number}")
            made.feed([one])
            assert made.rows <= 100
        assert len(made.final()) + len(made.rest()) == 1000

    def test_rows_in_no_order_are_refused_where_there_is_no_room(self) -> None:
        made = CallHistory((ALICE, BOB), capacity=100)
        rows = [
            row("CHAN_START", number, "alice", uniqueid=f"pbx-9.{number}", linkedid=f"pbx-8.{number}")
            for number in range(101)
        ]
        with pytest.raises(UnsortedRows, match="more than 100 rows"):
            made.feed(reversed(rows))

    def test_clocks_that_step_back_make_no_negative_times(self) -> None:
        back = [evolve(one, at=NOON - timedelta(hours=1)) if one.kind != "ANSWER" else one for one in call()]
        for record in history(back, (ALICE, BOB)):
            assert record.duration == timedelta(0) <= record.rang
            assert record.start == NOON


class TestJoining:
    """H6, H7: legs of one call are found by channel, linkedid, bridge and header, and strangers are not."""

    def test_ids_are_compared_by_their_numbers(self) -> None:
        rows = [evolve(one, linkedid=SECOND) if one.kind == "ANSWER" else one for one in call()]
        assert {record.id for record in history(rows, (ALICE, BOB))} == {FIRST}

    @pytest.mark.parametrize(
        ("technology", "calls"), [("simple_bridge", 1), ("softmix", 2), ("holding_bridge", 2)]
    )
    def test_a_bridge_of_two_joins_and_one_of_strangers_does_not(self, technology: str, calls: int) -> None:
        extra = f'{{"bridge_id": "b", "bridge_technology": "{technology}"}}'
        rows = [
            row("CHAN_START", 0, "bob", extension="4000"),
            row("CHAN_START", 5, "alice", linkedid=SECOND, extension="4000"),
            row("BRIDGE_ENTER", 6, "bob", extra=extra),
            row("BRIDGE_ENTER", 6, "alice", linkedid=SECOND, extra=extra),
        ]
        assert len({record.id for record in history(rows, (ALICE, BOB))}) == calls

    def test_a_call_from_another_node_has_the_id_that_it_has_there(self) -> None:
        early, late = int(NOON.timestamp()) - 86_400, int(NOON.timestamp()) + 86_400
        there = f"other-{early}.77"
        reported = row("unique_account_call", 0.05, "bob", extra=f'{{"extra": "{there}"}}')
        later = f"other-{late}.1"
        for other, began in ((there, early), (later, late)):
            one = evolve(reported, extra=reported.extra.replace(there, other))
            records = history([*call(), one], (ALICE,))
            assert [(record.id, record.start.timestamp()) for record in records] == [(other, began)]
            assert records[0].settled

    def test_the_channels_of_the_watch_are_in_no_history(self) -> None:
        watch = [
            evolve(one, channel="Local/*1@unique-account-watch-0000000b;1", uniqueid="pbx-3.3")
            for one in call()
        ]
        assert history([*call(), *watch], (ALICE, BOB)) == history(call(), (ALICE, BOB))


OF_TWO_NODES: Final = pytest.mark.parametrize(
    "name", ["over_the_trunk", "back_over_the_trunk", "forward_over_the_trunk", "chain_over_the_trunk"]
)


def at_the_other(one: CelRow) -> bool:
    return one.uniqueid.startswith("lab-mds1-")


class TestTwoNodes:
    """H6: legs at two nodes are one call, with clocks that differ, and read together or apart."""

    @OF_TWO_NODES
    @pytest.mark.parametrize("hours", [-3, -0.01, 0.01, 3])
    def test_clocks_that_differ_do_not_part_a_call(self, name: str, hours: float) -> None:
        off = timedelta(hours=hours)
        rows = [evolve(one, at=one.at + off) if at_the_other(one) else one for one in RECORDED[name]]
        words = [(one.user, one.key, one.status, one.peer, one.forwarded_from) for one in history(rows)]
        right = history(RECORDED[name])
        assert words == [(one.user, one.key, one.status, one.peer, one.forwarded_from) for one in right]
        assert {one.id for one in right} == {right[0].id}

    @OF_TWO_NODES
    @pytest.mark.parametrize("hours", [-30, -3, 3, 30])
    def test_they_do_not_part_it_in_pieces_either(self, name: str, hours: float) -> None:
        as_written = sorted(RECORDED[name], key=lambda one: one.at)
        off = timedelta(hours=hours)
        rows = [evolve(one, at=one.at + off) if at_the_other(one) else one for one in as_written]
        assert piecemeal(rows) == newest_first(history(rows))

    @pytest.mark.parametrize("name", sorted(RECORDED))
    def test_a_node_that_is_days_ahead_ends_no_call_of_another(self, name: str) -> None:
        rows = sorted(RECORDED[name], key=lambda one: one.at)
        late = rows[0].at + timedelta(days=9)
        ahead = CelRow(
            kind="CHAN_START", at=late, uniqueid="ahead-1.1", linkedid="ahead-1.1", channel="PJSIP/x-1"
        )
        assert piecemeal([ahead, *rows]) == newest_first(history(rows))

    def test_a_node_that_is_ahead_is_waited_for_no_longer(self) -> None:
        made = CallHistory((ALICE, BOB))
        made.feed(call())
        yesterday = NOON - timedelta(hours=20)
        assert made.final(yesterday) == []
        made.feed(call()[:1])
        assert made.final(yesterday + GRACE - timedelta(microseconds=1)) == []
        assert len(made.final(yesterday + GRACE)) == 2

    def test_it_is_waited_for_again_once_more_is_told(self) -> None:
        made = CallHistory((ALICE, BOB))
        made.feed(call()[:-1])
        assert made.final(yesterday := NOON - timedelta(hours=20)) == []
        made.feed(call()[-1:])
        assert made.final(yesterday + GRACE) == []
        assert len(made.final(yesterday + 2 * GRACE)) == 2

    def test_calls_that_were_dialled_for_a_phone_are_of_no_node_of_their_own(self) -> None:
        made = CallHistory((ALICE, BOB))
        for number in range(50):
            dialled = f"unique-account-dial-{number:08x}-1767600000.{number}"
            made.feed(row(one.kind, number, "bob", uniqueid=dialled, linkedid=dialled) for one in call()[:1])
        assert len(made._clocks) == 1
        late = row("CHAN_START", 90_000, "bob", uniqueid="unique-account-dial-0-1.1", linkedid="late")
        made.feed([late])
        assert {record.user for record in made.final()} == {"bob"}
        assert made.rows == 1

    @OF_TWO_NODES
    def test_nodes_that_are_read_apart_give_the_same_keys(self, name: str) -> None:
        main = history([one for one in RECORDED[name] if not at_the_other(one)], USERS)
        other = history([one for one in RECORDED[name] if at_the_other(one)], (ERIN,))
        apart = sorted((one.user, one.key, one.status) for one in (*main, *other))
        assert apart == sorted((one.user, one.key, one.status) for one in history(RECORDED[name]))


class TestLocalChannels:
    """H7: parties that a Local channel keeps apart speak with each other all the same."""

    @given(st.data())
    def test_the_party_is_the_one_behind_it(self, data: st.DataObject) -> None:
        first, *others = call()
        halves = [
            evolve(
                row("CHAN_START", 0.05, "bob", uniqueid=f"pbx-1.{half}"), channel=f"Local/1@group-1;{half}"
            )
            for half in (1, 2)
        ]
        entered = zip("aabb", (first, halves[0], halves[1], others[0]), strict=True)
        bridges = [
            evolve(
                one, kind="BRIDGE_ENTER", at=NOON + timedelta(seconds=4), extra=f'{{"bridge_id": "{bridge}"}}'
            )
            for bridge, one in entered
        ]
        rows = [evolve(first, extension="5000"), *others, *halves, *bridges]
        entries = history(data.draw(st.permutations(rows)), (ALICE, BOB))
        assert {entry.user: entry.peer for entry in entries} == {"alice": "1002", "bob": "1001"}


class TestPickup:
    """H2, H4: who picks a call up has answered it, on the device that picked it up."""

    def test_a_user_may_pick_up_with_the_other_device_what_rings_on_one(self) -> None:
        rows = [
            evolve(
                one,
                channel=one.channel.replace("PJSIP/carol", ALICE.webrtc),
                number=one.number.replace("1003", "1001"),
            )
            for one in RECORDED["pickup"]
        ]
        answered, emitted = history(rows)
        assert (answered.user, answered.status) == ("alice", HistoryStatus.ANSWERED)
        assert (answered.direction, answered.device) == (Direction.INCOMING, Device.WEBRTC)
        assert (answered.peer, emitted.user, emitted.peer) == ("1002", "bob", "1001")
        assert answered.answered is not None
        rang = next(one.at for one in rows if one.kind == "CHAN_START" and "alice-" in one.channel)
        assert answered.rang == answered.answered - rang > timedelta(0)


class TestParking:
    """H7: who was parked and came back was not given away, and has a number."""

    def test_the_number_of_a_parker_who_is_no_user_is_that_of_the_phone(self) -> None:
        (emitted,) = history(RECORDED["parking_comes_back"], (BOB,))
        assert emitted.peer == "1001"

    @pytest.mark.parametrize(
        ("name", "talks"),
        [
            ("parking", {"bob": 0.71, "alice": 0.61, "carol": 0.1}),
            ("parking_comes_back", {"bob": 1.2, "alice": 1.5}),
            ("parked_caller_gives_up", {"bob": 0.61, "alice": 0.9}),
        ],
    )
    def test_the_time_in_the_lot_is_no_talk(self, name: str, talks: dict[str, float]) -> None:
        """H4: until somebody answers again; who parks listens to the number of the space meanwhile."""
        made = {record.user: record.duration.total_seconds() for record in history(RECORDED[name])}
        assert made == pytest.approx(talks, abs=0.02)

    def test_who_came_back_may_be_given_away_after_all(self) -> None:
        rows = [one for one in RECORDED["parking_comes_back"] if one.kind != "LINKEDID_END"]
        last = max(rows, key=lambda one: (one.kind == "BRIDGE_EXIT", "alice" in one.channel, one.at))
        given = evolve(last, kind="BLINDTRANSFER", extra='{"extension": "1003"}')
        assert [one.transferred_to for one in history([*rows, given], (ALICE,))] == ["1003"]


class TestUnrung:
    """H4: a call that rings no device leaves a missed entry."""

    def test_a_number_that_was_dialled_is_its_user_s(self) -> None:
        rows = [one for one in call(answered=False) if "alice" not in one.channel]
        missed, _ = history(rows, (ALICE, BOB))
        assert (missed.user, missed.status, missed.device) == ("alice", HistoryStatus.MISSED, None)
        assert (missed.peer, missed.direction) == ("1002", Direction.INCOMING)

    def test_the_same_number_in_another_context_is_not(self) -> None:
        rows = [
            evolve(one, context="elsewhere") for one in call(answered=False) if "alice" not in one.channel
        ]
        assert [record.user for record in history(rows, (ALICE, BOB))] == ["bob"]


def test_two_users_with_one_endpoint_or_number_are_refused() -> None:
    for same in (evolve(BOB, deskphone="PJSIP/alice"), evolve(BOB, extension="1001")):
        with pytest.raises(Ineligible, match="is already that of"):
            CallHistory((ALICE, same))
