"""The legs of a call, out of its rows of CEL: when each began, was answered and ended, and who was with whom.

Two legs speak with each other when nobody else is in their bridge. A Local channel is looked through: its
two halves make one of the bridges that they are in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from attrs import define, field

from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.core.number import Number

_LOCAL: Final = "Local/"
_CONFERENCE: Final = "softmix"
_NO_NUMBER: Final = ("", "s")

# Rows that have the same instant are taken in an order in which they may have happened.
_KINDS: Final = ("CHAN_START", "ANSWER", "", "BRIDGE_EXIT", "HANGUP", "CHAN_END", "LINKEDID_END")
_ORDER: Final = {kind: place for place, kind in enumerate(_KINDS)}


@define(eq=False, weakref_slot=False)
class Leg:
    """One channel of a call.

    Attributes:
        id: The channel's id.
        channel: Its name.
        call: The linkedid with which it began: the id of the channel that dialled it, or its own.
        context: Where it was in the dialplan when it began.
        dialled: What it dialled, empty for one that was called.
        called_as: The number as which it was called, empty while unknown.
        number: Its caller id.
        name: The name that belongs to it.
        redirected: The number from which the call to it was redirected, empty for most.
        began: When it was there first, in UTC; None if that was not reported.
        answered: When it was first up, in UTC; None if it never was.
        ended: When it was gone, in UTC; None if that was not reported.
        picked_up: It took a call that rang elsewhere.
        partner: Whom it spoke with last, None for nobody.
        met: All with whom it spoke.
        transfers: Where it gave the other party, in order: an extension, or another channel's id.
    """

    id: str
    channel: str = ""
    call: str = ""
    context: str = ""
    dialled: str = ""
    called_as: str = ""
    number: str = ""
    name: str = ""
    redirected: str = ""
    began: datetime | None = None
    answered: datetime | None = None
    ended: datetime | None = None
    picked_up: bool = False
    partner: Leg | None = None
    met: set[Leg] = field(factory=set, repr=False)
    transfers: list[tuple[str, str]] = field(factory=list)

    @property
    def originated(self) -> bool:
        """It began a call, as a phone does that dials; the others are called."""
        return self.call == self.id

    @property
    def local(self) -> bool:
        """It is half of a Local channel, so nobody's phone."""
        return self.channel.startswith(_LOCAL)

    @property
    def interface(self) -> str:
        """The endpoint whose channel it is, e.g. ``PJSIP/alice``."""
        return self.channel.rpartition("-")[0]

    @property
    def known_as(self) -> str:
        """The number by which others know its party: as it was called, or as it calls."""
        return self.called_as or self.number


def in_order(rows: Iterable[CelRow]) -> list[CelRow]:
    """The rows as they happened; the same for the same rows, whatever their order was."""
    return sorted(rows, key=_place)


def _place(row: CelRow) -> tuple[object, ...]:
    return (row.at, _ORDER.get(row.kind, _ORDER[""]), row)


def legs_of(rows: Iterable[CelRow]) -> Mapping[str, Leg]:
    """The legs of a call by their ids, out of its rows in order."""
    legs: dict[str, Leg] = {}
    bridges = _Bridges()
    for row in rows:
        leg = legs.setdefault(row.uniqueid, Leg(row.uniqueid))
        taken = _TAKEN.get(row.kind)
        if taken is not None:
            taken(leg, row)
        if row.number:
            leg.number, leg.name = row.number, row.name
        if row.kind == "PICKUP" and (picker := row.detail("pickup_channel_uniqueid")):
            legs.setdefault(picker, Leg(picker)).picked_up = True
        bridges.take(leg, row)
    return legs


def _start(leg: Leg, row: CelRow) -> None:
    if leg.began is not None:
        return
    leg.began, leg.channel, leg.call, leg.context = row.at, row.channel, row.linkedid, row.context
    leg.redirected = row.redirected
    leg.dialled = row.extension if row.extension not in _NO_NUMBER else ""


def _answer(leg: Leg, row: CelRow) -> None:
    if leg.answered is None:
        leg.answered = row.at
    # The leg that is called is where its caller is, who dialled this; a parking lot dials no number.
    if row.application == "AppDial" and row.extension not in _NO_NUMBER and Number(row.extension).is_dialable:
        leg.called_as = row.extension


def _dial(leg: Leg, row: CelRow) -> None:
    if leg.originated and not leg.dialled and row.extension not in _NO_NUMBER:
        leg.dialled = row.extension


def _end(leg: Leg, row: CelRow) -> None:
    if leg.ended is None:
        leg.ended = row.at


def _blind(leg: Leg, row: CelRow) -> None:
    leg.transfers.append(("extension", row.detail("extension")))


def _attended(leg: Leg, row: CelRow) -> None:
    leg.transfers.append(("channel", row.detail("channel2_uniqueid")))


_TAKEN: Final = {
    "CHAN_START": _start,
    "ANSWER": _answer,
    "APP_START": _dial,
    "HANGUP": _end,
    "CHAN_END": _end,
    "BLINDTRANSFER": _blind,
    "ATTENDEDTRANSFER": _attended,
}


class _Bridges:
    """Who is in which bridge, by the rows."""

    def __init__(self) -> None:
        self._in: dict[str, set[Leg]] = {}
        self._where: dict[Leg, str] = {}
        self._halves: dict[str, Leg] = {}

    def take(self, leg: Leg, row: CelRow) -> None:
        if leg.local:
            self._halves[leg.channel] = leg
        if row.kind == "BRIDGE_ENTER":
            details = row.details()
            self._leave(leg)
            if details.get("bridge_technology") != _CONFERENCE and (bridge := row.detail("bridge_id")):
                self._in.setdefault(bridge, set()).add(leg)
                self._where[leg] = bridge
                self._meet(bridge)
        elif row.kind in ("BRIDGE_EXIT", "HANGUP", "CHAN_END"):
            reported = row.detail("bridge_id")
            bridge = self._where.get(leg, "")
            if bridge and reported in ("", bridge):
                self._leave(leg)
                self._meet(bridge)

    def _leave(self, leg: Leg) -> None:
        bridge = self._where.pop(leg, None)
        if bridge is not None:
            self._in[bridge].discard(leg)

    def _meet(self, bridge: str) -> None:
        """Two that are alone with each other are partners."""
        phones = [leg for leg in self._all_in(bridge) if not leg.local]
        if len(phones) == 2:
            one, other = phones
            one.partner, other.partner = other, one
            one.met.add(other)
            other.met.add(one)

    def _all_in(self, bridge: str) -> set[Leg]:
        """All legs of a bridge, and of those behind its Local channels."""
        seen, found, left = {bridge}, set[Leg](), [bridge]
        while left:
            for leg in self._in.get(left.pop(), set()):
                found.add(leg)
                half = self._other_half(leg) if leg.local else None
                beyond = None if half is None else self._where.get(half)
                if beyond is not None and beyond not in seen:
                    seen.add(beyond)
                    left.append(beyond)
        return found

    def _other_half(self, leg: Leg) -> Leg | None:
        name, _, half = leg.channel.rpartition(";")
        return self._halves.get(f"{name};{'2' if half == '1' else '1'}")
