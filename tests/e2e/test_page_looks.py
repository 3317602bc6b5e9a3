"""How the page looks, and whether everybody can use it: every view at three sizes, light and dark.

The server is scripted, so that names, times and counts are always the same. ``UPDATE_LOOKS=1`` takes what is
there now for right; look at the pictures before they are committed.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.drivers.page import expect, open_settings
from tests.e2e.drivers.screenshots import SIZES, THEMES, themed_page
from tests.e2e.drivers.scripted_server import FALLEN_BACK, NOW, ON_DESKPHONE, call
from tests.event_loop import in_loop

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.parametrize("theme", THEMES),
    pytest.mark.parametrize("size", SIZES),
]


def own(status: str, **changes: Any) -> dict[str, Any]:
    """A call of the browser's phone."""
    answered = None if status == "ringing" else NOW.isoformat().replace("10:30:00", "10:28:26")
    return {
        "id": "own",
        "direction": "incoming",
        "status": status,
        "peer": "1002",
        "peerName": "Bob Durand",
        "answered": answered,
        "muted": False,
        **changes,
    }


@in_loop
async def test_the_page(size: str, theme: str) -> None:
    """S1, S4, R17: the log-in, and every part of the page, in French too."""
    async with themed_page(size, theme) as at:
        await at.check("entrance")
        await at.log_in("wrong")
        await at.page.wait_for_selector(".trouble")
        await expect(at.page.locator("#password")).to_be_focused()
        await at.check("refused")
        at.console_errors.clear()  # the browser names a log-in that was refused
        await at.logged_in()
        await at.check("idle", whole=True)
        if size == "narrow":
            for place in ("people", "history"):
                await at.go_to(place)
                await at.check(place)
        else:
            await at.page.click(".pad-button")
            await at.check("pad")
        await open_settings(at.page)
        await at.check("settings", whole=True)
        await at.speak("fr")
        at.script.account(**FALLEN_BACK)
        await at.own_calls(own("talking"))
        await at.press("Transférer")
        await at.trouble("line_unreachable")
        await at.opened_why()
        await at.check("french", whole=True)
        await open_settings(at.page)
        await at.check("french-settings", whole=True)
        assert at.console_errors == []


@in_loop
async def test_calls(size: str, theme: str) -> None:
    """C1, C2: a call of either device at every stage, and one of another window."""
    async with themed_page(size, theme) as at:
        await at.logged_in()
        await at.own_calls(own("ringing"))
        await at.check("ringing")
        await at.own_calls(own("talking"))
        await at.check("talking")
        await at.press("Transfer")
        await at.check("transfer")
        await at.own_calls(own("talking", muted=True))
        await at.press("Keypad")
        await at.check("keypad")
        await at.press("Keypad")
        await at.own_calls(own("held"))
        await at.check("held")
        await at.own_calls(own("talking"))
        await at.press("Transfer")
        await at.page.fill("#transfer-to", "1003")
        await at.press("Ask first")
        asked = own("talking", id="asked", direction="outgoing", peer="1003", peerName="")
        await at.own_calls(own("held"), asked)
        await at.check("asking")
        await at.own_calls()
        held = own("held", answered=NOW.isoformat().replace("10:30:00", "10:21:07"))
        await at.own_calls(held, {**asked, "id": "second", "peerName": "Carol Nguyen"})
        await at.check("two")
        await at.own_calls()
        dialled = call(1, direction="outgoing", status="ringing", answered=None)
        elsewhere = call(2, device="webrtc", otherDN="1005", otherName="")
        at.script.account(**ON_DESKPHONE, calls=[dialled, elsewhere])
        await at.page.wait_for_selector(".call[data-where=elsewhere]")
        await at.check("deskphone")
        assert at.console_errors == []


@in_loop
async def test_troubles(size: str, theme: str) -> None:
    """R4, R17: what is wrong, and what to do; and a first day, with nothing to show."""
    async with themed_page(size, theme) as at:
        at.script.first_day()
        await at.logged_in()
        if size == "narrow":
            await at.go_to("history")
        await at.check("empty")
        if size == "narrow":
            await at.go_to("phone")
        await at.own_calls(own("ringing"))
        await at.trouble("microphone_refused")
        await at.check("microphone")
        await at.own_calls(own("talking"))  # which takes the trouble away
        await at.own_calls()
        at.script.account(**FALLEN_BACK, calls=[call(1, status="ringing", answered=None)])
        await at.page.evaluate("phone.changed('failed', [])")
        await at.trouble("line_unreachable")
        await at.opened_why()
        await at.check("fallback", whole=True)
        await at.page.evaluate("phone.changed('registered', [])")  # which takes this one away
        at.script.account(**FALLEN_BACK)
        assert at.console_errors == []
        await at.script.goes_away()
        await at.page.wait_for_selector(".trouble[data-kind=offline]")
        await at.page.evaluate("phone.changed('failed', [])")
        await at.trouble("line_lost")
        await at.check("offline")


@in_loop
async def test_what_the_page_offers(size: str, theme: str) -> None:
    """C2, R14, R17: what it asks, whom it finds, sound devices and keys."""
    async with themed_page(size, theme, asks=True) as at:
        at.script.favourites = [("Daniela Roy", "1077")]
        await at.logged_in_with(people=len(at.script.colleagues) + 1)
        await at.check("asked")
        await at.page.get_by_role("button", name="No", exact=True).click()
        await at.page.fill("#number", "d")
        await at.check("found")
        await at.page.fill("#number", "")
        if size == "narrow":
            await at.go_to("people")
        await at.page.get_by_label("Find a colleague").fill("Geo")
        await expect(at.page.locator("[data-list=directory]")).to_contain_text("Georgette Muller")
        await expect(at.page.locator(".part-people .row")).to_have_count(2)
        await at.check("directory")
        await open_settings(at.page)
        await at.page.keyboard.press("?")  # a click would scroll the page to the button
        await at.check("keys")
        await at.page.keyboard.press("Escape")
        assert at.console_errors == []
