"""The whole product machine: every account that one session and two lines can make, and every way between.

A breadth-first search from a new account. Versions only count, so accounts that differ in nothing else
are one place. What a rule says of an account holds at every place, and what it says of an event at every
edge.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from unique_account.core import events, observations, sessions
from unique_account.core.account import Account, Kept, Line, LineStatus, Session
from unique_account.core.device_in_use import deadline, device_in_use, fallen_back
from unique_account.core.errors import Refused
from unique_account.core.events import (
    ContactsChanged,
    DeviceSelected,
    DeviceToggled,
    Event,
    FactsReplaced,
    LeaseExpired,
    LineChanged,
    LoggedIn,
    LoggedOut,
    SessionLost,
    apply,
)
from unique_account.core.machine import TABLE, Device, State
from unique_account.core.presence import Presence, presence
from unique_account.core.routing import Plan, plan, route
from unique_account.core.user import User

LOST_AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
LEASE = timedelta(seconds=10)
ALICE = User(
    id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w", mailbox="1001@default"
)


def of_session(session: str) -> tuple[Event, ...]:
    """What may happen to one session, in time and out of time."""
    return (
        LoggedIn(session),
        LoggedOut(session),
        SessionLost(session, LOST_AT),
        SessionLost(session, LOST_AT, "an older connection"),
    )


CHOICES: tuple[Event, ...] = (
    LoggedOut("a stranger"),
    LeaseExpired(LOST_AT + LEASE - timedelta(milliseconds=1)),
    LeaseExpired(LOST_AT + LEASE),
    DeviceSelected(Device.WEBRTC),
    DeviceSelected(Device.DESKPHONE),
    DeviceToggled(),
)
SELECTING = (DeviceSelected, DeviceToggled)
FACTS: tuple[Event, ...] = (
    *(LineChanged(device, status) for device in Device for status in LineStatus),
    *(ContactsChanged(device, reachable) for device in Device for reachable in (True, False)),
    FactsReplaced("default"),
    FactsReplaced("mds1"),
)

ONE_SESSION = (*of_session("tab-1"), *CHOICES, *FACTS)
TWO_SESSIONS = (
    *of_session("tab-1"),
    *of_session("tab-2"),
    *CHOICES,
    LineChanged(Device.DESKPHONE, LineStatus.IN_USE),
    LineChanged(Device.DESKPHONE, LineStatus.NOT_IN_USE),
    ContactsChanged(Device.WEBRTC, reachable=True),
    ContactsChanged(Device.WEBRTC, reachable=False),
)

Place = tuple[State, Device, tuple[Session, ...], Line, Line]


def place(account: Account) -> Place:
    """Where an account stands, versions apart."""
    kept, seen = account.kept, account.observed
    return account.state, kept.selection, kept.sessions, seen.deskphone, seen.webrtc


class Edge(NamedTuple):
    """One event at one place; ``after`` is None where it is refused."""

    before: Account
    event: Event
    after: Account | None


class Walk:
    """All places and edges that these events lead to."""

    def __init__(self, happening: tuple[Event, ...]) -> None:
        start = Account(ALICE, lease=LEASE)
        self.happening = happening
        self.places: dict[Place, Account] = {place(start): start}
        self.edges = list(self.walked(deque([start])))

    def walked(self, ahead: deque[Account]) -> Iterator[Edge]:
        """Every edge, the places that are new put ahead."""
        while ahead:
            account = ahead.popleft()
            for event in self.happening:
                try:
                    after = apply(account, event)
                except Refused:
                    yield Edge(account, event, None)
                    continue
                yield Edge(account, event, after)
                if place(after) not in self.places:
                    self.places[place(after)] = after
                    ahead.append(after)

    @property
    def accounts(self) -> list[Account]:
        """One account at each place."""
        return list(self.places.values())

    def ways(self, *kinds: type) -> Iterator[tuple[Account, Account, Event]]:
        """The edges of these kinds of event that are not refused."""
        for before, event, after in self.edges:
            if after is not None and isinstance(event, kinds):
                yield before, after, event


@pytest.fixture(scope="module")
def walk() -> Walk:
    return Walk(ONE_SESSION)


class TestSize:
    """M: the walk reaches all that there is, so that what holds on it holds."""

    def test_every_combination_of_sessions_selection_and_lines_is_reached(self, walk: Walk) -> None:
        sessions = {held for _, _, held, _, _ in walk.places}
        assert sessions == {(), (Session("tab-1"),), (Session("tab-1", last_seen=LOST_AT),)}
        assert len(walk.places) == 3 * 2 * 27 * 27 == 4374

    def test_every_event_was_tried_at_every_place(self, walk: Walk) -> None:
        assert len(walk.edges) == 4374 * (10 + 24)

    def test_each_state_has_its_share(self, walk: Walk) -> None:
        assert Counter(account.state for account in walk.accounts) == {
            State.LOGGED_OUT: 2 * 27 * 27,
            State.WEBRTC_ACTIVE: 2 * 15 * 27,
            State.DESKPHONE_SELECTED: 2 * 15 * 27,
            State.DESKPHONE_IN_USE: 2 * 2 * 12 * 27,
        }


class TestMachine:
    """M1 to M5: the state says who is logged in, what is saved, and whether the deskphone is in a call."""

    def test_the_state_is_what_its_name_says(self, walk: Walk) -> None:
        for account in walk.accounts:
            in_call = account.observed.deskphone.status.name in (
                "ON_HOLD",
                "IN_USE",
                "BUSY",
                "RINGING_IN_USE",
            )
            saved = {Device.WEBRTC: "webrtc_active", Device.DESKPHONE: "deskphone_selected"}
            logged_in = "deskphone_in_use" if in_call else saved[account.selection]
            assert account.state.value == (logged_in if account.sessions else "logged_out")

    def test_only_selecting_while_logged_out_is_refused(self, walk: Walk) -> None:
        refused = [edge for edge in walk.edges if edge.after is None]
        assert all(isinstance(edge.event, SELECTING) and not edge.before.sessions for edge in refused)
        assert len(refused) == 3 * (2 * 27 * 27)

    def test_what_tells_nothing_new_returns_the_same_account(self, walk: Walk) -> None:
        for before, after, _ in walk.ways(object):
            assert (after is before) == (place(after) == place(before))

    def test_it_takes_all_entries_of_the_table_but_sixteen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = set()

        class Recording(dict[object, object]):
            def __getitem__(self, key: object) -> object:
                asked.add(key)
                return super().__getitem__(key)

            def get(self, key: object, default: object = None) -> object:
                asked.add(key)
                return super().get(key, default)

        recording = Recording(TABLE.items())
        for module in (events, observations, sessions):
            monkeypatch.setattr(module, "TABLE", recording)
        Walk(ONE_SESSION)
        Walk(TWO_SESSIONS)
        assert len(asked) == 48 - 16  # as the mutants of the table count on


class TestSelection:
    """S2, S3, S6: the selection changes when the user selects, and at no other time."""

    def test_nothing_else_changes_it(self, walk: Walk) -> None:
        for before, after, event in walk.ways(object):
            if not isinstance(event, SELECTING):
                assert after.selection is before.selection

    def test_selecting_saves_what_was_selected(self, walk: Walk) -> None:
        for _, after, event in walk.ways(DeviceSelected):
            assert isinstance(event, DeviceSelected)
            assert after.selection is event.device

    def test_selecting_twice_is_selecting_once(self, walk: Walk) -> None:
        for _, after, event in walk.ways(DeviceSelected):
            assert apply(after, event) is after

    def test_toggling_selects_the_other_device_and_twice_is_nothing(self, walk: Walk) -> None:
        for before, after, event in walk.ways(DeviceToggled):
            assert after.selection is before.selection.other
            assert place(apply(after, event)) == place(before)

    def test_only_what_is_stored_counts_as_a_version(self, walk: Walk) -> None:
        for before, after, _ in walk.ways(object):
            stored = (after.selection, after.sessions) != (before.selection, before.sessions)
            assert after.version == before.version + stored


class TestSessions:
    """S4, S5, S7: a lost session holds the account until its lease is over, and a deadline says when."""

    def test_two_sessions_come_and_go_in_every_order(self) -> None:
        walk = Walk(TWO_SESSIONS)
        assert len({held for _, _, held, _, _ in walk.places}) == 1 + 2 * 2 + 2 * 4
        assert len(walk.places) == 13 * 2 * 3 * 3
        for account in walk.accounts:
            assert (account.state is State.LOGGED_OUT) == (account.sessions == ())

    def test_a_deadline_stands_exactly_while_the_session_is_lost(self, walk: Walk) -> None:
        for account in walk.accounts:
            lost = [held for held in account.sessions if held.last_seen]
            assert deadline(account) == (LOST_AT + LEASE if lost else None)

    def test_losing_or_finding_a_session_moves_nothing(self, walk: Walk) -> None:
        for before, after, event in walk.ways(LoggedIn, SessionLost):
            if before.sessions:
                assert after.state is before.state, event
                assert device_in_use(after) is device_in_use(before)

    def test_an_early_timer_ends_nothing(self, walk: Walk) -> None:
        for before, after, event in walk.ways(LeaseExpired):
            assert isinstance(event, LeaseExpired)
            due = deadline(before)
            assert (after is before) == (due is None or event.at < due)


class TestRouting:
    """R1 to R5, R12: where the next call rings, at every place."""

    def test_what_rings_is_the_device_in_use(self, walk: Walk) -> None:
        for account in walk.accounts:
            ring = route(account).ring
            assert ring is None or ring.device is device_in_use(account)

    def test_logged_out_the_deskphone_is_in_use_whatever_is_saved(self, walk: Walk) -> None:
        for account in walk.accounts:
            if not account.sessions:
                assert device_in_use(account) is Device.DESKPHONE

    def test_webrtc_is_in_use_exactly_while_it_is_selected_and_registered(self, walk: Walk) -> None:
        for account in walk.accounts:
            selected = bool(account.sessions) and account.selection is Device.WEBRTC
            line = account.observed.webrtc
            registered = line.status > LineStatus.UNAVAILABLE if line.reachable is None else line.reachable
            assert (device_in_use(account) is Device.WEBRTC) == (selected and registered)
            assert fallen_back(account) == (selected and not registered)

    def test_a_selected_deskphone_never_spills_to_the_browser(self, walk: Walk) -> None:
        for account in walk.accounts:
            if account.selection is Device.DESKPHONE:
                ring = route(account).ring
                assert ring is None or ring.device is Device.DESKPHONE

    def test_nothing_rings_only_where_the_deskphone_is_known_to_be_away(self, walk: Walk) -> None:
        for account in walk.accounts:
            line = account.observed.deskphone
            away = line.reachable is False or (
                line.reachable is None and line.status in (LineStatus.UNAVAILABLE, LineStatus.INVALID)
            )
            nothing = device_in_use(account) is Device.DESKPHONE and away
            assert (route(account).ring is None) == nothing

    def test_the_deskphone_in_a_call_changes_no_route(self, walk: Walk) -> None:
        for before, after, event in walk.ways(LineChanged, ContactsChanged):
            assert isinstance(event, LineChanged | ContactsChanged)
            if event.device is Device.DESKPHONE:
                assert device_in_use(after) is device_in_use(before)

    def test_no_fact_changes_the_plan(self, walk: Walk) -> None:
        made: dict[tuple[Kept, bool], Plan] = {}
        for account in walk.accounts:
            key = account.kept, account.state is State.LOGGED_OUT
            assert plan(account) == made.setdefault(key, plan(account))
        for before, after, _ in walk.ways(LineChanged, ContactsChanged, FactsReplaced):
            assert after.kept is before.kept
            assert (after.state is State.LOGGED_OUT) == (before.state is State.LOGGED_OUT)


class TestPresence:
    """P1 to P3: presence is the device in use, and the other device's call."""

    def test_a_call_on_either_device_shows(self, walk: Walk) -> None:
        for account in walk.accounts:
            if account.observed.deskphone.in_call or account.observed.webrtc.in_call:
                in_call = (Presence.IN_USE, Presence.BUSY, Presence.RINGING_IN_USE, Presence.ON_HOLD)
                assert presence(account) in in_call

    def test_beside_an_idle_device_presence_is_the_device_in_use_alone(self, walk: Walk) -> None:
        alone: dict[LineStatus, Presence] = {}
        for account in walk.accounts:
            device = device_in_use(account)
            if not account.line(device.other).in_call:
                status = account.line(device).status
                assert presence(account) is alone.setdefault(status, presence(account))
        assert len(alone) == 9

    def test_ringing_shows_only_on_the_device_in_use(self, walk: Walk) -> None:
        for account in walk.accounts:
            status = account.line(device_in_use(account)).status
            rings = status in (LineStatus.RINGING, LineStatus.RINGING_IN_USE)
            shown = presence(account) in (Presence.RINGING, Presence.RINGING_IN_USE)
            assert shown == rings

    def test_a_call_on_the_other_device_never_shows_as_idle_or_held(self, walk: Walk) -> None:
        for account in walk.accounts:
            if account.line(device_in_use(account).other).in_call:
                assert presence(account) in (Presence.IN_USE, Presence.BUSY, Presence.RINGING_IN_USE)
