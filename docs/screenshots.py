"""Takes the pictures of the documentation from the running demo: ``python -m docs.screenshots``.

It needs the lab's browser (``python -m lab install``). Look at the pictures before you commit them.
"""

from __future__ import annotations

import asyncio
import io
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen
from PIL import Image

from lab.browser import Browser, browser

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

IMAGES: Final = Path(__file__).with_name("images")
WIDE: Final = (1200, 780)
NARROW: Final = (390, 780)
COLOURS: Final = 256
LARGEST: Final = 150_000
SCROLL: Final = "(place) => scrollTo(0, place ? document.querySelector(place).offsetTop - 90 : 0)"
DEMO: Final = ("-m", "unique_account", "demo", "--web", "--port", "0")


@frozen
class Scene:
    """The demo in a browser: Alice's page, and the page that plays the deskphones."""

    alice: Page
    phones: Page

    def call(self, status: str) -> Locator:
        """A call on Alice's page."""
        return self.alice.locator(f".call.{status}").first

    async def press(self, button: str) -> None:
        """Press a button of a call."""
        await self.alice.locator(".call .button").filter(has_text=button).first.click()

    async def play(self, user: str, key: str) -> None:
        """Press a key of a deskphone."""
        desk = self.phones.locator(f".desk[data-user={user}]")
        await desk.get_by_role("button", name=key, exact=True).first.click()

    async def presence(self, number: str, text: str) -> None:
        """Wait until a colleague's presence says this."""
        row = self.alice.locator(f".part-people [data-number='{number}'] .presence")
        await row.filter(has_text=text).wait_for()

    async def log_in(self) -> None:
        """Log Alice in, and wait until her browser's phone is registered."""
        await self.alice.fill("#login", "alice")
        await self.alice.fill("#password", "alice")
        await self.alice.click("form .button.main")
        await self.alice.locator(".part-devices").wait_for()
        await self.alice.locator(".part-people .row").nth(2).wait_for(state="attached")

    async def registered(self) -> None:
        """Wait until the browser is registered and is the device in use."""
        await self.alice.locator("[data-device=webrtc].device.in-use").wait_for()
        await self.alice.locator(".part-devices[data-registration=registered]").wait_for()


async def wide(at: Scene) -> None:
    """A day on a wide screen: log-in, a call that rings, is answered and transferred, and the deskphone."""
    await at.alice.locator("#login").wait_for()
    await take(at.alice, "log-in")
    await at.log_in()
    await at.registered()
    await at.play("bob", "Call Alice")
    await at.alice.locator(".call.ringing[data-where=here]").wait_for()
    await take(at.alice, "ringing")
    await at.press("Answer")
    await at.call("talking").wait_for()
    await at.presence("1002", "In a call")
    await asyncio.sleep(3.2)  # so that the call's clock shows more than nothing
    await take(at.alice, "talking")
    await at.press("Transfer")
    await at.alice.fill("#transfer-to", "1003")
    await take(at.alice, "transfer")
    await at.press("Hang up")
    await at.call("talking").wait_for(state="detached")
    await at.alice.locator("[data-device=deskphone].device input").check()
    await at.alice.locator("[data-device=deskphone].device.in-use").wait_for()
    await at.play("carol", "Call Alice")
    await at.press("Answer")
    await at.call("talking").wait_for()
    await at.presence("1003", "In a call")
    await asyncio.sleep(2.2)
    await take(at.alice, "deskphone")
    await take(at.phones, "demo-phones")


async def narrow(at: Scene) -> None:
    """On a phone: the browser's line cannot register, so calls ring on the deskphone; and the forwards."""
    await at.alice.route_web_socket("**/stage/line", lambda socket: socket.close())
    await at.log_in()
    await at.alice.locator("[data-device=deskphone].device.in-use").wait_for()
    why = at.alice.locator(".why details")
    await why.evaluate("details => (details.open = true)")
    await take(at.alice, "fallback", ".part-devices")
    await at.alice.locator(".trouble .button").last.click()
    await at.alice.click(".places button[data-place=settings]")
    await take(at.alice, "forwards")


async def take(page: Page, name: str, place: str = "") -> None:
    """Take a picture of a page from its top, or from a place; in few colours, so that it is small."""
    await page.bring_to_front()  # a page that is behind another one is not drawn
    await page.mouse.move(0, 0)
    await page.evaluate(SCROLL, place)
    picture = Image.open(io.BytesIO(await page.screenshot(caret="hide")))
    file = IMAGES / f"{name}.png"
    picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    if file.stat().st_size > LARGEST:
        raise SystemExit(f"{file.name} has {file.stat().st_size} bytes; at most {LARGEST} are allowed")
    print(f"{file.name}: {file.stat().st_size} bytes")


@asynccontextmanager
async def demo() -> AsyncIterator[str]:
    """The demo with its page; yields the address of the UC Assistant."""
    process = await asyncio.create_subprocess_exec(sys.executable, *DEMO, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        found = None
        while found is None:
            line = (await process.stdout.readline()).decode()
            if not line:
                raise SystemExit("the demo did not start")
            found = re.search(r"http://\S+/", line)
        yield found[0]
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def scene(chromium: Browser, size: tuple[int, int]) -> AsyncIterator[Scene]:
    """A fresh demo, with Alice's page in this size."""
    async with demo() as address:
        alice, phones = await chromium.page(), await chromium.page()
        await alice.emulate_media(color_scheme="light", reduced_motion="reduce")
        await alice.set_viewport_size({"width": size[0], "height": size[1]})
        await alice.goto(address)
        await phones.set_viewport_size({"width": 1200, "height": 620})
        await phones.goto(f"{address}stage/")
        await phones.locator(".desk").first.wait_for()
        yield Scene(alice, phones)
        await alice.close()
        await phones.close()


async def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(exist_ok=True)
    async with browser() as chromium:
        for size, story in ((WIDE, wide), (NARROW, narrow)):
            async with scene(chromium, size) as at:
                await story(at)


if __name__ == "__main__":
    asyncio.run(main())
