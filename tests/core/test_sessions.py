"""Sessions and the saved selection (S)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from unique_account.core.account import Account, LineStatus, Session
from unique_account.core.device_in_use import deadline
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
    UserChanged,
    apply,
    restore,
)
from unique_account.core.machine import Device, State
from unique_account.core.sessions import last_seen
from unique_account.core.user import User
from unique_account.testing import strategies

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
OUT = Account(ALICE)
IN = apply(OUT, LoggedIn("tab-1", "first"))
LOST = apply(IN, SessionLost("tab-1", NOON, "first"))


def happened(account: Account, *events: Event) -> Account:
    """The account after these events."""
    for event in events:
        account = apply(account, event)
    return account


class TestFirstLogin:
    """S1: the first login of a user puts the account on WebRTC."""

    def test_a_new_user_is_on_webrtc(self) -> None:
        assert IN.state is State.WEBRTC_ACTIVE
        assert IN.selection is Device.WEBRTC


class TestSavedSelection:
    """S2: the selection is saved for the user, and fallback never overwrites it."""

    @pytest.mark.parametrize("device", Device)
    def test_it_survives_logout(self, device: Device) -> None:
        assert happened(IN, DeviceSelected(device), LoggedOut("tab-1")).selection is device

    @pytest.mark.parametrize("device", Device)
    def test_it_survives_a_restart(self, device: Device) -> None:
        saved = happened(IN, DeviceSelected(device))
        assert restore(ALICE, saved.kept).selection is device

    def test_it_survives_the_loss_of_the_node_and_a_move_to_another(self) -> None:
        moved = User(
            id="alice",
            extension="1001",
            deskphone="PJSIP/alice",
            webrtc="PJSIP/alice_w",
            media_server="mds1",
        )
        saved = happened(IN, DeviceSelected(Device.DESKPHONE), FactsReplaced("default"), UserChanged(moved))
        assert saved.selection is Device.DESKPHONE

    def test_fallback_leaves_it_and_its_version(self) -> None:
        there = happened(IN, ContactsChanged(Device.WEBRTC, reachable=True))
        gone = happened(there, ContactsChanged(Device.WEBRTC, reachable=False))
        assert gone.kept is there.kept

    @given(st.data())
    def test_only_selecting_changes_it(self, data: st.DataObject) -> None:
        account = data.draw(strategies.accounts())
        event = data.draw(strategies.events(account.user))
        try:
            after = apply(account, event)
        except Refused:
            return
        if not isinstance(event, DeviceSelected | DeviceToggled):
            assert after.selection is account.selection


class TestRestoring:
    """S3: a login restores the saved selection."""

    def test_the_deskphone_is_selected_again(self) -> None:
        left = happened(IN, DeviceSelected(Device.DESKPHONE), LoggedOut("tab-1"))
        assert apply(left, LoggedIn("tab-2")).state is State.DESKPHONE_SELECTED

    def test_a_restored_account_with_sessions_is_logged_in(self) -> None:
        selected = happened(IN, DeviceSelected(Device.DESKPHONE))
        assert restore(ALICE, selected.kept).state is State.DESKPHONE_SELECTED
        assert restore(ALICE, IN.kept).state is State.WEBRTC_ACTIVE

    def test_a_restored_account_without_sessions_is_logged_out(self) -> None:
        left = happened(IN, LoggedOut("tab-1"))
        assert restore(ALICE, left.kept) == left

    @given(strategies.accounts())
    def test_what_is_stored_and_what_was_told_make_the_account_again(self, account: Account) -> None:
        assert restore(account.user, account.kept, account.lease, account.observed) == account


class TestSeveralSessions:
    """S4: logged in while one session remains; every session sees the same selection."""

    def test_the_last_logout_logs_out(self) -> None:
        two = apply(IN, LoggedIn("tab-2"))
        assert happened(two, LoggedOut("tab-1")).state is State.WEBRTC_ACTIVE
        assert happened(two, LoggedOut("tab-2"), LoggedOut("tab-1")).state is State.LOGGED_OUT

    def test_a_second_login_does_not_restore_or_reset_the_selection(self) -> None:
        selected = happened(IN, DeviceSelected(Device.DESKPHONE))
        second = apply(selected, LoggedIn("tab-2"))
        assert second.state is State.DESKPHONE_SELECTED
        assert second.selection is Device.DESKPHONE

    def test_sessions_are_held_in_the_order_in_which_they_came(self) -> None:
        three = happened(IN, LoggedIn("tab-3"), LoggedIn("tab-2"), LoggedIn("tab-1", "second"))
        assert [session.id for session in three.sessions] == ["tab-1", "tab-3", "tab-2"]

    def test_a_lost_session_leaves_with_its_lease_and_the_other_stays(self) -> None:
        left = happened(LOST, LoggedIn("tab-2"), LeaseExpired(NOON + 10 * SECOND))
        assert left.sessions == (Session("tab-2"),)
        assert left.state is State.WEBRTC_ACTIVE


class TestLease:
    """S5: a session that vanished holds the account for the lease, from its last sign of life."""

    def test_within_the_lease_the_account_is_logged_in(self) -> None:
        assert LOST.state is State.WEBRTC_ACTIVE
        assert apply(LOST, LeaseExpired(NOON + 9 * SECOND)).state is State.WEBRTC_ACTIVE

    def test_after_it_the_account_is_logged_out(self) -> None:
        over = apply(LOST, LeaseExpired(NOON + 10 * SECOND))
        assert over.state is State.LOGGED_OUT
        assert over.sessions == ()

    def test_a_session_that_returns_in_time_loses_nothing(self) -> None:
        selected = happened(IN, DeviceSelected(Device.DESKPHONE))
        back = happened(selected, SessionLost("tab-1", NOON, "first"), LoggedIn("tab-1", "second"))
        assert back.state is State.DESKPHONE_SELECTED
        assert back.sessions == (Session("tab-1", "second"),)
        assert apply(back, LeaseExpired(NOON + 60 * SECOND)) is back

    def test_a_later_sign_of_life_counts_and_an_earlier_does_not(self) -> None:
        later = apply(LOST, SessionLost("tab-1", NOON + SECOND, "first"))
        assert deadline(later) == NOON + 11 * SECOND
        assert apply(later, SessionLost("tab-1", NOON, "first")) is later

    def test_a_lease_of_nothing_is_allowed(self) -> None:
        account = happened(Account(ALICE, lease=timedelta(0)), LoggedIn("tab-1"), SessionLost("tab-1", NOON))
        assert account.state is State.WEBRTC_ACTIVE
        assert apply(account, LeaseExpired(NOON)).state is State.LOGGED_OUT

    def test_after_a_restart_a_stored_session_counts_from_the_start_of_the_service(self) -> None:
        started = NOON + 60 * SECOND
        restored = restore(ALICE, IN.kept)
        counted = apply(restored, SessionLost("tab-1", started, restored.sessions[0].connection))
        assert deadline(counted) == started + 10 * SECOND


class TestSelecting:
    """S6: selecting needs a session, one within its lease included; it is idempotent."""

    @pytest.mark.parametrize("device", Device)
    def test_logged_out_it_is_refused(self, device: Device) -> None:
        with pytest.raises(Refused):
            apply(OUT, DeviceSelected(device))

    @pytest.mark.parametrize("device", Device)
    def test_it_is_refused_again_after_the_lease(self, device: Device) -> None:
        with pytest.raises(Refused):
            apply(apply(LOST, LeaseExpired(NOON + 10 * SECOND)), DeviceSelected(device))

    def test_a_session_within_its_lease_is_enough(self) -> None:
        assert apply(LOST, DeviceSelected(Device.DESKPHONE)).selection is Device.DESKPHONE

    @pytest.mark.parametrize("device", Device)
    def test_selecting_twice_is_selecting_once(self, device: Device) -> None:
        once = apply(IN, DeviceSelected(device))
        assert apply(once, DeviceSelected(device)) is once

    def test_selecting_during_a_call_saves_and_stays(self) -> None:
        talking = happened(IN, LineChanged(Device.DESKPHONE, LineStatus.IN_USE))
        selected = apply(talking, DeviceSelected(Device.DESKPHONE))
        assert selected.state is State.DESKPHONE_IN_USE
        assert selected.selection is Device.DESKPHONE
        assert selected.version == talking.version + 1


class TestStrayEvents:
    """S7: what concerns no held session, no present connection or no due lease changes nothing."""

    @pytest.mark.parametrize("event", [LoggedOut("tab-9"), SessionLost("tab-9", NOON), LeaseExpired(NOON)])
    @pytest.mark.parametrize("account", [OUT, IN])
    def test_an_unknown_session_changes_nothing(self, account: Account, event: Event) -> None:
        assert apply(account, event) is account

    def test_the_loss_of_an_older_connection_changes_nothing(self) -> None:
        reconnected = apply(IN, LoggedIn("tab-1", "second"))
        assert apply(reconnected, SessionLost("tab-1", NOON, "first")) is reconnected

    def test_the_loss_of_the_present_connection_does_not_touch_other_sessions(self) -> None:
        two = happened(IN, LoggedIn("tab-2", "first"), SessionLost("tab-2", NOON, "first"))
        assert two.sessions == (Session("tab-1", "first"), Session("tab-2", "first", NOON))

    def test_logging_in_again_on_the_same_connection_ends_the_lease(self) -> None:
        assert apply(LOST, LoggedIn("tab-1", "first")).sessions == IN.sessions

    def test_logging_in_again_changes_nothing_where_nothing_was_lost(self) -> None:
        assert apply(IN, LoggedIn("tab-1", "first")) is IN

    def test_a_timer_that_comes_early_changes_nothing(self) -> None:
        assert apply(LOST, LeaseExpired(NOON + 10 * SECOND - timedelta(microseconds=1))) is LOST

    def test_a_timer_that_comes_late_ends_every_lease_due_by_then(self) -> None:
        two = happened(LOST, LoggedIn("tab-2"), SessionLost("tab-2", NOON + SECOND))
        assert happened(two, LeaseExpired(NOON + 3600 * SECOND)).sessions == ()

    def test_a_timer_that_comes_twice_changes_nothing_more(self) -> None:
        once = apply(LOST, LeaseExpired(NOON + 10 * SECOND))
        assert apply(once, LeaseExpired(NOON + 10 * SECOND)) is once

    def test_a_timer_ends_only_the_leases_that_are_due(self) -> None:
        two = happened(LOST, LoggedIn("tab-2"), SessionLost("tab-2", NOON + SECOND))
        left = apply(two, LeaseExpired(NOON + 10 * SECOND))
        assert [session.id for session in left.sessions] == ["tab-2"]
        assert left.state is State.WEBRTC_ACTIVE


@given(strategies.accounts(), st.datetimes(timezones=st.just(UTC)))
def test_after_a_takeover_every_session_was_last_seen_then(account: Account, instant: datetime) -> None:
    """S5: what the store does in one statement for all users; nothing else changes."""
    kept = last_seen(account.kept, instant)
    assert {session.last_seen for session in kept.sessions} <= {instant}
    assert kept.version == account.kept.version + 1
    former = [evolve(session, last_seen=None) for session in account.kept.sessions]
    assert [evolve(session, last_seen=None) for session in kept.sessions] == former
    assert evolve(kept, version=0, sessions=()) == evolve(account.kept, version=0, sessions=())
