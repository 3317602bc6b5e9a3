"""What the in-memory PBX tells, and in which order."""

from __future__ import annotations

import asyncio

from attrs import evolve

from tests.adapters.memory.node import ALICE, BOB, DESK, IN, WEB, Node, ended_at, outline
from tests.event_loop import in_loop
from unique_account.core.account import Account, CallStatus, Direction, LineStatus
from unique_account.core.events import (
    CallChanged,
    CallEnded,
    ContactsChanged,
    Event,
    FactsReplaced,
    LineChanged,
    MessagesChanged,
)
from unique_account.core.forwarding import Mailbox
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.core.routing import plan
from unique_account.ports.inbound.events import UnknownUser
from unique_account.testing.contracts.pbx.node import one_by_one


class TestFacts:
    """M4: every fact of the watched users is told, in the order in which it came to be."""

    @in_loop
    async def test_watching_begins_with_all_that_is_known(self) -> None:
        at = Node()
        listening = await at.listen()
        await at.register("PJSIP/alice")
        await at.pbx.leave_messages("1001@default", 2, 1)
        await at.pbx.watch(ALICE)
        assert at.received == [
            ("alice", FactsReplaced("default")),
            ("alice", ContactsChanged(DESK, reachable=True)),
            ("alice", LineChanged(DESK, LineStatus.NOT_IN_USE)),
            ("alice", ContactsChanged(WEB, reachable=False)),
            ("alice", LineChanged(WEB, LineStatus.UNAVAILABLE)),
            ("alice", MessagesChanged(2, 1)),
        ]
        listening.cancel()

    @in_loop
    async def test_a_call_is_told_from_ringing_to_its_end(self) -> None:
        at = Node()
        listening = await at.listen()
        await at.register()
        await at.pbx.watch(ALICE)
        await at.follow(ALICE, IN)
        at.received.clear()
        call = await at.call()
        await at.advance(3)
        await at.pbx.pick_up(call)
        await at.pbx.end(call)
        assert outline(at.received) == [
            CallStatus.RINGING,
            LineStatus.RINGING,
            CallStatus.TALKING,
            LineStatus.IN_USE,
            CallEnded,
            LineStatus.NOT_IN_USE,
        ]
        legs = [event.call for _, event in at.received if isinstance(event, CallChanged)]
        assert {(leg.device, leg.direction, leg.linked_id, leg.peer, leg.started) for leg in legs} == {
            (WEB, Direction.INCOMING, call.id, "3000", call.started)
        }
        assert [leg.answered for leg in legs] == [None, at.clock.now()]
        assert at.received[-2] == ("alice", CallEnded(legs[0].id, at.clock.now()))
        listening.cancel()

    @in_loop
    async def test_both_sides_of_an_internal_call_are_told(self) -> None:
        at = Node()
        listening = await at.listen()
        await at.register()
        for user in (ALICE, BOB):
            await at.pbx.watch(user)
            await at.follow(user)
        at.received.clear()
        call = await at.pbx.call("1002", caller="1001", interface="PJSIP/alice")
        await at.pbx.pick_up(call)
        assert outline(at.received) == [CallStatus.DIALLING, LineStatus.IN_USE, CallStatus.TALKING]
        assert outline(at.received, "bob") == [
            CallStatus.RINGING,
            LineStatus.RINGING,
            CallStatus.TALKING,
            LineStatus.IN_USE,
        ]
        listening.cancel()

    @in_loop
    async def test_several_calls_are_joined_in_one_status(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE)
        first = await at.call()
        await at.pbx.pick_up(first)
        second = await at.call()
        assert at.pbx.status("PJSIP/alice") is LineStatus.RINGING_IN_USE
        await at.pbx.end(first)
        assert at.pbx.status("PJSIP/alice") is LineStatus.RINGING
        await at.pbx.end(second)
        assert at.pbx.status("PJSIP/alice") is LineStatus.NOT_IN_USE
        assert at.pbx.status("PJSIP/nobody") is LineStatus.UNAVAILABLE

    @in_loop
    async def test_calls_that_are_up_are_told_as_watching_begins(self) -> None:
        at = Node()
        listening = await at.listen()
        await at.register()
        await at.follow(ALICE)
        for _ in range(2):
            await at.call()
        await at.pbx.watch(ALICE)
        assert outline(at.received) == [
            FactsReplaced,
            ContactsChanged,
            LineStatus.RINGING,
            CallStatus.RINGING,
            CallStatus.RINGING,
            ContactsChanged,
            LineStatus.NOT_IN_USE,
        ]
        listening.cancel()

    @in_loop
    async def test_a_call_that_ends_as_watching_begins_stays_ended(self) -> None:
        at = Node()
        await at.register()
        await at.follow(ALICE)
        first, second = await at.call(), await at.call()
        reported: list[Event] = []

        async def on_event(_: str, event: Event) -> None:
            reported.extend(one_by_one(event))
            if isinstance(event, FactsReplaced):
                await at.pbx.end(second)

        listening = asyncio.create_task(at.pbx.listen(on_event, lambda: None))
        await asyncio.sleep(0)
        await at.pbx.watch(ALICE)
        legs = [event.call for event in reported if isinstance(event, CallChanged)]
        assert [leg.linked_id for leg in legs] == [first.id, second.id]
        assert [event.call_id for event in reported if isinstance(event, CallEnded)] == [legs[1].id]
        await at.pbx.end(first)
        assert at.pbx.status("PJSIP/alice") is LineStatus.NOT_IN_USE
        listening.cancel()

    @in_loop
    async def test_a_user_forgotten_as_watching_begins_is_told_no_more(self) -> None:
        at = Node()
        reported: list[Event] = []

        async def on_event(user: str, event: Event) -> None:
            reported.append(event)
            if isinstance(event, FactsReplaced):
                await at.pbx.forget(user)

        listening = asyncio.create_task(at.pbx.listen(on_event, lambda: None))
        await asyncio.sleep(0)
        await at.pbx.leave_messages("1001@default", 1)
        await at.pbx.watch(ALICE)
        assert [type(event) for event in reported] == [FactsReplaced]
        await at.register()
        assert len(reported) == 1
        await at.pbx.dial("PJSIP/alice_w", "3000")
        assert at.pbx.calls[0].caller == ""
        listening.cancel()

    @in_loop
    async def test_an_interface_that_changed_hands_stays_with_its_new_user(self) -> None:
        at = Node()
        listening = await at.listen()
        await at.pbx.watch(ALICE)
        await at.pbx.watch(evolve(BOB, deskphone=ALICE.deskphone))
        await at.pbx.forget("alice")
        at.received.clear()
        await at.register("PJSIP/alice")
        assert {user for user, _ in at.received} == {"bob"}
        listening.cancel()

    @in_loop
    async def test_messages_are_told_to_who_has_the_mailbox(self) -> None:
        at = Node()
        listening = await at.listen()
        await at.pbx.watch(ALICE)
        await at.pbx.watch(BOB)
        at.received.clear()
        await at.pbx.leave_messages("1001@default", 3)
        assert at.received == [("alice", MessagesChanged(3, 0))]
        listening.cancel()

    @in_loop
    async def test_an_account_that_goes_just_now_is_no_error(self) -> None:
        at = Node()

        async def on_event(user: str, event: Event) -> None:
            raise UnknownUser(user)

        listening = asyncio.create_task(at.pbx.listen(on_event, lambda: None))
        await asyncio.sleep(0)
        await at.pbx.watch(ALICE)
        await at.register()
        listening.cancel()

    @in_loop
    async def test_a_listener_that_was_replaced_does_not_silence_its_successor(self) -> None:
        at = Node()
        first = await at.listen()
        second = await at.listen()
        first.cancel()
        await asyncio.sleep(0)
        await at.pbx.watch(ALICE)
        assert at.received
        second.cancel()
        await asyncio.sleep(0)
        at.received.clear()
        await at.register()
        assert at.received == []


