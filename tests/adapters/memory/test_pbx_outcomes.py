"""What follows ringing in the in-memory PBX: outcomes, chains of forwards, and numbers without a plan."""

from __future__ import annotations

import pytest
from attrs import evolve

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
)
from tests.event_loop import in_loop
from unique_account.core.forwarding import Extension, Fallbacks, Mailbox, Outcome, Refusal

VOICEMAIL = Mailbox("1001@default")


class TestOutcomes:
    """R9 to R11: each outcome of ringing has its rule, and the other device never rings for that call."""

    @pytest.mark.parametrize("outcome", Outcome)
    @pytest.mark.parametrize("selected", [(), (DESKPHONE_SELECTED,)])
    @in_loop
    async def test_each_outcome_follows_the_administrators_rule(
        self, outcome: Outcome, selected: tuple[object, ...]
    ) -> None:
        at = Node()
        await at.register()
        user = evolve(ALICE, fallbacks=Fallbacks(**{outcome: Extension("1002")}))
        await at.follow(user, IN, *selected)  # type: ignore[arg-type] # events
        await at.follow(BOB)
        call = await at.call()
        assert call.rings is (DESK if selected else WEB)
        await at.pbx.ends_with(call, outcome)
        assert (call.rung[-1], len(call.rung), call.outcomes) == (("bob", DESK), 2, [outcome])

    @pytest.mark.parametrize("outcome", Outcome)
    @in_loop
    async def test_without_one_voicemail_and_without_that_a_refusal(self, outcome: Outcome) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        await at.follow(BOB, IN)
        for number, destination in (("1001", VOICEMAIL), ("1002", Refusal(outcome.cause))):
            call = await at.call(number)
            await at.pbx.ends_with(call, outcome)
            assert ended_at(call, destination)
            assert call.over is isinstance(destination, Refusal)

    @in_loop
    async def test_the_users_forward_beats_the_administrators(self) -> None:
        at = Node()
        await at.register()
        user = evolve(ALICE, fallbacks=Fallbacks(busy=Refusal(21), no_answer=Refusal(21)))
        await at.follow(user, IN, forwarded(busy="1002", no_answer="*98"))
        await at.follow(BOB)
        busy, unanswered = await at.call(), await at.call()
        await at.pbx.ends_with(busy, Outcome.BUSY)
        assert busy.rung == [("alice", WEB), ("bob", DESK)]
        await at.advance(30)
        assert ended_at(unanswered, VOICEMAIL)

    @in_loop
    async def test_the_ring_time_is_over_once(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        call = await at.call()
        await at.pbx.pick_up(call)
        await at.advance(60)
        assert (call.answered, call.outcomes, call.destination) == (True, [], None)

    @in_loop
    async def test_a_call_that_rings_no_more_has_no_outcome(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN)
        call = await at.call()
        await at.pbx.end(call)
        await at.pbx.ends_with(call, Outcome.BUSY)
        await at.pbx.pick_up(call)
        assert (call.outcomes, call.answered, call.destination) == ([], False, None)


class TestUnreachable:
    """R12: no device reachable: the unavailable rule, without waiting."""

    @pytest.mark.parametrize("events", [(), (IN,), (IN, DESKPHONE_SELECTED)])
    @in_loop
    async def test_nothing_reachable_is_unavailable_at_once(self, events: tuple[object, ...]) -> None:
        at = Node()
        await at.follow(evolve(ALICE, fallbacks=Fallbacks(unavailable=Refusal(21))), *events)  # type: ignore[arg-type] # events
        call = await at.call()
        assert (call.rung, call.over) == ([], True)
        assert ended_at(call, Refusal(21))


class TestChains:
    """R13: forwarding chains end, and the count travels with the call."""

    @in_loop
    async def test_a_loop_of_two_users_ends_with_a_refusal(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE, IN, forwarded(unconditional="1002"))
        await at.follow(BOB, IN, forwarded(unconditional="1001"))
        call = await at.call()
        assert ended_at(call, Refusal(20))
        assert (call.forwards, call.over, call.rung) == (10, True, [])
        assert call.because[-1].rule == "R13"

    @in_loop
    async def test_a_loop_that_rings_ends_with_a_refusal_too(self) -> None:
        at = Node()
        await at.register()
        await at.follow(evolve(ALICE, max_forwards=3), forwarded(no_answer="1002"))
        await at.follow(evolve(BOB, max_forwards=3), forwarded(busy="1001"))
        call = await at.call()
        for user, outcome in (("alice", Outcome.NO_ANSWER), ("bob", Outcome.BUSY)) * 2:
            assert call.rung[-1] == (user, DESK)
            await at.pbx.ends_with(call, outcome)
        assert ended_at(call, Refusal(17))
        assert call.forwards == 3

    @pytest.mark.parametrize("most", [0, 1, 2])
    @in_loop
    async def test_a_call_is_forwarded_no_more_often_than_the_plan_says(self, most: int) -> None:
        at = Node()
        await at.register()
        await at.follow(evolve(ALICE, max_forwards=most), forwarded(unconditional="1002"))
        await at.follow(evolve(BOB, max_forwards=most), forwarded(unconditional="3000"))
        call = await at.call()
        assert call.forwards == most
        assert call.destination == (Extension("3000") if most == 2 else Refusal(20))

    @in_loop
    async def test_a_chain_to_a_mailbox_at_the_limit_still_gets_there(self) -> None:
        at = Node()
        await at.register()
        await at.follow(evolve(ALICE, max_forwards=0), SILENT)
        assert ended_at(await at.call(), VOICEMAIL)


class TestWithoutAPlan:
    """R16: a number without a plan rings the deskphone, and what was decided keeps working."""

    @in_loop
    async def test_the_deskphone_of_a_watched_user_rings(self) -> None:
        at = Node()
        await at.register()
        await at.pbx.watch(ALICE)
        call = await at.call(DID)
        assert (call.rings, call.rung) == (DESK, [("alice", DESK)])
        assert call.because[0].rule == "R16"
        await at.advance(30)
        assert ended_at(call, Refusal(19))
        assert call.over

    @in_loop
    async def test_a_deskphone_that_cannot_be_rung_refuses(self) -> None:
        at = Node()
        await at.pbx.watch(ALICE)
        call = await at.call()
        assert (call.rung, call.over) == ([], True)
        assert ended_at(call, Refusal(20))

    @in_loop
    async def test_other_numbers_leave_the_node(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE)
        assert (await at.call("3000")).destination == Extension("3000")

    @in_loop
    async def test_calls_follow_the_plan_while_nobody_listens(self) -> None:
        at = Node()
        listening = await at.listen()
        await at.pbx.watch(ALICE)
        await at.follow(ALICE, IN)
        listening.cancel()
        await at.advance(0)
        await at.register()
        call = await at.call()
        assert call.rings is WEB
        await at.pbx.unregister("PJSIP/alice_w")
        assert call.rings is DESK
