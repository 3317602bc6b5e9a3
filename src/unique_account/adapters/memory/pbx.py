"""A PBX within the process: it carries installed plans out, call by call, on live facts of its own.

It holds plans as the JSON that any PBX could hold, and never sees an account: what a call does follows
from the plan, the contacts and the calls of that moment. Time is a clock's, so that ring times pass as
fast as a test moves the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Final

from unique_account.adapters.memory.calls import PhoneLeg, PlacedCall
from unique_account.adapters.memory.phones import MemoryPhones
from unique_account.core.account import CallStatus, Direction, LineStatus
from unique_account.core.forwarding import Extension, Mailbox, Outcome, Refusal
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.core.reasons import Reason
from unique_account.core.routing import Candidate, Facts, Plan, Route, after, resolve, ring
from unique_account.core.user import User
from unique_account.documents import from_json, to_json
from unique_account.ports.clock import Clock
from unique_account.ports.inbound.events import EventHandler
from unique_account.ports.pbx import CommandFailed

CONFIRMS_RINGING_WITHIN: Final = timedelta(seconds=1.5)
"""How long a leg may stay silent before its device counts as vanished (R15)."""

DIALS_FOR: Final = 30
"""How long a phone rings, in seconds, for whom the PBX is asked to dial (R14)."""


class MemoryPbx:
    """One node, driven by what phones do: register, call, pick up, end.

    Attributes:
        media_server: The node's name.
        hints: What watching phones show, by number.
    """

    def __init__(self, clock: Clock, media_server: str = "default") -> None:
        self.media_server = media_server
        self.hints: dict[str, Presence] = {}
        self._clock = clock
        self._phones = MemoryPhones()
        self._plans: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._numbers: dict[str, str] = {}
        self._calls: dict[str, PlacedCall] = {}
        self._ids = count(1)

    # -- what phones and callers do ------------------------------------------------------------------

    async def register(self, interface: str, contact: str = "contact") -> None:
        """A phone registers a contact; a silent one answers again."""
        await self._phones.register(interface, contact)

    async def unregister(self, interface: str, contact: str = "contact") -> None:
        """A contact goes, whatever took it; a call that rings there moves on if it was the last (R15)."""
        await self._phones.unregister(interface, contact)
        if not self._phones.reachable(interface):
            for call in self.calls:
                leg = call.ringing_leg
                if leg is not None and leg.interface == interface:
                    await self._publish(call, leg)

    def fall_silent(self, interface: str) -> None:
        """A phone freezes, or its network dies: its contacts stay, but nothing answers there any more."""
        self._phones.fall_silent(interface)

    async def call(self, dialled: str, *, caller: str = "", interface: str = "") -> PlacedCall:
        """Somebody dials a number, outside or on a phone here; returns once it rings or went on."""
        call = PlacedCall(self._next_id(), caller, dialled, self._clock.now())
        self._calls[call.id] = call
        if interface:
            call.caller_leg = self._leg(call, interface, Direction.OUTGOING, CallStatus.DIALLING, dialled)
            await self._phones.report_leg(call.caller_leg)
        await self._arrive(call, dialled)
        return call

    async def pick_up(self, call: PlacedCall) -> None:
        """The phone that rings is picked up; where the call left this PBX, the party out there answers."""
        if call.over:
            return
        leg = call.callee_leg
        if leg is not None and call.dials_next:
            number, call.dials_next = call.dials_next, ""
            call.caller_leg, call.callee_leg, call.candidate = leg, None, None
            await self._change(leg, CallStatus.DIALLING)
            await self._arrive(call, number)
            return
        call.answered = True
        if leg is not None:
            await self._change(leg, CallStatus.TALKING)
        if call.caller_leg is not None:
            await self._change(call.caller_leg, CallStatus.TALKING)

    async def ends_with(self, call: PlacedCall, outcome: Outcome) -> None:
        """The phone that rings gives this outcome: busy, where its user refuses the call, say."""
        if call.ringing_leg is not None:
            await self._not_answered(call, call.ringing_leg, outcome)

    async def end(self, call: PlacedCall) -> None:
        """Either party hangs up."""
        call.over = True
        self._calls.pop(call.id, None)
        legs, call.caller_leg, call.callee_leg = call.legs, None, None
        for leg in legs:
            await self._phones.report_end(leg, self._clock.now())
        if call.joined is not None and not call.joined.over:
            await self.end(call.joined)

    async def leave_messages(self, mailbox: str, new: int, old: int = 0) -> None:
        """A mailbox holds so many messages now."""
        await self._phones.hold_messages(mailbox, new, old)

    def status(self, interface: str) -> LineStatus:
        """A line's status."""
        return self._phones.status(interface)

    @property
    def calls(self) -> tuple[PlacedCall, ...]:
        """The calls that are not over, in the order in which they began."""
        return tuple(self._calls.values())

    # -- carrying plans out --------------------------------------------------------------------------

    async def _arrive(self, call: PlacedCall, number: str) -> None:
        """The call arrives at a number: it follows the plan there, or leaves this PBX."""
        call.number, call.rings_until = number, None
        call.plan = self._plan_of(number)
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

    def _plan_of(self, number: str) -> Plan | None:
        user = self._numbers.get(number)
        return from_json(Plan, self._plans[user]) if user else None

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
        elif isinstance(route.destination, Extension):
            call.forwards += 1
            await self._arrive(call, route.destination.number)
        else:
            call.destination = route.destination
            call.answered = isinstance(route.destination, Mailbox)
            if not call.answered:
                await self.end(call)

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
            await self._publish(call, leg)

    async def _publish(self, call: PlacedCall, leg: PhoneLeg) -> bool:
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

    async def _change(self, leg: PhoneLeg, status: CallStatus) -> None:
        leg.status = status
        if status is CallStatus.TALKING and leg.answered is None:
            leg.answered = self._clock.now()
        await self._phones.report_leg(leg)

    def _next_id(self) -> str:
        return f"{int(self._clock.now().timestamp())}.{next(self._ids)}"

    # -- the port: facts and projections -------------------------------------------------------------

    async def listen(self, on_event: EventHandler) -> None:
        """Tell every fact about the watched users, until cancelled."""
        self._phones.on_event = on_event
        try:
            await asyncio.Event().wait()
        finally:
            self._phones.on_event = None if self._phones.on_event is on_event else self._phones.on_event

    async def watch(self, user: User) -> None:
        """Tell this user's facts from now on, beginning with all that is known."""
        await self._phones.watch(user, self.media_server)

    async def forget(self, user: str) -> None:
        """Tell nothing more of this user, and follow its plan no longer."""
        self._phones.forget(user)
        self._plans.pop(user, None)
        self._versions.pop(user, None)
        for number in [number for number, owner in self._numbers.items() if owner == user]:
            del self._numbers[number]
            self.hints.pop(number, None)

    async def install(self, plan: Plan) -> bool:
        """Let the user's calls follow this plan, unless a newer one is there."""
        if self._versions.get(plan.user, plan.version) > plan.version:
            return False
        self._plans[plan.user], self._versions[plan.user] = to_json(plan), plan.version
        self._numbers = {number: user for number, user in self._numbers.items() if user != plan.user}
        self._numbers.update(dict.fromkeys(plan.numbers, plan.user))
        return True

    async def installed(self, owner: str) -> Mapping[str, Plan]:
        """The plans that this owner installed, by user."""
        plans = {user: from_json(Plan, text) for user, text in self._plans.items()}
        return {user: plan for user, plan in plans.items() if plan.owner == owner}

    async def hint(self, number: str, presence: Presence) -> None:
        """Show this presence to the phones that watch a number."""
        self.hints[number] = presence
        if presence is Presence.UNEXISTING:
            del self.hints[number]

    # -- the port: commands --------------------------------------------------------------------------

    async def dial(self, interface: str, number: str) -> None:
        """Ring a phone and, when it is picked up, dial the number for it (R14)."""
        if not self._phones.reachable(interface):
            raise CommandFailed(f"{interface} is not registered, so it cannot be rung")
        whose = self._phones.whose(interface)
        caller = self._phones.users[whose[0]].extension if whose else ""
        call = PlacedCall(self._next_id(), caller, number, self._clock.now(), dials_next=number)
        self._calls[call.id] = call
        call.candidate = Candidate(Device.DESKPHONE, interface, DIALS_FOR)
        call.callee_leg = leg = self._leg(call, interface, Direction.OUTGOING, CallStatus.RINGING, number)
        call.rings_until = self._clock.now() + timedelta(seconds=DIALS_FOR)
        self._clock.call_at(call.rings_until, partial(self._rang_long_enough, call, leg))
        await self._phones.report_leg(leg)

    async def answer(self, call_id: str) -> None:
        """Let the phone that rings for this call answer it."""
        call, _ = self._find(call_id, CallStatus.RINGING)
        await self.pick_up(call)

    async def hold(self, call_id: str) -> None:
        """Let the phone put its call on hold."""
        _, leg = self._find(call_id, CallStatus.TALKING)
        await self._change(leg, CallStatus.HELD)

    async def resume(self, call_id: str) -> None:
        """Let the phone take its call back from hold."""
        _, leg = self._find(call_id, CallStatus.HELD)
        await self._change(leg, CallStatus.TALKING)

    async def transfer(self, call_id: str, number: str) -> None:
        """Send the other party to a number, and let the phone go."""
        call, leg = self._find(call_id, CallStatus.TALKING, CallStatus.HELD)
        if leg is call.caller_leg:
            call.caller, call.caller_leg = leg.peer, call.callee_leg
        call.callee_leg, call.candidate, call.answered = None, None, False
        await self._phones.report_end(leg, self._clock.now())
        await self._arrive(call, number)

    async def join(self, call_id: str, other: str) -> None:
        """Connect the other parties of two calls of a phone, and let the phone go."""
        answered = CallStatus.TALKING, CallStatus.HELD
        (one, leg), (two, second) = self._find(call_id, *answered), self._find(other, *answered)
        if one is two or leg.interface != second.interface:
            raise CommandFailed("these are not two calls of one phone")
        one.joined, two.joined = two, one
        for call, left in ((one, leg), (two, second)):
            if left is call.caller_leg:
                call.caller_leg = None
            else:
                call.callee_leg = None
            await self._phones.report_end(left, self._clock.now())

    async def hang_up(self, call_id: str) -> None:
        """End a call, ringing or answered."""
        call, _ = self._find(call_id, *CallStatus)
        await self.end(call)

    async def hand_on(self, call_id: str) -> None:
        """Move a ringing call to the plan's next candidate (R15)."""
        call, leg = self._find(call_id, CallStatus.RINGING)
        if not await self._publish(call, leg):
            raise CommandFailed("the call rings on the last device that the plan has for it")

    def _find(self, call_id: str, *statuses: CallStatus) -> tuple[PlacedCall, PhoneLeg]:
        for call in self._calls.values():
            for leg in call.legs:
                if leg.id == call_id:
                    if leg.status in statuses:
                        return call, leg
                    raise CommandFailed(f"the call is {leg.status}, not {' or '.join(statuses)}")
        raise CommandFailed("the call is over")
