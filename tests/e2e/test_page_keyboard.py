"""The page without a mouse: what has the focus is seen, and a whole call is made by keys alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.drivers.page import demo_browser, expect
from tests.e2e.drivers.screenshots import themed_page
from tests.e2e.drivers.scripted_server import FALLEN_BACK, call
from tests.event_loop import in_loop

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

MOST_STEPS: Final = 90
"""More than the page has places that take the focus."""

HIDDEN: Final = """() => {
  const one = document.activeElement;
  const { top, bottom } = one.getBoundingClientRect();
  const bar = document.querySelector(".overhead"), places = document.querySelector(".places");
  const above = bar.contains(one) || one.matches(".skip") ? 0 : bar.getBoundingClientRect().bottom;
  const below = places.contains(one) ? innerHeight : places.getBoundingClientRect().top || innerHeight;
  const middle = (top + bottom) / 2;
  return one !== document.body && (middle < above || middle > below) ? one.outerHTML : null;
}"""
"""What has the focus, if less than half of it is seen."""


async def step_to(page: Page, name: str, key: str = "Tab") -> None:
    """Move the focus to a button or a link, by its text."""
    for _ in range(MOST_STEPS):
        await page.keyboard.press(key)
        if name in await page.evaluate("document.activeElement.innerText ?? ''"):
            return
    pytest.fail(f"{key} does not lead to {name}")


class TestKeyboard:
    """C2: everything can be done without a mouse."""

    @in_loop
    async def test_logs_in_selects_and_answers(self) -> None:
        async with demo_browser() as at:
            page = await at.assistant()
            keys = page.page.keyboard
            await keys.type("alice")
            await keys.press("Tab")
            await keys.type("alice")
            await keys.press("Enter")
            await page.ready()
            await page.device("webrtc").locator("input").focus()
            await keys.press("ArrowDown")
            await page.in_use("deskphone").wait_for()
            await keys.press("ArrowUp")
            await page.ready()
            await at.phones.press("bob", "Call Alice")
            await expect(page.page.locator("#said-now")).to_have_text("Bob Durand is calling.")
            await page.button("Answer").focus()
            await keys.press("Enter")
            await page.call("talking").wait_for()
            await expect(page.button("Hold")).to_be_focused()

    @in_loop
    async def test_makes_transfers_and_ends_calls(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await page.page.focus("#number")
            await page.page.keyboard.type("1002")
            await page.page.keyboard.press("Enter")
            await at.phones.press("bob", "Lift")
            await page.call("talking").wait_for()
            await step_to(page.page, "Transfer", "Shift+Tab")
            await page.page.keyboard.press("Enter")
            await expect(page.page.locator("#transfer-to")).to_be_focused()
            await page.page.keyboard.type("1003")
            await step_to(page.page, "Ask first")
            await page.page.keyboard.press("Enter")
            await at.phones.press("carol", "Lift")
            await step_to(page.page, "Complete the transfer")
            await page.page.keyboard.press("Enter")
            await expect(page.page.locator(".call")).to_have_count(0)
            await expect(page.page.locator("main")).to_be_focused()
            await expect(at.phones.call("carol", "talking")).to_be_visible()

    @in_loop
    async def test_comes_to_a_call_that_comes_in_first_of_all(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await expect(page.page.locator("main")).to_be_focused()
            await at.phones.press("bob", "Call Alice")
            await page.call("ringing").wait_for()
            await page.page.keyboard.press("Tab")
            await expect(page.button("Answer")).to_be_focused()

    @in_loop
    async def test_reaches_a_call_that_comes_in_from_anywhere(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await page.page.get_by_label("Find a colleague").focus()
            await at.phones.press("bob", "Call Alice")
            await page.call("ringing").wait_for()
            await expect(page.page.get_by_label("Find a colleague")).to_be_focused()
            await step_to(page.page, "Skip to calls")
            await page.page.keyboard.press("Enter")
            await step_to(page.page, "Answer")
            await page.page.keyboard.press("Enter")
            await page.call("talking").wait_for()
            await step_to(page.page, "Hang up")
            await page.page.keyboard.press("Enter")
            await expect(page.page.locator(".call")).to_have_count(0)


class TestSight:
    """R17: what matters now is in sight (WCAG 2.4.11)."""

    @pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
    @pytest.mark.parametrize("size", ["narrow", "wide"])
    @in_loop
    async def test_nothing_hides_the_focus(self, size: str, key: str) -> None:
        async with themed_page(size) as at:
            await at.logged_in()
            at.script.account(**FALLEN_BACK, calls=[call(1)])
            await at.trouble("line_lost")
            for _ in range(MOST_STEPS):
                await at.page.keyboard.press(key)
                assert await at.page.evaluate(HIDDEN) is None

    @pytest.mark.parametrize("size", ["narrow", "wide"])
    @in_loop
    async def test_a_call_that_comes_in_is_scrolled_to(self, size: str) -> None:
        async with themed_page(size) as at:
            await at.logged_in()
            await at.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
            at.script.account(**FALLEN_BACK, calls=[call(1, status="ringing", answered=None)])
            await expect(at.page.get_by_role("button", name="Answer")).to_be_in_viewport(ratio=1)
