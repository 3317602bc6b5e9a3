"""The model of XiVO's client at the server: over real WebSockets, with the PBX double in the place of SIP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.adapters.xuc.assistants import ALICE, Installation, Tab, installation
from tests.adapters.xuc.xivo_client import AUTOMATIC_ANSWER, XivoClient
from unique_account.adapters.memory import PlacedCall
from unique_account.adapters.memory.calls import PhoneLeg


class MemorySip:
    """The line of Alice's browser on the PBX double, as one client uses it.

    Attributes:
        client: Whom it reports to.
        registered: The `LineConfig` by which it registered; None: it is not registered.
    """

    def __init__(self, at: Installation, contact: str) -> None:
        self._at = at
        self._contact = contact
        self.client: XivoClient
        self.registered: dict[str, Any] | None = None

    async def start(self, line: dict[str, Any]) -> None:
        assert (line["name"], line["password"], line["sipPort"]) == ("alice_w", "alice_w-secret", 443)
        self.registered = line
        await self._at.pbx.register(ALICE.webrtc, self._contact)

    async def stop(self) -> None:
        self.registered = None
        await self._at.pbx.unregister(ALICE.webrtc, self._contact)

    async def answer(self, call_id: str) -> None:
        await self._at.pbx.pick_up(self._find(call_id)[0])

    async def hold(self, call_id: str, on: bool) -> None:
        _, leg = self._find(call_id)
        await (self._at.pbx.hold if on else self._at.pbx.resume)(leg.id)

    def _find(self, call_id: str) -> tuple[PlacedCall, PhoneLeg]:
        return next((call, leg) for call, leg in self._legs() if leg.sip_call_id == call_id)

    def _legs(self) -> list[tuple[PlacedCall, PhoneLeg]]:
        return [
            (call, leg) for call in self._at.pbx.calls for leg in call.legs if leg.interface == ALICE.webrtc
        ]

    async def carry(self) -> None:
        """Report calls to the client as they begin and end, until cancelled."""
        while True:
            await asyncio.sleep(0.002)
            legs = {leg.sip_call_id: call for call, leg in self._legs()} if self.registered else {}
            for call_id, call in legs.items():
                if call_id not in self.client.sip_calls:
                    alert = AUTOMATIC_ANSWER if call.answers_itself else ""
                    await self.client.on_invite(call_id, alert)
            for call_id in self.client.sip_calls.keys() - legs.keys():
                self.client.on_bye(call_id)


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
        tab: Its WebSocket.
    """

    def __init__(self, at: Installation, contact: str, registers: bool) -> None:
        self.at = at
        self.sip = MemorySip(at, contact)
        self.client = XivoClient(self._send, self.sip, registers)
        self.sip.client = self.client
        self.token = ""
        self.tab: ClientTab

    async def _send(self, frame: dict[str, Any]) -> None:
        await self.tab.send(frame)

    async def log_in(self) -> None:
        """Log in, as that client does."""
        self.token = await self.at.browser.log_in("alice", application=None)
        await self.connect()

    async def connect(self) -> None:
        """Open the WebSocket, as the page around that client does, also after it was lost."""
        url = await self.at.browser.url(f"cti?token={self.token}", "ws")
        socket = await connect(url, compression=None, proxy=None)
        self.tab = ClientTab(socket, self.client)
        await self.until(lambda: self.tab.last("CurrentCallsPhoneEvents") is not None)

    async def renew(self) -> None:
        """Renew the token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        self.token = (await self.at.browser.request("GET", "auth/check", headers=headers)).json()["token"]

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait until the client, or the world, looks like this."""
        await self.at.wait_until(happened)

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

    async def stop_and_leave(self) -> None:
        """Close the page, as a log-out does."""
        await self.client.stop_stack()
        await self.tab.close()

    async def on_webrtc(self) -> None:
        """Wait until the browser is the device in use."""
        await self.until(
            lambda: self.sip.registered and self.tab.last("UniqueAccount")["deviceInUse"] == "webrtc"
        )


@asynccontextmanager
async def workplace(
    at: Installation, contact: str = "xivo-1", *, registers: bool = True
) -> AsyncIterator[Workplace]:
    """A logged-in client; at the end, a person must have seen nothing wrong."""
    place = Workplace(at, contact, registers)
    await place.log_in()
    carrying = asyncio.create_task(place.sip.carry())
    try:
        yield place
        if place.tab.open:
            await place.settled()
            place.client.check()
    finally:
        carrying.cancel()
        await place.tab.close()


@asynccontextmanager
async def xivo_office(**changes: Any) -> AsyncIterator[Workplace]:
    """An installation, and Alice at XiVO's client with WebRTC in use."""
    async with installation(**changes) as at, workplace(at) as place:
        await place.on_webrtc()
        yield place
