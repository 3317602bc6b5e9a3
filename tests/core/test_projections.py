"""Projections are what they are from scratch, however an account came about, and no more work than needed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.counted import counted
from unique_account.core.account import Account, Call, CallStatus, Direction, LineStatus
from unique_account.core.errors import Refused
from unique_account.core.events import (
    CallChanged,
    ContactsChanged,
    DeviceSelected,
    DoNotDisturbSet,
    Event,
    FactsReplaced,
    LeaseExpired,
    LineChanged,
    LoggedIn,
    MessagesChanged,
    SessionLost,
    apply,
)
from unique_account.core.machine import Device
from unique_account.core.presence import presence
from unique_account.core.projections import projected, same_but_version
from unique_account.core.routing import plan
from unique_account.core.user import User
from unique_account.core.view import view, view_of
from unique_account.testing import strategies
from unique_account.testing.strategies import EPOCH

ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
TALKS = Call(
    id="1.1", device=Device.DESKPHONE, direction=Direction.OUTGOING, status=CallStatus.TALKING, started=EPOCH
)


class TestFromTheFormerOnes:
    """P5, R16, S4: what is taken from former projections is what would be worked out again."""

    @given(st.data())
    def test_they_are_those_from_scratch(self, data: st.DataObject) -> None:
        account = data.draw(strategies.accounts())
        last = projected(account, owner="here")
        for event in data.draw(st.lists(strategies.events(account.user), max_size=8)):
            try:
                account = apply(account, event)
            except Refused:
                continue
            last = projected(account, last, owner="here")
            assert last == projected(account, owner="here")

    @given(strategies.accounts())
    def test_they_are_what_each_function_says(self, account: Account) -> None:
        one = projected(account, owner="here")
        assert one.plan == plan(account, owner="here")
        assert one.presence is presence(account)
        assert one.view == view(account, owner="here")

    @pytest.mark.parametrize(
        "event", [FactsReplaced("default"), LineChanged(Device.WEBRTC, LineStatus.UNKNOWN)]
    )
    def test_nothing_known_is_told_from_not_registered(self, event: Event) -> None:
        before = apply(LOGGED_IN, LineChanged(Device.WEBRTC, LineStatus.UNAVAILABLE))
        after = apply(before, event)
        assert projected(after, projected(before)) == projected(after)

    @given(strategies.accounts())
    def test_those_of_another_owner_are_of_no_use(self, account: Account) -> None:
        assert projected(account, projected(account), owner="here") == projected(account, owner="here")

    def test_a_plan_may_be_the_same_but_for_its_version(self) -> None:
        one, two = (apply(Account(ALICE), LoggedIn("tab-1")), Account(ALICE))
        again = apply(one, LoggedIn("tab-2"))
        assert same_but_version(plan(one), plan(again))
        assert not same_but_version(plan(one), plan(two))


LOGGED_IN = apply(Account(ALICE), LoggedIn("tab-1", "first"))

EVENTS: list[tuple[Event, dict[str, int]]] = [
    (LineChanged(Device.DESKPHONE, LineStatus.IN_USE), {"presence": 1, "view_of": 1}),
    (ContactsChanged(Device.WEBRTC, reachable=True), {"presence": 1, "view_of": 1}),
    (CallChanged(TALKS), {"view_of": 1}),
    (MessagesChanged(1, 0), {"view_of": 1}),
    (LoggedIn("tab-2"), {"view_of": 1}),
    (LoggedIn("tab-1", "second"), {"view_of": 1}),
    (SessionLost("tab-1", EPOCH, "first"), {"view_of": 1}),
    (DoNotDisturbSet(on=True), {"plan": 1, "view_of": 1}),
    (DeviceSelected(Device.DESKPHONE), {"plan": 1, "view_of": 1}),
    (LeaseExpired(EPOCH), {}),
    (LineChanged(Device.DESKPHONE, LineStatus.UNKNOWN), {}),
]


class TestWork:
    """A projection is worked out once for an event, and only if something that it rests on changed."""

    @pytest.mark.parametrize(("event", "expected"), EVENTS)
    def test_only_what_is_touched_is_worked_out(
        self, event: Event, expected: dict[str, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        last = projected(LOGGED_IN)
        calls = counted(monkeypatch, plan, presence, view_of)
        projected(apply(LOGGED_IN, event), last)
        assert calls == expected

    def test_what_says_the_same_costs_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        last = projected(LOGGED_IN)
        calls = counted(monkeypatch, plan, presence, view_of)
        equal = apply(Account(ALICE), LoggedIn("tab-1", "first"))
        assert equal is not LOGGED_IN
        assert projected(equal, last) == last
        assert not calls
