"""A PBX within the process: it carries installed plans out, call by call, on live facts of its own.

It holds plans and never sees an account: what a call does follows
from the plan, the contacts and the calls of that moment. Time is a clock's, so that ring times pass as
fast as a test moves the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from unique_account.adapters.memory.call_engine import CallEngine
from unique_account.adapters.memory.calls import PhoneLeg, PlacedCall
from unique_account.adapters.memory.phones import MemoryPhones
from unique_account.adapters.memory.plans import MemoryPlans
from unique_account.core.account import CallStatus, LineStatus
from unique_account.core.forwarding import Outcome
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.core.routing import Plan
from unique_account.core.user import User
from unique_account.ports.clock import Clock
from unique_account.ports.inbound.events import EventHandler
from unique_account.ports.pbx import CommandFailed, Failure, NodeDown


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
        self._plans = MemoryPlans()
        self._engine = CallEngine(clock, self._phones, self._plans)
        self._on_return: Callable[[], None] = _nothing

    # -- what phones and callers do ------------------------------------------------------------------

    async def register(self, interface: str, contact: str = "contact") -> None:
        """A phone registers a contact; a silent one answers again."""
        await self._phones.register(interface, contact)

    async def unregister(self, interface: str, contact: str = "contact") -> None:
        """A contact goes, whatever took it; a call that rings there moves on if it was the last (R15)."""
        await self._phones.unregister(interface, contact)
        if not self._phones.reachable(interface):
            await self._engine.leave(interface)

    def fall_silent(self, interface: str) -> None:
        """A phone freezes, or its network dies: its contacts stay, but nothing answers there any more."""
        self._phones.fall_silent(interface)

    async def call(self, dialled: str, *, caller: str = "", interface: str = "") -> PlacedCall:
        """Somebody dials a number, outside or on a phone here; returns once it rings or went on."""
        return await self._engine.call(dialled, caller=caller, interface=interface)

    async def pick_up(self, call: PlacedCall) -> None:
        """The phone that rings is picked up; where the call left this PBX, the party out there answers."""
        await self._engine.pick_up(call)

    async def ends_with(self, call: PlacedCall, outcome: Outcome) -> None:
        """The phone that rings gives this outcome: busy, where its user refuses the call, say."""
        await self._engine.ends_with(call, outcome)

    async def end(self, call: PlacedCall) -> None:
        """Either party hangs up."""
        await self._engine.end(call)

    async def leave_messages(self, mailbox: str, new: int, old: int = 0) -> None:
        """A mailbox holds so many messages now."""
        await self._phones.hold_messages(mailbox, new, old)

    def status(self, interface: str) -> LineStatus:
        """A line's status."""
        return self._phones.status(interface)

    @property
    def calls(self) -> tuple[PlacedCall, ...]:
        """The calls that are not over, in the order in which they began."""
        return tuple(self._engine.calls.values())

    async def go_down(self) -> None:
        """The node is cut off: calls go on by their plans, but nothing is reported and nothing taken."""
        self._phones.is_up = False
        await self._watch_all()

    async def come_back(self) -> None:
        """The node can be reached again."""
        self._phones.is_up = True
        self._on_return()
        await asyncio.sleep(0)  # so that the resync begins before a fact is reported
        await self._watch_all()

    async def _watch_all(self) -> None:
        for user in list(self._phones.users.values()):
            await self._phones.watch(user, self.media_server)

    def _check_up(self) -> None:
        if not self._phones.is_up:
            raise NodeDown(f"the PBX {self.media_server} cannot be reached")

    # -- the port: facts and projections -------------------------------------------------------------

    async def listen(self, on_event: EventHandler, on_return: Callable[[], None]) -> None:
        """Report every fact about the watched users, until cancelled."""
        self._phones.on_event, self._on_return = on_event, on_return
        try:
            await asyncio.Event().wait()
        finally:
            if self._phones.on_event is on_event:
                self._phones.on_event, self._on_return = None, _nothing

    async def watch(self, user: User) -> None:
        """Report this user's facts from now on, first all that is known."""
        await self._phones.watch(user, self.media_server)

    async def forget(self, user: str) -> None:
        """Report nothing more of this user, and follow its plan no longer."""
        self._phones.forget(user)
        self._check_up()
        for number in self._plans.forget(user):
            self.hints.pop(number, None)

    async def install(self, plan: Plan) -> bool:
        """Let the user's calls follow this plan, unless a newer one is there."""
        self._check_up()
        return self._plans.install(plan)

    async def installed(self, owner: str) -> Mapping[str, Plan]:
        """The plans that this owner installed, by user."""
        self._check_up()
        return self._plans.installed(owner)

    async def hint(self, number: Number, presence: Presence) -> None:
        """Show this presence to the phones that watch a number."""
        self._check_up()
        self.hints[number] = presence
        if presence is Presence.UNEXISTING:
            del self.hints[number]

    # -- the port: commands --------------------------------------------------------------------------

    async def dial(self, interface: str, number: str, *, answers_itself: bool = False) -> None:
        """Ring a phone and, when it is picked up, dial the number for it (R14)."""
        self._check_up()
        if not self._phones.reachable(interface):
            sentence = f"{interface} is not registered, so it cannot be rung"
            raise CommandFailed(sentence, Failure.PHONE_NOT_REGISTERED)
        await self._engine.dial(interface, number, answers_itself)

    async def answer(self, call_id: str) -> None:
        """Let the phone that rings for this call answer it."""
        self._check_up()
        call, _ = self._find(call_id, CallStatus.RINGING)
        await self.pick_up(call)

    async def hold(self, call_id: str) -> None:
        """Let the phone put its call on hold."""
        self._check_up()
        _, leg = self._find(call_id, CallStatus.TALKING)
        await self._engine.change(leg, CallStatus.HELD)

    async def resume(self, call_id: str) -> None:
        """Let the phone take its call back from hold."""
        self._check_up()
        _, leg = self._find(call_id, CallStatus.HELD)
        await self._engine.change(leg, CallStatus.TALKING)

    async def transfer(self, call_id: str, number: str) -> None:
        """Send the other party to a number, and let the phone go."""
        self._check_up()
        call, leg = self._find(call_id, CallStatus.TALKING, CallStatus.HELD)
        if leg is call.caller_leg:
            call.caller, call.caller_leg = leg.peer, call.callee_leg
        call.callee_leg, call.candidate, call.answered = None, None, False
        await self._phones.report_end(leg, self._clock.now())
        await self._engine.arrive(call, number)

    async def join(self, call_id: str, other: str) -> None:
        """Connect the other parties of two calls of a phone, and let the phone go."""
        self._check_up()
        answered = CallStatus.TALKING, CallStatus.HELD
        (one, leg), (two, second) = self._find(call_id, *answered), self._find(other, *answered)
        if one is two or leg.interface != second.interface:
            raise CommandFailed("these are not two calls of one phone", Failure.NOT_ONE_PHONE)
        one.joined, two.joined = two, one
        for call, left in ((one, leg), (two, second)):
            if left is call.caller_leg:
                call.caller_leg = None
            else:
                call.callee_leg = None
            await self._phones.report_end(left, self._clock.now())

    async def hang_up(self, call_id: str) -> None:
        """End a call, ringing or answered."""
        self._check_up()
        call, _ = self._find(call_id, *CallStatus)
        await self.end(call)

    async def hand_on(self, call_id: str) -> None:
        """Move a ringing call to the plan's next candidate (R15)."""
        self._check_up()
        call, leg = self._find(call_id, CallStatus.RINGING)
        if not await self._engine.move_on(call, leg):
            sentence = "the call rings on the last device that the plan has for it"
            raise CommandFailed(sentence, Failure.LAST_DEVICE)

    def _find(self, call_id: str, *statuses: CallStatus) -> tuple[PlacedCall, PhoneLeg]:
        for call in self._engine.calls.values():
            for leg in call.legs:
                if leg.id == call_id:
                    if leg.status in statuses:
                        return call, leg
                    sentence = f"the call is {leg.status}, not {' or '.join(statuses)}"
                    raise CommandFailed(sentence, Failure.WRONG_STATUS)
        raise CommandFailed("the call is over", Failure.CALL_OVER)


def _nothing() -> None:
    """Report a return to nobody."""
