"""Resync: one operation heals whatever a crash, a reconnect, a new node or a backup left behind."""

from __future__ import annotations

import asyncio

import pytest
from attrs import evolve

from tests.event_loop import in_loop
from tests.service.installation import ALICE, BOB, OWNER, Installation, settle
from unique_account.adapters.memory import MemoryAccounts
from unique_account.core.account import Account, Kept
from unique_account.core.events import DeviceSelected, ForwardingChanged, LoggedIn, LoggedOut
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.machine import Device
from unique_account.core.routing import plan
from unique_account.core.view import view

IN = LoggedIn("tab-1")
DESKPHONE, WEBRTC = DeviceSelected(Device.DESKPHONE), DeviceSelected(Device.WEBRTC)
FORWARDED = ForwardingChanged(Forwarding(unconditional=Forward("3000")))


class TestHealing:
    """R16: after a resync calls follow the accounts again."""

    @in_loop
    async def test_where_all_agrees_nothing_differs(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            await service.handle("alice", IN)
            await service.handle("alice", LoggedIn("tab-2"))
            assert await service.resync() == ()
            assert await service.resync("alice") == ()

    @in_loop
    async def test_plans_that_a_node_holds_are_not_installed_again(self) -> None:
        """So a restart costs a node with ten thousand users one list."""
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            await service.handle("alice", IN)
        at.node.requests.clear()
        async with at.running() as service:
            assert at.node.asked("installed")
            assert at.node.asked("install") == []
            for user in service.users:
                assert await at.follows(service.account(user))

    @in_loop
    async def test_users_do_not_wait_for_each_other(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            released = at.node.hang("watch", "alice")
            at.memory_cti.presences.clear()
            resync = asyncio.create_task(service.resync())
            await settle()
            assert "1002" in at.memory_cti.presences
            released.set()
            assert await resync == ()

    @in_loop
    async def test_lost_plans_are_installed_again(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            await service.handle("alice", IN)
            for user in ("alice", "bob"):
                await at.pbx.forget(user)
            assert await service.resync() == (
                "alice: no plan was installed",
                "bob: no plan was installed",
            )
            for user in service.users:
                assert await at.follows(service.account(user))
            assert await service.resync() == ()

    @in_loop
    async def test_one_user_is_resynced_alone(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            for user in ("alice", "bob"):
                await at.pbx.forget(user)
            assert await service.resync("alice") == ("alice: no plan was installed",)
            assert set(await at.plans()) == {"alice"}

    @in_loop
    async def test_plans_that_say_something_else_are_replaced(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            await service.handle("alice", IN)
            await service.handle("bob", IN)
            held = await at.plans()
            await at.pbx.forget("alice")
            await at.pbx.install(evolve(held["alice"], candidates=held["alice"].candidates[1:], version=0))
            await at.pbx.install(evolve(held["bob"], candidates=held["bob"].candidates[1:]))
            assert await service.resync() == (
                "alice: another plan was installed, of version 0 instead of 1",
                "bob: another plan was installed, of version 1 instead of 1",
            )
            assert (service.account("alice").version, service.account("bob").version) == (1, 2)
            for user in service.users:
                assert await at.follows(service.account(user))

    @in_loop
    async def test_plans_of_strangers_are_taken_away(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            stray = (await at.plans())["bob"]
            await service.remove("bob")
            await at.pbx.install(stray)
            assert await service.resync("alice") == ()
            assert await service.resync() == ("bob: a plan without an account",)
            assert set(await at.plans()) == {"alice"}

    @in_loop
    async def test_plans_on_nodes_that_do_not_carry_their_user_are_taken_away(self) -> None:
        at = Installation(("default", "mds1"))
        async with at.running(ALICE) as service:
            await at.pbx.register("PJSIP/alice")
            await at.memory_pbxs["mds1"].install((await at.plans())["alice"])
            assert await service.resync() == ("alice: a plan on mds1, which does not carry the user",)
            assert (set(await at.plans()), await at.plans("mds1")) == ({"alice"}, {})
            assert at.hints() == at.hints("mds1")
            assert len(at.hints("mds1")) == 2

    @in_loop
    async def test_no_plan_of_another_owner_is_touched(self) -> None:
        at = Installation()
        foreign = Installation()
        foreign.memory_pbxs, foreign.pbxs = at.memory_pbxs, at.pbxs
        async with at.running(ALICE) as service:
            async with foreign.running(BOB, owner="another") as other:
                theirs = await at.plans(owner="another")
                assert set(theirs) == {"bob"}
                assert await service.resync() == ()
                assert await other.resync() == ()
            assert await at.plans(owner="another") == theirs

    @in_loop
    async def test_facts_are_heard_anew(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            for interface in (ALICE.deskphone, ALICE.webrtc):
                await at.pbx.register(interface)
            call = await at.pbx.call("1001", caller="3000")
            await at.pbx.leave_messages("1001@default", 1)
            observed = service.account("alice").observed
            await service.resync()
            assert evolve(service.account("alice").observed, ended=()) == observed
            await at.pbx.end(call)
            assert service.account("alice").calls == ()

    @in_loop
    async def test_every_port_shows_everything_again(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.pbx.register("PJSIP/alice")
            for port in (at.memory_cti.shown, at.memory_cti.presences, at.memory_bus.presences):
                port.clear()
            at.memory_bus.forwardings.clear()
            at.pbx.hints.clear()
            await service.resync()
            assert await at.shows_everything(service)


class TestBackup:
    """A store restored from a backup is older than the PBX: the account outranks what is installed there."""

    @in_loop
    async def restored(self, *lost: object) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            for event in lost:
                await service.handle("alice", event)  # type: ignore[arg-type] # an Event
        held = (await at.plans())["alice"]
        backup = MemoryAccounts()
        await backup.add([ALICE])
        await backup.save(ALICE, Kept(version=1, forwarding=Forwarding(busy=Forward("4000"))), 0)
        async with at.running(accounts=backup) as service:
            assert service.account("alice").version > held.version
            assert await at.follows(service.account("alice"))
            assert await backup.load("alice") == (ALICE, service.account("alice").kept)
            await service.handle("alice", FORWARDED)
            assert await at.follows(service.account("alice"))
            assert at.failures == []

    def test_a_newer_plan_of_other_content_is_outranked(self) -> None:
        self.restored(DESKPHONE, WEBRTC, DESKPHONE)

    def test_a_newer_plan_of_the_same_version_is_outranked(self) -> None:
        self.restored()

    @in_loop
    async def test_a_newer_plan_of_the_same_content_is_outranked_before_it_blocks_the_next(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.pbx.install(evolve((await at.plans())["alice"], version=9))
            assert await service.resync() == ("alice: a newer plan was installed, of version 9 over 0",)
            assert service.account("alice").version == 10
            await service.handle("alice", FORWARDED)
            assert await at.follows(service.account("alice"))

    @in_loop
    async def test_a_backup_under_a_running_service_is_healed_by_a_resync(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            for _ in range(3):
                await service.handle("alice", DESKPHONE)
                await service.handle("alice", WEBRTC)
            await at.accounts.remove("alice", service.account("alice").version)
            await at.accounts.add([ALICE])
            await service.handle("alice", LoggedIn("tab-2"))
            assert at.failures == []
            await service.handle("alice", FORWARDED)
            assert at.failures == ["pbx default: install for alice"]
            await service.resync()
            assert await at.follows(service.account("alice"))

    @in_loop
    async def test_what_another_service_wrote_is_not_outranked_but_taken_over(self) -> None:
        one = Installation()
        other = Installation(accounts=one.accounts)
        other.memory_pbxs, other.pbxs = one.memory_pbxs, one.pbxs
        async with one.running(ALICE) as first, other.running() as second:
            await second.handle("alice", IN)
            await second.handle("alice", DESKPHONE)
            for session in ("tab-2", "tab-3", "tab-4"):
                await second.handle("alice", LoggedIn(session))
            await first.resync()
            assert first.account("alice").selection is Device.DESKPHONE
            assert first.account("alice").version >= second.account("alice").version
            assert await one.follows(first.account("alice"))


class TestTrouble:
    """What fails while a resync runs is reported, and keeps nobody else from being resynced."""

    @in_loop
    async def test_a_node_that_cannot_be_asked_differs_in_nothing(self) -> None:
        at = Installation(("default", "mds1"))
        async with at.running(ALICE, evolve(BOB, media_server="mds1")) as service:
            at.pbxs["mds1"].fail("installed", "watch", "install", "hint", "forget")
            await at.pbx.forget("alice")
            assert await service.resync() == ("alice: no plan was installed",)
            assert at.failures[0] == "pbx mds1: installed"
            assert "pbx mds1: watch for bob" in at.failures
            assert await at.follows(service.account("alice"))
            at.pbxs["mds1"].heal()
            await at.memory_pbxs["mds1"].forget("bob")
            assert await service.resync() == ("bob: no plan was installed",)

    @in_loop
    async def test_a_service_starts_while_a_node_cannot_be_reached(self) -> None:
        at = Installation()
        await at.accounts.add([ALICE])
        at.node.fail("installed", "watch", "install", "hint", "forget")
        async with at.running() as service:
            assert at.memory_cti.shown["alice"] == view(service.account("alice"))
            at.node.heal()
            await service.handle("alice", IN)
            assert await at.follows(service.account("alice"))

    @in_loop
    async def test_a_store_that_fails_keeps_one_user_from_it_only(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            await at.pbx.install(evolve((await at.plans())["alice"], version=9))
            await at.pbx.forget("bob")
            at.accounts.fail("save")
            assert await service.resync() == ("bob: no plan was installed",)
            assert at.failures == ["accounts: save for alice", "service: resync for alice"]
            assert await at.follows(service.account("bob"))
            at.accounts.heal()
            assert len(await service.resync()) == 1
            assert await at.follows(service.account("alice"))

    @in_loop
    async def test_a_user_removed_meanwhile_stays_removed(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            released = at.node.hang("watch", "alice")
            resyncing = asyncio.create_task(service.resync())
            await settle()
            await service.remove("alice")
            released.set()
            assert await resyncing == ()
            assert set(await at.plans()) == set(at.memory_cti.shown) == {"bob"}
            await at.pbx.register("PJSIP/alice")
            assert at.failures == []

    @in_loop
    async def test_events_go_on_while_a_resync_runs(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            released = at.node.hang("watch")
            resyncing = asyncio.create_task(service.resync())
            await settle()
            await service.handle("alice", IN)
            assert await at.follows(service.account("alice"))
            assert at.memory_cti.shown["alice"] == view(service.account("alice"))
            await at.pbx.register("PJSIP/alice")
            assert at.memory_bus.presences["1001"].name == "UNAVAILABLE"
            released.set()
            assert await resyncing == ()
            assert await at.shows_everything(service)

    @in_loop
    async def test_a_change_on_its_way_is_no_difference(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            released = at.node.hang("watch")
            resyncing = asyncio.create_task(service.resync())
            await settle()
            for event in (IN, DESKPHONE, LoggedOut("tab-1")):
                await service.handle("alice", event)
            released.set()
            assert await resyncing == ()

    @in_loop
    async def test_facts_told_by_a_resync_that_was_cancelled_are_shown_later(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            released = at.node.hang("watch")
            resyncing = asyncio.create_task(service.resync())
            await settle()
            await at.pbx.register("PJSIP/alice")
            resyncing.cancel()
            await settle()
            released.set()
            await service.handle("alice", IN)
            assert await at.shows_everything(service)

    @pytest.mark.parametrize("times", [2, 5])
    @in_loop
    async def test_resyncs_at_the_same_time_agree(self, times: int) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            await at.pbx.register("PJSIP/alice")
            await at.pbx.forget("alice")
            await asyncio.gather(*(service.resync() for _ in range(times)))
            assert await at.shows_everything(service)
            assert service.account("alice").observed.deskphone.reachable
            await at.pbx.unregister("PJSIP/alice")
            assert service.account("alice").observed.deskphone.reachable is False


class TestClearing:
    """R16: a plan without an account is taken away, and never that of a user who is added meanwhile."""

    @in_loop
    async def test_a_user_who_is_added_meanwhile_keeps_the_new_plan(self) -> None:
        at = Installation()
        async with at.running() as service:
            await at.pbx.install(plan(Account(ALICE), owner=OWNER))
            forget, goes_on = at.node._port.forget, asyncio.Event()

            async def slowly(user: str) -> None:
                at.node._port.forget = forget
                await goes_on.wait()
                await forget(user)

            at.node._port.forget = slowly
            resyncing = asyncio.create_task(service.resync())
            await settle()
            adding = asyncio.create_task(service.add(ALICE))
            await settle()
            goes_on.set()
            await asyncio.gather(resyncing, adding)
            assert await at.follows(service.account("alice"))


class TestReturning:
    """R16: a node that comes back is resynced; what differed is reported."""

    @in_loop
    async def test_plans_that_are_gone_are_reported_and_installed_again(self) -> None:
        at, differed = Installation(), list[str]()
        async with at.running(ALICE, BOB, on_difference=differed.append) as service:
            await at.pbx.go_down()
            at.pbx._plans.forget("alice")
            await at.pbx.come_back()
            await settle()
            assert differed == ["alice: no plan was installed"]
            assert await at.follows(service.account("alice"))

    @in_loop
    async def test_plans_without_an_account_are_removed(self) -> None:
        at, differed = Installation(), list[str]()
        async with at.running(ALICE, on_difference=differed.append):
            await at.pbx.go_down()
            at.pbx._plans.install(plan(Account(BOB), owner=OWNER))
            await at.pbx.come_back()
            await settle()
            assert differed == ["bob: a plan without an account"]
            assert set(await at.plans()) == {"alice"}

    @in_loop
    async def test_what_changed_while_it_was_away_is_installed(self) -> None:
        at, differed = Installation(), list[str]()
        async with at.running(ALICE, on_difference=differed.append) as service:
            await at.pbx.go_down()
            await service.handle("alice", IN)
            assert at.failures
            await at.pbx.come_back()
            await settle()
            assert await at.shows_everything(service)
            assert differed == ["alice: another plan was installed, of version 0 instead of 1"]

    @in_loop
    async def test_only_the_node_that_is_back_is_resynced(self) -> None:
        at = Installation(("default", "mds1"))
        async with at.running(ALICE, evolve(BOB, media_server="mds1")):
            at.node.requests.clear()
            other = at.pbxs["mds1"].requests
            other.clear()
            await at.pbx.go_down()
            await at.pbx.come_back()
            await settle()
            assert at.node.asked("installed")
            assert {name for name, _ in other} == {"hint"}

    @in_loop
    async def test_a_resync_that_is_not_done_ends_with_the_service(self) -> None:
        at = Installation()
        async with at.running(ALICE):
            at.node.hang("installed")
            at.pbx._on_return()
            await settle()
        assert asyncio.all_tasks() == {asyncio.current_task()}
