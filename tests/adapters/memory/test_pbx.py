"""The in-memory PBX carries plans out rule by rule, as it is compared with a real Asterisk."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from attrs import evolve

import unique_account.adapters.memory.pbx as module
from tests.adapters.memory.node import (
    ALICE,
    BOB,
    DESK,
    DESKPHONE_SELECTED,
    DID,
    IN,
    SILENT,
    WEB,
    Node,
    ended_at,
    forwarded,
    without_mailbox,
)
from tests.event_loop import in_loop
from unique_account.core.forwarding import Extension, Fallbacks, Mailbox, Refusal

VOICEMAIL = Mailbox("1001@default")


def test_it_never_sees_an_account() -> None:
    """What a call does follows from the plan alone: neither accounts nor what makes them are imported."""
    for name in ("pbx", "call_engine", "phones", "calls", "plans"):
        tree = ast.parse(Path(module.__file__).with_name(f"{name}.py").read_text("utf-8"))
        names = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
        }
        assert names.isdisjoint({"Account", "Kept", "Observed", "Session", "plan", "route", "apply", "facts"})


class TestTheDeviceThatRings:
    """R1 to R5: the device in use rings, judged by the node on its own live facts."""

    @in_loop
    async def test_logged_out_the_deskphone_rings_whatever_is_registered(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE)
        call = await at.call()
        assert (call.rings, call.rung) == (DESK, [("alice", DESK)])
        assert str(call.because[0]).startswith("R1: ")

    @in_loop
    async def test_webrtc_rings_and_the_deskphone_stays_silent(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        call = await at.call()
        assert (call.rings, call.rung) == (WEB, [("alice", WEB)])

    @in_loop
    async def test_the_selected_deskphone_rings_and_the_browser_stays_silent(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN, DESKPHONE_SELECTED)
        call = await at.call()
        assert (call.rings, call.rung) == (DESK, [("alice", DESK)])

    @in_loop
    async def test_a_webrtc_line_without_contact_falls_back_at_once(self) -> None:
        at = Node()
        await at.register("PJSIP/alice")
        await at.follow(ALICE, IN)
        call = await at.call()
        assert (call.rings, call.rung) == (DESK, [("alice", DESK)])
        assert [reason.rule for reason in call.because] == ["R2", "R4", "R4"]

    @in_loop
    async def test_registrations_count_for_the_next_call_without_a_new_plan(self) -> None:
        at = Node()
        await at.register("PJSIP/alice")
        await at.follow(ALICE, IN)
        await at.register("PJSIP/alice_w")
        assert (await at.call()).rings is WEB
        await at.pbx.unregister("PJSIP/alice_w")
        assert (await at.call()).rings is DESK

    @in_loop
    async def test_a_selected_deskphone_never_spills_to_the_browser(self) -> None:
        at = Node()
        await at.register("PJSIP/alice_w")
        await at.follow(ALICE, IN, DESKPHONE_SELECTED)
        assert ended_at(await at.call(), VOICEMAIL)

    @in_loop
    async def test_a_deskphone_in_a_call_changes_nothing(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        await at.pbx.call("3000", caller="1001", interface="PJSIP/alice")
        assert (await at.call()).rings is WEB


class TestNumbers:
    """R6: the extension and every DID route alike; a DID's own ring time applies to calls by it."""

    @pytest.mark.parametrize(("number", "seconds"), [("1001", 30), ("+33123450002", 30), (DID, 10)])
    @in_loop
    async def test_each_number_rings_for_its_time(self, number: str, seconds: int) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        call = await at.call(number)
        assert call.rings is WEB
        await at.advance(seconds - 0.001)
        assert call.rings is WEB
        await at.advance(0.001)
        assert ended_at(call, VOICEMAIL)

    @in_loop
    async def test_a_call_forwarded_to_a_did_rings_for_the_time_of_the_did(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        await at.follow(BOB, IN, forwarded(unconditional=DID))
        call = await at.call("1002")
        await at.advance(10)
        assert ended_at(call, VOICEMAIL)

    @in_loop
    async def test_numbers_that_a_newer_plan_gave_up_are_its_no_more(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE)
        await at.follow(evolve(ALICE, dids=(), did_ring_seconds=()), IN)
        assert (await at.call(DID)).destination == Extension(DID)


class TestTheNextCall:
    """R7: a change counts for the next call; a call that rings or talks stays where it is."""

    @in_loop
    async def test_a_ringing_call_keeps_its_device_and_its_rules(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        call = await at.call()
        await at.follow(ALICE, IN, DESKPHONE_SELECTED, forwarded(no_answer="1002"))
        assert call.rings is WEB
        await at.advance(30)
        assert ended_at(call, VOICEMAIL)

    @in_loop
    async def test_a_browser_that_registers_takes_no_call_from_the_deskphone(self) -> None:
        at = Node()
        await at.register("PJSIP/alice")
        await at.follow(ALICE, IN)
        call = await at.call()
        await at.register("PJSIP/alice_w")
        assert (call.rings, call.rung) == (DESK, [("alice", DESK)])

    @in_loop
    async def test_a_call_that_talks_is_moved_by_no_lost_contact(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        call = await at.call()
        await at.pbx.pick_up(call)
        await at.pbx.unregister("PJSIP/alice_w")
        await at.advance(60)
        assert (call.answered, call.over, call.rung) == (True, False, [("alice", WEB)])


class TestGate:
    """R8: do-not-disturb, unconditional forward, the limit of simultaneous calls, and only then ringing."""

    @in_loop
    async def test_do_not_disturb_goes_to_the_mailbox(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN, SILENT)
        call = await at.call()
        assert (call.rung, call.destination, call.answered) == ([], VOICEMAIL, True)

    @in_loop
    async def test_without_a_mailbox_it_goes_to_unavailable(self) -> None:
        at = Node()
        await at.register()
        user = evolve(BOB, fallbacks=Fallbacks(unavailable=Extension("1001")))
        await at.follow(user, IN, SILENT)
        await at.follow(ALICE)
        assert (await at.call("1002")).rung == [("alice", DESK)]
        await at.follow(BOB, IN, SILENT, DESKPHONE_SELECTED)
        assert ended_at(await at.call("1002"), Refusal(20))

    @in_loop
    async def test_an_unconditional_forward_comes_before_the_limit(self) -> None:
        at = Node()
        await at.register()
        await at.follow(evolve(ALICE, simultaneous_calls=1), IN)
        await at.call()
        await at.follow(evolve(ALICE, simultaneous_calls=1), IN, forwarded(unconditional="1002"))
        await at.follow(BOB, IN)
        call = await at.call()
        assert (call.rings, call.number, call.forwards) == (WEB, "1002", 1)

    @in_loop
    async def test_a_forward_out_of_the_node_leaves_it(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN, forwarded(unconditional="0612345678"))
        call = await at.call()
        assert (call.destination, call.rings, call.over) == (Extension("0612345678"), None, False)
        await at.pbx.pick_up(call)
        assert call.answered

    @pytest.mark.parametrize("limit", [1, 3])
    @in_loop
    async def test_at_the_limit_the_busy_rule_applies(self, limit: int) -> None:
        at = Node()
        await at.register()
        await at.follow(evolve(without_mailbox(ALICE), simultaneous_calls=limit), IN)
        for _ in range(limit):
            assert (await at.call()).rings is WEB
        call = await at.call()
        assert ended_at(call, Refusal(17))
        assert call.over

    @in_loop
    async def test_both_devices_both_ways_and_held_calls_count(self) -> None:
        at = Node()
        await at.register()
        user = evolve(without_mailbox(ALICE), simultaneous_calls=3)
        await at.pbx.watch(user)
        await at.follow(user, IN)
        incoming = await at.call()
        await at.pbx.pick_up(incoming)
        assert incoming.callee_leg is not None
        await at.pbx.hold(incoming.callee_leg.id)
        await at.pbx.call("3000", caller="1001", interface="PJSIP/alice")
        await at.follow(user, IN, DESKPHONE_SELECTED)
        assert (await at.call()).rings is DESK
        assert ended_at(await at.call(), Refusal(17))
        await at.pbx.end(incoming)
        assert (await at.call()).rings is DESK

    @in_loop
    async def test_it_never_blocks_an_outgoing_call(self) -> None:
        at = Node()
        await at.register()
        await at.follow(evolve(ALICE, simultaneous_calls=1))
        await at.follow(BOB)
        await at.call()
        call = await at.pbx.call("1002", caller="1001", interface="PJSIP/alice")
        assert call.rings is DESK

    @in_loop
    async def test_a_call_on_its_way_between_two_devices_counts_once(self) -> None:
        at = Node()
        user = evolve(without_mailbox(ALICE), simultaneous_calls=2)
        await at.register()
        await at.follow(user, IN)
        await at.pbx.watch(user)
        others = []

        async def on_event(_: str, event: object) -> None:
            if type(event).__name__ == "CallChanged" and len(at.pbx.calls) == 1:
                others.append(await at.call())

        call = await at.call()
        at.pbx._phones.on_event = (
            on_event  # from here on: a second call comes in just as the first is handed on
        )
        await at.pbx.unregister("PJSIP/alice_w")
        assert call.rings is DESK
        assert [other.rings for other in others] == [DESK]
