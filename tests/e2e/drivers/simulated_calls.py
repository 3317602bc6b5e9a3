"""A case played on the in-memory PBX: the outcome of each call, and the rules involved."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from typing import Final

from attrs import frozen

from tests.e2e.scenes.random_calls import ENDS, NAMES, PHONES, Attempt, Case, Phone, Reaction
from unique_account import Account, Device, apply, plan
from unique_account.adapters.memory import MemoryPbx, SettableClock
from unique_account.adapters.memory.call_engine import CallEngine
from unique_account.adapters.memory.calls import PlacedCall
from unique_account.core.events import Event
from unique_account.core.forwarding import Destination, Mailbox, Outcome
from unique_account.core.routing import Route

NOTHING: Final = timedelta(0)


@frozen(weakref_slot=False, kw_only=True)
class CallOutcome:
    """The outcome of one call.

    Attributes:
        rang: The phones that rang, in order.
        seconds: How long each of them rang.
        answered: The phone that answered, if one did.
        destination: Where the call went, if none did.
    """

    rang: tuple[Phone, ...]
    seconds: tuple[float, ...]
    answered: Phone | None = None
    destination: Destination | None = None

    def __str__(self) -> str:
        rang = ", ".join(
            f"{name}'s {device} for {seconds:.1f} s"
            for (name, device), seconds in zip(self.rang, self.seconds, strict=True)
        )
        end = f"{self.answered[0]}'s {self.answered[1]} answers" if self.answered else str(self.destination)
        return f"rings {rang or 'nothing'}; {end}"


@frozen(weakref_slot=False)
class SimulatedCase:
    """A case on the double: the outcome of each call, and the rules involved."""

    outcomes: tuple[CallOutcome, ...]
    about: frozenset[str]


class _Decisions(CallEngine):
    """The calls of the double, with every decision that it makes."""

    decisions: list[Route]

    async def _follow(self, call: PlacedCall, route: Route) -> None:
        self.decisions.append(route)
        await super()._follow(call, route)


class _Double(MemoryPbx):
    """The double, whose decisions are kept."""

    def __init__(self, clock: SettableClock) -> None:
        super().__init__(clock)
        self._engine = _Decisions(clock, self._phones, self._plans)
        self.decisions = self._engine.decisions = []


async def play(case: Case) -> SimulatedCase:
    """Play a case on the double."""
    return await _Player(case).play()


class _Player:
    def __init__(self, case: Case) -> None:
        self._case = case
        self._clock = SettableClock()
        self._pbx = _Double(self._clock)
        self._accounts = {
            person.user.id: reduce(apply, person.events, Account(person.user)) for person in case.people
        }
        self._about: set[str] = set()

    async def play(self) -> SimulatedCase:
        for person in self._case.people:
            await self._pbx.install(plan(self._accounts[person.user.id]))
            for device in person.registered:
                await self._pbx.register(person.user.interface(device))
        came = [await self._call(attempt) for attempt in self._case.attempts]
        return SimulatedCase(tuple(came), frozenset(self._about))

    async def _happen(self, *events: Event) -> None:
        before = plan(self._accounts["alice"])
        self._accounts["alice"] = reduce(apply, events, self._accounts["alice"])
        after = plan(self._accounts["alice"])
        if events:
            await self._pbx.install(after)
        if before.candidates != after.candidates:
            self._about.add("R7")

    async def _call(self, attempt: Attempt) -> CallOutcome:
        await self._happen(*attempt.before)
        self._pbx.decisions.clear()
        interface = self._interface(attempt.caller) if attempt.caller else ""
        call = await self._pbx.call(attempt.dialled, interface=interface)
        seconds: list[float] = []
        answered = None
        while call.ringing_leg is not None and answered is None:
            phone = call.rung[-1]
            if len(call.rung) == 1 and phone[0] == "alice":
                await self._happen(*attempt.meanwhile)
            began, reaction = self._clock.now(), attempt.reactions[PHONES.index(phone)]
            self._note_ringing(call, phone)
            answered = await self._act(call, phone, reaction)
            seconds.append((self._clock.now() - began).total_seconds())
        self._note(call, attempt, answered)
        came = CallOutcome(
            rang=tuple(call.rung),
            seconds=tuple(seconds),
            answered=answered,
            destination=None if answered else call.destination,
        )
        if not call.over and not answered:
            if isinstance(call.destination, Mailbox):
                await self._pbx.end(call)
            else:
                await self._pbx.pick_up(call)
        return came

    async def _act(self, call: PlacedCall, phone: Phone, does: Reaction) -> Phone | None:
        if does is Reaction.ANSWERS:
            await self._pbx.pick_up(call)
            return phone
        if does is Reaction.RINGS_ON:
            assert call.rings_until is not None
            await self._clock.advance(call.rings_until - self._clock.now())
        else:
            await self._pbx.ends_with(call, ENDS[does])
        return None

    def _interface(self, phone: Phone) -> str:
        return self._case.people[NAMES.index(phone[0])].user.interface(phone[1])

    # -- what it is about ----------------------------------------------------------------------------

    def _note_ringing(self, call: PlacedCall, phone: Phone) -> None:
        assert call.plan is not None
        name, device = phone
        reasons = {reason.rule for reason in call.because}
        if device is Device.WEBRTC:
            self._about.add("R2")
        else:
            self._about |= reasons & {"R1", "R3", "R4"}
        if self._in_a_call((name, Device.DESKPHONE), but=call):
            self._about.add("R5")
        if call.number != call.plan.numbers[0]:
            self._about.add("R6")

    def _in_a_call(self, phone: Phone, *, but: PlacedCall) -> bool:
        interface = self._interface(phone)
        return any(
            leg.interface == interface for call in self._pbx.calls if call is not but for leg in call.legs
        )

    def _note(self, call: PlacedCall, attempt: Attempt, answered: Phone | None) -> None:
        outcomes = set(call.outcomes)
        for route in self._pbx.decisions:
            rules = [reason.rule for reason in route.because]
            texts = [reason.text for reason in route.because]
            self._about |= set(rules) & {"R8", "R10", "R12", "R13"}
            self._about |= {_GATES[text] for text in texts if text in _GATES}
            if "R12" in rules:
                outcomes.add(Outcome.UNAVAILABLE)
            if route.destination is not None:
                self._about.add(type(route.destination).__name__.lower())
        if outcomes:
            self._about |= {"R9", *outcomes}
        if Outcome.NO_ANSWER in outcomes:
            self._about.add("R11")
        if answered:
            self._about.add("answered")
        if call.forwards > 1:
            self._about.add("chain")


_GATES: Final = {
    "do-not-disturb is on": "do_not_disturb",
    "an unconditional forward is on": "forward",
    "the user has no call left": "limit",
}
