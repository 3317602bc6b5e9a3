"""The browser: headless Chromium, with tabs that each register a WebRTC line with JsSIP.

Chromium is started here and only then driven, so that it can be killed and frozen like any process.
"""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from lab.asterisk import Node
from lab.chromium import KeptChromium, address, command, start
from lab.config import Endpoint
from lab.journal import Journal, JournalEntry
from lab.ports import LOOPBACK
from lab.processes import Process, own_folder, running
from lab.programs import require
from lab.sound import own_tone
from unique_account.assistant import PAGE

if TYPE_CHECKING:
    from playwright.async_api import Browser as Chromium
    from playwright.async_api import BrowserContext, Page, Route

# The page comes from here without any server; loopback counts as a secure context, which WebRTC asks for.
_ORIGIN: Final = f"http://{LOOPBACK}"
_FILES: Final = Path(__file__).with_name("page")
_JSSIP: Final = PAGE / "vendor" / "jssip.js"


@frozen(weakref_slot=False)
class TabEvent:
    """What a tab reported.

    Attributes:
        kind: What, e.g. ``registered``, ``ringing``, ``confirmed``, ``closed``.
        detail: The caller's number, or the cause.
    """

    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.detail})" if self.detail else self.kind


class Tab:
    """A page with one WebRTC line."""

    def __init__(self, page: Page, pbx: Node, endpoint: Endpoint) -> None:
        self._journal: Journal[TabEvent] = Journal(f"the tab of {endpoint.name}", str)
        self._page = page
        self._pbx = pbx
        self._endpoint = endpoint

    async def register(self) -> None:
        """Load the page, or reload it, and register the line.

        Raises:
            NeverTold: It did not get registered within `lab.waiting.PATIENCE`.
        """
        asked = time.monotonic()
        await self._page.goto(f"{_ORIGIN}/index.html")
        await self._do("register", self._pbx.websocket, self._endpoint.name, self._endpoint.password)
        await self.event("registered", after=asked)

    async def unregister(self) -> None:
        """Take the registration back."""
        await self._do("unregister")

    async def dial(self, number: str) -> None:
        """Call a number."""
        await self._do("dial", number)

    async def answer(self) -> None:
        """Answer the call that rings."""
        await self._do("answer")

    async def hang_up(self) -> None:
        """End the current call, or refuse the one that rings."""
        await self._do("hangUp")

    async def terminate(self) -> None:
        """End the current call, or say of the one that rings that nobody is available."""
        await self._do("terminate")

    async def hold(self) -> None:
        """Put the current call on hold; another one may be dialled beside it."""
        await self._do("hold")

    async def transfer(self, number: str) -> None:
        """Give the current call to a number, unseen."""
        await self._do("transfer", number)

    async def join(self) -> None:
        """Give the call that is on hold to whom the one that was dialled beside it is with."""
        await self._do("join")

    async def received(self) -> float:
        """How much it heard in its call so far; 0 for silence."""
        return float(await self._page.evaluate("heard()"))

    async def close(self) -> None:
        """Close the tab, as a user does, without a word to anybody."""
        await self._page.close()

    async def event(self, kind: str, *, after: float = 0.0) -> JournalEntry[TabEvent]:
        """The first event of this kind that was reported at an instant or later.

        Raises:
            NeverTold: None came within `lab.waiting.PATIENCE`.
        """
        return await self._journal.wait(lambda event: event.kind == kind, kind, after=after)

    async def _do(self, function: str, *arguments: str) -> None:
        await self._page.evaluate(f"(given) => {{ {function}(...given) }}", list(arguments))

    def _reported(self, kind: str, detail: str) -> None:
        self._journal.write(TabEvent(kind, detail))


