"""A person at XiVO's client: its model, its WebSocket, its SIP stack, and the phones of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Protocol

from websockets.asyncio.client import ClientConnection, connect

from tests.adapters.xuc.assistants import PATIENCE, Browser, Tab
from tests.adapters.xuc.xivo_client import SipStack, XivoClient

BROWSER: Final = "browser"
DESKPHONE: Final = "1001"
BOB: Final = "1002"
CAROL: Final = "1003"
"""Who talks in a scene: Alice in the browser, Alice at her deskphone, and two others."""


class Line(SipStack, Protocol):
    """The SIP stack of one client.

    Attributes:
        client: Whom it reports to.
        registered: The `LineConfig` by which it is registered; None: it is not.
    """

    client: XivoClient
    registered: dict[str, Any] | None

    async def close(self) -> None:
        """Free what it holds."""


class Phones(Protocol):
    """The phones of an installation, and what is heard on them. Numbers name them, and `BROWSER` Alice's."""

    async def call(self, caller: str) -> None:
        """Let somebody call Alice."""

    async def pick_up(self, number: str) -> None:
        """Wait until a phone rings, and pick it up."""

    async def hang_up(self, number: str) -> None:
        """Hang up a phone."""

    async def hear(self, one: str, other: str) -> None:
        """Wait until two hear each other."""

    async def hears_nothing(self, number: str) -> None:
        """Wait until a phone in a call hears nobody."""

    async def takes_key(self, key: str) -> None:
        """Wait until a tone that Alice sent has arrived."""


class ClientTab(Tab):
    """A WebSocket whose frames the model takes."""

    def __init__(self, socket: ClientConnection, client: XivoClient) -> None:
        self._client = client
        super().__init__(socket)

    async def _after_frame(self) -> None:
        await self._client.take(self.frames[-1])


class Workplace:
    """Alice at a browser with XiVO's client.

    Attributes:
        client: The client.
        sip: Its SIP stack.
        phones: The phones around it.
        tab: Its WebSocket.
    """

    def __init__(
        self, browser: Browser, password: str, line: Line, phones: Phones, *, registers: bool
    ) -> None:
        self.phones = phones
        self.sip = line
        self.client = XivoClient(self._send, line, registers)
        line.client = self.client
        self.tab: ClientTab
        self._browser = browser
        self._password = password
        self._token = ""

    async def _send(self, frame: dict[str, Any]) -> None:
        await self.tab.send(frame)

    async def log_in(self) -> None:
        """Log in, as that client does."""
        body = {"login": "alice", "password": self._password}
        answer = await self._browser.request("POST", "auth/login", json=body)
        self._token = answer.json()["token"]
        await self.connect()

    async def connect(self) -> None:
        """Open the WebSocket, as the page around that client does, also after it was lost."""
        url = await self._browser.url(f"cti?token={self._token}", "ws")
        socket = await connect(url, compression=None, proxy=None)
        self.tab = ClientTab(socket, self.client)
        await self.until(lambda: self.tab.last("CurrentCallsPhoneEvents") is not None)

    async def lose_connection(self) -> None:
        """Cut the WebSocket."""
        self.tab.socket.transport.abort()
        await self.tab.closed()

    async def renew(self) -> None:
        """Renew the token."""
        headers = {"Authorization": f"Bearer {self._token}"}
        self._token = (await self._browser.request("GET", "auth/check", headers=headers)).json()["token"]

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait until the client, or the world, looks like this."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not happened():  # noqa: ASYNC110 - a client gives no signal
                    await asyncio.sleep(0.005)
        except TimeoutError:
            client = self.client
            sentence = f"the client shows {client.calls}, errors {client.errors}, SIP {client.sip_calls}"
            raise TimeoutError(sentence) from None

    async def settled(self) -> None:
        """Wait until all that was sent before is answered."""
        answers = len(self.tab.reported("IceConfig"))
        await self.client.command("getIceConfig")
        await self.until(lambda: len(self.tab.reported("IceConfig")) > answers)

    async def shows(self, *calls: tuple[str, str]) -> None:
        """Wait until the client shows these calls and no others, as event and number."""
        await self.until(
            lambda: sorted((one.event, one.number) for one in self.client.calls.values()) == sorted(calls)
        )

    async def on_webrtc(self) -> None:
        """Wait until the browser is the device in use."""
        await self.until(
            lambda: self.sip.registered and self.tab.last("UniqueAccount")["deviceInUse"] == "webrtc"
        )

    async def stop_and_leave(self) -> None:
        """Close the page, as a log-out does."""
        await self.client.stop_stack()
        await self.tab.close()


class Office(Protocol):
    """An installation where one client may have the line."""

    def workplace(self, *, registers: bool = True) -> AbstractAsyncContextManager[Workplace]:
        """A logged-in client."""


@asynccontextmanager
async def logged_in(place: Workplace) -> AsyncIterator[Workplace]:
    """The client is logged in; at the end, a person must have seen nothing wrong."""
    await place.log_in()
    try:
        yield place
        if place.tab.open:
            await place.settled()
            place.client.check()
    finally:
        await place.stop_and_leave()
        await place.sip.close()


@asynccontextmanager
async def on_webrtc(office: Office) -> AsyncIterator[Workplace]:
    """Alice is at XiVO's client, and WebRTC is in use."""
    async with office.workplace() as place:
        await place.on_webrtc()
        yield place
