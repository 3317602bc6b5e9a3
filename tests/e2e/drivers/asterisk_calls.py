"""Stages on a real node: on each the same three people are played, at the same time as on all others.

A stage is a context with the people's numbers, and SIP parties as their phones. Its users are those of the
case, moved there; the outcome of a call is translated back to the people of the case.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final, Protocol

from attrs import define, evolve, frozen

from lab.asterisk import Node
from lab.config import Endpoint, section
from lab.parties import Party, PartyCall, Seen
from lab.waiting import until
from tests.e2e.drivers.simulated_calls import CallOutcome
from tests.e2e.scenes.random_calls import NAMES, OUTSIDE, PHONES, Attempt, Case, Phone, Reaction, numbers
from unique_account import Device, User
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.core.events import Event
from unique_account.core.forwarding import Destination, Extension, Fallbacks, Mailbox, Outcome, Refusal

STRANGER: Final = "stranger"


class AccountService(Protocol):
    """Keeps accounts, and installs their plans on a node."""

    async def add(self, user: User, events: Sequence[Event]) -> None:
        """Add an account again, and apply these events to it."""

    async def handle(self, user: str, events: Sequence[Event]) -> None:
        """Apply events to an account."""


@frozen(weakref_slot=False)
class StageNumbers:
    """The context and the phones of a stage on a node.

    Attributes:
        name: Of its context, and in the names of its phones.
    """

    name: str

    def endpoint(self, phone: Phone) -> Endpoint:
        """The endpoint of a phone."""
        name, device = phone
        return self._endpoint(f"{name}_w" if device is Device.WEBRTC else name)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints of all phones, and of the stranger."""
        return (*map(self.endpoint, PHONES), self._endpoint(STRANGER))

    def _endpoint(self, name: str) -> Endpoint:
        return Endpoint(name=f"{name}-{self.name}", password="", context=self.name)

    def moved(self, user: User) -> User:
        """A user of a case as it is here."""
        named = {device: f"PJSIP/{self.endpoint((user.id, device)).name}" for device in Device}
        fallbacks = {outcome.value: self._moved(user.fallbacks.of(outcome)) for outcome in Outcome}
        return evolve(
            user,
            id=f"{user.id}-{self.name}",
            context=self.name,
            deskphone=named[Device.DESKPHONE],
            webrtc=named[Device.WEBRTC],
            mailbox=user.mailbox and user.mailbox.replace("@default", f"@{self.name}"),
            fallbacks=Fallbacks(**fallbacks),
        )

    def _moved(self, destination: Destination | None) -> Destination | None:
        if isinstance(destination, Mailbox):
            return Mailbox(destination.address.replace("@default", f"@{self.name}"))
        return destination

    def moved_back(self, address: str) -> Mailbox:
        """A mailbox here as it is in the case."""
        return Mailbox(address.replace(f"@{self.name}", "@default"))

    @property
    def extensions(self) -> str:
        """Its part of ``extensions.conf``."""
        outside = "".join(f"exten = {number},1,Answer()\n same = n,Wait(60)\n" for number in OUTSIDE)
        return f"[{self.name}]\ninclude = unique-account-numbers-{self.name}\n{outside}"

    @property
    def mailboxes(self) -> str:
        """Its part of ``voicemail.conf``."""
        boxes = [numbers(index)[0] for index in range(len(NAMES))]
        return section(self.name, dict.fromkeys((*boxes, "1009"), "1234,Somebody"))

    @property
    def users(self) -> tuple[User, ...]:
        """Its users, wired and numbered as in every case."""
        return tuple(
            self.moved(
                User(
                    id=name,
                    extension=numbers(index)[0],
                    dids=numbers(index)[1:],
                    deskphone=f"PJSIP/{name}",
                    webrtc=f"PJSIP/{name}_w",
                )
            )
            for index, name in enumerate(NAMES)
        )


@define
class _Ring:
    """A phone that rings for a call from somebody, since an instant and until another."""

    phone: Phone
    caller: str
    since: float
    until: float | None = None
    answered: bool = False


