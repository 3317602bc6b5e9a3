"""What follows from the facts that a PBX tells: presence, history, and plans handed over again."""

from __future__ import annotations

from tests.event_loop import in_loop
from tests.service.installation import ALICE, Installation
from unique_account.core.account import LineStatus
from unique_account.core.events import (
    CallEnded,
    ContactsChanged,
    FactsReplaced,
    LineChanged,
    LoggedIn,
)
from unique_account.core.history import HistoryStatus
from unique_account.core.machine import Device
from unique_account.core.presence import Presence

IN = LoggedIn("tab-1")
TALKS = LineChanged(Device.DESKPHONE, LineStatus.IN_USE)
DID = "+33123450001"


class TestPresence:
    """P5: presence is published once something is known, and when it changes, for every number."""

    @in_loop
    async def test_nothing_is_published_before_a_first_fact(self) -> None:
        at = Installation(("default", "mds1"))
        at.node.fail("watch")
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            assert (at.hints(), at.memory_cti.presences, at.memory_bus.presences) == ({}, {}, {})
            await service.handle("alice", TALKS)
            everywhere = (at.hints(), at.hints("mds1"), at.memory_cti.presences, at.memory_bus.presences)
            assert everywhere == ({"1001": Presence.IN_USE, DID: Presence.IN_USE},) * 4

    @in_loop
    async def test_only_a_change_is_published(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", TALKS)
            asked = [len(port.requests) for port in (at.node, at.bus)]
            await service.handle("alice", IN)
            await service.handle("alice", ContactsChanged(Device.DESKPHONE, reachable=True))
            assert [len(port.requests) for port in (at.node, at.bus)] == [asked[0] + 1, asked[1]]
            assert at.node.requests[-1][0] == "install"

    @in_loop
    async def test_a_resync_does_not_let_presence_flicker(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            for interface in (ALICE.deskphone, ALICE.webrtc):
                await at.pbx.register(interface)
            await at.pbx.call("3000", interface="PJSIP/alice")
            published = len(at.bus.asked("presence_changed"))
            await service.resync()
            reported = [shown for _, shown in at.bus.asked("presence_changed")[published:]]
            assert reported == [Presence.IN_USE] * 2


class TestNodeLost:
    """What a lost node was told may be lost with it; what it told is known no more."""

    @in_loop
    async def test_plans_and_hints_are_handed_over_again(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.pbx.register("PJSIP/alice")
            await at.pbx.forget("alice")  # as a node that was killed too soon
            await service.handle("alice", FactsReplaced("default"))
            assert await at.follows(service.account("alice"))
            assert at.hints() == {}
            await service.handle("alice", TALKS)
            assert at.hints() == {"1001": Presence.IN_USE, DID: Presence.IN_USE}

    @in_loop
    async def test_even_if_nothing_was_known(self) -> None:
        at = Installation()
        at.node.fail("watch")
        async with at.running(ALICE) as service:
            await at.pbx.forget("alice")
            await service.handle("alice", FactsReplaced("default"))
            assert await at.follows(service.account("alice"))

    @in_loop
    async def test_facts_are_dropped_and_choices_kept(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            await service.handle("alice", TALKS)
            after = await service.handle("alice", FactsReplaced("default"))
            assert not after.observed.deskphone.known
            assert [session.id for session in after.sessions] == ["tab-1"]


class TestHistory:
    """H3: a call that ends is recorded, once, with its final status."""

    @in_loop
    async def test_an_answered_call_is_recorded(self) -> None:
        at = Installation()
        async with at.running(ALICE):
            await at.pbx.register("PJSIP/alice")
            call = await at.pbx.call("1001", caller="3000")
            await at.advance(5)
            await at.pbx.pick_up(call)
            await at.advance(60)
            await at.pbx.end(call)
            (record,) = await at.call_log.before("alice", None, 10)
            assert (record.id, record.status, record.device) == (
                call.id,
                HistoryStatus.ANSWERED,
                Device.DESKPHONE,
            )
            assert (record.start, record.peer, record.duration.seconds) == (call.started, "3000", 60)

    @in_loop
    async def test_a_call_that_was_handed_on_is_one_entry(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            for interface in (ALICE.deskphone, ALICE.webrtc):
                await at.pbx.register(interface)
            call = await at.pbx.call("1001", caller="3000")
            await at.pbx.unregister("PJSIP/alice_w")
            await at.pbx.pick_up(call)
            await at.pbx.end(call)
            (record,) = await at.call_log.before("alice", None, 10)
            assert (record.status, record.device) == (HistoryStatus.ANSWERED, Device.DESKPHONE)

    @in_loop
    async def test_the_end_of_an_unknown_call_is_no_record(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", CallEnded("1.1", at.clock.now()))
            assert at.call_log.asked("add") == []
