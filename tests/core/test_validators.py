"""What enters as an id or an instant: none that is empty, broken, or too far away to reckon with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from unique_account.core.account import (
    FIRST_INSTANT,
    LAST_INSTANT,
    Account,
    Call,
    CallStatus,
    Direction,
    Session,
    in_utc,
    utc,
)
from unique_account.core.cursors import decode_cursor, encode_cursor
from unique_account.core.device_in_use import deadline
from unique_account.core.diversions import CallDiverted
from unique_account.core.errors import InvalidCursor, InvalidFields, Refused
from unique_account.core.events import (
    CallChanged,
    CallEnded,
    ForwardingChanged,
    LeaseExpired,
    LoggedIn,
    LoggedOut,
    SessionLost,
    apply,
)
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.history import CallRecord, HistoryStatus, days_before, ongoing, page
from unique_account.core.machine import Device
from unique_account.core.user import User
from unique_account.core.view import view

ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
CALL = Call(
    id="1.1", device=Device.WEBRTC, direction=Direction.INCOMING, status=CallStatus.TALKING, started=NOON
)
RECORD = CallRecord(
    id="1.1", user="alice", start=NOON, status=HistoryStatus.MISSED, direction=Direction.INCOMING
)

IDS: dict[str, Callable[[str], object]] = {
    "LoggedIn": LoggedIn,
    "LoggedOut": LoggedOut,
    "SessionLost": lambda text: SessionLost(text, NOON),
    "CallEnded": lambda text: CallEnded(text, NOON),
    "Session": Session,
    "Call": lambda text: evolve(CALL, id=text),
    "CallRecord": lambda text: evolve(RECORD, id=text),
    "CallDiverted": lambda text: CallDiverted(linked_id=text, started=NOON, at=NOON),
    "CallRecord of": lambda text: evolve(RECORD, user=text),
    "User": lambda text: evolve(ALICE, id=text),
}
TEXTS: dict[str, Callable[[str], object]] = {
    "LoggedIn": lambda text: LoggedIn("tab-1", text),
    "SessionLost": lambda text: SessionLost("tab-1", NOON, text),
    "Session": lambda text: Session("tab-1", text),
    "diverted caller": lambda text: CallDiverted(linked_id="1.1", started=NOON, at=NOON, peer=text),
    "call": lambda text: evolve(CALL, linked_id=text),
    "peer": lambda text: evolve(CALL, peer=text),
    "name": lambda text: evolve(CALL, peer_name=text),
    "record": lambda text: evolve(RECORD, peer=text),
    "record's name": lambda text: evolve(RECORD, peer_name=text),
    "forwarded": lambda text: evolve(RECORD, forwarded_from=text),
    "transferred": lambda text: evolve(RECORD, transferred_to=text),
    "cursor": lambda text: encode_cursor("alice", (NOON, text)),
}
INSTANTS: dict[str, Callable[[datetime], object]] = {
    "utc": utc,
    "SessionLost": lambda instant: SessionLost("tab-1", instant),
    "LeaseExpired": LeaseExpired,
    "CallEnded": lambda instant: CallEnded("1.1", instant),
    "CallDiverted": lambda instant: CallDiverted(linked_id="1.1", started=instant, at=instant),
    "Session": lambda instant: Session("tab-1", last_seen=instant),
    "Call": lambda instant: evolve(CALL, started=instant),
    "answered": lambda instant: evolve(CALL, answered=instant),
    "CallRecord": lambda instant: evolve(RECORD, start=instant),
    "ended": lambda instant: evolve(RECORD, ended=instant),
    "days_before": lambda instant: days_before(instant, 1),
}
HALVES = st.builds(
    lambda before, half, after: before + half + after,
    st.text(max_size=3),
    st.characters(categories=["Cs"]),
    st.text(max_size=3),
)
ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FAR = st.one_of(
    st.datetimes(datetime.min, datetime(1, 12, 30), timezones=ZONES),
    st.datetimes(datetime(9999, 1, 2), datetime.max, timezones=ZONES),
)
NEAR = st.datetimes(datetime(2, 1, 2), datetime(9998, 12, 30), timezones=ZONES)


class TestIds:
    """S4, H6: what a session, a call or a user is known by is there, and can be kept."""

    @pytest.mark.parametrize("text", ["", " ", "\u2003"])
    @pytest.mark.parametrize("kind", IDS)
    def test_an_empty_one_is_refused(self, kind: str, text: str) -> None:
        with pytest.raises(ValueError, match=r"is empty|needs an id"):
            IDS[kind](text)

    @pytest.mark.parametrize("kind", IDS)
    @given(HALVES)
    def test_half_a_character_is_refused(self, kind: str, text: str) -> None:
        with pytest.raises(InvalidFields, match=r"has half a character|has control characters") as refused:
            IDS[kind](text)
        str(refused.value).encode()

    @pytest.mark.parametrize("kind", [kind for kind in IDS if kind != "User"])
    @given(st.text(min_size=1).filter(str.strip))
    def test_any_other_is_taken(self, kind: str, text: str) -> None:
        assert IDS[kind](text)

    @pytest.mark.parametrize("kind", TEXTS)
    @given(HALVES)
    def test_neither_may_another_text_have_half_a_character(self, kind: str, text: str) -> None:
        with pytest.raises(InvalidFields, match="has half a character"):
            TEXTS[kind](text)

    @pytest.mark.parametrize("kind", TEXTS)
    @given(st.text())
    def test_any_other_text_is_taken(self, kind: str, text: str) -> None:
        assume(kind != "cursor" or "\0" not in text)  # which PostgreSQL does not seek by
        assert TEXTS[kind](text)

    @given(HALVES)
    def test_a_forward_that_is_off_keeps_no_half_character(self, text: str) -> None:
        for enabled in (True, False):
            with pytest.raises(Refused):
                apply(Account(ALICE), ForwardingChanged(Forwarding(busy=Forward(text, enabled))))

    def test_a_forward_that_is_off_is_no_novel(self) -> None:
        kept = Forwarding(busy=Forward("1" * 128, enabled=False))
        assert apply(Account(ALICE), ForwardingChanged(kept)).forwarding == kept
        with pytest.raises(Refused, match="too long"):
            apply(Account(ALICE), ForwardingChanged(Forwarding(busy=Forward("1" * 129, enabled=False))))

    @given(HALVES)
    def test_a_cursor_of_such_a_user_is_another_users(self, user: str) -> None:
        with pytest.raises(InvalidCursor, match="another user"):
            decode_cursor(user, encode_cursor("alice", (NOON, "1.1")))


class TestFarInstants:
    """S5, H6: instants leave room before and after them, for a lease, a time zone and a subtraction."""

    @pytest.mark.parametrize("kind", INSTANTS)
    @given(FAR)
    def test_the_years_1_and_9999_are_refused(self, kind: str, instant: datetime) -> None:
        with pytest.raises(ValueError, match=r"is too far away; instants are of the years 2 to 9998"):
            INSTANTS[kind](instant)

    @pytest.mark.parametrize("kind", INSTANTS)
    @given(st.datetimes())
    def test_naive_ones_are_refused(self, kind: str, instant: datetime) -> None:
        with pytest.raises(ValueError, match="has no time zone"):
            INSTANTS[kind](instant)

    @pytest.mark.parametrize("kind", [kind for kind in INSTANTS if kind != "ended"])
    @given(NEAR)
    def test_others_are_taken(self, kind: str, instant: datetime) -> None:
        assert INSTANTS[kind](instant)

    def test_the_last_ones_are_taken(self) -> None:
        assert utc(FIRST_INSTANT) is FIRST_INSTANT
        assert utc(LAST_INSTANT) is LAST_INSTANT

    @given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES))
    def test_a_bound_may_be_any_instant_that_utc_has(self, instant: datetime) -> None:
        assert in_utc(instant) == instant
        assert page([RECORD], user="alice", since=instant).entries == ((RECORD,) if instant <= NOON else ())

    @given(NEAR, st.timedeltas(timedelta(0)), NEAR)
    def test_every_lease_can_be_reckoned_with(self, lost: datetime, lease: timedelta, at: datetime) -> None:
        account = Account(ALICE, lease=lease)
        for event in (LoggedIn("tab-1"), SessionLost("tab-1", lost), CallChanged(CALL)):
            account = apply(account, event)
        due = deadline(account)
        assert due is not None
        assert apply(account, LeaseExpired(at)).sessions == (
            () if at - utc(lost) >= lease else account.sessions
        )
        assert FIRST_INSTANT <= LeaseExpired(due).at <= LAST_INSTANT
        assert len(view(account).calls) == 1
        assert ongoing(account)

    @pytest.mark.parametrize("rang", [timedelta(days=366), timedelta.max, timedelta(seconds=-1)])
    def test_nothing_rings_for_years(self, rang: Any) -> None:
        with pytest.raises(ValueError, match=r"call 1\.1 rang for "):
            evolve(RECORD, rang=rang)
