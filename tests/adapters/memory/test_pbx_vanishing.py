"""R15 in the in-memory PBX: a browser that vanishes while it rings hands the call on."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.adapters.memory.node import (
    ALICE,
    BOB,
    DESK,
    DESKPHONE_SELECTED,
    IN,
    WEB,
    Node,
    ended_at,
    forwarded,
    without_mailbox,
)
from tests.event_loop import in_loop
from unique_account.core.account import CallStatus
from unique_account.core.events import CallChanged, CallEnded
from unique_account.core.forwarding import Extension, Fallbacks, Mailbox, Outcome, Refusal

VOICEMAIL = Mailbox("1001@default")


class TestTheLastContactGoes:
    """R15: its last contact goes: the deskphone rings at once, within what is left of the ring time."""

    @in_loop
    async def test_the_deskphone_rings_at_once(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        call = await at.call()
        await at.pbx.unregister("PJSIP/alice_w")
        assert (call.rings, call.rung) == (DESK, [("alice", WEB), ("alice", DESK)])
        await at.pbx.pick_up(call)
        assert call.answered

    @pytest.mark.parametrize("after", [0, 12, 29.5])
    @in_loop
    async def test_it_rings_for_what_is_left_of_the_ring_time(self, after: float) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        call = await at.call()
        await at.advance(after)
        await at.pbx.unregister("PJSIP/alice_w")
        await at.advance(30 - after - 0.001)
        assert call.rings is DESK
        await at.advance(0.001)
        assert ended_at(call, VOICEMAIL)
        assert call.outcomes == [Outcome.NO_ANSWER]

    @in_loop
    async def test_a_second_tab_keeps_it_ringing(self) -> None:
        at = Node()
        await at.register()
        await at.pbx.register("PJSIP/alice_w", "second tab")
        await at.follow(ALICE, IN)
        call = await at.call()
        await at.pbx.unregister("PJSIP/alice_w")
        assert (call.rings, call.rung) == (WEB, [("alice", WEB)])
        await at.pbx.unregister("PJSIP/alice_w", "second tab")
        assert call.rings is DESK

    @in_loop
    async def test_a_contact_that_was_never_there_takes_nothing_along(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        call = await at.call()
        await at.pbx.unregister("PJSIP/alice_w", "another one")
        await at.pbx.unregister("PJSIP/nobody")
        assert call.rings is WEB

    @in_loop
    async def test_without_a_deskphone_the_unavailable_rule_applies(self) -> None:
        at = Node()
        await at.register("PJSIP/alice_w", "PJSIP/bob")
        for fallback, ends in (
            (None, VOICEMAIL),
            (Refusal(21), Refusal(21)),
            (Extension("3000"), Extension("3000")),
        ):
            await at.register("PJSIP/alice_w")
            await at.follow(evolve(ALICE, fallbacks=Fallbacks(unavailable=fallback)), IN)
            call = await at.call()
            await at.pbx.unregister("PJSIP/alice_w")
            assert ended_at(call, ends)
            assert call.rung == [("alice", WEB)]

    @in_loop
    async def test_the_unavailable_rule_can_ring_somebody_else_for_a_time_of_its_own(self) -> None:
        at = Node()
        await at.register("PJSIP/alice_w", "PJSIP/bob")
        await at.follow(evolve(ALICE, fallbacks=Fallbacks(unavailable=Extension("1002"))), IN)
        await at.follow(BOB)
        call = await at.call()
        await at.advance(25)
        await at.pbx.unregister("PJSIP/alice_w")
        assert call.rung == [("alice", WEB), ("bob", DESK)]
        await at.advance(19)
        assert call.rings is DESK
        await at.advance(1)
        assert ended_at(call, Refusal(19))

    @in_loop
    async def test_a_deskphone_that_vanishes_spills_nowhere(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN, DESKPHONE_SELECTED)
        call = await at.call()
        await at.pbx.unregister("PJSIP/alice")
        assert (call.rings, call.rung) == (DESK, [("alice", DESK)])
        await at.advance(30)
        assert ended_at(call, VOICEMAIL)

    @in_loop
    async def test_the_deskphone_has_the_outcome_then(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN, forwarded(busy="1002"))
        await at.follow(BOB)
        call = await at.call()
        await at.pbx.unregister("PJSIP/alice_w")
        await at.pbx.ends_with(call, Outcome.BUSY)
        assert call.rung[-1] == ("bob", DESK)

    @in_loop
    async def test_every_call_that_rings_there_moves(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        await at.follow(BOB, IN)
        calls = [await at.call(), await at.call(), await at.call("1002")]
        await at.pbx.unregister("PJSIP/alice_w")
        assert [call.rings for call in calls] == [DESK, DESK, WEB]

    @in_loop
    async def test_it_is_one_call_that_never_stops_ringing(self) -> None:
        at = Node()
        listening = await at.listen()
        await at.register()
        await at.pbx.watch(ALICE)
        await at.follow(ALICE, IN)
        await at.call()
        at.received.clear()
        await at.pbx.unregister("PJSIP/alice_w")
        reported = [event for _, event in at.received if isinstance(event, CallChanged | CallEnded)]
        assert [type(event) for event in reported] == [CallChanged, CallEnded]
        assert isinstance(reported[0], CallChanged)
        assert (reported[0].call.device, reported[0].call.status) == (DESK, CallStatus.RINGING)
        assert reported[0].call.linked_id != reported[0].call.id
        listening.cancel()

    @in_loop
    async def test_a_caller_who_hangs_up_meanwhile_rings_nothing(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        call = await at.call()
        await at.pbx.end(call)
        await at.pbx.unregister("PJSIP/alice_w")
        await at.advance(60)
        assert (call.rings, call.rung, call.outcomes) == (None, [("alice", WEB)], [])


class TestSilence:
    """R15: none of its contacts confirms ringing within 1.5 s: the deskphone rings."""

    @in_loop
    async def test_after_a_second_and_a_half_the_deskphone_rings(self) -> None:
        at = Node()
        await at.register()
        at.pbx.fall_silent("PJSIP/alice_w")
        await at.follow(ALICE, IN)
        call = await at.call()
        assert call.rung == []
        await at.advance(1.499)
        assert call.rung == []
        await at.advance(0.001)
        assert (call.rings, call.rung) == (DESK, [("alice", DESK)])
        await at.advance(28.499)
        assert call.rings is DESK
        await at.advance(0.001)
        assert ended_at(call, VOICEMAIL)

    @in_loop
    async def test_one_that_rings_and_then_freezes_rings_on(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        call = await at.call()
        at.pbx.fall_silent("PJSIP/alice_w")
        await at.advance(10)
        assert (call.rings, call.rung) == (WEB, [("alice", WEB)])

    @in_loop
    async def test_one_that_registers_again_answers_the_next_call(self) -> None:
        at = Node()
        await at.register()
        at.pbx.fall_silent("PJSIP/alice_w")
        await at.register("PJSIP/alice_w")
        await at.follow(ALICE, IN)
        assert (await at.call()).rung == [("alice", WEB)]

    @in_loop
    async def test_a_silent_browser_whose_contact_goes_is_left_sooner_and_once(self) -> None:
        at = Node()
        await at.register()
        at.pbx.fall_silent("PJSIP/alice_w")
        await at.follow(ALICE, IN)
        call = await at.call()
        await at.advance(0.5)
        await at.pbx.unregister("PJSIP/alice_w")
        await at.advance(5)
        assert call.rung == [("alice", DESK)]

    @in_loop
    async def test_both_devices_gone_is_unavailable(self) -> None:
        at = Node()
        await at.register("PJSIP/alice_w")
        at.pbx.fall_silent("PJSIP/alice_w")
        await at.follow(without_mailbox(ALICE), IN)
        call = await at.call()
        await at.advance(1.5)
        assert ended_at(call, Refusal(20))
        assert call.rung == []

    @in_loop
    async def test_a_silent_deskphone_is_not_answered(self) -> None:
        at = Node()
        await at.register()
        at.pbx.fall_silent("PJSIP/alice")
        await at.follow(ALICE)
        call = await at.call()
        await at.advance(1.5)
        assert call.rings is DESK
        await at.advance(28.5)
        assert ended_at(call, VOICEMAIL)
        assert call.rung == []
