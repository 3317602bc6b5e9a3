"""The played phones: what they show of the PBX double, and what a hand can do on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unique_account.adapters.memory import MemoryPbx, PlacedCall
from unique_account.adapters.memory.calls import PhoneLeg
from unique_account.core.account import CallStatus, Direction, Messages
from unique_account.core.errors import UniqueAccountError
from unique_account.core.forwarding import Extension, Mailbox, Outcome, Refusal
from unique_account.core.user import User
from unique_account.demo.change_stream import ChangeStream
from unique_account.demo.pbx import leads_somewhere
from unique_account.demo.people import NAMES, NUMBERS, VOICEMAIL
from unique_account.ports.pbx import CommandFailed, Failure

_NAMES_BY_NUMBER = {number: NAMES[user] for user, number in NUMBERS.items()}


class NoSuchKey(UniqueAccountError):
    """A played phone has no such key, or nothing that the key could act on."""


class DemoPhones:
    """Every phone of the stage, by interface."""

    def __init__(self, pbx: MemoryPbx, news: ChangeStream) -> None:
        self._pbx = pbx
        self._news = news
        self._failed: dict[str, str] = {}

    # -- what they show ------------------------------------------------------------------------------

    def calls(self, interface: str) -> list[dict[str, Any]]:
        """The calls on a phone, as the browser's phone reports its own."""
        legs = ((call, leg) for call in self._pbx.calls for leg in call.legs if leg.interface == interface)
        return [_shown(call, leg) for call, leg in legs]

    def person(self, user: User) -> dict[str, Any]:
        """What the stage shows of somebody."""
        account = self._news.accounts[user.id]
        messages = account.observed.messages
        return {
            "user": user.id,
            "name": NAMES[user.id],
            "number": user.extension,
            "line": user.deskphone,
            "plugged": account.observed.deskphone.reachable is True,
            "browser": account.observed.webrtc.reachable is True,
            "state": account.state,
            "messages": messages.new if messages else 0,
            "calls": self.calls(user.deskphone),
        }

    # -- what a hand does ----------------------------------------------------------------------------

    async def press(self, interface: str, key: str, argument: str) -> str:
        """Do something on a phone.

        Returns:
            The leg that it is about; the new one, where a number was dialled.

        Raises:
            NoSuchKey: There is no such key.
            CommandFailed: What it asks for cannot be done.
        """
        leg = argument
        if key == "dial":
            leg = await self._dial(interface, argument)
        elif key in ("plug", "unplug"):
            await (self._pbx.register if key == "plug" else self._pbx.unregister)(interface)
        elif key == "join":
            one, _, other = argument.partition(" ")
            await self._pbx.join(one, other)
        elif key == "transfer":
            leg, _, number = argument.partition(" ")
            await self._pbx.transfer(leg, number)
        else:
            await self._press_in_call(interface, key, argument)
        await self.play_machines()
        return leg

    async def _dial(self, interface: str, number: str) -> str:
        if not number:
            raise NoSuchKey("a number is missing")
        caller = next(user.extension for user in self._users() if interface in (user.deskphone, user.webrtc))
        call = await self._pbx.call(number, caller=caller, interface=interface)
        return call.caller_leg.id if call.caller_leg else ""

    async def _press_in_call(self, interface: str, key: str, leg_id: str) -> None:
        call, leg = self._find(interface, leg_id)
        if key == "answer":
            await self._pbx.pick_up(call)
        elif key == "hang_up" and call.ringing_leg is leg:
            await self._pbx.ends_with(call, Outcome.BUSY)
        elif key == "hang_up":
            await self._end(call)
        elif key == "hold":
            await self._pbx.hold(leg_id)
        elif key == "resume":
            await self._pbx.resume(leg_id)
        else:
            raise NoSuchKey(f"no phone has a key {key}")

    async def _end(self, call: PlacedCall) -> None:
        """Hang up; who was talking to a mailbox has left a message there."""
        await self._pbx.end(call)
        if isinstance(call.destination, Mailbox):
            count = self._messages(call.destination.address)
            await self._pbx.leave_messages(call.destination.address, count.new + 1, count.old)

    def failures(self, legs: Iterable[str]) -> list[str]:
        """Why legs ended that led nowhere, by the names of the page's notices; each is said once."""
        return [self._failed.pop(leg) for leg in tuple(legs) if leg in self._failed]

    async def play_machines(self) -> None:
        """Let mailboxes answer callers and their users, and end calls that lead nowhere."""
        for call in self._pbx.calls:
            leg = call.caller_leg
            if leg is None or leg.status is not CallStatus.DIALLING:
                continue
            if isinstance(call.destination, Extension) and not leads_somewhere(call.destination.number):
                self._failed[leg.id] = "no_such_number"
                await self._pbx.end(call)
            elif isinstance(call.destination, Refusal):
                self._failed[leg.id] = "busy" if call.destination.cause == Outcome.BUSY.cause else "not_taken"
                await self._pbx.end(call)
            elif isinstance(call.destination, Mailbox):
                await self._pbx.pick_up(call)
            elif call.destination == Extension(VOICEMAIL):
                await self._pbx.pick_up(call)
                box = next(
                    (u.mailbox for u in self._users() if leg.interface in (u.deskphone, u.webrtc)), None
                )
                if box is not None:
                    count = self._messages(box)
                    await self._pbx.leave_messages(box, 0, count.new + count.old)

    def _messages(self, mailbox: str) -> Messages:
        user = next(user for user in self._users() if user.mailbox == mailbox)
        return self._news.accounts[user.id].observed.messages or Messages(0, 0)

    def _users(self) -> list[User]:
        return [account.user for account in self._news.accounts.values()]

    def _find(self, interface: str, leg_id: str) -> tuple[PlacedCall, PhoneLeg]:
        for call in self._pbx.calls:
            for leg in call.legs:
                if leg.id == leg_id and leg.interface == interface:
                    return call, leg
        raise CommandFailed("the call is over", Failure.CALL_OVER)


def _shown(call: PlacedCall, leg: PhoneLeg) -> dict[str, Any]:
    to_mailbox = isinstance(call.destination, Mailbox) or call.destination == Extension(VOICEMAIL)
    return {
        "id": leg.id,
        "direction": leg.direction,
        "status": leg.status,
        "peer": leg.peer,
        "peerName": "Voicemail" if to_mailbox else _NAMES_BY_NUMBER.get(leg.peer, ""),
        "voicemail": to_mailbox,
        "answered": leg.answered.isoformat() if leg.answered else None,
        "dials": leg.direction is Direction.OUTGOING and call.ringing_leg is leg,
    }
