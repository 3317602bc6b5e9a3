"""The commands that every PBX must carry out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from unique_account.core.account import Account, CallStatus, LineStatus
from unique_account.core.events import CallEnded, ContactsChanged, LineChanged
from unique_account.core.machine import Device
from unique_account.ports.pbx import CommandFailed, Pbx
from unique_account.testing.contracts.pbx.node import NodeContract, Opened, planned
from unique_account.testing.contracts.scenario import scenario

COMMANDS: dict[str, Callable[[Pbx, str], Awaitable[None]]] = {
    "answer": lambda pbx, call: pbx.answer(call),
    "hold": lambda pbx, call: pbx.hold(call),
    "resume": lambda pbx, call: pbx.resume(call),
    "transfer": lambda pbx, call: pbx.transfer(call, "1002"),
    "join": lambda pbx, call: pbx.join(call, call),
    "hang_up": lambda pbx, call: pbx.hang_up(call),
    "hand_on": lambda pbx, call: pbx.hand_on(call),
}


class PbxCommandsContract(NodeContract):
    """Commands: once or not at all, and never in silence."""

    async def fails(self, command: str, pbx: Pbx, call: str) -> None:
        """Give a command that cannot be carried out; the reason is a sentence for the user (C1)."""
        with pytest.raises(CommandFailed) as failed:
            await COMMANDS[command](pbx, call)
        assert str(failed.value) == failed.value.reason
        assert len(failed.value.reason.split()) > 2

    @scenario
    async def test_what_cannot_be_done_to_a_call_that_is_over_fails(self, opened: Opened) -> None:
        """The call is over already, or never was."""
        pbx, _ = opened
        async with self.listening(pbx):
            for command in COMMANDS:
                await self.fails(command, pbx, "1767600000.99")

    @scenario
    async def test_what_cannot_be_done_to_a_ringing_call_changes_nothing(self, opened: Opened) -> None:
        """A command was not carried out; nothing of it was: the call rings on."""
        pbx, phones = opened
        async with self.listening(pbx) as received:
            await self.all_registered(phones)
            await pbx.watch(self.alice)
            await pbx.install(planned(Account(self.alice)))
            call = await phones.call("1001")
            leg = await self.leg(received, "alice", CallStatus.RINGING)
            for command in ("hold", "resume", "transfer", "join", "hand_on"):
                await self.fails(command, pbx, leg.id)
            assert await phones.ringing(call) == self.alice.deskphone

    @scenario
    async def test_a_phone_dials_when_it_is_picked_up(self, opened: Opened) -> None:
        """Ring a phone and, when it is picked up, dial the number for it (R14)."""
        pbx, phones = opened
        async with self.listening(pbx) as received:
            await self.all_registered(phones)
            await pbx.watch(self.alice)
            await pbx.watch(self.bob)
            await self.reported(received, "alice", ContactsChanged(Device.DESKPHONE, reachable=True))
            await pbx.install(planned(Account(self.bob)))
            await pbx.dial(self.alice.deskphone, "1002")
            await self.reported(received, "alice", LineChanged(Device.DESKPHONE, LineStatus.RINGING))
            assert ("bob", LineChanged(Device.DESKPHONE, LineStatus.RINGING)) not in received
            await phones.pick_up(self.alice.deskphone)
            await self.reported(received, "bob", LineChanged(Device.DESKPHONE, LineStatus.RINGING))
            await self.reported(received, "alice", LineChanged(Device.DESKPHONE, LineStatus.IN_USE))

    @scenario
    async def test_a_phone_that_cannot_be_rung_does_not_dial(self, opened: Opened) -> None:
        """The phone cannot be rung."""
        pbx, _ = opened
        async with self.listening(pbx):
            with pytest.raises(CommandFailed):
                await pbx.dial(self.alice.deskphone, "1002")

    @scenario
    async def test_a_call_is_hung_up(self, opened: Opened) -> None:
        """End a call, ringing or answered (C1)."""
        pbx, phones = opened
        async with self.listening(pbx) as received:
            await self.all_registered(phones)
            await pbx.watch(self.alice)
            await pbx.install(planned(Account(self.alice)))
            for status in (CallStatus.RINGING, CallStatus.TALKING):
                received.clear()
                call = await phones.call("1001")
                await self.rings(phones, call, self.alice.deskphone)
                if status is CallStatus.TALKING:
                    await phones.pick_up(self.alice.deskphone)
                leg = await self.leg(received, "alice", status)
                await pbx.hang_up(leg.id)

                async def over(call_id: str = leg.id) -> bool:
                    return any(
                        isinstance(event, CallEnded) and event.call_id == call_id for _, event in received
                    )

                await self.until(over)
                await self.rings(phones, call, None)

    @scenario
    async def test_the_other_party_is_transferred(self, opened: Opened) -> None:
        """Send the other party of an answered call to a number, and let the phone go (C1)."""
        pbx, phones = opened
        async with self.listening(pbx) as received:
            await self.all_registered(phones)
            await pbx.watch(self.alice)
            await pbx.install(planned(Account(self.alice)))
            await pbx.install(planned(Account(self.bob)))
            call = await phones.call("1001")
            await self.rings(phones, call, self.alice.deskphone)
            await phones.pick_up(self.alice.deskphone)
            leg = await self.leg(received, "alice", CallStatus.TALKING)
            received.clear()
            await pbx.transfer(leg.id, "1002")
            await self.rings(phones, call, self.bob.deskphone)
            await self.reported(received, "alice", LineChanged(Device.DESKPHONE, LineStatus.NOT_IN_USE))

    @scenario
    async def test_the_other_parties_of_two_calls_are_joined(self, opened: Opened) -> None:
        """Connect the other parties of two answered calls of one phone, and let the phone go (C1)."""
        pbx, phones = opened
        async with self.listening(pbx) as received:
            await self.all_registered(phones)
            await pbx.watch(self.alice)
            await pbx.install(planned(Account(self.alice)))
            calls, legs = [], []
            for _ in range(2):
                received.clear()
                calls.append(call := await phones.call("1001"))
                await self.rings(phones, call, self.alice.deskphone)
                await phones.pick_up(self.alice.deskphone)
                legs.append(await self.leg(received, "alice", CallStatus.TALKING))
            received.clear()
            await self.fails("join", pbx, legs[0].id)
            await pbx.join(legs[0].id, legs[1].id)
            await self.reported(received, "alice", LineChanged(Device.DESKPHONE, LineStatus.NOT_IN_USE))
            assert [await phones.talks(call) for call in calls] == [True, True]
            await phones.hang_up(calls[0])

            async def both_over() -> bool:
                return not any([await phones.talks(call) for call in calls])

            await self.until(both_over)

    @scenario
    async def test_a_ringing_call_is_handed_on(self, opened: Opened) -> None:
        """Move a call that rings on a vanished device to the plan's next candidate, as one call (R15)."""
        pbx, phones = opened
        async with self.listening(pbx) as received:
            await self.all_registered(phones)
            await pbx.watch(self.alice)
            await pbx.install(planned(self.logged_in()))
            call = await phones.call("1001")
            await self.rings(phones, call, self.alice.webrtc)
            gone = await self.leg(received, "alice", CallStatus.RINGING)
            received.clear()
            await pbx.hand_on(gone.id)
            await self.rings(phones, call, self.alice.deskphone)
            await self.reported(received, "alice", LineChanged(Device.WEBRTC, LineStatus.NOT_IN_USE))
            moved = await self.leg(received, "alice", CallStatus.RINGING)
            assert (moved.device, moved.linked_id) == (Device.DESKPHONE, gone.linked_id)
            await self.fails("hand_on", pbx, moved.id)
