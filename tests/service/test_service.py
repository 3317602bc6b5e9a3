"""The service: the order of events, what is stored before it is shown, conflicts, users and commands."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from attrs import evolve

from tests.event_loop import in_loop
from tests.service.installation import ALICE, BOB, Installation, settle
from unique_account.adapters.sqlite import SqliteAccounts
from unique_account.core.account import Account, LineStatus
from unique_account.core.errors import Refused, Unreachable
from unique_account.core.events import (
    DeviceSelected,
    ForwardingChanged,
    LineChanged,
    LoggedIn,
    LoggedOut,
    UserChanged,
)
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.machine import Device, State
from unique_account.core.presence import Presence
from unique_account.core.view import view
from unique_account.ports.accounts import StaleVersion
from unique_account.ports.inbound.events import UnknownUser
from unique_account.service.account_writer import WRITE_ATTEMPTS

IN, OUT = LoggedIn("tab-1"), LoggedOut("tab-1")
DESKPHONE, WEBRTC = DeviceSelected(Device.DESKPHONE), DeviceSelected(Device.WEBRTC)


class TestOrder:
    """One user's events are worked off one after the other; users do not wait for each other."""

    @in_loop
    async def test_a_store_that_hangs_for_one_user_does_not_delay_another(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            released = at.accounts.hang("save", "alice")
            waiting = asyncio.create_task(service.handle("alice", IN))
            await settle()
            await service.handle("bob", IN)
            assert await at.follows(service.account("bob"))
            assert not waiting.done()
            released.set()
            await waiting
            assert service.account("alice").state is State.WEBRTC_ACTIVE

    @pytest.mark.parametrize("request_", ["install", "hint", "watch"])
    @in_loop
    async def test_a_pbx_that_hangs_for_one_user_does_not_delay_another(self, request_: str) -> None:
        at = Installation(("default", "mds1"))
        async with at.running(ALICE, evolve(BOB, media_server="mds1")) as service:
            released = at.pbxs["mds1"].hang(request_, "1001" if request_ == "hint" else "alice")
            moved = evolve(ALICE, media_server="mds1")
            waiting = asyncio.create_task(service.handle("alice", UserChanged(moved)))
            await settle()
            await service.handle("bob", IN)
            assert service.account("bob").state is State.WEBRTC_ACTIVE
            assert await at.follows(service.account("bob"))
            released.set()
            await waiting

    @in_loop
    async def test_events_that_come_while_a_write_hangs_follow_in_their_order(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            released = at.accounts.hang("save")
            reported = (DESKPHONE, LineChanged(Device.DESKPHONE, LineStatus.IN_USE), WEBRTC, OUT)
            waiting = [asyncio.create_task(service.handle("alice", event)) for event in reported]
            await settle()
            assert service.account("alice").state is State.WEBRTC_ACTIVE
            released.set()
            states = [account.state for account in await asyncio.gather(*waiting)]
            assert states == [State.DESKPHONE_SELECTED, *[State.DESKPHONE_IN_USE] * 2, State.LOGGED_OUT]
            assert [event for event, _, _ in at.observer.applications[-4:]] == list(reported)

    @in_loop
    async def test_an_event_that_is_cancelled_leaves_the_way_free(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            at.accounts.hang("save")
            waiting = asyncio.create_task(service.handle("alice", IN))
            await settle()
            waiting.cancel()
            at.accounts.heal()
            await service.handle("alice", LoggedIn("tab-2"))
            assert [session.id for session in service.account("alice").sessions] == ["tab-2"]


class TestStoredBeforeShown:
    """S2: a choice is stored before anything shows it, and survives a restart."""

    @in_loop
    async def test_nothing_shows_what_is_not_stored_yet(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            shown, plans = at.memory_cti.shown["alice"], await at.plans()
            released = at.accounts.hang("save")
            waiting = asyncio.create_task(service.handle("alice", IN))
            await settle()
            assert service.account("alice").state is State.LOGGED_OUT
            assert (at.memory_cti.shown["alice"], await at.plans()) == (shown, plans)
            released.set()
            after = await waiting
            assert at.memory_cti.shown["alice"] == view(after)
            assert await at.follows(after)

    @in_loop
    async def test_a_store_that_fails_changes_nothing_and_the_next_event_works(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            before, plans = service.account("alice"), await at.plans()
            at.accounts.fail("save", error=OSError("disk full"))
            with pytest.raises(OSError, match="disk full"):
                await service.handle("alice", IN)
            assert service.account("alice") is before
            assert await at.plans() == plans
            assert at.memory_cti.shown["alice"] == view(before)
            assert at.failures == ["accounts: save for alice"]
            at.accounts.heal()
            assert (await service.handle("alice", IN)).state is State.WEBRTC_ACTIVE

    @in_loop
    async def test_a_ringing_phone_writes_nothing(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.pbx.register("PJSIP/alice")
            before = len(at.accounts.asked("save"))
            call = await at.pbx.call("1001", caller="3000")
            await at.pbx.pick_up(call)
            await at.pbx.end(call)
            await at.pbx.leave_messages("1001@default", 2)
            assert service.account("alice").observed.messages is not None
            assert len(at.accounts.asked("save")) == before

    @in_loop
    async def test_a_word_that_tells_nothing_new_is_neither_stored_nor_shown(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            asked = [list(port.requests) for port in (at.accounts, at.node, at.cti, at.bus)]
            before, applied = service.account("alice"), len(at.observer.applications)
            assert await service.handle("alice", IN) is before
            assert [list(port.requests) for port in (at.accounts, at.node, at.cti, at.bus)] == asked
            assert len(at.observer.applications) == applied

    def test_a_selection_survives_restarts(self, tmp_path: Path) -> None:
        forwarding = Forwarding(busy=Forward("3000"))

        @in_loop
        async def choose() -> None:
            store = SqliteAccounts(tmp_path / "accounts.db")
            async with aclosing(store), Installation(accounts=store).running(ALICE) as service:
                for event in (IN, DESKPHONE, ForwardingChanged(forwarding), OUT):
                    await service.handle("alice", event)

        @in_loop
        async def return_later() -> None:
            store = SqliteAccounts(tmp_path / "accounts.db")
            at = Installation(accounts=store)
            async with aclosing(store), at.running() as service:
                assert service.account("alice").selection is Device.DESKPHONE
                assert (await service.handle("alice", IN)).state is State.DESKPHONE_SELECTED
                assert service.account("alice").forwarding == forwarding
                assert await at.follows(service.account("alice"))

        choose()
        return_later()
        return_later()


class TestConflict:
    """Where somebody else wrote meanwhile, the event is applied again to what they wrote."""

    @in_loop
    async def test_of_two_services_on_one_file_neither_loses_a_choice(self, tmp_path: Path) -> None:
        stores = [SqliteAccounts(tmp_path / "accounts.db") for _ in range(2)]
        one, other = (Installation(accounts=store) for store in stores)
        async with (
            aclosing(stores[0]),
            aclosing(stores[1]),
            one.running(ALICE) as first,
            other.running() as second,
        ):
            await second.handle("alice", IN)
            await second.handle("alice", DESKPHONE)
            after = await first.handle("alice", LoggedIn("tab-2"))
            assert [session.id for session in after.sessions] == ["tab-1", "tab-2"]
            assert (after.state, after.version) == (State.DESKPHONE_SELECTED, 3)
            assert await stores[1].load("alice") == (after.user, after.kept)
            assert await one.follows(after)
            assert (await second.handle("alice", OUT)).sessions == after.sessions[1:]

    @in_loop
    async def test_facts_are_kept_over_a_conflict(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", LineChanged(Device.DESKPHONE, LineStatus.IN_USE))
            await at.accounts.save(ALICE, evolve(service.account("alice").kept, version=7), 0)
            after = await service.handle("alice", IN)
            assert (after.state, after.version) == (State.DESKPHONE_IN_USE, 8)

    @in_loop
    async def test_what_another_did_already_is_taken_over_and_shown(self) -> None:
        one = Installation()
        other = Installation(accounts=one.accounts)
        async with one.running(ALICE) as first, other.running() as second:
            await second.handle("alice", IN)
            after = await first.handle("alice", IN)
            assert (after.version, after.state) == (1, State.WEBRTC_ACTIVE)
            assert one.memory_cti.shown["alice"] == view(after)

    @in_loop
    async def test_numbers_that_another_changed_are_published(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.pbx.register("PJSIP/alice")
            moved = evolve(ALICE, extension="1999", dids=())
            await at.accounts.save(moved, evolve(service.account("alice").kept, version=1), 0)
            await service.handle("alice", IN)
            assert await at.follows(service.account("alice"))
            assert at.hints() == {"1999": Presence.AVAILABLE}
            assert at.memory_bus.presences["1001"] is Presence.UNEXISTING

    @in_loop
    async def test_a_move_that_another_made_leaves_hints_on_the_old_node(self) -> None:
        at = Installation(("default", "mds1"))
        async with at.running(ALICE) as service:
            await at.pbx.register("PJSIP/alice")
            moved = evolve(ALICE, media_server="mds1")
            await at.accounts.save(moved, evolve(service.account("alice").kept, version=1), 0)
            await service.handle("alice", IN)
            assert (await at.plans(), set(await at.plans("mds1"))) == ({}, {"alice"})
            assert at.hints() == at.hints("mds1") == dict.fromkeys(ALICE.numbers, Presence.AVAILABLE)

    @in_loop
    async def test_an_event_refused_by_what_others_wrote_changes_nothing(self) -> None:
        one = Installation()
        other = Installation(accounts=one.accounts)
        async with one.running(ALICE) as first:
            await first.handle("alice", IN)
            async with other.running() as second:
                await second.handle("alice", OUT)
                with pytest.raises(Refused):
                    await first.handle("alice", DESKPHONE)
                assert one.observer.refusals[-1][0] == DESKPHONE
                assert (await one.stored("alice") or Account(ALICE)).selection is Device.WEBRTC

    @in_loop
    async def test_a_conflict_without_end_is_told_and_changes_nothing(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            before = service.account("alice")
            at.accounts.fail("save", error=StaleVersion("alice", 0, 1))
            with pytest.raises(StaleVersion):
                await service.handle("alice", IN)
            assert len(at.accounts.asked("save")) == WRITE_ATTEMPTS
            assert service.account("alice") is before
            assert at.failures == ["accounts: save for alice"]
            at.accounts.heal()
            assert (await service.handle("alice", IN)).state is State.WEBRTC_ACTIVE

    @pytest.mark.parametrize("done", [True, False])
    @in_loop
    async def test_a_change_of_which_the_store_said_nothing_is_what_is_stored(self, done: bool) -> None:
        """S2: the store was lost before it answered, and may have done what it was asked for."""
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            with at.losing("save", done=done):
                for _ in range(3):
                    with pytest.raises(Unreachable):
                        await service.handle("alice", DESKPHONE)
            assert service.account("alice").selection is Device.WEBRTC
            await at.advance(60)
            at.accounts.heal()
            asked = len(at.accounts.asked("load"))
            await at.advance(60)
            assert len(at.accounts.asked("load")) == asked + 1
            selected = Device.DESKPHONE if done else Device.WEBRTC
            assert service.account("alice").selection is selected
            assert await at.shows_everything(service)

    @in_loop
    async def test_an_account_that_another_removed_is_forgotten(self) -> None:
        one = Installation()
        other = Installation(accounts=one.accounts)
        async with one.running(ALICE) as first, other.running() as second:
            await second.remove("alice")
            with pytest.raises(UnknownUser):
                await first.handle("alice", IN)
            assert first.users == ()
            assert (await one.plans(), one.memory_cti.shown) == ({}, {})
