"""Leases in a running service: timers that come early, late or twice, restarts, and stores that fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.event_loop import in_loop
from tests.service.installation import ALICE, BOB, Installation
from unique_account.adapters.memory import SettableClock
from unique_account.core.account import Account, Kept, Session
from unique_account.core.events import DeviceSelected, LeaseExpired, LoggedIn, LoggedOut, SessionLost
from unique_account.core.machine import Device, State
from unique_account.core.user import User
from unique_account.service.lease_timers import LeaseTimers

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
IN, OUT = LoggedIn("tab-1"), LoggedOut("tab-1")


def lost(at: Installation, session: str = "tab-1", connection: str = "") -> SessionLost:
    """The loss of a session, noticed now."""
    return SessionLost(session, at.clock.now(), connection)


class TestLease:
    """S5: a session that vanishes holds the account for the lease, then it is logged out."""

    @in_loop
    async def test_the_account_is_held_until_the_lease_is_over(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", lost(at))
            await at.advance(9.999)
            assert service.account("alice").state is State.WEBRTC_ACTIVE
            await at.advance(0.001)
            assert service.account("alice").state is State.LOGGED_OUT
            assert await at.follows(service.account("alice"))

    @in_loop
    async def test_the_lease_counts_from_the_last_sign_of_life(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            seen = at.clock.now()
            await at.advance(7)
            await service.handle("alice", SessionLost("tab-1", seen))
            await at.advance(3)
            assert service.account("alice").state is State.LOGGED_OUT

    @pytest.mark.parametrize("seconds", [0, 1, 600])
    @in_loop
    async def test_the_lease_is_as_long_as_the_service_says(self, seconds: int) -> None:
        at = Installation()
        async with at.running(ALICE, lease=timedelta(seconds=seconds)) as service:
            await service.handle("alice", IN)
            await service.handle("alice", lost(at))
            assert service.account("alice").sessions
            await at.advance(seconds)
            assert not service.account("alice").sessions

    @in_loop
    async def test_a_timer_of_before_a_step_of_the_clock_ends_no_later_lease(self) -> None:
        timers = list[tuple[datetime, Callable[[], Awaitable[object]]]]()
        expired = list[datetime]()

        class Clock(SettableClock):
            def call_at(self, instant: datetime, wake: Callable[[], Awaitable[object]]) -> None:
                timers.append((instant, wake))

        async def expire(_: str, event: LeaseExpired) -> None:
            expired.append(event.at)

        leases = LeaseTimers(Clock(NOON), expire)
        for seen in (NOON, NOON - timedelta(hours=2)):  # it came back in between
            session = Session("tab-1", last_seen=seen)
            leases.of(Account(ALICE, Kept(sessions=(session,)), lease=timedelta(seconds=10)))
        for _, wake in timers:
            await wake()
        assert expired == [NOON - timedelta(hours=2) + timedelta(seconds=10)]

    def test_a_negative_lease_is_an_error(self) -> None:
        with pytest.raises(ValueError, match=r"a lease of -1\.0 s; 0 or more"):
            Installation().service(lease=timedelta(seconds=-1))

    @in_loop
    async def test_each_session_has_its_own(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            for user, session in (("alice", "tab-1"), ("alice", "tab-2"), ("bob", "tab-1")):
                await service.handle(user, LoggedIn(session))
            await service.handle("alice", lost(at))
            await at.advance(4)
            await service.handle("alice", lost(at, "tab-2"))
            await service.handle("bob", lost(at))
            await at.advance(6)
            assert [session.id for session in service.account("alice").sessions] == ["tab-2"]
            await at.advance(4)
            assert (service.account("alice").sessions, service.account("bob").sessions) == ((), ())

    @in_loop
    async def test_a_loss_heard_of_late_can_move_the_deadline_forward(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            for session in ("tab-1", "tab-2"):
                await service.handle("alice", LoggedIn(session))
            early = at.clock.now()
            await at.advance(5)
            await service.handle("alice", lost(at, "tab-2"))
            await service.handle("alice", SessionLost("tab-1", early))
            await at.advance(5)
            assert [session.id for session in service.account("alice").sessions] == ["tab-2"]
            await at.advance(5)
            assert service.account("alice").sessions == ()


class TestTimers:
    """S7: an expiry ends only leases due by its instant, so timers may come early, late or twice."""

    @in_loop
    async def test_a_session_that_returned_is_not_ended_by_its_old_timer(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", lost(at))
            await at.advance(5)
            await service.handle("alice", LoggedIn("tab-1", "second"))
            await at.advance(60)
            assert service.account("alice").sessions == (Session("tab-1", "second"),)

    @in_loop
    async def test_a_session_lost_again_is_ended_by_its_new_timer(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", lost(at))
            await at.advance(5)
            await service.handle("alice", LoggedIn("tab-1", "second"))
            await service.handle("alice", lost(at, "tab-1", "second"))
            await at.advance(9)
            assert service.account("alice").sessions
            await at.advance(1)
            assert not service.account("alice").sessions

    @in_loop
    async def test_a_session_lost_again_within_the_instant_is_ended_too(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            for connection in ("first", "second"):
                await service.handle("alice", LoggedIn("tab-1", connection))
                await service.handle("alice", lost(at, "tab-1", connection))
            await at.advance(10)
            assert not service.account("alice").sessions

    @in_loop
    async def test_early_and_repeated_expiries_do_no_harm(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", lost(at))
            due = at.clock.now() + timedelta(seconds=10)
            for seconds in (-5, -0.001):
                await service.handle("alice", LeaseExpired(due + timedelta(seconds=seconds)))
                assert service.account("alice").sessions
            await at.advance(10)
            before = service.account("alice")
            assert await service.handle("alice", LeaseExpired(due)) is before

    @in_loop
    async def test_timers_of_removed_users_wake_nobody(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", lost(at))
            await service.remove("alice")
            await at.advance(60)
            assert (at.failures, at.clock._sleepers) == ([], [])

    @in_loop
    async def test_one_deadline_is_one_timer(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", lost(at))
            for session in ("tab-2", "tab-3"):
                await service.handle("alice", LoggedIn(session))
            assert len(at.clock._sleepers) == 1

    @in_loop
    async def test_an_old_timer_lets_no_second_one_be_set(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", lost(at))
            await at.advance(5)
            await service.handle("alice", LoggedIn("tab-1", "second"))
            await service.handle("alice", lost(at, "tab-1", "second"))
            await at.advance(5)
            await service.handle("alice", LoggedIn("tab-2"))
            assert len(at.clock._sleepers) == 1


class TestFailingStore:
    """S5: an expiry that cannot be stored is tried again, since the bound holds all the same."""

    @in_loop
    async def test_an_expiry_that_cannot_be_stored_is_tried_again(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", lost(at))
            at.accounts.fail("save")
            await at.advance(30)
            assert service.account("alice").state is State.WEBRTC_ACTIVE
            assert set(at.failures) == {"accounts: save for alice"}
            assert 2 <= len(at.failures) <= 6
            at.accounts.heal()
            await at.advance(5)
            assert service.account("alice").state is State.LOGGED_OUT

    @in_loop
    async def test_a_session_that_returned_meanwhile_stays(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", lost(at))
            at.accounts.fail("save")
            await at.advance(12)
            at.accounts.heal()
            await service.handle("alice", LoggedIn("tab-1", "second"))
            await at.advance(60)
            assert service.account("alice").sessions

    @in_loop
    async def test_the_timer_is_set_though_a_port_hangs(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            at.cti.fail("show", error=TimeoutError("no answer"))
            await service.handle("alice", lost(at))
            at.cti.heal()
            await at.advance(10)
            assert service.account("alice").state is State.LOGGED_OUT


class TestRestart:
    """S5: after a restart every stored session counts as last seen when the service started."""

    @in_loop
    async def test_a_connected_session_expires_a_lease_after_the_start(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", DeviceSelected(Device.DESKPHONE))
        await at.advance(3600)
        async with at.running() as service:
            assert service.account("alice").sessions == (Session("tab-1", last_seen=at.clock.now()),)
            assert service.account("alice").state is State.DESKPHONE_SELECTED
            await at.advance(9)
            assert service.account("alice").sessions
            await at.advance(1)
            assert service.account("alice").state is State.LOGGED_OUT
            assert service.account("alice").selection is Device.DESKPHONE

    @in_loop
    async def test_a_lease_that_is_over_before_all_are_loaded_ends(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            for user in ("alice", "bob"):
                await service.handle(user, IN)
        every = at.accounts._port.all

        async def slowly() -> AsyncIterator[tuple[User, Kept]]:
            async for stored in every():
                await at.advance(6)
                yield stored

        at.accounts._port.all = slowly
        at.node.fail("watch")  # a fact would set the timer again
        async with at.running() as service:
            await at.advance(0)
            assert (service.account("alice").sessions, service.account("bob").sessions) == ((), ())

    @in_loop
    async def test_a_session_that_returns_in_time_loses_nothing(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
        async with at.running() as service:
            await service.handle("alice", LoggedIn("tab-1", "second"))
            await at.advance(60)
            assert service.account("alice").sessions == (Session("tab-1", "second"),)

    @in_loop
    async def test_a_session_lost_at_the_instant_of_the_start_expires(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", lost(at))
        at.node.fail("watch")
        async with at.running() as service:
            await at.advance(10)
            assert not service.account("alice").sessions

    @in_loop
    async def test_a_session_last_seen_by_a_clock_that_ran_ahead_expires(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", SessionLost("tab-1", at.clock.now() + timedelta(hours=1)))
        async with at.running() as service:
            await at.advance(10)
            assert not service.account("alice").sessions

    @in_loop
    async def test_a_session_that_came_back_as_the_service_started_is_not_lost(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)

        class EagerCti:
            """A CTI whose users return with its very first breath."""

            def __getattr__(self, name: str) -> object:
                return getattr(at.cti, name)

            async def listen(self, on_event: object, *ports: object) -> None:
                await on_event("alice", IN)  # type: ignore[operator] # a Hear
                await at.cti.listen(on_event, *ports)

        async with at.running(cti=EagerCti()) as service:
            assert service.account("alice").sessions == (Session("tab-1"),)

    @in_loop
    async def test_it_is_stored_and_shown(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            await service.handle("alice", IN)
        saved = len(at.accounts.asked("save"))
        async with at.running() as service:
            assert len(at.accounts.asked("all_last_seen")) == 2, "once a start, however many users there are"
            assert len(at.accounts.asked("save")) == saved
            stored = await at.stored("alice")
            assert stored is not None
            assert stored.kept == service.account("alice").kept
            assert await at.follows(service.account("alice"))

    @in_loop
    async def test_a_service_that_was_left_expires_nothing(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", lost(at))
        saved = len(at.accounts.asked("save"))
        await at.advance(60)
        assert len(at.accounts.asked("save")) == saved
        assert at.failures == []
