"""One leg of a call: a channel, what it did, and as whom others know its party.

A caller id changes on the way: a forward outside shows the company's number, a phone that answers shows
the caller's. So each leg keeps all that it showed, with the instants, and gives what was right when asked.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from attrs import define, field

from unique_account.core.number import Number

_LOCAL: Final = "Local/"


class Identity(NamedTuple):
    """The caller id of a channel from an instant on."""

    at: datetime
    number: str
    name: str


@define(eq=False, weakref_slot=False)
class Leg:
    """One channel of a call.

    Attributes:
        id: The channel's id.
        channel: Its name, as the first of its rows has it.
        call: The linkedid of that row: the id of the channel that dialled it, or its own.
        first: The instant of that row, in UTC; None for one that has no row of its own.
        context: Where it was in the dialplan then.
        originated: It began a call, as a phone does that dials; the others are called.
        dialled: The number that it dialled, empty for most that were called.
        entered: The numbers at which it ran an application, in order.
        called_as: The number as which it was called, empty while unknown.
        identities: Its caller ids, in order.
        caller: Who dialled it, as far as rows say so.
        redirected: The number from which the call to it was redirected, empty for most.
        began: When it was there first, in UTC; None if that was not reported.
        answered: When it was first up, in UTC; None if it never was.
        ended: When it was gone, in UTC; None if that was not reported.
        picked_up: It took a call that rang elsewhere.
        partner: Whom it spoke with last, None for nobody.
        met: All with whom it spoke.
        spoke: When it first spoke with another leg, a conference or a mailbox, in UTC; None if never.
        room: The number of the conference that it was in last, empty once it spoke with a single party.
        waits: When it began to wait in a parking lot or the like, and when it spoke again, if it did.
        transfers: Where it gave the other party, in order: an extension, or another channel's id.
    """

    id: str
    channel: str = ""
    call: str = ""
    first: datetime | None = None
    context: str = ""
    originated: bool = False
    dialled: str = ""
    entered: list[str] = field(factory=list)
    called_as: str = ""
    identities: list[Identity] = field(factory=list)
    caller: Leg | None = field(default=None, repr=False)
    redirected: str = ""
    began: datetime | None = None
    answered: datetime | None = None
    ended: datetime | None = None
    picked_up: bool = False
    partner: Leg | None = field(default=None, repr=False)
    met: set[Leg] = field(factory=set, repr=False)
    spoke: datetime | None = None
    room: str = ""
    waits: list[tuple[datetime, datetime | None]] = field(factory=list)
    transfers: list[tuple[str, str]] = field(factory=list)

    @property
    def local(self) -> bool:
        """It is half of a Local channel, so nobody's phone."""
        return self.channel.startswith(_LOCAL)

    @property
    def interface(self) -> str:
        """The endpoint whose channel it is, e.g. ``PJSIP/alice``."""
        return self.channel.rpartition("-")[0]

    @property
    def last_number(self) -> str:
        """The number at which it was last, as far as it is known."""
        return self.entered[-1] if self.entered else self.dialled

    def meet(self, other: Leg, at: datetime) -> None:
        """From now on it speaks with another leg."""
        self.partner, self.room = other, ""
        self.met.add(other)
        self.speak(at)

    def speak(self, at: datetime) -> None:
        """From now on it speaks with somebody."""
        self.spoke = self.spoke or at
        if self.waits and self.waits[-1][1] is None:
            self.waits[-1] = (self.waits[-1][0], at)

    def wait(self, at: datetime) -> None:
        """From now on it waits, and speaks with nobody."""
        if not self.waits or self.waits[-1][1] is not None:
            self.waits.append((at, None))

    def identity(self, at: datetime | None) -> tuple[str, str]:
        """The number and name of its party, as others knew them at an instant."""
        return self._as_caller(at) if self.originated else self._as_called()

    @property
    def own_name(self) -> str:
        """The first name that it showed and that is not its caller's."""
        return next((one.name for one in self._own_identities() if one.name), "")

    def _as_called(self) -> tuple[str, str]:
        numbers = (one.number for one in self._own_identities() if Number(one.number).is_dialable)
        return self.called_as or next(numbers, ""), self.own_name

    def _own_identities(self) -> list[Identity]:
        """Those that are not its caller's, which an answering phone may show; all if all are."""
        caller = "" if self.originated or self.caller is None else self.caller.identity(self.first)[0]
        return [one for one in self.identities if not caller or one.number != caller] or self.identities

    def _as_caller(self, at: datetime | None) -> tuple[str, str]:
        known = [one for one in self.identities if at is None or one.at <= at] or self.identities[:1]
        shown = [one.number for one in known if one.number]
        number = next((one for one in reversed(shown) if Number(one).is_dialable), shown[-1] if shown else "")
        names = [one.name for one in known if one.name and one.number == number]
        return number, _without_prefix(names or [one.name for one in known if one.name])


def _without_prefix(names: list[str]) -> str:
    """The last of the names; without what a forward or a group put before an earlier one."""
    for name in names:
        before = names[-1].removesuffix(name)
        if before != names[-1] and not before[-1:].isalnum():
            return name
    return ""
