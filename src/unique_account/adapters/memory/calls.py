"""What a call is to the in-memory PBX: legs on phones, and the way it has gone so far."""

from __future__ import annotations

from datetime import datetime

from attrs import Factory, define

from unique_account.core.account import Call, CallStatus, Direction
from unique_account.core.forwarding import Destination, Outcome
from unique_account.core.machine import Device
from unique_account.core.reasons import Reason
from unique_account.core.routing import Candidate, Plan


@define
class PhoneLeg:
    """One phone's part in a call; gone from the PBX when it is over. All legs of a call share ``started``."""

    id: str
    linked_id: str
    interface: str
    direction: Direction
    status: CallStatus
    peer: str
    started: datetime
    answered: datetime | None = None

    @property
    def sip_call_id(self) -> str:
        """The ``Call-ID`` of its SIP dialog."""
        return f"{self.id}@memory"

    def as_call(self, device: Device) -> Call:
        """The leg as the core's call, on the device that carries it."""
        return Call(
            id=self.id,
            device=device,
            direction=self.direction,
            status=self.status,
            started=self.started,
            answered=self.answered,
            linked_id=self.linked_id,
            peer=self.peer,
            sip_call_id=self.sip_call_id,
        )


@define
class PlacedCall:
    """A call from its dialling to its end, open to tests.

    Attributes:
        id: What its legs share.
        caller: The number that calls.
        dialled: The number that was dialled first.
        started: When that was.
        rung: Every device that rang, in order, as the user's id and the device.
        outcomes: How each ringing ended that was not answered.
        destination: Where the call went instead of a device, if it did; the last one of a chain.
        forwards: How often it was forwarded.
        because: Why the last decision came out as it did.
        answered: Whether somebody, or a mailbox, took it.
        over: Whether it has ended.
        number: The number that it stands at now.
        user: The id of the user whose number that is; empty where it is nobody's here.
        plan: The plan that it follows there; None where there is none.
        candidate: What rings, or was answered, of that plan.
        rings_until: When its ring time there is over.
        caller_leg: The caller's phone, where it is one of this PBX.
        callee_leg: The phone that rings or talks.
        dials_next: The number to dial once the phone that rings is picked up (R14).
        answers_itself: Whether that phone is asked to answer without ringing.
        joined: The call with whose other party this one's talks, since their phone let them go.
    """

    id: str
    caller: str
    dialled: str
    started: datetime
    rung: list[tuple[str, Device]] = Factory(list)
    outcomes: list[Outcome] = Factory(list)
    destination: Destination | None = None
    forwards: int = 0
    because: tuple[Reason, ...] = ()
    answered: bool = False
    over: bool = False
    number: str = ""
    user: str = ""
    plan: Plan | None = None
    candidate: Candidate | None = None
    rings_until: datetime | None = None
    caller_leg: PhoneLeg | None = None
    callee_leg: PhoneLeg | None = None
    dials_next: str = ""
    answers_itself: bool = False
    joined: PlacedCall | None = None

    @property
    def rings(self) -> Device | None:
        """The device that rings now."""
        return self.candidate.device if self.candidate and self.ringing_leg else None

    @property
    def ringing_leg(self) -> PhoneLeg | None:
        """The phone that rings now."""
        return self.callee_leg if self.candidate and not self.answered else None

    @property
    def legs(self) -> tuple[PhoneLeg, ...]:
        """Its legs on phones of this PBX, the caller's first."""
        return tuple(leg for leg in (self.caller_leg, self.callee_leg) if leg is not None)
