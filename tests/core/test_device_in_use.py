"""The device in use, fallback and the deadline of a lease, each rule in its plainest case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from unique_account.core.account import Account, LineStatus
from unique_account.core.device_in_use import deadline, device_in_use, fallen_back
from unique_account.core.events import (
    ContactsChanged,
    DeviceSelected,
    LineChanged,
    LoggedIn,
    LoggedOut,
    SessionLost,
    apply,
)
from unique_account.core.machine import Device, State
from unique_account.core.user import User
from unique_account.testing import strategies

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
OUT = Account(ALICE)
IN = apply(OUT, LoggedIn("tab-1"))
REGISTERED = apply(IN, ContactsChanged(Device.WEBRTC, reachable=True))


class TestLoggedOut:
    """R1: logged out, the deskphone, whatever is saved."""

    def test_the_deskphone_is_in_use_with_webrtc_saved_and_registered(self) -> None:
        account = apply(REGISTERED, LoggedOut("tab-1"))
        assert account.selection is Device.WEBRTC
        assert device_in_use(account) is Device.DESKPHONE

    def test_that_is_no_fallback(self) -> None:
        assert not fallen_back(apply(IN, LoggedOut("tab-1")))


class TestWebrtcSelected:
    """R2: logged in, WebRTC selected and registered: the UC Assistant."""

    def test_webrtc_is_in_use(self) -> None:
        assert device_in_use(REGISTERED) is Device.WEBRTC
        assert not fallen_back(REGISTERED)

    def test_it_still_is_while_a_lost_session_is_within_its_lease(self) -> None:
        assert device_in_use(apply(REGISTERED, SessionLost("tab-1", NOON))) is Device.WEBRTC


class TestDeskphoneSelected:
    """R3: logged in, deskphone selected: the deskphone."""

    def test_the_deskphone_is_in_use_beside_a_registered_browser(self) -> None:
        account = apply(REGISTERED, DeviceSelected(Device.DESKPHONE))
        assert device_in_use(account) is Device.DESKPHONE
        assert not fallen_back(account)


class TestNotRegistered:
    """R4: WebRTC selected but its line not registered: the deskphone, at once."""

    def test_without_a_contact_the_deskphone_is_in_use(self) -> None:
        account = apply(REGISTERED, ContactsChanged(Device.WEBRTC, reachable=False))
        assert device_in_use(account) is Device.DESKPHONE
        assert fallen_back(account)

    def test_the_saved_selection_is_untouched(self) -> None:
        account = apply(REGISTERED, ContactsChanged(Device.WEBRTC, reachable=False))
        assert account.selection is Device.WEBRTC
        assert account.kept is REGISTERED.kept

    def test_the_next_contact_ends_the_fallback(self) -> None:
        gone = apply(REGISTERED, ContactsChanged(Device.WEBRTC, reachable=False))
        assert device_in_use(apply(gone, ContactsChanged(Device.WEBRTC, reachable=True))) is Device.WEBRTC

    @pytest.mark.parametrize("status", LineStatus)
    def test_a_known_contact_outweighs_any_status(self, status: LineStatus) -> None:
        reported = apply(REGISTERED, LineChanged(Device.WEBRTC, status))
        assert device_in_use(reported) is Device.WEBRTC
        gone = apply(reported, ContactsChanged(Device.WEBRTC, reachable=False))
        assert device_in_use(gone) is Device.DESKPHONE

    @pytest.mark.parametrize("status", LineStatus)
    def test_before_any_contact_fact_a_status_above_unavailable_stands_in(self, status: LineStatus) -> None:
        lower = (LineStatus.INVALID, LineStatus.UNKNOWN, LineStatus.UNAVAILABLE)
        expected = Device.DESKPHONE if status in lower else Device.WEBRTC
        assert device_in_use(apply(IN, LineChanged(Device.WEBRTC, status))) is expected

    def test_a_selected_deskphone_that_is_away_never_spills_to_the_browser(self) -> None:
        account = apply(REGISTERED, DeviceSelected(Device.DESKPHONE))
        away = apply(account, ContactsChanged(Device.DESKPHONE, reachable=False))
        assert device_in_use(away) is Device.DESKPHONE

    @given(strategies.accounts())
    def test_a_fallback_is_a_selection_that_is_not_in_use(self, account: Account) -> None:
        logged_in = account.state is not State.LOGGED_OUT
        assert fallen_back(account) == (logged_in and device_in_use(account) is not account.selection)


class TestDeskphoneInUse:
    """R5: a deskphone in a call does not change where the next call rings."""

    @pytest.mark.parametrize("device", Device)
    def test_the_device_in_use_stays(self, device: Device) -> None:
        idle = apply(REGISTERED, DeviceSelected(device))
        talking = apply(idle, LineChanged(Device.DESKPHONE, LineStatus.IN_USE))
        assert talking.state is State.DESKPHONE_IN_USE
        assert device_in_use(talking) is device_in_use(idle) is device


class TestDeadline:
    """S5: the deadline is the last sign of life of the session lost first, and the lease."""

    def test_there_is_none_while_every_session_is_connected(self) -> None:
        assert deadline(OUT) is None
        assert deadline(IN) is None

    def test_it_is_ten_seconds_after_the_last_sign_of_life(self) -> None:
        assert deadline(apply(IN, SessionLost("tab-1", NOON))) == NOON + timedelta(seconds=10)

    def test_the_first_of_several_counts(self) -> None:
        two = apply(apply(IN, LoggedIn("tab-2")), SessionLost("tab-1", NOON))
        both = apply(two, SessionLost("tab-2", NOON - timedelta(seconds=3)))
        assert deadline(both) == NOON + timedelta(seconds=7)

    def test_a_lease_of_nothing_is_due_at_once(self) -> None:
        account = apply(Account(ALICE, lease=timedelta(0)), LoggedIn("tab-1"))
        assert deadline(apply(account, SessionLost("tab-1", NOON))) == NOON
