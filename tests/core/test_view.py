"""What UC Assistants show of an account: a projection of it, the same in every session."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given

from unique_account.core.account import Account, LineStatus, Messages
from unique_account.core.device_in_use import device_in_use, fallen_back
from unique_account.core.events import (
    ContactsChanged,
    DeviceSelected,
    LineChanged,
    LoggedIn,
    MessagesChanged,
    apply,
)
from unique_account.core.machine import Device, State
from unique_account.core.presence import Presence, presence
from unique_account.core.routing import DEFAULT_OWNER, route
from unique_account.core.user import User
from unique_account.core.view import view
from unique_account.testing import strategies

ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
IN = apply(Account(ALICE), LoggedIn("tab-1"))


class TestProjection:
    """S4: the view is what the other projections say, and what the account holds."""

    @given(strategies.accounts())
    def test_it_agrees_with_the_other_projections(self, account: Account) -> None:
        shown = view(account)
        assert shown.device_in_use is device_in_use(account)
        assert shown.fallback == fallen_back(account)
        assert shown.presence is presence(account)
        assert shown.because == route(account).because

    @given(strategies.accounts())
    def test_it_shows_what_the_account_holds(self, account: Account) -> None:
        shown = view(account)
        assert (shown.user, shown.version) == (account.user.id, account.version)
        assert (shown.state, shown.selection) == (account.state, account.selection)
        assert (shown.calls, shown.forwarding) == (account.calls, account.forwarding)
        assert (shown.deskphone, shown.webrtc) == (account.observed.deskphone, account.observed.webrtc)
        assert shown.messages == account.observed.messages

    def test_another_session_changes_nothing_that_is_shown_but_the_version(self) -> None:
        one, two = view(IN), view(apply(IN, LoggedIn("tab-2")))
        assert evolve(two, version=one.version) == one

    def test_it_says_who_made_it(self) -> None:
        assert view(IN).owner == DEFAULT_OWNER
        assert view(IN, owner="another").owner == "another"


class TestShown:
    """S4, R4, V2: what a user sees while things happen."""

    def test_a_selection_shows_at_once(self) -> None:
        shown = view(apply(IN, DeviceSelected(Device.DESKPHONE)))
        assert (shown.state, shown.selection) == (State.DESKPHONE_SELECTED, Device.DESKPHONE)

    def test_a_fallback_shows_with_its_reason(self) -> None:
        shown = view(apply(IN, ContactsChanged(Device.WEBRTC, reachable=False)))
        assert shown.fallback
        assert shown.device_in_use is Device.DESKPHONE
        assert "R4" in [reason.rule for reason in shown.because]

    def test_the_deskphone_in_a_call_shows(self) -> None:
        shown = view(apply(IN, LineChanged(Device.DESKPHONE, LineStatus.IN_USE)))
        assert (shown.state, shown.presence) == (State.DESKPHONE_IN_USE, Presence.IN_USE)

    def test_messages_show_once_they_are_told(self) -> None:
        assert view(IN).messages is None
        assert view(apply(IN, MessagesChanged(new=2, old=1))).messages == Messages(2, 1)
