"""A node, the phones around it, and how the tests of the PBX contract wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ClassVar

from unique_account.core.account import Account, Call, CallStatus
from unique_account.core.events import CallChanged, Event, FactsReplaced, LoggedIn, apply
from unique_account.core.forwarding import Destination
from unique_account.core.machine import Device
from unique_account.core.routing import Plan, plan
from unique_account.core.user import User
from unique_account.ports.pbx import Pbx
from unique_account.testing.contracts.pbx.phones import Phones
from unique_account.testing.contracts.scenario import Contract

Opened = tuple[Pbx, Phones]
ReceivedEvents = list[tuple[str, Event]]

OWNER = "contract"


def planned(account: Account, *events: Event) -> Plan:
    """The plan of an account after events."""
    for event in events:
        account = apply(account, event)
    return plan(account, owner=OWNER)


def one_by_one(event: Event) -> tuple[Event, ...]:
    """An event; what is reported in one, each fact by itself."""
    return (FactsReplaced(event.media_server), *event.facts) if isinstance(event, FactsReplaced) else (event,)


class NodeContract(Contract[Opened]):
    """What the parts of the PBX contract share; ``open`` gives a node without plans, and its phones.

    Attributes:
        alice: A user of the node, with a DID and a mailbox, and a ring time that a test can sit out.
        bob: Another one, without a mailbox.
    """

    alice: ClassVar[User] = User(
        id="alice",
        extension="1001",
        deskphone="PJSIP/alice",
        webrtc="PJSIP/alice_w",
        dids=("+33123450001",),
        mailbox="1001@default",
        ring_seconds=2,
        simultaneous_calls=2,
    )
    bob: ClassVar[User] = User(
        id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w", ring_seconds=2
    )

    @asynccontextmanager
    async def listening(
        self,
        pbx: Pbx,
        then: Callable[[str, Event], Awaitable[object]] | None = None,
        on_return: Callable[[], object] = str,
    ) -> AsyncIterator[ReceivedEvents]:
        """Listen to a PBX, and wait until it can be asked; gives what is received."""
        received: ReceivedEvents = []

        async def on_event(user: str, event: Event) -> None:
            received.extend((user, one) for one in one_by_one(event))
            if then is not None:
                await then(user, event)

        def returned() -> None:
            on_return()

        listener = asyncio.create_task(pbx.listen(on_event, returned))
        try:
            await asyncio.sleep(0)
            await self.up(pbx)
            yield received
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    async def up(self, pbx: Pbx) -> None:
        """Wait until a PBX can be asked."""

        async def answers() -> bool:
            try:
                await pbx.installed(OWNER)
            except ConnectionError:
                return False
            return True

        await self.until(answers)

    async def rings(self, phones: Phones, call: str, interface: str | None) -> None:
        """Wait until a call rings at an interface."""

        async def so() -> bool:
            return await phones.ringing(call) == interface

        await self.until(so)

    async def goes_to(self, phones: Phones, call: str, destination: Destination) -> None:
        """Wait until a call went to a destination."""

        async def so() -> bool:
            return await phones.destination(call) == destination

        await self.until(so)

    async def reported(self, received: ReceivedEvents, user: str, event: Event) -> None:
        """Wait until an event was received."""

        async def so() -> bool:
            return (user, event) in received

        await self.until(so)

    async def leg(self, received: ReceivedEvents, user: str, status: CallStatus) -> Call:
        """Wait until a call of a user was last reported to be so far, and return it."""
        found: list[Call] = []

        async def so() -> bool:
            legs = {
                event.call.id: event.call
                for who, event in received
                if isinstance(event, CallChanged) and who == user
            }
            found[:] = [call for call in legs.values() if call.status is status]
            return bool(found)

        await self.until(so)
        return found[-1]

    async def all_registered(self, phones: Phones) -> None:
        """Every phone of both users has a contact."""
        for user in (self.alice, self.bob):
            for device in Device:
                await phones.register(user.interface(device))

    def logged_in(self, user: User | None = None) -> Account:
        """An account with a session, WebRTC selected."""
        return apply(Account(user or self.alice), LoggedIn("tab-1"))
