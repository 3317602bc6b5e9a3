"""What every CTI reports of its users."""

from __future__ import annotations

import asyncio

import pytest

from unique_account.core.errors import Refused
from unique_account.core.events import DeviceSelected, Event
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.core.view import view
from unique_account.testing.contracts.cti.fixtures import ACTIVE, AssistantsContract, Opened
from unique_account.testing.contracts.scenario import scenario


class ReportsContract(AssistantsContract):
    """The actions of users are reported in order; the session that acted gets the answer."""

    @scenario
    async def test_actions_are_reported_in_order(self, opened: Opened) -> None:
        """Report what users do, as events."""
        cti, assistants = opened
        received: list[tuple[str, Event]] = []

        async def on_event(user: str, event: Event) -> None:
            if isinstance(event, DeviceSelected):
                received.append((user, event))

        actions = [("alice", DeviceSelected(device)) for device in (*Device, *Device)]
        async with self.listening(cti, on_event):
            for user, event in (*actions, ("bob", DeviceSelected(Device.WEBRTC))):
                await assistants.act(user, event)
        assert received == [*actions, ("bob", DeviceSelected(Device.WEBRTC))]

    @scenario
    async def test_a_refusal_is_the_answer_to_that_session(self, opened: Opened) -> None:
        """What ``on_event`` raises is the answer to that user's session, and to no other."""
        cti, assistants = opened
        refusal = Refused("logged_out", "select_webrtc", "it is a test", "leave it")
        received = []

        async def on_event(user: str, event: Event) -> None:
            if isinstance(event, DeviceSelected):
                if user == "alice":
                    raise refusal
                received.append(user)

        async with self.listening(cti, on_event):
            with pytest.raises(Refused) as answer:
                await assistants.act("alice", DeviceSelected(Device.WEBRTC))
            await assistants.act("bob", DeviceSelected(Device.WEBRTC))
        assert str(answer.value) == str(refusal)
        assert received == ["bob"]

    @scenario
    async def test_an_error_ends_nothing(self, opened: Opened) -> None:
        """What ``on_event`` raises ends nothing: further events are reported."""
        cti, assistants = opened
        received = []

        async def on_event(_: str, event: Event) -> None:
            if isinstance(event, DeviceSelected):
                received.append(event.device)
                if event.device is Device.WEBRTC:
                    raise LookupError("the store is down")

        async with self.listening(cti, on_event):
            with pytest.raises(Exception):  # noqa: B017, PT011 - how a CTI words it is its own
                await assistants.act("alice", DeviceSelected(Device.WEBRTC))
            await assistants.act("alice", DeviceSelected(Device.DESKPHONE))
        assert received == [Device.WEBRTC, Device.DESKPHONE]

    @scenario
    async def test_a_view_is_shown_while_an_event_is_handled(self, opened: Opened) -> None:
        """While a call of ``on_event`` is awaited, every method of the port still returns."""
        cti, assistants = opened

        async def on_event(user: str, event: Event) -> None:
            async with asyncio.timeout(self.patience):
                await cti.show(view(ACTIVE))
                await cti.publish("1001", Presence.IN_USE)

        async with self.listening(cti, on_event):
            await assistants.act("alice", DeviceSelected(Device.WEBRTC))
            await self.shows(assistants, view(ACTIVE))
