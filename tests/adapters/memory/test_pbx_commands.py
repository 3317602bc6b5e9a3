"""What the in-memory PBX does on command."""

from __future__ import annotations

import pytest

from tests.adapters.memory.node import ALICE, BOB, DESK, IN, WEB, Node, ended_at, outline
from tests.event_loop import in_loop
from unique_account.core.account import CallStatus, Direction, LineStatus
from unique_account.core.events import (
    CallChanged,
)
from unique_account.core.forwarding import Extension, Refusal
from unique_account.ports.pbx import CommandFailed


class TestDial:
    """R14: the PBX rings the phone, and dials when it is picked up."""

    @in_loop
    async def test_the_number_is_dialled_once_the_phone_is_picked_up(self) -> None:
        at = Node()
        listening = await at.listen()
        await at.register()
        for user in (ALICE, BOB):
            await at.pbx.watch(user)
            await at.follow(user)
        at.received.clear()
        await at.pbx.dial("PJSIP/alice", "1002")
        (call,) = at.pbx.calls
        await at.pbx.pick_up(call)
        assert (call.caller, call.rings, call.rung) == ("1001", DESK, [("bob", DESK)])
        await at.pbx.pick_up(call)
        assert outline(at.received) == [
            CallStatus.RINGING,
            LineStatus.RINGING,
            CallStatus.DIALLING,
            LineStatus.IN_USE,
            CallStatus.TALKING,
        ]
        legs = [e.call for user, e in at.received if user == "alice" and isinstance(e, CallChanged)]
        assert {leg.direction for leg in legs} == {Direction.OUTGOING}
        assert outline(at.received, "bob")[-1] is LineStatus.IN_USE
        listening.cancel()

    @in_loop
    async def test_a_phone_that_is_not_picked_up_dials_nothing(self) -> None:
        at = Node()
        await at.register()
        await at.pbx.dial("PJSIP/alice", "1002")
        (call,) = at.pbx.calls
        await at.advance(29)
        assert call.rings is DESK
        await at.advance(1)
        assert (call.over, call.rung, at.pbx.calls) == (True, [], ())
        assert at.pbx.status("PJSIP/alice") is LineStatus.NOT_IN_USE

    @in_loop
    async def test_an_unknown_phone_cannot_be_rung(self) -> None:
        at = Node()
        with pytest.raises(CommandFailed, match="PJSIP/alice is not registered, so it cannot be rung"):
            await at.pbx.dial("PJSIP/alice", "1002")
        assert at.pbx.calls == ()


class TestCommands:
    """C1: answer, hold, resume, transfer and hang up, or the reason why not."""

    async def talking(self, at: Node) -> str:
        """A call that Alice answered; the id of her leg."""
        await at.register()
        for user in (ALICE, BOB):
            await at.follow(user)
        call = await at.call()
        assert call.callee_leg is not None
        await at.pbx.answer(call.callee_leg.id)
        return call.callee_leg.id

    @in_loop
    async def test_a_phone_is_let_answer_hold_and_resume(self) -> None:
        at = Node()
        leg = await self.talking(at)
        statuses = [at.pbx.status("PJSIP/alice")]
        for command in (at.pbx.hold, at.pbx.resume, at.pbx.hang_up):
            await command(leg)
            statuses.append(at.pbx.status("PJSIP/alice"))
        assert statuses == [
            LineStatus.IN_USE,
            LineStatus.ON_HOLD,
            LineStatus.IN_USE,
            LineStatus.NOT_IN_USE,
        ]
        assert at.pbx.calls == ()

    @in_loop
    async def test_what_cannot_be_is_refused_with_the_reason(self) -> None:
        at = Node()
        leg = await self.talking(at)
        for command, reason in (
            (at.pbx.answer, "the call is talking, not ringing"),
            (at.pbx.resume, "the call is talking, not held"),
            (at.pbx.hand_on, "the call is talking, not ringing"),
        ):
            with pytest.raises(CommandFailed) as failed:
                await command(leg)
            assert failed.value.reason == reason
        await at.pbx.hang_up(leg)
        with pytest.raises(CommandFailed, match="the call is over"):
            await at.pbx.hang_up(leg)

    @in_loop
    async def test_the_caller_is_transferred_and_the_phone_let_go(self) -> None:
        at = Node()
        leg = await self.talking(at)
        (call,) = at.pbx.calls
        await at.pbx.transfer(leg, "1002")
        assert (call.rings, call.rung[-1], call.answered) == (DESK, ("bob", DESK), False)
        assert at.pbx.status("PJSIP/alice") is LineStatus.NOT_IN_USE
        await at.advance(20)
        assert ended_at(call, Refusal(19))

    @in_loop
    async def test_the_callee_is_transferred_by_who_called(self) -> None:
        at = Node()
        await at.register()
        for user in (ALICE, BOB):
            await at.follow(user)
        call = await at.pbx.call("1002", caller="1001", interface="PJSIP/alice")
        await at.pbx.pick_up(call)
        assert call.caller_leg is not None
        await at.pbx.hold(call.caller_leg.id)
        await at.pbx.transfer(call.caller_leg.id, "3000")
        assert at.pbx.status("PJSIP/alice") is LineStatus.NOT_IN_USE
        assert at.pbx.status("PJSIP/bob") is LineStatus.IN_USE
        assert call.destination == Extension("3000")

    @in_loop
    async def test_a_call_that_is_still_dialled_has_nobody_to_transfer(self) -> None:
        at = Node()
        await at.register()
        await at.pbx.dial("PJSIP/alice", "3000")
        (call,) = at.pbx.calls
        await at.pbx.pick_up(call)
        assert call.caller_leg is not None
        with pytest.raises(CommandFailed, match="dialling, not talking or held"):
            await at.pbx.transfer(call.caller_leg.id, "1002")

    @in_loop
    async def test_a_ringing_call_is_handed_on_once(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        call = await at.call()
        assert call.callee_leg is not None
        await at.pbx.hand_on(call.callee_leg.id)
        assert call.rung == [("alice", WEB), ("alice", DESK)]
        assert call.callee_leg is not None
        with pytest.raises(CommandFailed, match="rings on the last device"):
            await at.pbx.hand_on(call.callee_leg.id)
        assert call.rings is DESK

    @in_loop
    async def test_a_call_without_a_plan_is_handed_on_to_nobody(self) -> None:
        at = Node()
        await at.register()
        await at.pbx.watch(ALICE)
        call = await at.call()
        assert call.callee_leg is not None
        with pytest.raises(CommandFailed):
            await at.pbx.hand_on(call.callee_leg.id)
        assert call.rings is DESK

    @in_loop
    async def test_a_command_finds_its_call_among_others(self) -> None:
        at = Node()
        leg = await self.talking(at)
        other = await at.pbx.call("1002", caller="1001", interface="PJSIP/alice")
        assert other.callee_leg is not None
        await at.pbx.answer(other.callee_leg.id)
        assert at.pbx.status("PJSIP/bob") is LineStatus.IN_USE
        await at.pbx.hang_up(other.callee_leg.id)
        assert [call.callee_leg and call.callee_leg.id for call in at.pbx.calls] == [leg]

    @in_loop
    async def test_hanging_up_twice_is_harmless_to_the_callers(self) -> None:
        at = Node()
        listening = await at.listen()
        await at.register()
        await at.pbx.watch(ALICE)
        await at.follow(ALICE)
        call = await at.call()
        await at.pbx.end(call)
        at.received.clear()
        await at.pbx.end(call)
        assert at.received == []
        listening.cancel()
