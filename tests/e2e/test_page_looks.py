"""How the page looks, and whether everybody can use it: every view at three sizes, light and dark.

The server is scripted, so that names, times and counts are always the same. ``UPDATE_LOOKS=1`` takes what is
there now for right; look at the pictures before they are committed.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from attrs import frozen
from PIL import Image, ImageChops

from lab.browser import browser
from lab.place import axe_file
from tests.e2e.office import live
from tests.e2e.scripted import ACCOUNT, FALLEN_BACK, NOW, ORIGIN, Script, call

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

SIZES: Final = {"narrow": (360, 780), "middle": (820, 1120), "wide": (1360, 900)}
THEMES: Final = ("light", "dark")
LOOKS: Final = Path(__file__).with_name("looks")
DIFFERENT: Final = 60
"""By how much of 255 a point must differ to count: less is how a browser smooths edges."""

MAY_DIFFER: Final = 0.004
"""What share of the points may differ."""

AXE: Final = """async () => {
  const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run({ runOnly });
  return JSON.stringify(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), null, 1);
}"""


@frozen
class Look:
    """The page in a size and a theme.

    Attributes:
        complaints: What the browser wrote on its console as errors: what the page's policy forbids, say.
    """

    page: Page
    script: Script
    name: str
    complaints: list[str]

    async def log_in(self) -> None:
        await self.page.fill("#login", "alice")
        await self.page.fill("#password", "right")
        await self.page.click("form .button.main")
        await self.page.wait_for_selector(".rings-here")
        await self.page.wait_for_selector("[data-status=missed]", state="attached")

    async def own_call(self, status: str) -> None:
        """Show a call of the browser's phone."""
        answered = None if status == "ringing" else NOW.isoformat().replace("10:30:00", "10:28:26")
        calls = [
            {
                "id": "own",
                "direction": "incoming",
                "status": status,
                "peer": "1002",
                "peerName": "Bob Durand",
                "answered": answered,
                "muted": False,
            }
        ]
        await self.page.evaluate("(calls) => phone.changed('registered', calls)", calls)
        await self.page.wait_for_selector(f".call.{status}")

    async def check(self, view: str) -> None:
        """The view has no faults that axe finds, and looks as it should."""
        await self.page.mouse.move(0, 0)
        violations = await self.page.evaluate(AXE)
        assert json.loads(violations) == [], f"{view}: {violations}"
        picture = await self.page.screenshot(animations="disabled", caret="hide")
        compare(picture, LOOKS / f"{view}-{self.name}.webp")


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
async def look(size: str, theme: str) -> AsyncIterator[Look]:
    async with browser() as chromium:
        page = await chromium.page()
        complaints: list[str] = []
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        width, height = SIZES[size]
        await page.set_viewport_size({"width": width, "height": height})
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        await page.clock.set_fixed_time(NOW)
        script = Script(ACCOUNT)
        await script.serve(page)
        await page.goto(f"{ORIGIN}/")
        # Past the policy of the page, which would not let it in.
        await page.evaluate(axe_file().read_text("utf-8"))
        await page.wait_for_selector("#login")
        yield Look(page, script, f"{size}-{theme}", complaints)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
class TestViews:
    """S4, R17: every view is right to look at, and for who cannot look."""

    @live
    async def test_of_the_page(self, size: str, theme: str) -> None:
        async with look(size, theme) as at:
            await at.check("entrance")
            await at.log_in()
            await at.check("idle")
            if size == "narrow":
                for place in ("people", "history", "settings"):
                    await at.page.click(f".places button[data-place={place}]")
                    await at.check(place)
                await at.page.click(".places button[data-place=phone]")
            await at.own_call("ringing")
            await at.check("ringing")
            await at.own_call("talking")
            await at.page.click(".call button[aria-expanded]:has-text('Transfer')")
            await at.check("talking")
            await at.page.evaluate("phone.changed('registered', [])")
            at.script.account(**FALLEN_BACK, calls=[call(1, status="ringing", answered=None)])
            await at.page.evaluate("phone.troubled('line_unreachable')")
            await at.page.click(".why summary")
            await at.check("fallback")
            assert at.complaints == []
