"""The settings, in the place of all but the calls and the people."""

from __future__ import annotations

import pytest

from tests.e2e.drivers.page import expect, open_settings
from tests.e2e.drivers.screenshots import themed_page
from tests.event_loop import in_loop

pytestmark = pytest.mark.e2e

RINGS = {
    "id": "own",
    "direction": "incoming",
    "status": "ringing",
    "peer": "1002",
    "peerName": "Bob Durand",
    "answered": None,
    "muted": False,
}


class TestSettings:
    """C2: what is chosen once is behind one button, and hides no call."""

    @in_loop
    async def test_take_the_focus_and_give_it_back(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            button = at.page.locator(".settings-button")
            await button.focus()
            await at.page.keyboard.press("Enter")
            await expect(at.page.locator("#settings")).to_be_focused()
            await expect(button).to_have_attribute("aria-expanded", "true")
            await expect(at.page.locator("#number")).to_be_hidden()
            await at.page.keyboard.press("Tab")
            await expect(at.page.get_by_label("Close the settings")).to_be_focused()
            await at.page.keyboard.press("Enter")
            await expect(button).to_be_focused()
            await expect(at.page.locator("#settings")).to_be_hidden()
            await expect(at.page.locator("#number")).to_be_visible()

    @pytest.mark.parametrize("size", ["narrow", "middle", "wide"])
    @in_loop
    async def test_leave_a_call_in_sight(self, size: str) -> None:
        async with themed_page(size) as at:
            await at.logged_in()
            await open_settings(at.page)
            await at.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
            await at.own_calls(RINGS)
            answer = at.page.get_by_role("button", name="Answer")
            await expect(answer).to_be_in_viewport(ratio=1)
            await answer.click()
            assert await at.page.evaluate("actions") == [["answer", "own"]]

    @in_loop
    async def test_give_way_to_a_call_that_is_made(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await open_settings(at.page)
            await at.page.locator(".part-people").get_by_label("Call Bob Durand").click()
            await expect(at.page.locator("#settings")).to_be_hidden()

    @in_loop
    async def test_hold_all_the_selects(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await expect(at.page.locator(".top select")).to_have_count(0)
            outside = "one => one.closest('#settings') === null"
            selects = await at.page.locator("select").all()
            assert [await one.evaluate(outside) for one in selects] == [False] * 5
