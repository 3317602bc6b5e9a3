"""The page with a scripted server, in a size and a theme, compared with known pictures."""

from __future__ import annotations

import io
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from attrs import frozen
from PIL import Image, ImageChops

from lab.browser import kept_browser
from lab.programs import axe_file
from tests.e2e.drivers.page import expect, speak
from tests.e2e.drivers.scripted_server import ACCOUNT, NOW, ORIGIN, ScriptedServer
from tests.paths import DATA

if TYPE_CHECKING:
    from playwright.async_api import Page, ViewportSize

SIZES: Final = {"narrow": (360, 780), "middle": (768, 1024), "wide": (1280, 800)}
THEMES: Final = ("light", "dark")
LOOKS: Final = DATA / "looks"
DIFFERENT: Final = 60
"""By how much of 255 a point must differ to count: less is how a browser smooths edges."""

MAY_DIFFER: Final = 0.004
"""What share of the points may differ."""

AXE: Final = """async () => {
  const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run({ runOnly });
  return JSON.stringify(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), null, 1);
}"""

CUT_OFF: Final = """() => [...document.querySelectorAll("button, label, h1, h2, p, summary, .trouble div")]
  .filter((one) => one.checkVisibility() && !one.closest(".unseen"))
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).textOverflow !== "ellipsis")
  .filter((one) => getComputedStyle(one).display !== "inline")
  .map((one) => one.outerHTML)"""

TOO_WIDE: Final = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@frozen
class ThemedPage:
    """The page in a size and a theme.

    Attributes:
        complaints: The errors on the browser's console, such as violations of the page's policy.
    """

    page: Page
    script: ScriptedServer
    name: str
    console_errors: list[str]

    async def log_in(self, password: str = "right") -> None:
        await self.page.fill("#login", "alice")
        await self.page.fill("#password", password)
        await self.page.click("form .button.main")

    async def logged_in(self) -> None:
        """Log in, and wait until everything is shown."""
        await self.logged_in_with(people=len(self.script.colleagues))

    async def logged_in_with(self, *, people: int) -> None:
        """Log in, and wait until everything is shown, with so many colleagues and favourites."""
        await self.log_in()
        await self.page.wait_for_selector(".rings-here")
        for part, rows in (("history", len(self.script.newest["entries"])), ("people", people)):
            await expect(self.page.locator(f".part-{part} .row")).to_have_count(rows)

    async def logged_in_with_hidden_history(self) -> None:
        """Log in on a narrow page, whose history is in another place, and wait until it is known."""
        await self.log_in()
        await self.page.wait_for_selector(".rings-here")
        rows = self.page.locator(".part-history .row")
        await expect(rows).to_have_count(len(self.script.newest["entries"]))

    async def own_calls(self, *calls: dict[str, Any]) -> None:
        """Show calls of the browser's phone."""
        await self.page.evaluate("(calls) => phone.changed('registered', calls)", list(calls))
        await expect(self.page.locator(".call[data-where=here]")).to_have_count(len(calls))

    async def press(self, text: str) -> None:
        """Press a button of a call, once it acts; until then the driver would scroll the page."""
        button = self.page.locator(".call .button").filter(has_text=text)
        await button.evaluate("one => Promise.all(one.getAnimations().map(({ finished }) => finished))")
        await button.click()

    async def trouble(self, kind: str) -> None:
        """Let the browser's phone tell of a trouble."""
        await self.page.evaluate("(kind) => phone.troubled(kind)", kind)
        await self.page.wait_for_selector(f".trouble[data-kind={kind}]")

    async def opened_why(self) -> None:
        """Open the reasons, wherever the page is scrolled to."""
        await self.page.locator(".why details").evaluate("details => (details.open = true)")

    async def go_to(self, place: str) -> None:
        """Show a part of a narrow page."""
        await self.page.click(f".places button[data-place={place}]")

    async def speak(self, language: str) -> None:
        """Choose a language in the settings, and go back to the calls."""
        await speak(self.page, language)

    async def check(self, view: str, *, whole: bool = False) -> None:
        """The view has no faults that axe finds, no text that is cut off, and looks as it should.

        Args:
            view: Its name.
            whole: Whether what is below the window is looked at, too.
        """
        await self.page.mouse.move(0, 0)
        if whole:
            await self._grow()
        violations = await self.page.evaluate(AXE)
        assert json.loads(violations) == [], f"{view}: {violations}"
        assert await self.page.evaluate(CUT_OFF) == [], f"{view} is cut off"
        assert await self.page.evaluate(TOO_WIDE) is False, f"{view} scrolls sideways"
        picture = await self.page.screenshot(animations="disabled", caret="hide")
        compare(picture, LOOKS / f"{view}-{self.name}.webp")
        await self.page.set_viewport_size(self.window)

    async def _grow(self) -> None:
        """Make the window as high as what it shows."""
        height = await self.page.evaluate("document.documentElement.scrollHeight")
        await self.page.set_viewport_size({**self.window, "height": height})

    @property
    def window(self) -> ViewportSize:
        """How large the window is."""
        width, height = SIZES[self.name.partition("-")[0]]
        return {"width": width, "height": height}


def compare(picture: bytes, known: Path) -> None:
    """A picture looks like the known one; both are kept at half their size, since nobody reads them."""
    now = Image.open(io.BytesIO(picture)).convert("RGB")
    now = now.resize((now.width // 2, now.height // 2), Image.Resampling.BOX)
    if os.environ.get("UPDATE_LOOKS"):
        known.parent.mkdir(exist_ok=True)
        now.save(known, quality=70, method=6)
        return
    before = Image.open(known).convert("RGB")
    assert now.size == before.size
    difference = ImageChops.difference(now, before).convert("L").histogram()
    share = sum(difference[DIFFERENT:]) / sum(difference)
    if share > MAY_DIFFER:
        seen = known.with_suffix(".seen.png")
        now.save(seen)
        pytest.fail(f"{share:.1%} of {known.name} looks different; see {seen}")


@asynccontextmanager
async def themed_page(
    size: str = "wide", theme: str = "light", *, autoplay: bool = True, asks: bool = False
) -> AsyncIterator[ThemedPage]:
    """The log-in of a page whose clock stands still; the page must not have complained when it closes.

    Args:
        size: Its size.
        theme: Its colours.
        autoplay: Whether it may play sound before there was a gesture.
        asks: Whether it asks for notifications, as it does once in a browser.
    """
    async with kept_browser(autoplay=autoplay) as chromium:
        page = await chromium.page()
        complaints: list[str] = []
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        await page.clock.set_fixed_time(NOW)
        script = ScriptedServer(ACCOUNT)
        at = ThemedPage(page, script, f"{size}-{theme}", complaints)
        await page.set_viewport_size(at.window)
        await script.serve(page)
        if not asks:
            await page.add_init_script("localStorage.setItem('notifications', 'asked');")
        await page.goto(f"{ORIGIN}/")
        # Past the policy of the page, which would not let it in.
        await page.evaluate(axe_file().read_text("utf-8"))
        await page.wait_for_selector("#login")
        yield at
