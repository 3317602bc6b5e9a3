"""The SIP stack of the model of XiVO's client: JsSIP in Chromium, driven by what `LineConfig` says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lab.browser import Browser
from lab.ports import LOOPBACK
from tests.adapters.xuc.xivo_client import XivoClient
from unique_account.assistant import PAGE

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

_ADDRESS: Final = f"http://{LOOPBACK}/"
"""No server is there; loopback counts as a secure context, which WebRTC asks for."""

_SCRIPTS: Final = (PAGE / "vendor" / "jssip.js", Path(__file__).with_suffix(".js"))


class JsSipStack:
    """The SIP stack of one client; a `tests.adapters.xuc.xivo_workplace.Line`.

    Attributes:
        client: Whom it reports to.
        registered: The `LineConfig` by which it is registered; None: it is not.
        errors: What went wrong in the page.
    """

    def __init__(self, chromium: Browser) -> None:
        self.client: XivoClient
        self.registered: dict[str, Any] | None = None
        self.errors: list[str] = []
        self._chromium = chromium
        self._line: dict[str, Any] | None = None
        self._page: Page | None = None

    async def start(self, line: dict[str, Any]) -> None:
        if self._page is None:
            self._page = await self._load()
        self._line = line
        await self._page.evaluate("(line) => start(line)", line)

    async def stop(self) -> None:
        self._line = self.registered = None
        await self._do("stop")

    async def answer(self, call_id: str) -> None:
        await self._do("answer", call_id)

    async def hold(self, call_id: str, on: bool) -> None:
        await self._do("hold", call_id, on)

    async def mute(self, call_id: str, on: bool) -> None:
        await self._do("mute", call_id, on)

    async def press(self, call_id: str, key: str) -> None:
        await self._do("press", call_id, key)

    async def tones(self) -> list[float]:
        """The loudest frequency of each call, in hertz; 0 for silence."""
        return [] if self._page is None else list(await self._page.evaluate("tones()"))

    async def close(self) -> None:
        if self._page is not None:
            await self._page.close()
        assert self.errors == []

    async def _load(self) -> Page:
        page = await self._chromium.page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        await page.route(f"{_ADDRESS}**", _serve)
        await page.expose_function("report", self._reported)
        await page.goto(_ADDRESS)
        for script in _SCRIPTS:
            await page.add_script_tag(path=script)
        return page

    async def _do(self, function: str, *arguments: object) -> None:
        assert self._page is not None, "the stack was never started"
        await self._page.evaluate(f"(given) => {function}(...given)", list(arguments))

    async def _reported(self, kind: str, call_id: str, detail: str) -> None:
        match kind:
            case "registered":
                self.registered = self._line
            case "invite":
                await self.client.on_invite(call_id, detail)
            case "bye":
                self.client.on_bye(call_id)


async def _serve(route: Route) -> None:
    await route.fulfill(content_type="text/html", body="<!doctype html><title>SIP</title>")
