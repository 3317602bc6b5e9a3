"""Calls that the PBX makes for a browser: it answers by itself, and then the number is dialled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from attrs import frozen

from lab.browser import Tab
from lab.waiting import until
from tests.e2e.fixtures.full_system import WEBRTC, FullSystem, full_system
from tests.event_loop import in_loop
from unique_account.core.account import Call, CallStatus, Direction
from unique_account.core.device_in_use import device_in_use
from unique_account.core.history import HistoryStatus
from unique_account.core.machine import Device
from unique_account.core.presence import Presence, presence

pytestmark = pytest.mark.e2e

APPLICATION = "[default](+)\nexten = 1004,1,Answer()\n same = n,Milliwatt()\n"
"""A number behind which an application answers, and nobody."""


@frozen(weakref_slot=False)
class Dialling:
    """Alice's browser is registered, and a program that knows no ``Dial`` is logged in.

    Attributes:
        command: Gives a command of the program.
    """

    at: FullSystem
    tab: Tab
    command: Callable[..., Awaitable[None]]

    async def has(self, status: CallStatus) -> Call:
        """Wait until Alice has one call, of this status."""

        async def so() -> bool:
            return [call.status for call in self.at.service.account("alice").calls] == [status]

        await until(so, f"a call that is {status}")
        return self.at.service.account("alice").calls[0]

    async def knows(self, call_id: str) -> None:
        """Wait until Alice's one call has this Call-ID, which Asterisk is asked for once it is there."""

        async def so() -> bool:
            return [call.sip_call_id for call in self.at.service.account("alice").calls] == [call_id]

        await until(so, f"the Call-ID {call_id}")

    async def has_none(self) -> None:
        """Wait until Alice has no call."""

        async def so() -> bool:
            return not self.at.service.account("alice").calls

        await until(so, "that no call is left")


@asynccontextmanager
async def dialling() -> AsyncIterator[Dialling]:
    """WebRTC is in use."""
    appended = {"extensions.conf": APPLICATION}
    async with full_system(appended=appended) as at, at.program() as command:
        tab = await at.chromium.tab(at.pbx, WEBRTC)

        async def so() -> bool:
            return device_in_use(at.service.account("alice")) is Device.WEBRTC

        await until(so, "that WebRTC is in use")
        yield Dialling(at, tab, command)


class TestADialledNumber:
    """R14, C2: the browser answers by itself, the number rings, and it is one call that the user made."""

    @in_loop
    async def test_rings_once_the_browser_has_answered(self) -> None:
        async with dialling() as here:
            await here.command("dial", destination="1002")
            shown = (await here.tab.event("ringing")).what.detail
            call_id = (await here.tab.event("call-id")).what.detail
            await here.tab.event("confirmed")
            await here.at.bob.event("CALL_INCOMING")
            call = await here.has(CallStatus.DIALLING)
            assert (shown, call.peer, call.direction) == ("1002", "1002", Direction.OUTGOING)
            assert (call.answered, call.sip_call_id) == (None, call_id)
            await here.at.bob.accept()
            call = await here.has(CallStatus.TALKING)
            assert call.answered is not None
            assert presence(here.at.service.account("alice")) is Presence.IN_USE

            async def heard() -> bool:
                return await here.tab.received() > 0

            await until(heard, "that the browser receives sound")
            await here.at.bob.hang_up()
            await here.has_none()
            (entry,) = (await here.at.service.histories.page("alice")).entries
            assert (entry.status, entry.peer, entry.device) == (HistoryStatus.EMITTED, "1002", Device.WEBRTC)
            assert entry.answered is not None

    @in_loop
    async def test_is_answered_by_an_application_too(self) -> None:
        async with dialling() as here:
            await here.command("dial", destination="1004")
            await here.tab.event("confirmed")
            call = await here.has(CallStatus.TALKING)
            assert call.peer == "1004"
            await here.command("hangup")
            await here.has_none()


class TestACallId:
    """C2: the browser's name of each of its calls is known, whoever began the call."""

    @in_loop
    async def test_is_known_of_calls_in_both_directions(self) -> None:
        async with dialling() as here:
            await here.at.bob.dial("1001")
            call_id = (await here.tab.event("call-id")).what.detail
            assert (await here.has(CallStatus.RINGING)).direction is Direction.INCOMING
            await here.knows(call_id)
            await here.at.bob.hang_up()
            closed = (await here.tab.event("closed")).at
            await here.has_none()
            await here.tab.dial("1002")
            own = (await here.tab.event("call-id", after=closed)).what.detail
            await here.at.bob.event("CALL_INCOMING", after=closed)
            await here.knows(own)
