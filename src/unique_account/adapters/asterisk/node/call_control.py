"""Commands to calls (C1): each is given once, and returns when it is done or refused.

A phone answers, holds or resumes on a NOTIFY of the *talk* or *hold* event within its call. What the node
reports next of the call shows whether it obeys; one that does not within `PHONE_TIMEOUT` cannot. One
that does not know these events may answer that there is no such subscription, and then Asterisk ends the
call. So only phones of makes that are known to obey get a NOTIFY.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from secrets import token_hex
from typing import Final

from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.node.state import RINGING, UP, Channel, NodeState
from unique_account.adapters.asterisk.wire_names import (
    AUTOMATIC_ANSWER,
    DIAL_CHANNEL_PREFIX,
    HOLD_CONTEXT,
    JOIN_CONTEXT,
    JOINED_PARTY,
)
from unique_account.ports.pbx import CommandFailed, Failure

PHONE_TIMEOUT: Final = 2.0
"""How many seconds a phone may take to obey, or to ring."""

BRIDGED_WITHIN: Final = 0.5
"""How many seconds after it was answered a call may have no other party yet."""

CONTROLLABLE_PHONES: Final = ("snom", "Yealink", "Polycom", "Poly", "Aastra", "Mitel", "Cisco/SPA")
"""How the ``User-Agent`` of phones begins that obey the *talk* and *hold* events."""

RINGS_FOR: Final = 30
"""How many seconds a phone rings before the node dials for it (R14)."""

_NORMAL: Final = "16"
_VANISHED: Final = "20"
_REJECTED: Final = "21"

_dialled = count(1)


class NodeCallControl:
    """Commands over one connection, to the calls of the node's state.

    Args:
        connection: The connection.
        state: The node's state.
        join: Called with the ids of calls that are about to be joined.
        controllable: How the ``User-Agent`` of phones begins that obey the *talk* and *hold* events.
    """

    def __init__(
        self,
        connection: Connection,
        state: NodeState,
        join: Callable[..., None],
        controllable: Sequence[str],
    ) -> None:
        self._connection = connection
        self._state = state
        self._join = join
        self._controllable = tuple(make.lower() for make in controllable)

    async def dial(self, interface: str, number: str, context: str, *, answers_itself: bool) -> None:
        """Ring a phone and, when it is picked up, dial a number for it in a context."""
        if not self._state.has_contact(interface):
            sentence = f"{interface} is not registered, so it cannot be rung"
            raise CommandFailed(sentence, Failure.PHONE_NOT_REGISTERED)
        call_id = f"{DIAL_CHANNEL_PREFIX}{token_hex(4)}-{int(time.time())}.{next(_dialled)}"

        def rings_or_fails(message: Message) -> bool:
            if message.event == "OriginateResponse":
                return message.get("Channel") == interface and message.get("Exten") == number
            return message.get("Uniqueid") == call_id and (_state(message) in (RINGING, UP) or _over(message))

        with self._connection.expecting(rings_or_fails) as rings:
            await self._act(
                "Originate",
                *(("Channel", interface), ("ChannelId", call_id), ("Async", "true")),
                *(("Context", context), ("Exten", number), ("Priority", "1")),
                *(("Timeout", str(RINGS_FOR * 1000)), *_dialling_variables(number, answers_itself)),
            )
            reported = await _within(PHONE_TIMEOUT, rings)
        if reported is None or _over(reported) or reported.get("Response") == "Failure":
            channel = self._state.channels.get(call_id)
            if channel is not None:
                await self._act("Hangup", ("Channel", channel.name), ("Cause", _NORMAL))
            raise CommandFailed(f"{interface} does not ring", Failure.PHONE_DOES_NOT_RING)

    async def answer(self, call_id: str) -> None:
        """Let the phone that rings answer."""
        channel = self._channel(call_id)
        if channel.state != RINGING:
            raise CommandFailed("the call does not ring any more", Failure.NOT_RINGING)
        await self._notify(channel, "talk", "answer", lambda reported: _state(reported) == UP)

    async def hold(self, call_id: str) -> None:
        """Let the phone put its call on hold."""
        channel = self._answered(call_id)
        if channel.hold is not None:
            raise CommandFailed("the call is on hold already", Failure.HELD_ALREADY)
        await self._notify(channel, "hold", "hold", lambda reported: reported.event == "Hold")

    async def resume(self, call_id: str) -> None:
        """Let the phone take its call back."""
        channel = self._answered(call_id)
        if channel.hold is None:
            raise CommandFailed("the call is not on hold", Failure.NOT_HELD)
        await self._notify(channel, "talk", "resume", lambda reported: reported.event == "Unhold")

    async def transfer(self, call_id: str, number: str, context: str) -> None:
        """Send the other party to a number of a context, and let the phone go."""
        channel = self._answered(call_id)
        await self._other_party(channel)
        place = (("Context", context), ("Exten", number))
        await self._act("BlindTransfer", ("Channel", channel.name), *place)

    async def join(self, call_id: str, other: str) -> None:
        """Connect the other parties of two calls, and let the phone go."""
        channels = [self._answered(call_id), self._answered(other)]
        if channels[0] is channels[1] or channels[0].interface != channels[1].interface:
            raise CommandFailed("these are not two calls of one phone", Failure.NOT_ONE_PHONE)
        one, two = [await self._other_party(channel) for channel in channels]
        if one is two:
            raise CommandFailed("the other party of both calls is the same", Failure.SAME_PARTY)
        # Before anybody is moved, since the phone's legs end as the other parties go.
        self._join(*(channel.last["Linkedid"] for channel in channels))
        if channels[1].hold is not None:
            await self._end_hold(two)
        await self._meet(one, two)
        for channel in channels:
            if channel.last["Uniqueid"] in self._state.channels:
                with suppress(CommandFailed):  # it ends by itself
                    await self._act("Hangup", ("Channel", channel.name), ("Cause", _NORMAL))

    async def _meet(self, party: Channel, other: Channel) -> None:
        """Let a party join another one, so that both calls end once either hangs up."""
        uniqueids = {party.last["Uniqueid"], other.last["Uniqueid"]}
        places: dict[str, str] = {}

        def decides(message: Message) -> bool:
            if message.event == "BridgeEnter" and message.get("Uniqueid") in uniqueids:
                places[message["Uniqueid"]] = message.get("BridgeUniqueid", "")
            together = places.keys() == uniqueids and len(set(places.values())) == 1
            return together or (_over(message) and message.get("Uniqueid") in uniqueids)

        with self._connection.expecting(decides) as decided:
            joined = (("Variable", JOINED_PARTY), ("Value", other.name))
            await self._act("Setvar", ("Channel", party.name), *joined)
            place = (("Context", JOIN_CONTEXT), ("Exten", "s"), ("Priority", "1"))
            await self._act("Redirect", ("Channel", party.name), *place)
            reported = await _within(PHONE_TIMEOUT, decided)
        if reported is None or _over(reported):
            sentence = "the parties are not connected, since one of them is gone"
            raise CommandFailed(sentence, Failure.PARTY_GONE)

    async def hang_up(self, call_id: str) -> None:
        """End a call; one that rings is refused, as by its user."""
        channel = self._channel(call_id)
        cause = _REJECTED if channel.state == RINGING else _NORMAL
        await self._act("Hangup", ("Channel", channel.name), ("Cause", cause))

    def interface(self, call_id: str) -> str:
        """The phone that has a call."""
        return self._channel(call_id).interface

    def rings_at(self, call_id: str) -> str:
        """The phone that rings for a call."""
        channel = self._channel(call_id)
        if channel.state == UP:
            raise CommandFailed("the call does not ring any more", Failure.NOT_RINGING)
        return channel.interface

    async def vanish(self, call_id: str) -> None:
        """Clear a leg that rings, as one whose phone is gone: the dialplan then goes on (R15)."""
        await self._act("Hangup", ("Channel", self._channel(call_id).name), ("Cause", _VANISHED))

    # -- what they stand on --------------------------------------------------------------------------

    def _channel(self, call_id: str) -> Channel:
        try:
            return self._state.channels[call_id]
        except KeyError:
            raise CommandFailed("the call is over", Failure.CALL_OVER) from None

    def _answered(self, call_id: str) -> Channel:
        channel = self._channel(call_id)
        if channel.state != UP:
            raise CommandFailed("the call is not answered yet", Failure.NOT_ANSWERED)
        return channel

    async def _other_party(self, channel: Channel) -> Channel:
        """The other channel of a call; one that was just answered is about to have it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(BRIDGED_WITHIN):
                while not self._state.others(channel):  # noqa: ASYNC110 - the state sets no events
                    await asyncio.sleep(0.01)
        others = self._state.others(channel)
        if len(others) != 1:
            sentence = f"the call has {len(others)} other parties, not one"
            raise CommandFailed(sentence, Failure.NOT_TWO_PARTIES)
        return others[0]

    async def _end_hold(self, party: Channel) -> None:
        """Take a party who is on hold out of its bridge; moved to another one, it would stay on hold."""
        uniqueid = party.last["Uniqueid"]

        def leaves(message: Message) -> bool:
            return message.event == "BridgeLeave" and message.get("Uniqueid") == uniqueid

        with self._connection.expecting(leaves) as left:
            place = (("Context", HOLD_CONTEXT), ("Exten", "s"), ("Priority", "1"))
            await self._act("Redirect", ("Channel", party.name), *place)
            await _within(PHONE_TIMEOUT, left)

    async def _notify(
        self, channel: Channel, event: str, action: str, done: Callable[[Message], bool]
    ) -> None:
        """Send a NOTIFY to a phone, and wait until it has obeyed."""
        await self._check_make(channel.interface, action)
        uniqueid = channel.last["Uniqueid"]

        def decides(message: Message) -> bool:
            return message.get("Uniqueid") == uniqueid and (done(message) or _over(message))

        with self._connection.expecting(decides) as decided:
            await self._act("PJSIPNotify", ("Channel", channel.name), ("Variable", f"Event={event}"))
            reported = await _within(PHONE_TIMEOUT, decided)
        if reported is None:
            sentence = f"{channel.interface} does not {action} by remote control; use the phone"
            raise CommandFailed(sentence, Failure.NO_REMOTE_CONTROL)
        if _over(reported):
            raise CommandFailed("the call is over", Failure.CALL_OVER)

    async def _check_make(self, interface: str, action: str) -> None:
        endpoint = interface.removeprefix("PJSIP/")
        reported = await self._connection.collect("PJSIPShowEndpoint", ("Endpoint", endpoint))
        makes = [item.get("UserAgent", "") for item in reported if item.event == "ContactStatusDetail"]
        if not all(make.lower().startswith(self._controllable) for make in makes) or not makes:
            make = ", ".join(filter(None, makes)) or "of an unknown make"
            raise CommandFailed(
                f"{interface} is {make}, not known to {action} by remote control; use the phone",
                Failure.NO_REMOTE_CONTROL,
            )

    async def _act(self, action: str, *headers: tuple[str, str]) -> None:
        try:
            await self._connection.act(action, *headers)
        except ActionRefused as error:
            raise CommandFailed(f"the PBX refuses: {error.reason}", Failure.PBX_REFUSES) from error


def _dialling_variables(number: str, answers_itself: bool) -> Iterator[tuple[str, str]]:
    """The variables of a phone that rings to dial: whom it shows, and whether it answers by itself."""
    yield "Variable", f"CONNECTEDLINE(num,i)={number}"
    if answers_itself:
        yield "Variable", f"PJSIP_HEADER(add,Alert-Info)={AUTOMATIC_ANSWER}"


async def _within(seconds: float, expected: asyncio.Future[Message]) -> Message | None:
    try:
        async with asyncio.timeout(seconds):
            return await expected
    except TimeoutError:
        return None


def _state(message: Message) -> str:
    return message.get("ChannelState", "")


def _over(message: Message) -> bool:
    return message.event == "Hangup"
