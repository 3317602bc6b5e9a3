"""Notices: where the eye is, in the user's words, and no longer than their cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.e2e.drivers.page import demo_browser, expect
from tests.e2e.drivers.screenshots import SIZES, themed_page
from tests.e2e.drivers.scripted_server import FALLEN_BACK, ON_DESKPHONE, call
from tests.event_loop import in_loop

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

OWN: Final = {
    "id": "own",
    "direction": "incoming",
    "status": "talking",
    "peer": "1002",
    "peerName": "Bob Durand",
    "answered": None,
    "muted": False,
}
UNSEEN: Final = """kind => {
  const notice = document.querySelector(`.trouble[data-kind=${kind}]`);
  const { left, right, top, bottom } = notice.getBoundingClientRect();
  const points = [[left + 5, top + 5], [(left + right) / 2, (top + bottom) / 2], [right - 5, bottom - 5]];
  return points.filter(([x, y]) => !notice.contains(document.elementFromPoint(x, y)));
}"""
"""The points of a notice that are not seen: outside the window, or under something else."""


async def own_call(page: Page, **changes: Any) -> None:
    await page.evaluate("call => phone.changed('registered', [call])", {**OWN, **changes})


class TestPlace:
    """R17: a notice is in sight, wherever the page is scrolled to, and nothing covers it."""

    @pytest.mark.parametrize("size", SIZES)
    @in_loop
    async def test_is_in_sight(self, size: str) -> None:
        async with themed_page(size) as at:
            await at.logged_in()
            for to in ("0", "300", "document.documentElement.scrollHeight"):
                await at.page.evaluate(f"scrollTo(0, {to})")
                await at.trouble("line_unreachable")
                assert await at.page.evaluate(UNSEEN, "line_unreachable") == []
                await at.page.evaluate("phone.changed('registered', [])")


class TestEnds:
    """R17: a notice ends with its cause."""

    @in_loop
    async def test_of_the_line_when_the_deskphone_is_selected(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.page.evaluate("phone.changed('failed', [])")
            await at.trouble("line_unreachable")
            at.script.account(**ON_DESKPHONE)
            await expect(at.page.locator(".trouble")).to_have_count(0)

    @in_loop
    async def test_of_the_microphone_with_the_call(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            for kind, status in (("microphone_refused", "ringing"), ("microphone_gone", "talking")):
                await own_call(at.page, status=status)
                await at.trouble(kind)
                await at.page.evaluate("phone.changed('registered', [])")
                await expect(at.page.locator(".trouble")).to_have_count(0)

    @in_loop
    async def test_of_one_attempt_with_the_next(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            at.script.refuses["dnd"] = {"id": "pbx_unreachable"}
            await at.page.get_by_text("Do not disturb").click()
            await expect(at.page.locator(".trouble[data-id=pbx_unreachable]")).to_be_visible()
            at.script.report("HistoryChanged", {})  # which is no attempt of the user's
            await at.page.wait_for_timeout(300)
            await expect(at.page.locator(".trouble")).to_have_count(1)
            at.script.refuses.clear()
            await at.page.get_by_text("Do not disturb").click()
            await expect(at.page.locator(".trouble")).to_have_count(0)


class TestLogOut:
    """S3: logging out in a call of this window asks first."""

    @in_loop
    async def test_in_a_call_asks(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await at.phones.press("bob", "Call Alice")
            await page.button("Answer").click()
            await page.call("talking").wait_for()
            await page.page.get_by_role("button", name="Log out", exact=True).click()
            await page.trouble("log_out_in_call").wait_for()
            await expect(page.call("talking")).to_be_visible()
            await page.button("Hang up").click()
            await expect(page.page.locator(".trouble")).to_have_count(0)

    @in_loop
    async def test_is_done_after_a_second_word(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await at.phones.press("bob", "Call Alice")
            await page.button("Answer").click()
            await page.call("talking").wait_for()
            await page.page.get_by_role("button", name="Log out", exact=True).click()
            await page.page.get_by_role("button", name="Hang up and log out").click()
            await expect(page.page.locator("#login")).to_be_visible()
            await expect(at.phones.call("bob", "talking")).to_have_count(0)

    @in_loop
    async def test_in_a_call_of_the_deskphone_does_not(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            at.script.account(**FALLEN_BACK, calls=[call(1)])
            await at.page.get_by_role("button", name="Log out").click()
            await expect(at.page.locator("#login")).to_be_visible()
