"""Where calls go instead of a device: destinations, forwards and administrators' fallbacks (R8 to R13)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from attrs import field, frozen

from unique_account.core.number import Number


class Outcome(StrEnum):
    """How ringing ends without an answer (R9)."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    CONGESTION = "congestion"
    UNAVAILABLE = "unavailable"

    @property
    def cause(self) -> int:
        """The Q.850 cause with which a call is refused that ends so (R10)."""
        return _CAUSES[self]


_CAUSES: Final = {
    Outcome.NO_ANSWER: 19,
    Outcome.BUSY: 17,
    Outcome.CONGESTION: 34,
    Outcome.UNAVAILABLE: 20,
}


@frozen(weakref_slot=False)
class Extension:
    """Another number: the call is dialled again, and counts as one more forward (R13)."""

    number: Number = field(converter=Number)

    def __str__(self) -> str:
        return f"extension {self.number}"


@frozen(weakref_slot=False)
class Mailbox:
    """A voicemail box, as the PBX names it, e.g. ``1001@default``."""

    address: str

    def __str__(self) -> str:
        return f"mailbox {self.address}"


@frozen(weakref_slot=False)
class Refusal:
    """No more is tried; the caller's side gets a Q.850 cause (R10)."""

    cause: int

    def __str__(self) -> str:
        return f"refusal with cause {self.cause}"


Destination = Extension | Mailbox | Refusal


@frozen(weakref_slot=False)
class Forward:
    """One forward of the user's own; a disabled one keeps its destination for the next time."""

    destination: Number = field(converter=Number)
    enabled: bool = True


@frozen(weakref_slot=False, kw_only=True)
class Forwarding:
    """What the user has set: do-not-disturb, and a forward for each case that users may forward (R10).

    It belongs to the user, not to a device: the same value follows whichever device is in use (R11).
    """

    do_not_disturb: bool = False
    unconditional: Forward | None = None
    no_answer: Forward | None = None
    busy: Forward | None = None

    @property
    def forwards(self) -> tuple[tuple[str, Forward], ...]:
        """The forwards that are set, enabled or not, each with the name of its field."""
        named = (("unconditional", self.unconditional), ("no_answer", self.no_answer), ("busy", self.busy))
        return tuple((name, forward) for name, forward in named if forward is not None)


NO_FORWARDING: Final = Forwarding()


@frozen(weakref_slot=False, kw_only=True)
class Fallbacks:
    """The administrator's destination for each outcome; None: voicemail where there is one, else refused."""

    no_answer: Destination | None = None
    busy: Destination | None = None
    congestion: Destination | None = None
    unavailable: Destination | None = None

    def of(self, outcome: Outcome) -> Destination | None:
        """The administrator's destination for an outcome."""
        destination: Destination | None = getattr(self, outcome)
        return destination


NO_FALLBACKS: Final = Fallbacks()
