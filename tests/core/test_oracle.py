"""The core against the oracle: any events in any order, forbidden ones included, compared at every step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.core.oracle import DEVICES, RANKED, Oracle, Owner, Wish
from unique_account.core.account import Account, Call, CallStatus, Direction, LineStatus
from unique_account.core.device_in_use import deadline, device_in_use, fallen_back
from unique_account.core.errors import Refused
from unique_account.core.events import (
    CallChanged,
    CallEnded,
    ContactsChanged,
    DeviceSelected,
    DeviceToggled,
    DoNotDisturbSet,
    Event,
    FactsReplaced,
    ForwardingChanged,
    ForwardingDialled,
    ForwardSet,
    LeaseExpired,
    LineChanged,
    LoggedIn,
    LoggedOut,
    MessagesChanged,
    SessionLost,
    UserChanged,
    apply,
    restore,
)
from unique_account.core.forwarding import Extension, Fallbacks, Forward, Forwarding, Outcome
from unique_account.core.forwarding_changes import Setting
from unique_account.core.machine import Device
from unique_account.core.presence import presence
from unique_account.core.routing import after, facts, plan, route
from unique_account.core.user import User

START = datetime(2026, 1, 5, 9, tzinfo=UTC)

ALICE = User(
    id="alice",
    extension="1001",
    dids=("+33123450001",),
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    mailbox="1001@default",
    simultaneous_calls=2,
)
USERS = (
    ALICE,
    evolve(ALICE, mailbox=None),
    evolve(ALICE, extension="1002", max_forwards=1),
    evolve(ALICE, mailbox=None, media_server="mds1", simultaneous_calls=1, ring_seconds=5),
    evolve(ALICE, fallbacks=Fallbacks(busy=Extension("3000"), unavailable=Extension("3001")), max_forwards=0),
)

sessions = st.sampled_from(("tab-1", "tab-2", "tab-3"))
connections = st.sampled_from(("older", "newer"))
devices = st.sampled_from(DEVICES)
legs = st.sampled_from(("leg-1", "leg-2", "leg-3"))
numbers = st.sampled_from(("1001", "1002", "+33123450001", "*98", "2000", "h", "20,00"))
wishes = st.none() | st.builds(Wish, numbers, st.booleans())


def owner(user: User) -> Owner:
    """The user in the oracle's terms."""
    chosen = ((outcome.value, getattr(user.fallbacks, outcome)) for outcome in Outcome)
    return Owner(
        numbers=(user.extension, *user.dids),
        mailbox=user.mailbox,
        server=user.media_server,
        seconds=user.ring_seconds,
        limit=user.simultaneous_calls,
        max_forwards=user.max_forwards,
        fallbacks=tuple((outcome, str(destination)) for outcome, destination in chosen if destination),
    )


def instant(seconds: float) -> datetime:
    """The oracle's seconds as an instant."""
    return START + timedelta(seconds=seconds)


