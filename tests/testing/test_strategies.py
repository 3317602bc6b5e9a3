"""What the strategies draw: legal values, all that can be, and nothing that clashes in one PBX."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import Event, apply
from unique_account.core.forwarding import Outcome, Refusal
from unique_account.core.machine import State
from unique_account.core.user import User
from unique_account.testing import strategies

ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")

T = TypeVar("T")


def can_draw(strategy: st.SearchStrategy[T], wanted: Callable[[T], bool]) -> bool:
    """Whether a strategy draws what is wanted in so many tries that chance plays no part."""
    try:
        find(strategy, wanted, settings=settings(phases=[Phase.generate], database=None, max_examples=5000))
    except NoSuchExample:
        return False
    return True


class TestUsers:
    """A1: users that can live in one PBX."""

    @given(st.lists(strategies.users(), unique_by=lambda user: user.id, max_size=4))
    def test_users_of_different_ids_share_no_number_and_no_endpoint(self, users: list[User]) -> None:
        names = [name for user in users for name in (*user.numbers, user.deskphone, user.webrtc)]
        assert len(set(names)) == len(names)

    @given(st.data())
    def test_an_administrator_never_changes_the_id(self, data: st.DataObject) -> None:
        user = data.draw(strategies.users())
        assert data.draw(strategies.changed_users(user)).id == user.id

    @pytest.mark.parametrize("outcome", Outcome)
    def test_any_outcome_may_have_any_fallback_or_none(self, outcome: Outcome) -> None:
        assert can_draw(strategies.fallbacks(), lambda drawn: getattr(drawn, outcome) is None)
        assert can_draw(strategies.fallbacks(), lambda drawn: getattr(drawn, outcome) == Refusal(17))
        assert can_draw(strategies.destinations(), lambda drawn: drawn == Refusal(17))


class TestAccounts:
    """M: accounts that can exist, in every state."""

    @pytest.mark.parametrize("state", State)
    def test_every_state_is_drawn(self, state: State) -> None:
        assert can_draw(strategies.accounts(), lambda account: account.state is state)

    @given(strategies.accounts(ALICE))
    def test_they_are_of_the_user_that_was_asked_for(self, account: Account) -> None:
        assert account.user == ALICE

    @given(strategies.accounts())
    def test_a_state_goes_with_its_sessions(self, account: Account) -> None:
        assert (account.state is State.LOGGED_OUT) == (account.sessions == ())


class TestEvents:
    """S5, S6, R13: events meet, and those that are refused are drawn too."""

    def test_a_lease_may_be_over_exactly_when_a_timer_goes_off(self) -> None:
        pairs = st.tuples(strategies.instants(), strategies.leases(), strategies.instants())
        assert can_draw(pairs, lambda drawn: drawn[0] < drawn[0] + drawn[1] == drawn[2])

    def test_some_forwards_are_refused(self) -> None:
        def is_refused(event: Event) -> bool:
            try:
                apply(Account(ALICE), event)
            except Refused as refusal:
                return refusal.trigger.startswith("forward_")
            return False

        assert can_draw(strategies.events(ALICE), is_refused)
