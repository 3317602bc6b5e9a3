"""The page as a user sees it, on the demo whose deskphones a test plays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from attrs import frozen

from lab.browser import Tabs, kept_browser
from lab.waiting import until
from tests.e2e.drivers.cti_frames import CtiFrames
from unique_account.demo.company import stage

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page


def expect(what: Locator | Page) -> Any:
    """Playwright's ``expect``, imported late, so that the lab can say what is missing without it."""
    from playwright.async_api import expect as expected

    return expected(what)


async def holds(page: Page, expression: str) -> None:
    """Wait until an expression is true in a page.

    The page does not take it for a gesture of its user, as it does with playwright's own ``evaluate``. The
    policy of the page does not matter.
    """
    session = await page.context.new_cdp_session(page)

    async def now() -> bool:
        answer = await session.send("Runtime.evaluate", {"expression": f"Boolean({expression})"})
        return bool(answer["result"].get("value"))

    await until(now, expression)
    await session.detach()


async def open_settings(page: Page) -> None:
    """Show the settings, unless they are there, by the button of this size of the page."""
    if not await page.locator(".part-settings").is_visible():
        await page.locator(".settings-button:visible, .places [data-place=settings]:visible").click()
        await page.locator(".part-settings").wait_for()


async def close_settings(page: Page) -> None:
    """Go back from the settings to the calls."""
    await page.locator(".part-settings > header .button:visible, .places [data-place=phone]:visible").click()
    await page.locator(".part-devices").wait_for()


async def speak(page: Page, language: str) -> None:
    """Choose a language in the settings, and go back to the calls."""
    await open_settings(page)
    await page.locator("[data-choice=language]").select_option(language)
    await close_settings(page)


@frozen
class Assistant:
    """One tab with the UC Assistant."""

    page: Page
    address: str

    async def log_in(self, user: str = "alice", password: str = "") -> None:
        """Log in, unless another tab of this browser has done so."""
        await self.page.goto(self.address)
        await self.page.locator("form .button.main:enabled, .who").first.wait_for()
        if await self.page.locator(".who").count():
            return
        await self.page.fill("#login", user)
        await self.page.fill("#password", password or user)
        await self.page.click("form .button.main")

    def device(self, name: str) -> Locator:
        """One of the two devices."""
        return self.page.locator(f"[data-device={name}].device")

    def in_use(self, name: str) -> Locator:
        """A device, once it is the one in use."""
        return self.page.locator(f"[data-device={name}].device.in-use")

    async def ready(self) -> None:
        """Calls ring in browsers, and this very tab is one of them; another may have been before it."""
        await self.in_use("webrtc").wait_for()
        await self.page.locator(".part-devices[data-registration=registered]").wait_for()

    def call(self, status: str, where: str = "here") -> Locator:
        """A call that is shown."""
        return self.page.locator(f".call.{status}[data-where={where}]")

    def button(self, text: str) -> Locator:
        """A button of a call."""
        return self.page.locator(".call .button").filter(has_text=text)

    def colleague(self, number: str) -> Locator:
        """What a colleague is doing."""
        return self.page.locator(f".part-people [data-number='{number}'] .presence")

    def entries(self, status: str) -> Locator:
        """Entries of the history."""
        return self.page.locator(f".part-history .row[data-status={status}]")

    def trouble(self, kind: str) -> Locator:
        """A notice."""
        return self.page.locator(f".trouble[data-kind={kind}], .trouble[data-id={kind}]")

    async def select(self, name: str) -> None:
        await self.device(name).locator("input").check()

    async def uses(self, name: str) -> None:
        """Select a device, and wait until it is in use."""
        await self.select(name)
        await self.in_use(name).wait_for()

    async def transfer(self, number: str, how: str) -> None:
        """Transfer the call that is talked on: by ``Transfer now`` or ``Ask first``."""
        await self.button("Transfer").click()
        await self.page.fill("#transfer-to", number)
        await self.button(how).click()

    async def forward(self, kind: str, number: str) -> Locator:
        """Set a forward, in the settings."""
        await open_settings(self.page)
        forward = self.page.locator(f"[data-forward={kind}]")
        await forward.locator("input.input").fill(number)
        await forward.get_by_role("button", name="Save").click()
        return forward

    async def dial(self, number: str) -> None:
        await self.page.fill("#number", number)
        await self.page.press("#number", "Enter")


@frozen
class PlayedPhones:
    """The demo's page of played deskphones."""

    page: Page

    def phone(self, user: str) -> Locator:
        return self.page.locator(f".desk[data-user={user}]")

    def call(self, user: str, status: str) -> Locator:
        """A call on a deskphone."""
        return self.phone(user).locator(f".call.{status}")

    async def press(self, user: str, key: str) -> None:
        await self.phone(user).get_by_role("button", name=key, exact=True).first.click()

    async def dial(self, user: str, number: str) -> None:
        await self.phone(user).locator("input").fill(number)
        await self.press(user, "Dial")


@frozen
class DemoBrowser:
    """A browser on the demo."""

    chromium: Tabs
    address: str
    phones: PlayedPhones
    console_errors: list[str]
    frames: CtiFrames

    async def assistant(self, user: str = "alice", computer: str = "") -> Assistant:
        """A new tab: at the log-in, unless this user is logged in to another tab of this computer."""
        profile = computer if user == "alice" else f"{user} {computer}"
        page = await self.chromium.page(profile)
        page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        self.frames.watch(page)
        await page.goto(self.address)
        return Assistant(page, self.address)

    async def logged_in(self, user: str = "alice", computer: str = "") -> Assistant:
        """A new tab that a user logged in to, with its line registered."""
        assistant = await self.assistant(user, computer)
        await assistant.log_in(user)
        await assistant.ready()
        return assistant


@asynccontextmanager
async def demo_browser(*, autoplay: bool = True) -> AsyncIterator[DemoBrowser]:
    """The demo, a browser and its played phones; at the end, no page had an error or a forbidden frame.

    Args:
        autoplay: Whether pages may play sound before there was a gesture.
    """
    console_errors: list[str] = []
    frames = CtiFrames()
    async with stage(0) as address, kept_browser(autoplay=autoplay) as chromium:
        hands = await chromium.page()
        hands.on("pageerror", lambda error: console_errors.append(str(error)))
        await hands.goto(f"{address}stage/")
        await hands.wait_for_selector(".desk")
        yield DemoBrowser(chromium, address, PlayedPhones(hands), console_errors, frames)
    assert console_errors == []
    assert frames.forbidden == []