class TestHints:
    """P5: hints of any number, and gone with their plan."""

    @in_loop
    async def test_a_hint_is_shown_until_the_next_word(self) -> None:
        at = Node()
        for presence in (Presence.RINGING, Presence.IN_USE):
            await at.pbx.hint(Number("7777"), presence)
            assert at.pbx.hints == {"7777": presence}
        await at.pbx.hint(Number("7777"), Presence.UNEXISTING)
        assert at.pbx.hints == {}

    @in_loop
    async def test_forgetting_takes_the_hints_of_the_plan_only(self) -> None:
        at = Node()
        await at.follow(ALICE)
        await at.follow(BOB)
        for number in ("1001", "1002", "7777"):
            await at.pbx.hint(Number(number), Presence.AVAILABLE)
        await at.pbx.forget("alice")
        assert set(at.pbx.hints) == {"1002", "7777"}


class TestRaces:
    """What is told takes time, and the world does not wait for it."""

    @in_loop
    async def test_a_caller_who_hangs_up_before_it_rings_rings_nothing(self) -> None:
        at = Node()
        await at.register()
        for user in (ALICE, BOB):
            await at.follow(user)
        await at.pbx.watch(ALICE)

        async def on_event(_: str, event: Event) -> None:
            if isinstance(event, CallChanged):
                await at.pbx.end(at.pbx.calls[0])

        listening = asyncio.create_task(at.pbx.listen(on_event, lambda: None))
        await asyncio.sleep(0)
        call = await at.pbx.call("1002", caller="1001", interface="PJSIP/alice")
        assert (call.over, call.rings, call.rung) == (True, None, [])
        assert at.pbx.status("PJSIP/bob") is LineStatus.NOT_IN_USE
        listening.cancel()

    @in_loop
    async def test_the_mailbox_answers_a_call_until_its_caller_hangs_up(self) -> None:
        at = Node()
        await at.follow(ALICE)
        call = await at.call()
        assert ended_at(call, Mailbox("1001@default"))
        assert (call.answered, at.pbx.calls) == (True, (call,))
        await at.pbx.end(call)
        assert at.pbx.calls == ()

    def test_a_plan_is_held_until_another_one_comes(self) -> None:
        at = Node()
        asyncio.run(at.follow(ALICE, IN))
        assert asyncio.run(at.pbx.installed("unique_account")).keys() == {"alice"}
        assert asyncio.run(at.pbx.install(plan(Account(BOB)))) is True
