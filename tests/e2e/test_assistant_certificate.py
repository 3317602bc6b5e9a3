"""The UC Assistant where the telephone system has a certificate that nobody vouches for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.certificates import self_signed
from lab.config import section
from lab.ports import LOOPBACK, port
from tests.e2e.drivers.assistant_calls import answer_bobs_call, page_plays
from tests.e2e.drivers.page import expect
from tests.e2e.fixtures.full_system import full_system
from tests.event_loop import in_loop

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e


def of_its_own(folder: Path, number: int) -> dict[str, str]:
    """What a node needs to speak TLS at a port, with a certificate that it signed itself."""
    made = self_signed(folder)
    tls = {
        "tlsenable": "yes",
        "tlsbindaddr": f"{LOOPBACK}:{number}",
        "tlscertfile": str(made.chain),
        "tlsprivatekey": str(made.key),
    }
    lines = "".join(f"{name} = {value}\n" for name, value in tls.items())
    wss = section("wss", {"type": "transport", "protocol": "wss", "bind": LOOPBACK})
    return {"http.conf": lines, "pjsip.conf": wss}


async def accept_there(warning: Page) -> None:
    """Go on in spite of the browser's warning, as its user can."""
    await warning.click("#details-button")
    await warning.click("#proceed-link")


class TestUntrusted:
    """R17: of a certificate that the browser does not trust the page says what to do, and that helps."""

    @in_loop
    async def test_is_accepted_at_the_address_that_the_page_gives(self, tmp_path: Path) -> None:
        number = port()
        async with full_system(appended=of_its_own(tmp_path, number)) as at:
            at.lines.url = f"wss://{LOOPBACK}:{number}/ws"
            tab = await at.tab()
            await tab.log_in()
            await tab.in_use("deskphone").wait_for()
            trouble = tab.trouble("line_unreachable")
            await expect(trouble).to_contain_text("accept it there; then come back")
            async with tab.page.context.expect_page() as opened:
                await trouble.locator("a").click()
            await accept_there(await opened.value)
            await tab.page.bring_to_front()
            await expect(trouble).to_have_count(0, timeout=25_000)
            await tab.ready()
            await answer_bobs_call(at, tab)
            await page_plays(tab, at.bob.tone)
