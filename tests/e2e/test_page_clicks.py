"""Second clicks: what appears, moves or changes its meaning under the finger does nothing for a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.drivers.page import demo_browser, expect
from tests.e2e.drivers.screenshots import themed_page
from tests.event_loop import in_loop

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

pytestmark = pytest.mark.e2e

CALL = {
    "id": "own",
    "direction": "incoming",
    "status": "ringing",
    "peer": "1002",
    "peerName": "Bob Durand",
    "answered": None,
    "muted": False,
}


async def middle(control: Locator) -> tuple[float, float]:
    """Where a control is, once it may be clicked."""
    await control.click(trial=True)
    box = await control.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def show(page: Page, **changes: object) -> None:
    """Show one call on the browser's phone."""
    await page.evaluate("call => phone.changed('registered', [call])", {**CALL, **changes})


class TestSecondClicks:
    """C2: a double click on a button does what one click does."""

    @pytest.mark.parametrize("apart", [80, 250])
    @in_loop
    async def test_on_answer_neither_answer_again_nor_hold(self, apart: int) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await show(at.page)
            where = await middle(at.page.get_by_role("button", name="Answer"))
            await at.page.mouse.click(*where)
            await at.page.wait_for_timeout(apart / 2)
            await show(at.page, status="talking")
            await at.page.wait_for_timeout(apart / 2)
            await at.page.mouse.click(*where)
            await at.page.wait_for_timeout(100)
            assert await at.page.evaluate("actions") == [["answer", "own"]]

    @in_loop
    async def test_before_anything_changed_do_nothing(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await show(at.page)
            where = await middle(at.page.get_by_role("button", name="Answer"))
            await at.page.mouse.dblclick(*where)
            await at.page.wait_for_timeout(100)
            assert await at.page.evaluate("actions") == [["answer", "own"]]

    @in_loop
    async def test_on_hang_up_type_no_digit(self) -> None:
        async with themed_page() as at:
            await at.page.set_viewport_size({"width": 1360, "height": 1500})
            await at.logged_in()
            await at.page.click(".pad-button")
            key = await middle(at.page.locator(".part-phone [data-key='5']"))
            await show(at.page, status="talking")
            await at.page.mouse.move(*key)
            await at.page.evaluate("phone.changed('registered', [])")
            await at.page.mouse.click(*key)
            await expect(at.page.locator("#number")).to_have_value("")
            await at.page.wait_for_timeout(500)
            await at.page.mouse.click(*key)
            await expect(at.page.locator("#number")).to_have_value("5")

    @in_loop
    async def test_by_keys_act_once(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await show(at.page)
            await at.page.get_by_role("button", name="Answer").focus()
            await at.page.keyboard.press("Enter")
            await show(at.page, status="talking")
            await expect(at.page.get_by_role("button", name="Hold")).to_be_focused()
            await at.page.keyboard.press("Enter")
            assert await at.page.evaluate("actions") == [["answer", "own"]]
            await at.page.wait_for_timeout(450)
            await at.page.keyboard.press("Enter")
            assert await at.page.evaluate("actions") == [["answer", "own"], ["hold", "own"]]

    @in_loop
    async def test_of_digits_are_meant(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.page.click(".pad-button")
            await at.page.locator(".part-phone [data-key='5']").dblclick()
            await expect(at.page.locator("#number")).to_have_value("55")
            await at.page.get_by_label("Erase the last digit").dblclick()
            await expect(at.page.locator("#number")).to_have_value("")

    @in_loop
    async def test_on_a_real_call_leave_it_talking(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await at.phones.press("bob", "Call Alice")
            where = await middle(page.button("Answer"))
            await page.page.mouse.click(*where, click_count=2, delay=20)
            await page.call("talking").wait_for()
            await page.page.mouse.click(*where)
            await expect(page.call("talking")).to_be_visible()
            where = await middle(page.button("Hang up"))
            for _ in range(4):
                await page.page.mouse.click(*where)
                await page.page.wait_for_timeout(60)
            await expect(page.page.locator(".call")).to_have_count(0)
            await expect(page.page.locator("#number")).to_have_value("")
