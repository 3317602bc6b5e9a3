"""The model of XiVO's client at the server: over real WebSockets, with the PBX double in the place of SIP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from tests.adapters.xuc.assistants import ALICE, BOB, PASSWORDS, Installation, installation
from tests.adapters.xuc.xivo_client import AUTOMATIC_ANSWER, XivoClient
from tests.adapters.xuc.xivo_workplace import BROWSER, DESKPHONE, Workplace, logged_in
from unique_account.adapters.memory import PlacedCall
from unique_account.adapters.memory.calls import PhoneLeg
from unique_account.core.account import CallStatus

_INTERFACES: Final = {DESKPHONE: ALICE.deskphone, BROWSER: ALICE.webrtc, BOB.extension: BOB.deskphone}


class MemorySip:
    """The line of Alice's browser on the PBX double, as one client uses it.

    Attributes:
        client: Whom it reports to.
        registered: The `LineConfig` by which it registered; None: it is not registered.
        keys: The keys that were pressed.
    """

    def __init__(self, at: Installation, contact: str) -> None:
        self._at = at
        self._contact = contact
        self.client: XivoClient
        self.registered: dict[str, Any] | None = None
        self.keys = ""
        self._carrying = asyncio.create_task(self._carry())

    async def start(self, line: dict[str, Any]) -> None:
        assert (line["name"], line["password"], line["sipPort"]) == ("alice_w", "alice_w-secret", 443)
        assert line["sipProxyName"] == "default"
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

    async def mute(self, call_id: str, on: bool) -> None:
        self._find(call_id)

    async def press(self, call_id: str, key: str) -> None:
        self._find(call_id)
        self.keys += key

    async def close(self) -> None:
        self._carrying.cancel()

    def _find(self, call_id: str) -> tuple[PlacedCall, PhoneLeg]:
        return next((call, leg) for call, leg in self._legs() if leg.sip_call_id == call_id)

    def _legs(self) -> list[tuple[PlacedCall, PhoneLeg]]:
        return [
            (call, leg) for call in self._at.pbx.calls for leg in call.legs if leg.interface == ALICE.webrtc
        ]

    async def _carry(self) -> None:
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


class MemoryPhones:
    """The phones of the PBX double: who hears whom follows from its calls."""

    def __init__(self, at: Installation, sip: MemorySip) -> None:
        self._at = at
        self._sip = sip

    async def call(self, caller: str) -> None:
        await self._at.pbx.call("1001", caller=caller)

    async def pick_up(self, number: str) -> None:
        def ringing() -> list[PlacedCall]:
            legs = [(call, call.ringing_leg) for call in self._at.pbx.calls]
            return [call for call, leg in legs if leg and leg.interface == _INTERFACES[number]]

        await self._at.wait_until(ringing)
        await self._at.pbx.pick_up(ringing()[0])

    async def hang_up(self, number: str) -> None:
        await self._at.pbx.end(next(call for call in self._at.pbx.calls if number in _ends(call)))

    async def hear(self, one: str, other: str) -> None:
        await self._at.wait_until(lambda: self._talk(one, other))

    def _talk(self, one: str, other: str) -> bool:
        interface = _INTERFACES.get(one)
        joined = [{*_ends(call), *_ends(call.joined)} for call in self._at.pbx.calls if call.joined]
        return {one, other, "1001"} in joined or any(
            self._is_audible(leg)
            for call in self._at.pbx.calls
            for leg in call.legs
            if (leg.interface, leg.peer) == (interface, other)
        )

    def _is_audible(self, leg: PhoneLeg) -> bool:
        known = self._sip.client.sip_calls.get(leg.sip_call_id)
        return leg.status is CallStatus.TALKING and not (known and known.muted)

    async def hears_nothing(self, number: str) -> None:
        def silent() -> bool:
            legs = [leg for call in self._at.pbx.calls for leg in call.legs if leg.peer == number]
            return bool(legs) and not any(map(self._is_audible, legs))

        await self._at.wait_until(silent)

    async def takes_key(self, key: str) -> None:
        await self._at.wait_until(lambda: key in self._sip.keys)


def _ends(call: PlacedCall) -> tuple[str, str]:
    return call.caller, call.number


class MemoryWorkplace(Workplace):
    """Alice at XiVO's client, on the double.

    Attributes:
        at: The installation.
    """

    at: Installation


@asynccontextmanager
async def workplace(
    at: Installation, contact: str = "xivo-1", *, registers: bool = True
) -> AsyncIterator[MemoryWorkplace]:
    """A logged-in client."""
    sip = MemorySip(at, contact)
    place = MemoryWorkplace(at.browser, PASSWORDS["alice"], sip, MemoryPhones(at, sip), registers=registers)
    place.at = at
    async with logged_in(place):
        yield place


class MemoryOffice:
    """The double as an office."""

    def __init__(self, at: Installation) -> None:
        self._at = at
        self._contacts = 0

    def workplace(self, *, registers: bool = True) -> AbstractAsyncContextManager[MemoryWorkplace]:
        """A logged-in client."""
        self._contacts += 1
        return workplace(self._at, f"xivo-{self._contacts}", registers=registers)


@asynccontextmanager
async def memory_office() -> AsyncIterator[MemoryOffice]:
    """An installation where one client may have the line."""
    async with installation(ringing_tabs=1) as at:
        yield MemoryOffice(at)


@asynccontextmanager
async def xivo_office(**changes: Any) -> AsyncIterator[MemoryWorkplace]:
    """An installation, and Alice at XiVO's client with WebRTC in use."""
    async with installation(**changes) as at, workplace(at) as place:
        await place.on_webrtc()
        yield place
