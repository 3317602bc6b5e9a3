"""A real Asterisk carries plans out by itself, and comes to what the rules say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import product
from random import Random
from typing import Final

import pytest
from attrs import evolve

from lab.browser import browser
from tests.e2e.fixtures.deskphones import start_call
from tests.e2e.fixtures.planned_node import (
    ALICE,
    BOB,
    BROWSER,
    DESKPHONE,
    DID,
    IN_ITS_PLACE,
    MAILBOX,
    OUTSIDE,
    planned,
    planned_node,
    register,
)
from tests.event_loop import in_loop
from unique_account.adapters.asterisk.plans.decode import plans
from unique_account.adapters.memory import MemoryPbx, SettableClock
from unique_account.core.events import DeviceSelected, ForwardingChanged, LoggedIn
from unique_account.core.forwarding import (
    Destination,
    Extension,
    Fallbacks,
    Forward,
    Forwarding,
    Mailbox,
    Outcome,
    Refusal,
)
from unique_account.core.machine import Device
from unique_account.core.routing import Gate, Plan

pytestmark = pytest.mark.e2e

IN: Final = LoggedIn("tab-1")
AT_THE_DESK: Final = DeviceSelected(Device.DESKPHONE)
AT_ONCE: Final = 1.0
ELSEWHERE: Final[tuple[Destination, ...]] = (Refusal(20), OUTSIDE, Extension("1002"))


class TestBrowser:
    """R2, R4: the browser rings while its line is registered, else the deskphone, at once."""

    @in_loop
    async def test_rings_in_every_tab_and_no_more_once_it_is_gone(self) -> None:
        async with planned_node(DESKPHONE, known=(BROWSER,)) as at, browser() as chromium:
            await at.install(planned(ALICE, IN))
            tabs = [await chromium.tab(at.pbx, BROWSER) for _ in range(2)]
            start = await at.dial("1001")
            for tab in tabs:
                await tab.event("ringing", after=start)
            await at.phones["bob"].hang_up()
            await tabs[0].event("closed", after=start)
            assert not at.rang("alice", start)

            await chromium.kill()
            await at.no_contact(BROWSER)
            start = await at.dial("1001")
            assert await at.rings("alice", start) < AT_ONCE


class TestCandidates:
    """R1 to R4, R12: the first device of the plan that has a contact rings, alone."""

    @in_loop
    async def test_follow_the_plan_from_call_to_call(self) -> None:
        async with planned_node(DESKPHONE, IN_ITS_PLACE) as at:
            for events, rings, silent in (
                ((), "alice", "alice_w"),
                ((IN,), "alice_w", "alice"),
                ((IN, AT_THE_DESK), "alice", "alice_w"),
            ):
                await at.install(planned(ALICE, *events))
                start = await at.dial("1001")
                assert await at.rings(rings, start) < AT_ONCE
                await at.phones["bob"].hang_up()
                await at.cause(start)
                assert not at.rang(silent, start)

    @in_loop
    async def test_the_deskphone_rings_in_place_of_a_line_without_contact(self) -> None:
        async with planned_node(DESKPHONE) as at:
            await at.install(planned(ALICE, IN))
            start = await at.dial("1001")
            assert await at.rings("alice", start) < AT_ONCE

    @in_loop
    async def test_a_selected_deskphone_never_spills_to_the_browser(self) -> None:
        async with planned_node(IN_ITS_PLACE) as at:
            await at.install(planned(ALICE, IN, AT_THE_DESK))
            start = await at.dial("1001")
            end, seconds = await at.ends(start)
            assert (end, at.rang("alice_w", start)) == (Refusal(20), False)
            assert seconds < AT_ONCE
            assert await at.cause(start) == "20"


class TestOutcomes:
    """R9 to R11: each way in which ringing ends has its rule, and the other device never rings."""

    @in_loop
    async def test_no_answer_after_the_ring_time_of_the_number(self) -> None:
        async with planned_node(DESKPHONE, IN_ITS_PLACE) as at:
            user = evolve(ALICE, fallbacks=Fallbacks(no_answer=OUTSIDE))
            await at.install(planned(user, IN))
            for number, rings_for in (("1001", 2), (DID, 1)):
                start = await at.dial(number)
                end, seconds = await at.ends(start)
                assert end == OUTSIDE
                assert rings_for <= seconds < rings_for + AT_ONCE
                assert at.rang("alice_w", start)
                assert not at.rang("alice", start)
                await at.phones["bob"].hang_up()
                await at.cause(start)

    @in_loop
    async def test_a_phone_that_refuses_a_call_is_busy(self) -> None:
        async with planned_node(DESKPHONE) as at:
            await at.install(planned(evolve(ALICE, fallbacks=Fallbacks(busy=Refusal(21)))))
            start = await at.dial("1001")
            await at.rings("alice", start)
            await at.phones["alice"].hang_up()
            assert (await at.ends(start))[0] == Refusal(21)
            assert await at.cause(start) == "21"

    @in_loop
    async def test_busy_is_a_leg_that_is_cleared_as_refused(self) -> None:
        async with planned_node(DESKPHONE) as at:
            await at.install(planned(evolve(ALICE, fallbacks=Fallbacks(busy=OUTSIDE))))
            await at.clear(await at.dial("1001"), "21")
            assert (await at.ends(0))[0] == OUTSIDE

    @in_loop
    async def test_a_leg_that_is_cleared_for_want_of_a_phone_is_unavailable(self) -> None:
        async with planned_node(DESKPHONE) as at:
            user = evolve(ALICE, fallbacks=Fallbacks(unavailable=OUTSIDE))
            for cause in ("20", "27", "38"):
                await at.install(planned(user))
                start = await at.dial("1001")
                await at.clear(start, cause)
                assert (await at.ends(start))[0] == OUTSIDE
                await at.phones["bob"].hang_up()
                await at.cause(start)

    @in_loop
    async def test_the_way_an_earlier_phone_ended_says_nothing_of_a_later_one(self) -> None:
        async with planned_node(DESKPHONE, IN_ITS_PLACE) as at:
            for cause in ("38", "21"):
                to_alice = Fallbacks(unavailable=Extension("1001"), busy=Extension("1001"))
                await at.install(planned(evolve(BOB, fallbacks=to_alice)), planned(ALICE))
                start = await at.dial("1002", "alice_w")
                await at.clear(start, cause)
                await at.rings("alice", start)
                assert (await at.ends(start, "1001"))[0] == Refusal(19)

    @in_loop
    async def test_a_call_that_was_answered_goes_nowhere_when_it_ends(self) -> None:
        async with planned_node(DESKPHONE) as at:
            fallbacks = Fallbacks(**dict.fromkeys(Outcome, OUTSIDE))
            await at.install(planned(evolve(ALICE, fallbacks=fallbacks)))
            start = time.monotonic()
            await start_call(at.pbx, at.phones["bob"], at.phones["alice"], "1001")
            await at.phones["alice"].hang_up()
            assert await at.cause(start) == "16"
            assert not [m for m in at.pbx.ami.messages if m.get("Exten") == "2000"]

    @in_loop
    async def test_congestion_is_a_leg_that_the_network_cannot_carry(self) -> None:
        async with planned_node(DESKPHONE) as at:
            await at.install(planned(evolve(ALICE, fallbacks=Fallbacks(congestion=OUTSIDE))))
            start = await at.dial("1001")
            await at.clear(start, "34")
            assert (await at.ends(start))[0] == OUTSIDE

    @in_loop
    async def test_without_a_destination_the_caller_gets_the_cause(self) -> None:
        async with planned_node() as at:
            for outcome in Outcome:
                refused = evolve(planned(ALICE), unavailable=Refusal(outcome.cause))
                await at.install(refused)
                start = await at.dial("1001")
                assert await at.cause(start) == str(outcome.cause)

    @in_loop
    async def test_a_mailbox_takes_the_call_and_a_missing_one_refuses_it(self) -> None:
        async with planned_node() as at:
            await at.install(planned(evolve(ALICE, mailbox=MAILBOX)))
            start = await at.dial("1001")
            assert (await at.ends(start))[0] == Mailbox(MAILBOX)
            await at.phones["bob"].event("CALL_ESTABLISHED", after=start)
            await at.phones["bob"].hang_up()
            await at.cause(start)
            await at.install(planned(evolve(ALICE, mailbox="9999@default")))
            assert await at.cause(await at.dial("1001")) == "20"


class TestGate:
    """R8: do-not-disturb, then an unconditional forward, then the limit, before anything rings."""

    @in_loop
    async def test_do_not_disturb_comes_before_a_forward_and_the_forward_before_ringing(self) -> None:
        async with planned_node(DESKPHONE) as at:
            forwarding = Forwarding(unconditional=Forward("2000"))
            for choice, where in (
                (evolve(forwarding, do_not_disturb=True), Refusal(20)),
                (forwarding, Extension("2000")),
            ):
                await at.install(planned(ALICE, ForwardingChanged(choice)))
                start = await at.dial("1001")
                assert (await at.ends(start))[0] == where
                assert not at.rang("alice", start)
                await at.cause(start) if isinstance(where, Refusal) else await at.phones["bob"].hang_up()

    @in_loop
    async def test_the_limit_counts_calls_of_both_devices_in_both_directions(self) -> None:
        async with planned_node(DESKPHONE, IN_ITS_PLACE) as at:
            await at.install(planned(evolve(ALICE, simultaneous_calls=3), IN))
            for device in ("alice", "alice_w"):
                start = await at.dial("2000", device)
                await at.phones[device].event("CALL_ESTABLISHED", after=start)
                await at.phones[device].hold()
            start = await at.dial("1001")  # the third, though two are held
            await at.rings("alice_w", start)
            second = await at.dial("1001")
            assert (await at.ends(second))[0] == Refusal(17)
            await at.phones["alice"].hang_up()
            await at.pbx.ami.event("Hangup", after=second, CallerIDNum="1001")
            third = await at.dial("1001")
            await at.rings("alice_w", third)

    @in_loop
    async def test_the_limit_counts_legs_of_one_call_once(self) -> None:
        async with planned_node(known=(BROWSER,)) as at, browser() as chromium:
            user = evolve(ALICE, simultaneous_calls=2, ring_seconds=5)
            await at.install(planned(user, IN))
            tabs = [await chromium.tab(at.pbx, BROWSER) for _ in range(2)]
            for _ in tabs:
                start = await at.dial("1001")
                for tab in tabs:
                    await tab.event("ringing", after=start)
            start = await at.dial("1001")
            assert (await at.ends(start))[0] == Refusal(17)


class TestForwarding:
    """R13: chains of forwards end."""

    @in_loop
    async def test_a_forward_loop_of_two_users_ends_with_a_refusal(self) -> None:
        async with planned_node() as at:
            for user, other in ((ALICE, "1002"), (BOB, "1001")):
                choice = ForwardingChanged(Forwarding(unconditional=Forward(other)))
                await at.install(planned(user, choice))
            start = await at.dial("1001")
            assert await at.cause(start) == "20"
            hops = [
                m for m in at.pbx.ami.messages if m.event == "Newexten" and m["Application"] == "StackPop"
            ]
            assert (
                len(hops) == 3
            )  # back at Bob's, whose calls are forwarded three times at most, it is refused


class TestWithoutUs:
    """R16: plans outlive the node, and a number without one rings its deskphone."""

    @in_loop
    async def test_a_number_without_a_plan_rings_the_deskphone(self) -> None:
        async with planned_node(DESKPHONE, IN_ITS_PLACE) as at:
            start = await at.dial("1001")
            assert await at.rings("alice", start) < AT_ONCE
            assert (await at.ends(start))[0] == Refusal(19)
            assert not at.rang("alice_w", start)

    @in_loop
    async def test_a_plan_is_there_after_a_restart(self) -> None:
        async with planned_node(DESKPHONE, IN_ITS_PLACE) as at:
            await at.install(planned(ALICE, IN))
            await asyncio.sleep(2)
            await at.pbx.kill()
            await at.pbx.start()
            start = time.monotonic()
            await at.phones["bob"].dial("1001")
            assert await at.rings("alice_w", start) < AT_ONCE
            assert not at.rang("alice", start)

    @in_loop
    async def test_the_plans_can_be_read_back_from_the_node(self) -> None:
        async with planned_node() as at:
            plan = planned(ALICE, IN)
            await at.install(plan)
            assert plans(await at.installed()) == {"alice": plan}


class TestSeveralContacts:
    """A deskphone of several addresses rings at all of them."""

    @in_loop
    async def test_all_of_them_are_dialled(self) -> None:
        elsewhere = {"contact": "sip:alice@127.0.0.1:11", "max_contacts": "2"}
        async with planned_node(known=(evolve(DESKPHONE, password="", aor_options=elsewhere),)) as at:
            await at.install(planned(ALICE))
            await register(at.pbx, "alice", "sip:alice@127.0.0.1:9")
            start = await at.dial("1001")
            dialling = (await at.pbx.ami.event("Newexten", after=start, Application="Dial")).what
            assert sorted(dialling["AppData"].partition(",")[0].split("&")) == [
                "PJSIP/alice/sip:alice@127.0.0.1:11",
                "PJSIP/alice/sip:alice@127.0.0.1:9",
            ]


class TestHostileContacts:
    """The address of a contact is chosen by the registering phone, and is an address only."""

    PLANS: Final = pytest.mark.parametrize("installed", [(), (planned(ALICE),)], ids=["unplanned", "planned"])

    @PLANS
    @in_loop
    async def test_an_address_cannot_begin_options_of_the_dialling(self, installed: Sequence[Plan]) -> None:
        dialled = await self._dialled("sip:alice,30,S(1)g@127.0.0.1:9", installed)
        assert dialled in ("PJSIP/alice/sip:alice30S1g@127.0.0.1:9", "PJSIP/alice")

    @PLANS
    @in_loop
    async def test_an_address_cannot_be_several_destinations(self, installed: Sequence[Plan]) -> None:
        address = "sip:alice&PJSIP/alice_w&Local/2000@127.0.0.1:9"
        assert await self._dialled(address, installed) == "PJSIP/alice/sip:alice"

    @PLANS
    @in_loop
    async def test_an_address_cannot_send_the_caller_elsewhere(self, installed: Sequence[Plan]) -> None:
        address = "sip:alice&b?default,2000,1:default,2000,1@127.0.0.1:9"
        assert await self._dialled(address, installed) == "PJSIP/alice/sip:alice"

    async def _dialled(self, contact: str, installed: Sequence[Plan]) -> str:
        async with planned_node(known=(evolve(DESKPHONE, password=""),)) as at:
            await at.install(*installed)
            await register(at.pbx, "alice", contact)
            start = await at.dial("1001")
            dialling = (await at.pbx.ami.event("Newexten", after=start, Application="Dial")).what
            address, seconds = dialling["AppData"].split(",")
            assert 0 < float(seconds) <= 2
            return address


class TestLikeTheDouble:
    """R8 to R13: with no phone there, the same plans end where they end with the in-memory PBX."""

    @in_loop
    async def test_calls_end_in_the_same_place(self) -> None:
        kinds = product(
            (None, Mailbox(MAILBOX)),
            (None, Extension("1002"), Extension("2001")),
            (0, 5),
            ELSEWHERE,
            (0, 1),
        )
        async with planned_node() as at:
            for silent, forward, limit, elsewhere, max_forwards in Random(1).sample(list(kinds), 30):
                alice = evolve(
                    planned(ALICE, IN),
                    gate=Gate(silent, forward, limit),
                    busy=Extension("2002"),
                    unavailable=elsewhere,
                    max_forwards=max_forwards,
                )
                bob = evolve(planned(BOB), candidates=(), unavailable=elsewhere, max_forwards=2)
                double = MemoryPbx(SettableClock())
                for plan in (alice, bob):
                    await double.install(plan)
                await at.install(alice, bob)
                start = await at.dial("1001")
                end = (await at.ends(start))[0]
                assert end == (await double.call("1001", caller="1002")).destination, (alice.gate, elsewhere)
                if not isinstance(end, Refusal):
                    await at.phones["bob"].event("CALL_ESTABLISHED", after=start)
                    await at.phones["bob"].hang_up()
                await at.cause(start)