class AccountMachine(RuleBasedStateMachine):
    """Drives an account and the oracle side by side."""

    account: Account
    oracle: Oracle
    now: float = 0

    @initialize(user=st.sampled_from(USERS), lease=st.sampled_from((0, 1, 10)), tabs=st.integers(0, 2))
    def begin(self, user: User, lease: int, tabs: int) -> None:
        self.account = Account(user, lease=timedelta(seconds=lease))
        self.oracle = Oracle(owner(user), lease)
        for tab in range(tabs):
            self.log_in(f"tab-{tab + 1}", "older")

    def happens(self, event: Event, report: Callable[[], bool | None]) -> None:
        """The event happens to both; then what is new, what is stored and what is refused must agree."""
        before, state = self.account, self.oracle.state
        kept, seen = self.oracle.kept, self.oracle.seen
        if report() is False:
            with pytest.raises(Refused) as refusal:
                apply(before, event)
            assert refusal.value.state == state
            return
        self.account = apply(before, event)
        stored = kept != self.oracle.kept
        assert self.account.version == before.version + stored
        assert (self.account is not before) == (stored or seen != self.oracle.seen)

    # -- sessions and selection ----------------------------------------------------------------------

    @rule(session=sessions, connection=connections)
    def log_in(self, session: str, connection: str) -> None:
        self.happens(LoggedIn(session, connection), lambda: self.oracle.log_in(session, connection))

    @rule(session=sessions)
    def log_out(self, session: str) -> None:
        self.happens(LoggedOut(session), lambda: self.oracle.log_out(session))

    @rule(session=sessions, connection=connections)
    def come_back(self, session: str, connection: str) -> None:
        """As a browser does that lost its connection: on another, or by the same."""
        if session in self.oracle.sessions:
            self.log_in(session, connection)

    @rule(session=sessions, stray=st.none() | connections, ago=st.sampled_from((0, 0.5, 3)))
    def lose(self, session: str, stray: str | None, ago: float) -> None:
        """The present connection breaks, or an older one that nobody uses any more."""
        seen = self.now - ago
        connection = stray or self.oracle.sessions.get(session, ("newer", None))[0]
        event = SessionLost(session, instant(seen), connection)
        self.happens(event, lambda: self.oracle.lose(session, seen, connection))

    @rule(seconds=st.sampled_from((0.5, 1, 4, 20)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.oracle.sessions)
    @rule(off=st.sampled_from((-0.5, 0, 0.5, 15)), times=st.integers(1, 2))
    def timer(self, off: float, times: int) -> None:
        """It comes early, when it is due, late, and perhaps twice."""
        due = self.oracle.deadline
        at = (self.now if due is None else due) + off
        for _ in range(times):
            self.happens(LeaseExpired(instant(at)), lambda: self.oracle.expire(at))

    @rule(device=devices)
    def select(self, device: str) -> None:
        self.happens(DeviceSelected(Device(device)), lambda: self.oracle.select(device == "webrtc"))

    @rule()
    def toggle(self) -> None:
        self.happens(DeviceToggled(), self.oracle.toggle)

    @rule()
    def restart(self) -> None:
        """The service starts again with what was stored, and hears from the PBX later."""
        self.account = restore(self.account.user, self.account.kept, self.account.lease)
        for held in self.account.sessions:
            self.account = apply(self.account, SessionLost(held.id, instant(self.now), held.connection))
        self.oracle = self.oracle.restarted(self.now)

    # -- choices -------------------------------------------------------------------------------------

    @rule(dnd=st.booleans(), unconditional=wishes, no_answer=wishes, busy=wishes)
    def forward(
        self, dnd: bool, unconditional: Wish | None, no_answer: Wish | None, busy: Wish | None
    ) -> None:
        named = {"unconditional": unconditional, "no_answer": no_answer, "busy": busy}
        wished = {kind: wish for kind, wish in named.items() if wish is not None}
        forwards = {kind: Forward(wish.number, wish.on) for kind, wish in wished.items()}
        event = ForwardingChanged(Forwarding(do_not_disturb=dnd, **forwards))
        self.happens(event, lambda: self.oracle.set_forwards(dnd, wished))

    @rule(kind=st.sampled_from(("unconditional", "no_answer", "busy")), number=st.just("") | numbers)
    def dial_forward(self, kind: str, number: str) -> None:
        event = ForwardingDialled(Setting(kind), number)
        self.happens(event, lambda: self.oracle.dial_forward(kind, number))

    @rule(
        kind=st.sampled_from(("unconditional", "no_answer", "busy")),
        on=st.booleans(),
        number=st.just("") | numbers,
    )
    def set_forward(self, kind: str, on: bool, number: str) -> None:
        event = ForwardSet(Setting(kind), on, number)
        self.happens(event, lambda: self.oracle.set_forward(kind, on, number))

    @rule(on=st.booleans())
    def set_do_not_disturb(self, on: bool) -> None:
        self.happens(DoNotDisturbSet(on), lambda: self.oracle.set_forwards(on, self.oracle.wishes))

    @rule()
    def dial_do_not_disturb(self) -> None:
        silent = not self.oracle.do_not_disturb
        event = ForwardingDialled(Setting.DO_NOT_DISTURB)
        self.happens(event, lambda: self.oracle.set_forwards(silent, self.oracle.wishes))

    @rule()
    def dial_all_off(self) -> None:
        self.happens(ForwardingDialled(Setting.ALL), self.oracle.dial_all_off)

    @rule(user=st.sampled_from(USERS))
    def administer(self, user: User) -> None:
        self.happens(UserChanged(user), lambda: setattr(self.oracle, "owner", owner(user)))

    # -- facts of the PBX ----------------------------------------------------------------------------

    @rule(device=devices, status=st.sampled_from(RANKED))
    def line(self, device: str, status: str) -> None:
        event = LineChanged(Device(device), LineStatus[status])
        self.happens(event, lambda: self.oracle.statuses.update({device: status}))

    @rule(off_hook=st.booleans())
    def handset(self, off_hook: bool) -> None:
        self.line("deskphone", "IN_USE" if off_hook else "NOT_IN_USE")

    @rule(device=devices, reachable=st.booleans())
    def contacts(self, device: str, reachable: bool) -> None:
        event = ContactsChanged(Device(device), reachable)
        self.happens(event, lambda: self.oracle.contacts.update({device: reachable}))

    @rule(leg=legs, linked=st.sampled_from(("", "leg-1")), device=devices, status=st.sampled_from(CallStatus))
    def call(self, leg: str, linked: str, device: str, status: CallStatus) -> None:
        call = Call(
            id=leg,
            linked_id=linked,
            device=Device(device),
            direction=Direction.INCOMING,
            status=status,
            started=START,
        )
        self.happens(
            CallChanged(call), lambda: self.oracle.tell_call(leg, linked or leg, (linked, device, status))
        )

    @rule(leg=legs)
    def call_over(self, leg: str) -> None:
        self.happens(CallEnded(leg, instant(self.now)), lambda: self.oracle.end_call(leg))

    @rule(new=st.integers(0, 1), old=st.integers(0, 1))
    def messages(self, new: int, old: int) -> None:
        self.happens(MessagesChanged(new, old), lambda: setattr(self.oracle, "messages", (new, old)))

    @rule(server=st.sampled_from(("default", "mds1")))
    def node_lost(self, server: str) -> None:
        self.happens(FactsReplaced(server), lambda: self.oracle.lose_node(server))

    # -- what must agree at all times ----------------------------------------------------------------

    @invariant()
    def same_machine(self) -> None:
        assert self.account.state.value == self.oracle.state
        assert (self.account.selection is Device.WEBRTC) == self.oracle.webrtc_saved

    @invariant()
    def same_device_and_presence(self) -> None:
        oracle = self.oracle
        assert device_in_use(self.account).value == oracle.in_use
        assert fallen_back(self.account) == (
            oracle.logged_in and oracle.webrtc_saved and not oracle.registered("webrtc")
        )
        assert presence(self.account).value == oracle.presence

    @invariant()
    def same_deadline(self) -> None:
        due = self.oracle.deadline
        assert deadline(self.account) == (None if due is None else instant(due))

    @invariant()
    def same_end_of_a_call(self) -> None:
        for forwards in (0, self.oracle.owner.max_forwards):
            came = route(self.account, forwards=forwards)
            rung = came.ring and f"rings {came.ring.device}"
            assert (rung or str(came.destination)) == self.oracle.goes(forwards)
            assert came.ring is None or came.ring.seconds == self.oracle.owner.seconds
            known = facts(self.account, forwards=forwards)
            for outcome in Outcome:
                ended = after(plan(self.account), outcome, known)
                assert str(ended.destination) == self.oracle.ends(outcome.value, forwards)


TestAccountMachine = AccountMachine.TestCase
TestAccountMachine.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
