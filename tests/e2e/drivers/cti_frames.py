"""What pages send and receive on the CTI's WebSocket, compared with the schema."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from tests.adapters.xuc.schema import allows, check_event

if TYPE_CHECKING:
    from playwright.async_api import Page, WebSocket


class CtiFrames:
    """The frames of all pages that are watched.

    Attributes:
        forbidden: Those that the schema does not allow, each with what is wrong.
        logged_on: When a page was logged on, by the monotonic clock.
    """

    def __init__(self) -> None:
        self.forbidden: list[str] = []
        self.logged_on: list[float] = []

    def watch(self, page: Page) -> None:
        """Compare the frames of a page from now on."""
        page.on("websocket", self._opened)

    def _opened(self, socket: WebSocket) -> None:
        if "/xuc/api/2.0/cti" in socket.url:
            socket.on("framesent", self._sent)
            socket.on("framereceived", self._received)

    def _sent(self, frame: str | bytes) -> None:
        if not allows(json.loads(frame)):
            self.forbidden.append(f"the page sent {frame!r}")

    def _received(self, frame: str | bytes) -> None:
        event = json.loads(frame)
        if event.get("msgType") == "LoggedOn":
            self.logged_on.append(time.monotonic())
        try:
            check_event(event)
        except AssertionError as error:
            self.forbidden.append(str(error))
