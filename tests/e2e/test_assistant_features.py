"""The UC Assistant on a real Asterisk: what others do shows, and what is set works."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import pytest

from tests.e2e.drivers.assistant_calls import answer_bobs_call, approx_tone
from tests.e2e.drivers.page import expect
from tests.e2e.fixtures.full_system import full_system
from tests.event_loop import in_loop

pytestmark = pytest.mark.e2e

A_SENTENCE: Final = 1.5
"""For how many seconds a muted party talks, and is not heard."""

A_MESSAGE: Final = 3.0
"""For how many seconds somebody speaks to a mailbox, so that it keeps the message."""


class TestCalls:
    """C2: what a user does in a call changes what the other party hears."""

    @in_loop
    async def test_a_muted_party_is_not_heard(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            start = await answer_bobs_call(at, tab)
            await at.bob.receives(at.chromium.tone)
            await tab.button("Mute").click()
            await at.bob.receives(0)
            await asyncio.sleep(A_SENTENCE)
            await tab.button("Hang up").click()
            await at.bob.event("CALL_CLOSED", after=start)
            assert at.bob.received() == (approx_tone(at.chromium.tone),)
            assert at.bob.received(last=A_SENTENCE) == (0,)

    @in_loop
    async def test_a_call_that_is_refused_is_over(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            start = time.monotonic()
            await at.bob.dial("1001")
            await tab.button("Refuse").click()
            await at.bob.event("CALL_CLOSED", after=start)
            await expect(tab.page.locator(".call")).to_have_count(0)
            assert "CALL_INCOMING" not in at.alice.reported(after=start)


class TestColleagues:
    """P1, P5, R14: colleagues' calls show at once, and a click calls them."""

    @in_loop
    async def test_are_seen_and_called(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            await expect(tab.colleague("1002")).to_have_text("Available")
            start = time.monotonic()
            await at.bob.dial("1003")
            await at.carol.event("CALL_INCOMING", after=start)
            await at.carol.accept()
            await expect(tab.colleague("1002")).to_have_text("In a call")
            await at.carol.hang_up()
            await expect(tab.colleague("1002")).to_have_text("Available")
            start = time.monotonic()
            await tab.page.locator(".part-people").get_by_label("Call Bob Durand").click()
            await at.bob.event("CALL_INCOMING", after=start)


class TestHistory:
    """H1, H3, H4: calls of both devices are in one history, live, each with its device."""

    @in_loop
    async def test_is_of_both_devices(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            start = await answer_bobs_call(at, tab)
            await expect(tab.entries("ongoing")).to_have_attribute("data-device", "webrtc")
            await tab.button("Hang up").click()
            await at.bob.event("CALL_CLOSED", after=start)
            await expect(tab.entries("answered")).to_have_attribute("data-device", "webrtc")
            start = time.monotonic()
            await at.alice.dial("1002")
            await at.bob.event("CALL_INCOMING", after=start)
            await at.bob.accept()
            await at.bob.event("CALL_ESTABLISHED", after=start)
            await at.alice.hang_up()
            await expect(tab.entries("emitted")).to_have_attribute("data-device", "deskphone")


class TestForwards:
    """R8, R10, V2: a forward and do-not-disturb that are set in the page hold for the next call."""

    @in_loop
    async def test_a_forward_sends_calls_there(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            forward = await tab.forward("unconditional", "1003")
            await expect(forward.get_by_role("switch")).to_be_checked()
            start = time.monotonic()
            await at.bob.dial("1001")
            await at.carol.event("CALL_INCOMING", after=start)
            await expect(tab.page.locator(".call")).to_have_count(0)

    @in_loop
    async def test_a_user_on_do_not_disturb_finds_a_message(self) -> None:
        async with full_system(prompts=True) as at:
            tab = await at.logged_in()
            await tab.page.get_by_text("Do not disturb").click()
            await expect(tab.page.locator(".why")).to_contain_text("Do not disturb is on.")
            start = time.monotonic()
            await at.bob.dial("1001")
            await at.bob.event("CALL_ESTABLISHED", after=start)
            await asyncio.sleep(A_MESSAGE)
            await at.bob.hang_up()
            await expect(tab.page.locator("#messages")).to_contain_text("1 new message")
            await tab.page.get_by_role("button", name="Listen").click()
            await at.pbx.ami.event(
                "Newexten", after=start, Context="unique-account-codes", Application="TryExec"
            )
            assert "CALL_INCOMING" not in at.alice.reported(after=start)
