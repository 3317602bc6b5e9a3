"""Calls and transfers to numbers that nobody has end with the reason, in the demo and its history."""

from __future__ import annotations

import pytest

from tests.e2e.drivers.page import demo_browser, expect
from tests.event_loop import in_loop

pytestmark = pytest.mark.e2e


class TestNowhere:
    """R17: a call that leads nowhere ends with the reason."""

    @in_loop
    async def test_a_call_ends_and_is_in_the_history(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            before = await page.entries("emitted").count()
            await page.dial("4711")
            await expect(page.trouble("no_such_number")).to_contain_text("Nobody has this number.")
            await expect(page.page.locator(".call")).to_have_count(0)
            await expect(page.entries("emitted")).to_have_count(before + 1)
            await expect(page.entries("emitted").first).to_contain_text("4711")

    @in_loop
    async def test_the_deskphone_does_not_ring_for_one(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await page.uses("deskphone")
            await page.dial("4711")
            await expect(page.trouble("no_such_number")).to_be_visible()
            await expect(page.page.locator(".call")).to_have_count(0)

    @pytest.mark.parametrize("device", ["webrtc", "deskphone"])
    @in_loop
    async def test_a_transfer_leaves_the_call(self, device: str) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            if device == "deskphone":
                await page.uses("deskphone")
            await at.phones.press("bob", "Call Alice")
            await page.button("Answer").click()
            await page.transfer("4711", "Transfer now")
            await expect(page.trouble("no_such_number")).to_be_visible()
            where = "here" if device == "webrtc" else "deskphone"
            await expect(page.call("talking", where)).to_be_visible()
            await expect(at.phones.call("bob", "talking")).to_be_visible()

    @in_loop
    async def test_a_forward_to_one_ends_the_call(self) -> None:
        async with demo_browser() as at:
            alice, bob = await at.logged_in(), await at.logged_in("bob")
            forward = await alice.forward("unconditional", "4711")
            await expect(forward.get_by_role("switch")).to_be_checked()
            await bob.dial("1001")
            await expect(bob.trouble("no_such_number")).to_be_visible()
            await expect(bob.page.locator(".call")).to_have_count(0)
