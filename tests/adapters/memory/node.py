"""One in-memory PBX node with two users, driven by hand."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from attrs import evolve

from unique_account.adapters.memory import MemoryPbx, PlacedCall, SettableClock
from unique_account.core.account import Account
from unique_account.core.events import (
    CallChanged,
    DeviceSelected,
    Event,
    ForwardingChanged,
    LineChanged,
    LoggedIn,
    apply,
)
from unique_account.core.forwarding import Destination, Forward, Forwarding
from unique_account.core.machine import Device
from unique_account.core.routing import plan
from unique_account.core.user import User
from unique_account.testing.contracts.pbx.node import one_by_one

DESK, WEB = Device.DESKPHONE, Device.WEBRTC
DID = "+33123450001"

ALICE = User(
    id="alice",
    extension="1001",
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    dids=(DID, "+33123450002"),
    did_ring_seconds={DID: 10},
    mailbox="1001@default",
)
BOB = User(id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w", ring_seconds=20)

IN = LoggedIn("tab-1")
DESKPHONE_SELECTED = DeviceSelected(DESK)


def forwarded(**to: str) -> ForwardingChanged:
    """The user forwards, by the case."""
    forwards: dict[str, Any] = {case: Forward(number) for case, number in to.items()}
    return ForwardingChanged(Forwarding(**forwards))


SILENT = ForwardingChanged(Forwarding(do_not_disturb=True))


class Node:
    """A node, its clock, and what is heard of it."""

    def __init__(self) -> None:
        self.clock = SettableClock()
        self.pbx = MemoryPbx(self.clock)
        self.received: list[tuple[str, Event]] = []

    async def follow(self, user: User, *events: Event) -> None:
        """Let calls follow the plan of this user's account after events."""
        account = Account(user)
        for event in events:
            account = apply(account, event)
        assert await self.pbx.install(plan(account))

    async def register(self, *interfaces: str) -> None:
        """Phones register; without any named, all four."""
        for interface in interfaces or ("PJSIP/alice", "PJSIP/alice_w", "PJSIP/bob", "PJSIP/bob_w"):
            await self.pbx.register(interface)

    async def call(self, number: str = "1001") -> PlacedCall:
        """Somebody outside calls."""
        return await self.pbx.call(number, caller="3000")

    async def advance(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.advance(timedelta(seconds=seconds))

    async def listen(self) -> asyncio.Task[None]:
        """Keep what is told; cancel the task that is returned."""

        async def on_event(user: str, event: Event) -> None:
            self.received.extend((user, one) for one in one_by_one(event))

        listening = asyncio.create_task(self.pbx.listen(on_event, lambda: None))
        await asyncio.sleep(0)
        return listening


def without_mailbox(user: User) -> User:
    """The same user, whose calls are refused at last."""
    return evolve(user, mailbox=None)


def ended_at(call: PlacedCall, destination: Destination) -> bool:
    """Whether a call went there, and rings nowhere."""
    return call.destination == destination and call.rings is None


def outline(received: list[tuple[str, Event]], user: str = "alice") -> list[object]:
    """What was told of a user, in short."""
    said: list[object] = []
    for who, event in received:
        if who != user:
            continue
        if isinstance(event, CallChanged):
            said.append(event.call.status)
        elif isinstance(event, LineChanged):
            said.append(event.status)
        else:
            said.append(type(event))
    return said
