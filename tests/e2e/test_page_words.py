"""Every text that a person sees is one of the page's own sentences, in the user's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from lab.browser import kept_browser
from tests.e2e.drivers.page import expect
from tests.e2e.drivers.scripted_server import (
    ACCOUNT,
    FALLEN_BACK,
    NOW,
    ON_DESKPHONE,
    ORIGIN,
    ScriptedServer,
    call,
)
from tests.event_loop import in_loop
from unique_account.adapters.xuc.protocol.error_messages import ERROR_IDS
from unique_account.adapters.xuc.protocol.own_messages import REASON_IDS
from unique_account.assistant import PAGE

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

MARKED: Final = b"""
export const FRENCH = new Proxy({}, { get: (_, sentence) => `\\u27e6${sentence}\\u27e7` });
"""
"""A language in which each sentence of the page stands in brackets."""

NOT_SAID: Final = r"""() => {
  const DATA = /^[\d\s.:·+*#A-Z]*$|^(?:UC Assistant|English|Français|R\d+)$/;
  const NAMES = [
    "Alice Martin", "Bob Durand", "Carol Nguyen", "David Okafor", "Élodie Lefebvre-Saint-Amand",
    "Fatima Zahra", "Georges", "· UC Assistant", "https://pbx.example.org/wssip",
  ];
  const texts = [];
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    const { parentElement, data } = nodes.currentNode;
    if (!parentElement.closest("script, noscript, .of-day, .face")) texts.push(data);
  }
  for (const name of ["aria-label", "title", "placeholder", "alt"]) {
    document.querySelectorAll(`[${name}]`).forEach((one) => texts.push(one.getAttribute(name)));
  }
  texts.push(document.title);
  const unsaid = (text) => text.replace(/⟦[^⟦⟧]*(?:⟦[^⟦⟧]*⟧[^⟦⟧]*)*⟧/g, "");
  const bare = (text) => NAMES.reduce((rest, name) => rest.replaceAll(name, ""), unsaid(text)).trim();
  return [...new Set(texts.filter((text) => !DATA.test(bare(text))))];
}"""
"""Texts of the page that are neither in brackets nor names, numbers and times."""

OWN: Final = {
    "id": "own",
    "peer": "1002",
    "peerName": "Bob Durand",
    "answered": NOW.isoformat(),
    "muted": False,
}


async def said_everywhere(page: Page, view: str) -> None:
    """Nothing on the page but the page's own sentences."""
    await page.wait_for_timeout(80)  # a drawing, and what is said aloud
    assert await page.evaluate(NOT_SAID) == [], view


class TestWords:
    """R17: no text reaches the page but by a sentence that has a translation."""

    @in_loop
    async def test_are_all_the_pages_own(self) -> None:
        async with kept_browser() as chromium:
            page = await chromium.page()
            await page.clock.set_fixed_time(NOW)
            script = ScriptedServer(ACCOUNT)
            script.files[PAGE / "js" / "french.js"] = MARKED
            await script.serve(page)
            await page.goto(f"{ORIGIN}/")
            await page.locator(".choice").first.select_option("fr")
            await said_everywhere(page, "entrance")
            await log_in(page, "wrong")
            await expect(page.locator(".trouble")).to_be_visible()
            await said_everywhere(page, "refused")
            await log_in(page, "right")
            await page.wait_for_selector(".rings-here")
            await expect(page.locator(".part-history .row")).to_have_count(5)
            await said_everywhere(page, "idle")
            for status in ("ringing", "dialling", "talking", "held"):
                direction = "outgoing" if status == "dialling" else "incoming"
                await own_call(page, status=status, direction=direction)
                await said_everywhere(page, status)
            await page.locator(".call .button").filter(has_text="Transfer").click()
            await said_everywhere(page, "transfer")
            await own_call(page, status="talking", direction="incoming", peer="*98", peerName="")
            await said_everywhere(page, "voicemail")
            await page.evaluate("phone.changed('registered', [])")
            elsewhere = call(2, device="webrtc", otherDN="1005", otherName="")
            for account in (FALLEN_BACK, ON_DESKPHONE):
                script.account(**account, calls=[call(1), elsewhere])
                await said_everywhere(page, "deskphone")
            await script.goes_away()
            await page.wait_for_selector(".trouble[data-kind=offline]")
            await said_everywhere(page, "offline")

    @in_loop
    async def test_of_the_server_come_by_its_ids(self) -> None:
        async with kept_browser() as chromium:
            page = await chromium.page()
            await page.clock.set_fixed_time(NOW)
            script = ScriptedServer(ACCOUNT)
            script.files[PAGE / "js" / "french.js"] = MARKED
            await script.serve(page)
            await page.goto(f"{ORIGIN}/")
            await page.locator(".choice").first.select_option("fr")
            await log_in(page, "right")
            await page.wait_for_selector(".rings-here")
            inside = {"rule": "R4", "text": "PJSIP/alice is INSIDE", "facts": []}
            for name in sorted([*REASON_IDS, "of_a_newer_server"]):
                reason = {**inside, "id": name, "parameters": {"number": "1003"}}
                script.account(because=[reason])
                await said_everywhere(page, name)
            for name in sorted([*ERROR_IDS, "of_a_newer_server"]):
                script.refuses["dnd"] = {"id": name, "parameters": {"number": "1003", "seconds": "7"}}
                await page.evaluate("document.querySelector('.part-devices input[role=switch]').click()")
                await page.wait_for_selector(f".trouble[data-id={name}]")
                await said_everywhere(page, name)
                assert "INSIDE" not in await page.locator("body").inner_text()


async def own_call(page: Page, **changes: Any) -> None:
    await page.evaluate("call => phone.changed('registered', [call])", {**OWN, **changes})


async def log_in(page: Page, password: str) -> None:
    await page.fill("#login", "alice")
    await page.fill("#password", password)
    await page.click("form .button.main")
