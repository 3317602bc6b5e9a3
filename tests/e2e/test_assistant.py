"""The UC Assistant on a real Asterisk: real SIP over a WebSocket, real media, real deskphones."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import pytest

from tests.e2e.drivers.assistant_calls import answer_bobs_call, approx_tone, page_plays
from tests.e2e.drivers.page import expect
from tests.e2e.fixtures.full_system import FullSystem, full_system
from tests.event_loop import in_loop
from unique_account.adapters.asterisk.ami.message import Message

pytestmark = pytest.mark.e2e

TWO_TRIES: Final = 7.0
"""In how many seconds a phone that lost its connection has tried twice to come back."""

JUDGED: Final = 15_000
"""Milliseconds within which the sound of a call is judged: two samples, 2 s apart."""

NORMAL_CLEARING: Final = "16"


async def ended_with(at: FullSystem, start: float) -> str:
    """The cause with which the browser's leg ended; after a silence Asterisk gives another one."""

    def ends(message: Message) -> bool:
        return message.event == "Hangup" and message.get("Channel", "").startswith("PJSIP/alice_w-")

    return (await at.pbx.ami.journal.wait(ends, "the end of the call", after=start)).what["Cause"]


class TestSound:
    """C2: a call of the browser carries what both say."""

    @in_loop
    async def test_of_a_call_that_comes_in(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            start = await answer_bobs_call(at, tab)
            await page_plays(tab, at.bob.tone)
            await at.bob.receives(at.chromium.tone)
            await tab.button("Hang up").click()
            await at.bob.event("CALL_CLOSED", after=start)
            assert at.bob.received() == (approx_tone(at.chromium.tone),)

    @in_loop
    async def test_of_a_call_that_is_dialled(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            start = time.monotonic()
            await tab.dial("1002")
            await at.bob.event("CALL_INCOMING", after=start)
            await at.bob.accept()
            await tab.call("talking").wait_for()
            await page_plays(tab, at.bob.tone)
            await at.bob.receives(at.chromium.tone)
            await at.bob.hang_up()
            await expect(tab.page.locator(".call")).to_have_count(0)
            assert at.bob.received() == (approx_tone(at.chromium.tone),)

    @in_loop
    async def test_is_judged_and_missed_by_who_speaks_muted(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            await answer_bobs_call(at, tab)
            await expect(tab.page.locator("[data-quality=good]")).to_be_visible(timeout=JUDGED)
            await tab.button("Mute").click()
            await tab.page.locator("[data-ask=muted]").get_by_role("button", name="Unmute").click()
            await expect(tab.page.locator("[data-ask=muted]")).to_have_count(0)

    @in_loop
    async def test_tones_are_heard(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            start = await answer_bobs_call(at, tab)
            await tab.button("Keypad").click()
            await tab.page.locator(".call [data-key='5']").click()
            await at.pbx.ami.event("DTMFEnd", after=start, Digit="5")


class TestSteering:
    """C2: holding and transferring are the browser's own, and Asterisk carries them out."""

    @in_loop
    async def test_holding(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            start = await answer_bobs_call(at, tab)
            await at.pbx.ami.event("BridgeEnter", after=start, BridgeNumChannels="2")
            await tab.button("Hold").click()
            await tab.call("held").wait_for()
            await at.pbx.ami.event("Hold", after=start)
            await tab.button("Resume").click()
            await at.pbx.ami.event("Unhold", after=start)
            await page_plays(tab, at.bob.tone)

    @in_loop
    async def test_a_blind_transfer(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            start = await answer_bobs_call(at, tab)
            await at.pbx.ami.event("BridgeEnter", after=start, BridgeNumChannels="2")
            await tab.transfer("1003", "Transfer now")
            await at.carol.event("CALL_INCOMING", after=start)
            await at.carol.accept()
            await at.carol.event("CALL_ESTABLISHED", after=start)
            await expect(tab.page.locator(".call")).to_have_count(0)
            await at.carol.receives(at.bob.tone)
            await at.carol.hang_up()
            await at.bob.event("CALL_CLOSED", after=start)
            assert at.carol.received() == (approx_tone(at.bob.tone),)

    @in_loop
    async def test_an_attended_transfer(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            start = await answer_bobs_call(at, tab)
            await at.pbx.ami.event("BridgeEnter", after=start, BridgeNumChannels="2")
            await tab.transfer("1003", "Ask first")
            await at.carol.event("CALL_INCOMING", after=start)
            await at.carol.accept()
            await at.carol.event("CALL_ESTABLISHED", after=start)
            await page_plays(tab, at.carol.tone)
            await tab.button("Complete the transfer").click()
            await expect(tab.page.locator(".call")).to_have_count(0)
            await at.carol.receives(at.bob.tone)
            await at.bob.receives(at.carol.tone)
            assert "CALL_CLOSED" not in at.bob.reported(after=start)
            assert "CALL_CLOSED" not in at.carol.reported(after=start)


class TestOrders:
    """C2: another program of the user steers the browser's call by XiVO's commands."""

    @in_loop
    async def test_holding_keys_and_the_microphone(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            start = await answer_bobs_call(at, tab)
            await at.pbx.ami.event("BridgeEnter", after=start, BridgeNumChannels="2")
            async with at.program() as command:
                await command("hold")
                await tab.call("held").wait_for()
                await at.pbx.ami.event("Hold", after=start)
                await command("hold")
                await at.pbx.ami.event("Unhold", after=start)
                await tab.call("talking").wait_for()
                await command("sendDtmf", key="5")
                await at.pbx.ami.event("DTMFEnd", after=start, Digit="5")
                await page_plays(tab, at.bob.tone)
                await command("toggleMicrophone")
                await expect(tab.button("Mute")).to_have_attribute("aria-pressed", "true")


class TestDialledByAnotherProgram:
    """R14: a number that another program dials rings in the page first, which never takes it for a caller."""

    @in_loop
    async def test_is_picked_up_like_a_phone(self) -> None:
        async with full_system() as at, at.program() as command:
            tab = await at.logged_in()
            start = time.monotonic()
            await command("dial", destination="1002")
            await expect(tab.call("outgoing.ringing")).to_contain_text("Pick up")
            await expect(tab.page.locator(".call")).to_have_count(1)
            await tab.button("Answer").click()
            await at.bob.event("CALL_INCOMING", after=start)
            await tab.call("dialling").wait_for()
            await at.bob.accept()
            await tab.call("talking").wait_for()
            await expect(tab.page.locator(".call")).to_have_count(1)
            await page_plays(tab, at.bob.tone)
            await at.bob.receives(at.chromium.tone)


class TestDevices:
    """R2, R3, S6, C1: the device in use rings, and the other stays silent."""

    @in_loop
    async def test_a_toggle_moves_the_next_call(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            await tab.uses("deskphone")
            start = time.monotonic()
            await at.bob.dial("1001")
            await at.alice.event("CALL_INCOMING", after=start)
            await tab.call("ringing", "deskphone").wait_for()
            await at.bob.hang_up()
            await at.alice.event("CALL_CLOSED", after=start)
            await tab.select("webrtc")
            await tab.ready()
            start = time.monotonic()
            await at.bob.dial("1001")
            await tab.call("ringing").wait_for()
            assert "CALL_INCOMING" not in at.alice.reported(after=start)

    @in_loop
    async def test_what_the_deskphone_cannot_do_is_refused_with_the_reason(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            await tab.uses("deskphone")
            start = time.monotonic()
            await at.bob.dial("1001")
            await at.alice.event("CALL_INCOMING", after=start)
            await tab.button("Answer").click()
            await expect(tab.trouble("refused")).to_be_visible()
            await tab.button("Refuse").click()
            await at.bob.event("CALL_CLOSED", after=start)

    @in_loop
    async def test_dialling_rings_the_deskphone_first(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            await tab.uses("deskphone")
            start = time.monotonic()
            await tab.dial("1002")
            await at.alice.event("CALL_INCOMING", after=start)
            await at.alice.accept()
            await at.bob.event("CALL_INCOMING", after=start)


class TestLeaving:
    """R1, R4, R15, S5: a user who leaves the page is called on the deskphone."""

    @in_loop
    async def test_by_logging_out(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            await tab.page.get_by_role("button", name="Log out").click()
            await expect(tab.page.locator("#login")).to_be_visible()
            assert at.service.account("alice").state.value == "logged_out"
            start = time.monotonic()
            await at.bob.dial("1001")
            await at.alice.event("CALL_INCOMING", after=start)

    @in_loop
    async def test_by_closing_the_tab_while_it_rings(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            start = time.monotonic()
            await at.bob.dial("1001")
            await tab.call("ringing").wait_for()
            await tab.page.close()
            await at.alice.event("CALL_INCOMING", after=start)
            assert "CALL_CLOSED" not in at.bob.reported(after=start)

    @in_loop
    async def test_by_killing_the_browser_in_a_call(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            start = await answer_bobs_call(at, tab)
            await at.chromium.kill()
            await at.bob.event("CALL_CLOSED", after=start)

    @in_loop
    async def test_loading_it_again_in_a_call_ends_the_call_and_no_more(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            start = await answer_bobs_call(at, tab)
            tab.page.on("dialog", lambda dialog: dialog.accept())
            await tab.page.reload()
            assert await ended_with(at, start) == NORMAL_CLEARING
            await at.bob.event("CALL_CLOSED", after=start)
            await tab.ready()
            await answer_bobs_call(at, tab)


class TestSeveralTabs:
    """S4: a call rings in all tabs, and the first answer takes it."""

    @in_loop
    async def test_the_others_see_it_answered_elsewhere(self) -> None:
        async with full_system() as at:
            one, two = await at.logged_in(), await at.logged_in()
            await at.bob.dial("1001")
            await two.call("ringing").wait_for()
            await one.button("Answer").click()
            await one.call("talking").wait_for()
            await expect(two.call("talking", "elsewhere")).to_be_visible()
            await expect(two.call("ringing")).to_have_count(0)
            await expect(two.trouble("answered_elsewhere")).to_be_visible()


class TestTroubles:
    """R4, R17: the page says what is wrong and what to do."""

    @in_loop
    async def test_a_microphone_that_is_refused(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            await tab.page.evaluate("globalThis.refused = true")
            await at.bob.dial("1001")
            await tab.button("Answer").click()
            await expect(tab.trouble("microphone_refused")).to_contain_text("address bar")
            await tab.page.evaluate("globalThis.refused = false")
            await tab.button("Answer").click()
            await tab.call("talking").wait_for()
            await expect(tab.trouble("microphone_refused")).to_have_count(0)

    @in_loop
    async def test_a_telephone_system_that_is_not_reached(self) -> None:
        async with full_system() as at:
            at.lines.url = at.pbx.websocket.replace("ws:", "wss:")
            tab = await at.tab()
            await tab.log_in()
            await tab.in_use("deskphone").wait_for()
            trouble = tab.trouble("line_unreachable")
            await expect(trouble).to_contain_text("certificate")
            await expect(trouble.locator("a")).to_have_attribute(
                "href", at.lines.url.replace("wss:", "https:")
            )

    @in_loop
    async def test_a_line_that_is_lost_comes_back(self) -> None:
        async with full_system() as at:
            tab = await at.logged_in()
            await at.pbx.kill()
            await tab.trouble("line_lost").get_by_label("Dismiss").click()
            await asyncio.sleep(TWO_TRIES)
            await expect(tab.trouble("line_lost")).to_have_count(0)
            await at.pbx.start()
            await expect(tab.trouble("line_lost")).to_have_count(0, timeout=30_000)
            await tab.ready()
