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
WIDE: Final = (1280, 800)
NARROW: Final = (390, 780)
COLOURS: Final = 256
LARGEST: Final = 150_000
TO_THE_TOP: Final = "() => { document.documentElement.style.scrollbarWidth = 'none'; scrollTo(0, 0); }"
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
        await row.filter(has_text=text).wait_for(state="attached")

    async def log_in(self) -> None:
        """Log Alice in, and wait until her browser's phone is registered."""
        await self.alice.fill("#login", "alice")
        await self.alice.fill("#password", "alice")
        await self.alice.click("form .button.main")
        await self.alice.locator(".part-devices").wait_for()
        await self.alice.locator(".part-people .row").nth(2).wait_for(state="attached")

    async def talks(self, with_: str) -> None:
        """Wait until Alice talks with a colleague, and the call's clock shows more than nothing."""
        await self.call("talking").wait_for()
        await self.presence(with_, "In a call")
        await asyncio.sleep(3.2)

    async def registered(self) -> None:
        """Wait until the browser is registered and is the device in use."""
        await self.alice.locator("[data-device=webrtc].device.in-use").wait_for()
        await self.alice.locator(".part-devices[data-registration=registered]").wait_for()


async def wide(at: Scene) -> None:
    """A day on a wide screen: log-in, a call that is transferred, one on the deskphone, the settings."""
    await at.alice.locator("#login").wait_for()
    await take(at.alice, "log-in")
    await at.log_in()
    await at.registered()
    await take(at.alice, "idle")
    await at.play("bob", "Call Alice")
    await at.alice.locator(".call.ringing[data-where=here]").wait_for()
    await take(at.alice, "ringing")
    await at.press("Answer")
    await at.talks("1002")
    await take(at.alice, "talking")
    await transferred(at)
    await at.alice.locator("[data-device=deskphone].device input").check()
    await at.alice.locator("[data-device=deskphone].device.in-use").wait_for()
    await at.play("david", "Call Alice")
    await at.press("Answer")
    await at.talks("1004")
    await take(at.alice, "deskphone")
    await take(at.phones, "demo-phones")
    await at.press("Hang up")
    await at.call("talking").wait_for(state="detached")
    await at.alice.click(".settings-button")
    await take(at.alice, "settings")


async def transferred(at: Scene) -> None:
    """Carol is looked for and asked, and Bob is connected to her."""
    await at.press("Transfer")
    await at.alice.locator("#transfer-to").press_sequentially("car")
    await at.alice.locator("#transfer-to-found [role=option]").first.wait_for()
    await take(at.alice, "transfer")
    await at.alice.press("#transfer-to", "Enter")
    await at.press("Ask first")
    await at.play("carol", "Lift")
    await at.talks("1003")
    await take(at.alice, "two-calls")
    await at.press("Complete the transfer")
    await at.call("talking").wait_for(state="detached")
    await at.play("carol", "Hang up")


async def narrow(at: Scene) -> None:
    """On a mobile phone: idle and in a call."""
    await at.log_in()
    await at.registered()
    await take(at.alice, "idle-narrow")
    await at.play("bob", "Call Alice")
    await at.press("Answer")
    await at.talks("1002")
    await take(at.alice, "talking-narrow")


async def fallback(at: Scene) -> None:
    """On a mobile phone: the browser's line cannot register, so calls ring on the deskphone."""
    await at.alice.route_web_socket("**/stage/line", lambda socket: socket.close())
    await at.log_in()
    await at.alice.locator("[data-device=deskphone].device.in-use").wait_for()
    await at.alice.locator(".trouble .button").last.click()
    await at.alice.locator(".why summary").click()
    await take(at.alice, "fallback")


async def take(page: Page, name: str) -> None:
    """Take a picture of a page from its top, without the scroll bar; in few colours, so that it is small."""
    await page.bring_to_front()  # a page that is behind another one is not drawn
    await page.mouse.move(0, 0)
    await page.evaluate(TO_THE_TOP)
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
        await alice.add_init_script("localStorage.setItem('notifications', 'asked')")
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
        for size, story in ((WIDE, wide), (NARROW, narrow), (NARROW, fallback)):
            async with scene(chromium, size) as at:
                await story(at)


if __name__ == "__main__":
    asyncio.run(main())