class Stage:
    """One stage, on which cases are played one after the other."""

    def __init__(self, place: StageNumbers, pbx: Node, parties: Mapping[Phone | None, Party]) -> None:
        self.place = place
        self._pbx = pbx
        self._parties = parties
        self._does: dict[Phone, Reaction] = {}
        self._rings: list[_Ring] = []
        self._channels: set[str] = set()
        self._legs = 0
        self._reported: list[Message] = []
        pbx.ami.journal.on_entry(self._heed)
        for phone, party in parties.items():
            if phone is not None:
                party.journal.on_entry(partial(self._saw, phone))

    def _heed(self, message: Message) -> None:
        channel = message.get("Channel", "")
        if f"-{self.place.name}-" in channel:
            self._reported.append(message)
            if message.event == "Newchannel":
                self._channels.add(channel)
            elif message.event == "Hangup":
                self._channels.discard(channel)

    def _saw(self, phone: Phone, seen: Seen) -> None:
        word, number = seen
        now = time.monotonic()
        if word == "ringing":
            self._rings.append(_Ring(phone, number, now))
            self._act(phone)
        elif word in ("answered", "refused", "over"):
            # A phone may ring for the very call that it dialled, whose answer is no answer of the phone's.
            for ring in self._rings:
                if (ring.phone, ring.caller, ring.until) == (phone, number, None):
                    ring.until, ring.answered = now, word == "answered"

    def _act(self, phone: Phone) -> None:
        does = self._does[phone]
        if does is Reaction.ANSWERS:
            self._parties[phone].answer(self._parties[phone].ringing)
        elif does is not Reaction.RINGS_ON:
            self._parties[phone].reject(does.value)

    @property
    def _alice(self) -> str:
        return self.place.users[0].id

    # -- playing -------------------------------------------------------------------------------------

    async def lay(self, case: Case, carrier: AccountService) -> None:
        """Register the phones of a case, and let the node carry its plans out."""
        for person in case.people:
            for device in Device:
                party = self._parties[person.user.id, device]
                await (party.register() if device in person.registered else party.unregister())
            await carrier.add(self.place.moved(person.user), person.events)

    async def play(self, case: Case, carrier: AccountService) -> tuple[CallOutcome, ...]:
        """The calls of a case that is laid, one after the other; all are over at the end."""
        try:
            return tuple([await self._call(attempt, carrier) for attempt in case.attempts])
        finally:
            await self._hang_up()

    async def _call(self, attempt: Attempt, carrier: AccountService) -> CallOutcome:
        if attempt.before:
            await carrier.handle(self._alice, attempt.before)
        self._does = dict(zip(PHONES, attempt.reactions, strict=True))
        self._rings.clear()
        self._reported.clear()
        call = self._parties[attempt.caller].dial(attempt.dialled)
        if attempt.meanwhile:
            await until(_all(lambda: bool(self._rings) or _ended(call)), "a first ringing")
            if self._rings and self._rings[0].phone[0] == "alice":
                await carrier.handle(self._alice, attempt.meanwhile)
        await until(_all(lambda: _ended(call)), f"an end of {attempt}")
        answered = next((ring.phone for ring in self._rings if ring.answered), None)
        came = CallOutcome(
            rang=tuple(ring.phone for ring in self._rings),
            seconds=tuple((ring.until or time.monotonic()) - ring.since for ring in self._rings),
            answered=answered,
            destination=None if answered else await self._destination(call),
        )
        if isinstance(came.destination, Mailbox):
            await self._parties[attempt.caller].hang_up(call)
        self._legs += 2 if answered else isinstance(came.destination, Extension)
        await self._settled()
        return came

    async def _destination(self, call: PartyCall) -> Destination:
        if not call.answered:
            assert call.cause, f"the call ends with SIP status {call.status} and no cause"
            return Refusal(int(call.cause))
        found: list[Destination] = []

        async def reported() -> bool:
            found.extend(filter(None, map(self._end, self._reported)))
            return bool(found)

        await until(reported, "word of where the call went")
        return found[0]

    def _end(self, message: Message) -> Destination | None:
        if message.event != "Newexten":
            return None
        application, data = message["Application"], message["AppData"]
        if application == "Answer" and message["Context"] == self.place.name:
            return Extension(message["Exten"])
        _, voicemail, arguments = data.partition("VoiceMail(")
        return self.place.moved_back(arguments.partition(",")[0]) if voicemail else None

    async def _hang_up(self) -> None:
        for party in self._parties.values():
            for call in [call for call in party.calls if not call.incoming]:
                await party.hang_up(call)
        self._legs = 0
        await self._settled()

    async def _settled(self) -> None:
        """Wait until the node has reported the legs that are up, and the end of all others."""
        try:
            await until(_all(lambda: len(self._channels) == self._legs), f"{self._legs} legs")
        except TimeoutError as error:
            there = await self._pbx.cli("core show channels concise")
            raise TimeoutError(f"{error}: {self._channels} of {there}") from None


def _ended(call: PartyCall) -> bool:
    return call.answered or call.over


def _all(true: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def asked() -> bool:
        return true()

    return asked