class Tabs:
    """A running Chromium, as far as its tabs go.

    Attributes:
        tone: The frequency that its tabs speak, in hertz.
    """

    def __init__(self, chromium: Chromium, profile: BrowserContext, tone: int) -> None:
        self.tone = tone
        self._chromium = chromium
        self._profiles = {"": profile}

    async def tab(self, pbx: Node, endpoint: Endpoint) -> Tab:
        """A new tab, registered as an endpoint of a node.

        Raises:
            NeverTold: It did not get registered within `lab.waiting.PATIENCE`.
        """
        page = await self.page()
        tab = Tab(page, pbx, endpoint)
        await page.route(f"{_ORIGIN}/**", _serve)
        await page.expose_function("tell", tab._reported)
        await tab.register()
        return tab

    async def page(self, profile: str = "") -> Page:
        """A new tab that nothing is loaded in yet; tabs of another profile share no storage with it."""
        if profile not in self._profiles:
            self._profiles[profile] = await self._chromium.new_context()
        return await self._profiles[profile].new_page()

    async def aclose(self) -> None:
        """Close every tab, and forget what they kept."""
        for profile in self._profiles.values():
            await profile.close()


class Browser(Tabs):
    """A running Chromium that may be killed and frozen."""

    def __init__(self, chromium: Chromium, process: Process, tone: int) -> None:
        super().__init__(chromium, chromium.contexts[0], tone)
        self._process = process

    async def kill(self) -> None:
        """End all of its processes at once."""
        await self._process.kill()

    def freeze(self) -> None:
        """Stop all of its processes where they are; their connections stay open, and say nothing."""
        self._process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let frozen processes go on."""
        self._process.signal(signal.SIGCONT)


@asynccontextmanager
async def browser(*, autoplay: bool = True, secure: str = "") -> AsyncIterator[Browser]:
    """A browser with no tabs of ours yet; it is gone when the context closes.

    Args:
        autoplay: Whether pages may play sound before there was a gesture.
        secure: An origin that counts as secure, although it is neither on loopback nor has a certificate.

    Raises:
        NotInstalled: There is no Chromium, or nothing to drive it with.
    """
    require()
    # Only here, so that the lab can say what is missing without it.
    from playwright.async_api import async_playwright

    async with AsyncExitStack() as stack:
        folder = stack.enter_context(own_folder("browser"))
        tone = own_tone()
        more = (f"--unsafely-treat-insecure-origin-as-secure={secure}",) if secure else ()
        driver = await stack.enter_async_context(async_playwright())
        process = await stack.enter_async_context(
            running(*command(folder, tone, autoplay, *more), log=folder / "log")
        )
        chromium = await driver.chromium.connect_over_cdp(await address(folder))
        yield Browser(chromium, process, tone)
        await process.kill()  # nobody looks at what it would write


_kept: dict[bool, KeptChromium] = {}


@asynccontextmanager
async def kept_browser(*, autoplay: bool = True) -> AsyncIterator[Tabs]:
    """A browser that is started once, and used by one after the other; a use finds nothing of earlier ones.

    It ends with this process. It is for tests of a page: those of telephony kill it, or change its network.

    Args:
        autoplay: Whether pages may play sound before there was a gesture.

    Raises:
        NotInstalled: There is no Chromium, or nothing to drive it with.
    """
    require()
    from playwright.async_api import async_playwright

    kept = _kept.pop(autoplay, None) or start(autoplay)
    try:
        async with async_playwright() as driver:
            chromium = await driver.chromium.connect_over_cdp(await address(kept.folder))
            tabs = Tabs(chromium, await chromium.new_context(no_viewport=True), kept.tone)
            yield tabs
            await tabs.aclose()
    except BaseException:
        kept.stop()  # who knows what is left of it
        raise
    if _kept.setdefault(autoplay, kept) is not kept:
        kept.stop()


async def _serve(route: Route) -> None:
    name = Path(route.request.url).name
    file = _JSSIP if name == _JSSIP.name else _FILES / name
    if file.is_file():
        await route.fulfill(path=file)
    else:
        await route.fulfill(status=404)
