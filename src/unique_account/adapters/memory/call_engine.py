"""The calls of the in-memory PBX: each follows the plans, the contacts and the calls of its moment."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import count
from typing import Final

from unique_account.adapters.memory.calls import PhoneLeg, PlacedCall
from unique_account.adapters.memory.phones import MemoryPhones
from unique_account.adapters.memory.plans import MemoryPlans
from unique_account.core.account import CallStatus, Direction
from unique_account.core.diversions import CallDiverted
from unique_account.core.forwarding import Extension, Mailbox, Outcome, Refusal
from unique_account.core.machine import Device
from unique_account.core.number import Number
from unique_account.core.reasons import Reason
from unique_account.core.routing import Candidate, Facts, Plan, Route, after, resolve, ring
from unique_account.core.user import User
from unique_account.ports.clock import Clock

DIALS_FOR: Final = 30
"""How long a phone rings, in seconds, before the PBX dials for it (R14)."""

CONFIRMS_RINGING_WITHIN: Final = timedelta(seconds=1.5)
"""How long a leg may stay silent before its device counts as vanished (R15)."""


class CallEngine:
    """Carries calls out on phones, by plans.

    Attributes:
        calls: The calls that are not over, by id, in the order in which they began.
    """

    def __init__(self, clock: Clock, phones: MemoryPhones, plans: MemoryPlans) -> None:
        self.calls: dict[str, PlacedCall] = {}
        self._clock = clock
        self._phones = phones
        self._plans = plans
        self._ids = count(1)

    # -- what phones and callers do ------------------------------------------------------------------

    async def call(self, dialled: str, *, caller: str = "", interface: str = "") -> PlacedCall:
        """Somebody dials a number, outside or on a phone here; returns once it rings or went on."""
        call = PlacedCall(self._next_id(), caller, dialled, self._clock.now())
        self.calls[call.id] = call
        if interface:
            call.caller_leg = self._leg(call, interface, Direction.OUTGOING, CallStatus.DIALLING, dialled)
            await self._phones.report_leg(call.caller_leg)
        await self.arrive(call, dialled)
        return call

    async def dial(self, interface: str, number: str, answers_itself: bool) -> None:
        """Ring a phone and, when it is picked up, dial the number for it (R14)."""
        whose = self._phones.whose(interface)
        caller, device = "", Device.DESKPHONE
        if whose is not None:
            caller, device = self._phones.users[whose[0]].extension, whose[1]
        call = PlacedCall(self._next_id(), caller, number, self._clock.now(), dials_next=number)
        call.answers_itself = answers_itself
        self.calls[call.id] = call
        call.candidate = Candidate(device, interface, DIALS_FOR)
        call.callee_leg = leg = self._leg(call, interface, Direction.OUTGOING, CallStatus.RINGING, number)
        call.rings_until = self._clock.now() + timedelta(seconds=DIALS_FOR)
        self._clock.call_at(call.rings_until, partial(self._rang_long_enough, call, leg))
        await self._phones.report_leg(leg)

    async def pick_up(self, call: PlacedCall) -> None:
        """The phone that rings is picked up; where the call left this PBX, the party out there answers."""
        if call.over:
            return
        leg = call.callee_leg
        if leg is not None and call.dials_next:
            number, call.dials_next = call.dials_next, ""
            call.caller_leg, call.callee_leg, call.candidate = leg, None, None
            await self.change(leg, CallStatus.DIALLING)
            await self.arrive(call, number)
            return
        call.answered = True
        if leg is not None:
            await self.change(leg, CallStatus.TALKING)
        if call.caller_leg is not None:
            await self.change(call.caller_leg, CallStatus.TALKING)

    async def leave(self, interface: str) -> None:
        """A phone lost its last contact: calls that ring there move on (R15)."""
        for call in tuple(self.calls.values()):
            leg = call.ringing_leg
            if leg is not None and leg.interface == interface:
                await self.move_on(call, leg)

    async def ends_with(self, call: PlacedCall, outcome: Outcome) -> None:
        """The phone that rings gives this outcome: busy, where its user refuses the call, say."""
        if call.ringing_leg is not None:
            await self._not_answered(call, call.ringing_leg, outcome)

    async def end(self, call: PlacedCall) -> None:
        """Either party hangs up."""
        call.over = True
        self.calls.pop(call.id, None)
        legs, call.caller_leg, call.callee_leg = call.legs, None, None
        for leg in legs:
            await self._phones.report_end(leg, self._clock.now())
        if call.joined is not None and not call.joined.over:
            await self.end(call.joined)

    # -- carrying plans out --------------------------------------------------------------------------

    async def arrive(self, call: PlacedCall, number: str) -> None:
        """The call arrives at a number: it follows the plan there, or leaves this PBX."""
        number = Number(number)
        call.number, call.rings_until = number, None
        call.plan = self._plans.of_number(number)
        unplanned = next((user for user in self._phones.users.values() if number in user.numbers), None)
        call.user = call.plan.user if call.plan else unplanned.id if unplanned else ""
        if call.plan is not None:
            await self._follow(call, resolve(call.plan, self._facts(call, call.plan)))
        elif unplanned is not None:
            await self._follow(call, self._without_plan(unplanned))
        else:
            call.destination = Extension(number)

    def _without_plan(self, user: User) -> Route:
        because = (Reason("R16", "no plan is installed, so the deskphone rings"),)
        if not self._phones.reachable(user.deskphone):
            return Route(destination=Refusal(Outcome.UNAVAILABLE.cause), because=because)
        return Route(ring=Candidate(Device.DESKPHONE, user.deskphone, user.ring_seconds), because=because)

    def _facts(self, call: PlacedCall, plan: Plan, without: Device | None = None) -> Facts:
        candidates = [candidate for candidate in plan.candidates if candidate.device is not without]
        return Facts(
            reachable=frozenset(c.device for c in candidates if self._phones.reachable(c.interface)),
            calls=len({leg.linked_id for line in plan.interfaces for leg in self._phones.legs(line)}),
            dialled=call.number,
            forwards=call.forwards,
        )

    async def _follow(self, call: PlacedCall, route: Route) -> None:
        call.because = route.because
        if call.over:  # hung up meanwhile
            return
        if route.ring is not None:
            await self._ring(call, route.ring)
            return
        await self._report_diverted(call)
        if isinstance(route.destination, Extension):
            call.forwards += 1
            await self.arrive(call, route.destination.number)
        else:
            call.destination = route.destination
            call.answered = isinstance(route.destination, Mailbox)
            if not call.answered:
                await self.end(call)

    async def _report_diverted(self, call: PlacedCall) -> None:
        """Report to the user at whose number a call is that it does not stay there (H4)."""
        now = self._clock.now()
        diverted = CallDiverted(linked_id=call.id, started=call.started, at=now, peer=call.caller)
        await self._phones.report_diverted(call.user, diverted)

    async def _ring(self, call: PlacedCall, candidate: Candidate) -> None:
        now = self._clock.now()
        call.rings_until = call.rings_until or now + timedelta(seconds=candidate.seconds)
        call.candidate = candidate
        leg = self._leg(call, candidate.interface, Direction.INCOMING, CallStatus.RINGING, call.caller)
        call.callee_leg = leg
        self._clock.call_at(call.rings_until, partial(self._rang_long_enough, call, leg))
        if self._phones.silent(candidate.interface):
            self._clock.call_at(now + CONFIRMS_RINGING_WITHIN, partial(self._stayed_silent, call, leg))
            return
        call.rung.append((call.user, candidate.device))
        await self._phones.report_leg(leg)

    async def _rang_long_enough(self, call: PlacedCall, leg: PhoneLeg) -> None:
        if call.ringing_leg is leg:
            await self._not_answered(call, leg, Outcome.NO_ANSWER)

    async def _stayed_silent(self, call: PlacedCall, leg: PhoneLeg) -> None:
        if call.ringing_leg is leg:
            await self.move_on(call, leg)

    async def move_on(self, call: PlacedCall, leg: PhoneLeg) -> bool:
        """The ringing device is gone: the next candidate rings; the last one rings on, and False (R15)."""
        plan, gone = call.plan, call.candidate
        if plan is None or gone is None or gone.device is plan.candidates[-1].device:
            return False
        call.callee_leg, call.candidate = None, None
        await self._follow(call, ring(plan, self._facts(call, plan, without=gone.device)))
        await self._phones.report_end(leg, self._clock.now())
        return True

    async def _not_answered(self, call: PlacedCall, leg: PhoneLeg, outcome: Outcome) -> None:
        call.outcomes.append(outcome)
        call.callee_leg, call.candidate = None, None
        await self._phones.report_end(leg, self._clock.now())
        if call.plan is None:
            await self._follow(call, Route(destination=Refusal(outcome.cause)))
        else:
            await self._follow(call, after(call.plan, outcome, self._facts(call, call.plan)))

    def _leg(
        self, call: PlacedCall, interface: str, direction: Direction, status: CallStatus, peer: str
    ) -> PhoneLeg:
        return PhoneLeg(self._next_id(), call.id, interface, direction, status, peer, call.started)

    async def change(self, leg: PhoneLeg, status: CallStatus) -> None:
        """A phone's part in a call takes another status."""
        leg.status = status
        if status is CallStatus.TALKING and leg.answered is None:
            leg.answered = self._clock.now()
        await self._phones.report_leg(leg)

    def _next_id(self) -> str:
        return f"{int(self._clock.now().timestamp())}.{next(self._ids)}"
