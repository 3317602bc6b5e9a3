"""Users come, change and go, and every port with them."""

from __future__ import annotations

import asyncio

import pytest
from attrs import evolve

from tests.event_loop import in_loop
from tests.service.installation import ALICE, BOB, Installation, settle
from unique_account.core.errors import Ineligible, Unreachable
from unique_account.core.events import (
    ContactsChanged,
    LoggedIn,
    UserChanged,
)
from unique_account.core.machine import Device
from unique_account.core.presence import Presence, presence
from unique_account.core.view import view
from unique_account.ports.accounts import StaleVersion
from unique_account.ports.inbound.events import UnknownUser

IN = LoggedIn("tab-1")
THERE = ContactsChanged(Device.DESKPHONE, reachable=True)
DID = "+33123450001"


class TestUsers:
    """Users come, change and go, and every port with them."""

    @in_loop
    async def test_a_new_user_is_stored_watched_and_shown(self) -> None:
        at = Installation()
        async with at.running() as service:
            await at.pbx.register("PJSIP/alice")
            await service.add(ALICE)
            assert service.users == ("alice",)
            assert await at.stored("alice") is not None
            assert service.account("alice").observed.deskphone.reachable
            assert await at.shows_everything(service)
            assert at.failures == []

    @in_loop
    async def test_a_user_is_added_once(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            with pytest.raises(StaleVersion, match="alice has an account already, of version 1"):
                await service.add(evolve(ALICE, extension="1999"))
            assert service.account("alice").user == ALICE

    @pytest.mark.parametrize("done", [True, False])
    @in_loop
    async def test_a_user_of_whom_the_store_said_nothing_is_added_once_it_says_so(self, done: bool) -> None:
        """S2: the store was lost before it answered, and may have done what it was asked for."""
        at = Installation()
        async with at.running(BOB) as service:
            with at.losing("add", done=done), pytest.raises(Unreachable):
                await service.add(ALICE)
            assert service.users == ("bob",)
            at.accounts.heal()
            await at.advance(5)
            assert service.users == (("bob", "alice") if done else ("bob",))
            if not done:
                await service.add(ALICE)
            assert await at.shows_everything(service)
            await service.handle("alice", IN)
            with pytest.raises(StaleVersion):
                await service.add(ALICE)
            assert at.failures == []

    @in_loop
    async def test_a_user_that_is_found_later_leaves_numbers_to_whoever_came_first(self) -> None:
        at = Installation()
        async with at.running() as service:
            with at.losing("add", done=True), pytest.raises(Unreachable):
                await service.add(ALICE)
            at.accounts.heal()
            await service.add(evolve(BOB, dids=(DID,)))
            await at.advance(5)
            assert service.users == ("bob", "alice")
            assert at.failures == ["accounts: load for alice"]

    @pytest.mark.parametrize("done", [True, False])
    @in_loop
    async def test_a_removal_of_which_the_store_said_nothing_is_what_is_stored(self, done: bool) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            with at.losing("remove", done=done), pytest.raises(Unreachable):
                await service.remove("alice")
            assert service.users == ("alice",)
            at.accounts.heal()
            await at.advance(5)
            assert service.users == (() if done else ("alice",))
            assert ("alice" in await at.plans()) is not done

    @in_loop
    async def test_a_user_of_an_unknown_node_is_not_added(self) -> None:
        at = Installation()
        async with at.running() as service:
            with pytest.raises(ValueError, match=r"alice: media server mds9 is not one of \['default'\]"):
                await service.add(evolve(ALICE, media_server="mds9"))
            assert await at.stored("alice") is None

    @in_loop
    async def test_what_a_former_account_left_does_not_rule_the_new_one(self) -> None:
        at = Installation(("default", "mds1"))
        async with at.running(ALICE) as service:
            old = evolve((await at.plans())["alice"], version=99)
            for pbx in (at.pbx, at.memory_pbxs["mds1"]):
                await pbx.install(old)
            await at.accounts.remove("alice", 0)
            await service.add(ALICE)
            assert await at.follows(service.account("alice"))
            assert await at.plans("mds1") == {}

    @in_loop
    async def test_adding_many_asks_for_no_list_of_plans(self) -> None:
        at = Installation()
        async with at.running() as service:
            asked = len(at.node.asked("installed"))
            await service.add(ALICE)
            assert len(at.node.asked("installed")) == asked

    @in_loop
    async def test_a_removed_user_is_gone_everywhere(self) -> None:
        at = Installation(("default", "mds1"))
        async with at.running(ALICE, BOB) as service:
            for user in ("alice", "bob"):
                await service.handle(user, THERE)
            await service.remove("alice")
            assert service.users == ("bob",)
            assert await at.stored("alice") is None
            for node in ("default", "mds1"):
                assert set(at.hints(node)) == {"1002"}
            assert set(await at.plans()) == set(at.memory_cti.shown) == {"bob"}
            for shown in (at.memory_cti.presences, at.memory_bus.presences):
                assert shown == {
                    "1001": Presence.UNEXISTING,
                    DID: Presence.UNEXISTING,
                    "1002": Presence.UNAVAILABLE,
                }
            await at.pbx.register("PJSIP/alice_w")
            assert at.failures == []

    @in_loop
    async def test_a_user_is_removed_whatever_others_wrote(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.accounts.save(ALICE, evolve(service.account("alice").kept, version=5), 0)
            await service.remove("alice")
            assert await at.stored("alice") is None

    @in_loop
    async def test_a_user_whom_another_removed_is_forgotten_here(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.accounts.remove("alice", 0)
            with pytest.raises(UnknownUser):
                await service.remove("alice")
            assert (service.users, await at.plans()) == ((), {})

    @in_loop
    async def test_a_store_that_fails_keeps_the_user(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            at.accounts.fail("remove")
            with pytest.raises(ConnectionError):
                await service.remove("alice")
            assert service.users == ("alice",)
            assert set(await at.plans()) == {"alice"}

    @in_loop
    async def test_a_port_that_fails_does_not_keep_the_user(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            at.cti.fail("forget")
            await service.remove("alice")
            assert (service.users, await at.plans()) == ((), {})
            assert at.failures == ["cti: forget for alice"]

    @in_loop
    async def test_events_that_waited_for_a_removal_find_nobody(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            released = at.accounts.hang("remove")
            removing = asyncio.create_task(service.remove("alice"))
            await settle()
            waiting = asyncio.create_task(service.handle("alice", IN))
            released.set()
            await removing
            with pytest.raises(UnknownUser):
                await waiting


class TestChangedUsers:
    """A1: what the administrator changes moves plan, facts and presence with it."""

    @in_loop
    async def test_new_numbers_are_published_and_old_ones_withdrawn(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", THERE)
            await service.handle("alice", UserChanged(evolve(ALICE, extension="1999", dids=())))
            for shown in (at.memory_cti.presences, at.memory_bus.presences):
                assert shown["1999"] is presence(service.account("alice"))
                assert (shown["1001"], shown[DID]) == (Presence.UNEXISTING, Presence.UNEXISTING)
            assert set(at.hints()) == {"1999"}
            assert (await at.plans())["alice"].numbers == ("1999",)

    @in_loop
    async def test_a_number_that_could_not_be_withdrawn_is_withdrawn_later(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", THERE)
            at.bus.fail("presence_changed")
            await service.handle("alice", UserChanged(evolve(ALICE, dids=())))
            at.bus.heal()
            await service.handle("alice", IN)
            assert at.memory_bus.presences[DID] is Presence.UNEXISTING
            reported = len(at.bus.asked("presence_changed"))
            await service.handle("alice", LoggedIn("tab-2"))
            assert len(at.bus.asked("presence_changed")) == reported

    @in_loop
    async def test_or_at_the_latest_with_the_user(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", THERE)
            at.bus.fail("presence_changed")
            await service.handle("alice", UserChanged(evolve(ALICE, dids=())))
            at.bus.heal()
            await service.remove("alice")
            assert set(at.memory_bus.presences.values()) == {Presence.UNEXISTING}

    @in_loop
    async def test_a_number_that_another_user_took_over_is_not_withdrawn(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            for user in ("alice", "bob"):
                await service.handle(user, THERE)
            at.node.fail("hint")  # so that the number is withdrawn later, when it is bob's
            await service.handle("alice", UserChanged(evolve(ALICE, dids=())))
            at.node.heal()
            await service.handle("bob", UserChanged(evolve(BOB, dids=(DID,))))
            await service.handle("alice", IN)
            assert at.memory_bus.presences[DID] is presence(service.account("bob"))
            assert set(at.hints()) == {"1001", "1002", DID}
            assert (await at.pbx.call(DID)).number == DID

    @in_loop
    async def test_facts_of_the_new_endpoints_are_heard(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.pbx.register("PJSIP/alice")
            await at.pbx.register("PJSIP/desk-2")
            await service.handle("alice", UserChanged(evolve(ALICE, deskphone="PJSIP/desk-2")))
            await at.pbx.unregister("PJSIP/desk-2")
            assert service.account("alice").observed.deskphone.reachable is False

    @in_loop
    async def test_a_change_of_media_server_moves_the_plan_and_the_facts(self) -> None:
        at = Installation(("default", "mds1"))
        async with at.running(ALICE) as service:
            await at.pbx.register("PJSIP/alice")
            await at.memory_pbxs["mds1"].register("PJSIP/alice_w")
            await service.handle("alice", UserChanged(evolve(ALICE, media_server="mds1")))
            assert (await at.plans(), set(await at.plans("mds1"))) == ({}, {"alice"})
            seen = service.account("alice").observed
            assert (seen.deskphone.reachable, seen.webrtc.reachable) == (False, True)
            await at.pbx.unregister("PJSIP/alice")
            await at.memory_pbxs["mds1"].register("PJSIP/alice")
            assert service.account("alice").observed.deskphone.reachable is True
            assert set(at.hints()) == set(at.hints("mds1")) == {"1001", DID}

    @in_loop
    async def test_the_node_that_was_left_keeps_its_hints(self) -> None:
        at = Installation(("default", "mds1"))
        async with at.running(ALICE) as service:
            await service.handle("alice", THERE)
            at.pbxs["mds1"].fail("watch")
            await service.handle("alice", UserChanged(evolve(ALICE, media_server="mds1")))
            assert at.hints() == at.hints("mds1")
            assert set(at.hints()) == {"1001", DID}

    @in_loop
    async def test_a_node_that_cannot_be_told_to_forget_is_told_later(self) -> None:
        at = Installation(("default", "mds1"))
        async with at.running(ALICE) as service:
            at.node.fail("forget")
            await service.handle("alice", UserChanged(evolve(ALICE, media_server="mds1")))
            assert set(await at.plans()) == {"alice"}
            at.node.heal()
            await service.handle("alice", IN)
            assert (await at.plans(), set(await at.plans("mds1"))) == ({}, {"alice"})

    @in_loop
    async def test_an_unknown_media_server_is_refused_before_anything_changes(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            before = service.account("alice")
            with pytest.raises(ValueError, match="media server mds9"):
                await service.handle("alice", UserChanged(evolve(ALICE, media_server="mds9")))
            assert service.account("alice") is before
            assert (await at.stored("alice") or before).user == ALICE

    @in_loop
    async def test_a_user_stored_with_an_unknown_media_server_harms_nobody(self) -> None:
        at = Installation()
        await at.accounts.add([evolve(ALICE, media_server="mds9"), BOB])
        async with at.running() as service:
            assert await at.follows(service.account("bob"))
            assert at.memory_cti.shown["alice"] == view(service.account("alice"))
            assert at.failures == ["pbx mds9: watch for alice", "pbx mds9: install for alice"]
            assert "media server mds9" in str(at.observer.failures[0][1])
            assert (await service.handle("alice", IN)).sessions
            await service.handle("alice", UserChanged(ALICE))
            assert await at.follows(service.account("alice"))


class TestClaims:
    """A1: a number and a device belong to one user; two users never have the same."""

    @in_loop
    async def test_a_user_with_the_number_or_the_device_of_another_is_not_added(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            with pytest.raises(Ineligible) as refused:
                await service.add(evolve(BOB, extension=DID, deskphone="PJSIP/alice"))
            assert refused.value.problems == (
                "bob: device PJSIP/alice is already that of alice",
                f"bob: number {DID} in default is already that of alice",
            )
            assert await at.stored("bob") is None
            await service.add(BOB)

    @in_loop
    async def test_the_same_number_in_another_context_is_another_number(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.add(evolve(BOB, extension="1001", context="branch"))
            assert service.users == ("alice", "bob")

    @in_loop
    async def test_of_two_that_are_added_at_the_same_time_one_gets_the_number(self) -> None:
        at = Installation()
        async with at.running() as service:
            users = (ALICE, evolve(BOB, extension=ALICE.extension))
            came = await asyncio.gather(*map(service.add, users), return_exceptions=True)
            assert came[0] is None
            assert isinstance(came[1], Ineligible)

    @in_loop
    async def test_a_user_does_not_change_to_the_number_of_another(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            with pytest.raises(Ineligible, match="bob: number 1001 in default is already that of alice"):
                await service.handle("bob", UserChanged(evolve(BOB, extension="1001")))
            assert service.account("bob").user == BOB
            await service.handle("bob", UserChanged(evolve(BOB, extension="1003")))

    @in_loop
    async def test_a_number_that_was_left_is_free(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            await service.handle("bob", UserChanged(evolve(BOB, extension="1003")))
            await service.handle("alice", UserChanged(evolve(ALICE, extension="1002")))
            await service.remove("bob")
            await service.add(evolve(BOB, extension="1001"))
            assert service.account("bob").user.extension == "1001"

    @in_loop
    async def test_a_number_is_free_again_if_the_store_does_not_take_the_user(self) -> None:
        at = Installation()
        async with at.running() as service:
            at.accounts.fail("add")
            with pytest.raises(ConnectionError):
                await service.add(evolve(BOB, extension="1001"))
            at.accounts.heal()
            await service.add(ALICE)

    @in_loop
    async def test_two_in_the_store_with_one_number_are_reported_at_the_start(self) -> None:
        at = Installation()
        await at.accounts.add([ALICE, evolve(BOB, extension="1001")])
        async with at.running() as service:
            assert service.users == ("alice", "bob")
            assert [str(request) for request, _ in at.observer.failures] == ["accounts: load for bob"]
