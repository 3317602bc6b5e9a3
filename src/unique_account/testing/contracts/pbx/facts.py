"""What every PBX must report of the users that it watches."""

from __future__ import annotations

import asyncio

from attrs import evolve

from unique_account.core.account import Account, CallStatus, LineStatus
from unique_account.core.events import CallEnded, ContactsChanged, Event, FactsReplaced, LineChanged
from unique_account.core.machine import Device
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.ports.inbound.events import UnknownUser
from unique_account.testing.contracts.pbx.node import OWNER, NodeContract, Opened, planned
from unique_account.testing.contracts.scenario import scenario


class FactsContract(NodeContract):
    """Facts: all of them, in the order of the node, whatever the handler does with them."""

    @scenario
    async def test_watching_begins_with_all_that_is_known(self, opened: Opened) -> None:
        """The first report is all that is known now, in a `FactsReplaced`; `watch` waits for it."""
        pbx, phones = opened
        async with self.listening(pbx) as received:
            await phones.register(self.alice.deskphone)
            await phones.register(self.bob.deskphone)
            await pbx.watch(self.alice)
            assert received[0] == ("alice", FactsReplaced(pbx.media_server))
            assert ("alice", ContactsChanged(Device.WEBRTC, reachable=False)) in received
            # A node may report a phone a moment after it has registered.
            await self.reported(received, "alice", ContactsChanged(Device.DESKPHONE, reachable=True))
            await self.reported(received, "alice", LineChanged(Device.DESKPHONE, LineStatus.NOT_IN_USE))
            assert {user for user, _ in received} == {"alice"}

    @scenario
    async def test_nobody_is_shown_half_of_what_is_known(self, opened: Opened) -> None:
        """`FactsReplaced` holds all that is known now, so that no presence rests on half of it (P5)."""
        pbx, phones = opened
        reported: list[Event] = []

        async def keep(_: str, event: Event) -> None:
            reported.append(event)

        there: set[Event] = {
            ContactsChanged(Device.DESKPHONE, reachable=True),
            LineChanged(Device.DESKPHONE, LineStatus.NOT_IN_USE),
        }
        async with self.listening(pbx, keep) as received:
            await phones.register(self.alice.deskphone)
            await pbx.watch(self.alice)
            for fact in there:
                await self.reported(received, "alice", fact)
            reported.clear()
            await pbx.watch(self.alice)
            beginning = reported[0]
            assert isinstance(beginning, FactsReplaced)
            assert {*there, ContactsChanged(Device.WEBRTC, reachable=False)} <= set(beginning.facts)

    @scenario
    async def test_watching_again_begins_anew(self, opened: Opened) -> None:
        """Called again it begins again, with the user's present endpoints and live calls."""
        pbx, phones = opened
        changed = evolve(self.alice, deskphone=self.bob.deskphone)
        async with self.listening(pbx) as received:
            await self.all_registered(phones)
            await pbx.install(planned(Account(changed)))
            await pbx.watch(self.alice)
            call = await phones.call("1001")
            await self.rings(phones, call, self.bob.deskphone)
            received.clear()
            await pbx.watch(changed)
            assert received[0] == ("alice", FactsReplaced(pbx.media_server))
            # A node may report the status of a phone a moment after the phone began to ring.
            await self.reported(received, "alice", LineChanged(Device.DESKPHONE, LineStatus.RINGING))
            assert (await self.leg(received, "alice", CallStatus.RINGING)).device is Device.DESKPHONE

    @scenario
    async def test_contacts_are_told_as_they_come_and_go(self, opened: Opened) -> None:
        """Report every fact about the watched users."""
        pbx, phones = opened
        async with self.listening(pbx) as received:
            await pbx.watch(self.alice)
            received.clear()
            await phones.register(self.alice.webrtc)
            await self.reported(received, "alice", ContactsChanged(Device.WEBRTC, reachable=True))
            await phones.unregister(self.alice.webrtc)
            await self.reported(received, "alice", ContactsChanged(Device.WEBRTC, reachable=False))

    @scenario
    async def test_a_call_is_told_from_its_beginning_to_its_end(self, opened: Opened) -> None:
        """In the order of the node: a call rings, is answered, and ends."""
        pbx, phones = opened
        async with self.listening(pbx) as received:
            await phones.register(self.alice.deskphone)
            await pbx.watch(self.alice)
            received.clear()
            await pbx.install(planned(Account(self.alice)))
            call = await phones.call("1001")
            ringing = await self.leg(received, "alice", CallStatus.RINGING)
            await self.reported(received, "alice", LineChanged(Device.DESKPHONE, LineStatus.RINGING))
            await phones.pick_up(self.alice.deskphone)
            talking = await self.leg(received, "alice", CallStatus.TALKING)
            await self.reported(received, "alice", LineChanged(Device.DESKPHONE, LineStatus.IN_USE))
            assert talking.id == ringing.id
            assert (ringing.answered, talking.answered is None) == (None, False)
            await phones.hang_up(call)

            async def over() -> bool:
                return [event.call_id for _, event in received if isinstance(event, CallEnded)] == [
                    ringing.id
                ]

            await self.until(over)
            await self.reported(received, "alice", LineChanged(Device.DESKPHONE, LineStatus.NOT_IN_USE))

    @scenario
    async def test_nothing_is_told_of_a_forgotten_user(self, opened: Opened) -> None:
        """Report nothing more of this user."""
        pbx, phones = opened
        async with self.listening(pbx) as received:
            await pbx.watch(self.alice)
            await pbx.watch(self.bob)
            await pbx.forget("alice")
            received.clear()
            await phones.register(self.alice.deskphone)
            await phones.register(self.bob.deskphone)
            await self.reported(received, "bob", ContactsChanged(Device.DESKPHONE, reachable=True))
            assert {user for user, _ in received} == {"bob"}

    @scenario
    async def test_projections_are_taken_while_a_fact_is_heard(self, opened: Opened) -> None:
        """While a call of ``on_event`` is awaited, every method but ``watch`` still returns."""
        pbx, phones = opened
        returned = []

        async def project(_: str, event: Event) -> None:
            if isinstance(event, ContactsChanged):
                async with asyncio.timeout(self.patience):
                    await pbx.install(planned(self.logged_in()))
                    await pbx.hint(Number("1001"), Presence.AVAILABLE)
                    await pbx.installed(OWNER)
                    await pbx.forget("nobody")
                returned.append(event)

        async with self.listening(pbx, project):
            await pbx.watch(self.alice)
            await phones.register(self.alice.deskphone)

            async def worked() -> bool:
                return ContactsChanged(Device.DESKPHONE, reachable=True) in returned

            await self.until(worked)

    @scenario
    async def test_facts_are_told_on_whatever_went_wrong(self, opened: Opened) -> None:
        """What ``on_event`` raises ends nothing: the PBX goes on reporting."""
        pbx, phones = opened

        async def fail(user: str, event: Event) -> None:
            if event == ContactsChanged(Device.DESKPHONE, reachable=True):
                raise UnknownUser(user)

        async with self.listening(pbx, fail) as received:
            await pbx.watch(self.alice)
            await phones.register(self.alice.deskphone)
            await self.reported(received, "alice", ContactsChanged(Device.DESKPHONE, reachable=True))
            await phones.register(self.alice.webrtc)
            await self.reported(received, "alice", ContactsChanged(Device.WEBRTC, reachable=True))
