"""The page does not contradict itself: the next call, the user and calls are described once."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.e2e.drivers.page import demo_browser, expect
from tests.e2e.drivers.screenshots import themed_page
from tests.e2e.drivers.scripted_server import ACCOUNT, ON_DESKPHONE, call, reason
from tests.event_loop import in_loop

pytestmark = pytest.mark.e2e

QUIET: Final[dict[str, Any]] = {
    "forwarding": {**ACCOUNT["forwarding"], "doNotDisturb": True},
    "nextCall": {"rings": None, "goesTo": {"kind": "voicemail", "mailbox": "1001@default"}},
    "because": [reason("R8", "do-not-disturb is on"), reason("R10", "the call goes to mailbox 1001@default")],
}
OWN: Final = {
    "id": "own",
    "direction": "incoming",
    "peer": "1002",
    "peerName": "",
    "answered": None,
    "muted": False,
}


class TestNextCall:
    """R17: where the next call goes is said in one way everywhere."""

    @in_loop
    async def test_rings_nowhere_under_do_not_disturb(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            at.script.account(**QUIET)
            why = at.page.locator(".why p").first
            await expect(why).to_have_text("Do not disturb is on. Your next call goes to your voicemail.")
            await expect(at.page.locator(".rings-here")).to_have_count(0)
            await expect(at.page.locator("#presence")).to_have_text("Do not disturb")
            await expect(at.page.locator(".who .dot")).to_have_class("dot away")

    @in_loop
    async def test_goes_where_it_is_forwarded_to(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            carol = {"kind": "number", "number": "1003"}
            at.script.account(forward=carol, nextCall={"rings": None, "goesTo": carol})
            await expect(at.page.locator(".why p").first).to_have_text("Your next call goes to Carol Nguyen.")
            await expect(at.page.locator("#presence")).to_have_text("Calls go to Carol Nguyen")
            await expect(at.page.locator(".rings-here")).to_have_count(0)

    @in_loop
    async def test_is_not_known_while_the_server_is_away(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            at.script.account(calls=[call(1, device="webrtc")])
            await at.page.evaluate(
                "call => phone.changed('registered', [call])", {**OWN, "status": "talking"}
            )
            await at.script.goes_away()
            await at.page.evaluate("phone.changed('registered', [])")
            await expect(at.page.locator(".call")).to_have_count(0)
            await expect(at.page.locator("#presence")).to_have_text("No connection")
            await expect(at.page.locator(".rings-here")).to_have_count(0)
            await expect(at.page.locator(".why")).to_contain_text("not known while the server is away")

    @in_loop
    async def test_a_call_of_the_deskphone_is_not_steered_without_a_server(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            at.script.account(**ON_DESKPHONE, calls=[call(1)])
            await expect(at.page.locator(".call .status")).to_have_text("Talking on the deskphone")
            await at.script.goes_away()
            await expect(at.page.locator(".call .status")).to_have_text("Not known while the server is away")
            await expect(at.page.locator(".call .button")).to_have_count(0)


class TestColleagues:
    """P1: colleagues see do-not-disturb and forwards beside what the phones do."""

    @in_loop
    async def test_see_do_not_disturb_and_forwards(self) -> None:
        async with demo_browser() as at:
            alice, bob = await at.logged_in(), await at.logged_in("bob")
            await expect(bob.colleague("1001")).to_have_text("Available")
            await alice.page.get_by_text("Do not disturb", exact=True).first.click()
            await expect(bob.colleague("1001")).to_have_text("Do not disturb")
            await expect(alice.page.locator("#presence")).to_have_text("Do not disturb")
            await alice.page.locator(".part-devices .switch").click()
            await expect(bob.colleague("1001")).to_have_text("Available")
            await alice.forward("unconditional", "1003")
            await expect(bob.colleague("1001")).to_have_text("Calls are forwarded")
            await expect(alice.page.locator("#presence")).to_have_text("Calls go to Carol Nguyen")


class TestHistory:
    """H4: a call that never rang is in the history at once."""

    @in_loop
    async def test_a_call_under_do_not_disturb(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await page.page.get_by_text("Do not disturb", exact=True).first.click()
            await expect(page.page.locator("#presence")).to_have_text("Do not disturb")
            before = await page.entries("missed").count()
            await at.phones.press("bob", "Call Alice")
            await expect(page.entries("missed")).to_have_count(before + 1)


class TestCalls:
    """C1, C2: a call offers what can be done with it, and shows whether one talks."""

    @in_loop
    async def test_digits_are_offered_where_they_are_sent(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            at.script.account(**ON_DESKPHONE, calls=[call(1)])
            await expect(at.page.get_by_role("button", name="Hold")).to_be_visible()
            await expect(at.page.get_by_role("button", name="Keypad")).to_have_count(0)

    @in_loop
    async def test_there_is_one_pad(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await expect(at.page.locator(".keys")).to_have_count(1)
            await at.page.evaluate(
                "call => phone.changed('registered', [call])", {**OWN, "status": "talking"}
            )
            await expect(at.page.locator(".keys")).to_have_count(0)
            await at.page.get_by_role("button", name="Keypad").click()
            await expect(at.page.locator(".keys")).to_have_count(1)
            await at.page.locator("[data-key='5']").click()
            assert await at.page.evaluate("actions") == [["press", "own", "5"]]

    @in_loop
    async def test_a_held_call_looks_different(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            calls = [{**OWN, "status": "talking"}, {**OWN, "id": "other", "status": "held"}]
            await at.page.evaluate("calls => phone.changed('registered', calls)", calls)
            look = "one => [getComputedStyle(one).backgroundColor, getComputedStyle(one).borderStyle]"
            talking = await at.page.locator(".call.talking").evaluate(look)
            held = await at.page.locator(".call.held").evaluate(look)
            assert talking[0] != held[0]
            assert talking[1] != held[1]
