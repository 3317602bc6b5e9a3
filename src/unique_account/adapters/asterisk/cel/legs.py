"""The legs of a call, out of its rows of CEL: when each began, was answered and ended, and who was with whom.

Every row names its channel, so a leg is known even if the row of its start is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from unique_account.adapters.asterisk.cel.bridges import Bridges
from unique_account.adapters.asterisk.cel.leg import Identity, Leg
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.core.number import Number

_DIALLED: Final = "AppDial"
"""The application of a channel that is called by its caller's ``Dial``."""

_CALLED: Final = (_DIALLED, "AppQueue")
"""The beginnings of the applications of channels that are called or originated: they run none themselves."""

_ANSWERING: Final = ("VoiceMail", "ConfBridge")
"""The beginnings of the names of applications that are a party: a mailbox and a conference."""

_RUNNING: Final = ("APP_START", "ANSWER")
"""What a channel reports of an application that it runs where it is in the dialplan."""

# Rows that have the same instant are taken in an order in which they may have happened.
_KINDS: Final = ("CHAN_START", "ANSWER", "", "BRIDGE_EXIT", "HANGUP", "CHAN_END", "LINKEDID_END")
_ORDER: Final = {kind: place for place, kind in enumerate(_KINDS)}


def in_order(rows: Iterable[CelRow]) -> list[CelRow]:
    """The rows as they happened; the same for the same rows, whatever their order was."""
    return sorted(rows, key=_place)


def _place(row: CelRow) -> tuple[object, ...]:
    return (row.at, _ORDER.get(row.kind, _ORDER[""]), row)


def legs_of(rows: Iterable[CelRow]) -> Mapping[str, Leg]:
    """The legs of a call by their ids, out of its rows in order."""
    legs: dict[str, Leg] = {}
    bridges = Bridges()
    for row in rows:
        leg = legs.setdefault(row.uniqueid, Leg(row.uniqueid))
        if leg.first is None:
            leg.first, leg.channel, leg.call, leg.context = row.at, row.channel, row.linkedid, row.context
        taken = _TAKEN.get(row.kind)
        if taken is not None:
            taken(leg, row)
        _show(leg, row)
        if row.kind == "PICKUP" and (picker := row.detail("pickup_channel_uniqueid")):
            legs.setdefault(picker, Leg(picker)).picked_up = True
        bridges.take(leg, row)
    for leg in legs.values():
        _origin(leg, legs)
    for leg in legs.values():
        leg.caller = None if leg.originated else _caller(leg, legs)
    return legs


def _show(leg: Leg, row: CelRow) -> None:
    """Note what any row shows of its channel: its caller id, and where it is."""
    shown = leg.identities[-1][1:] if leg.identities else ("", "")
    if (row.number or row.name) and (row.number, row.name) != shown:
        leg.identities.append(Identity(row.at, row.number, row.name))
    if row.kind in _RUNNING and Number(row.extension).is_dialable and not row.application.startswith(_CALLED):
        leg.entered.append(row.extension)
    if row.application.startswith(_ANSWERING) and leg.answered is not None:
        leg.speak(row.at)


def _origin(leg: Leg, legs: Mapping[str, Leg]) -> None:
    """Whether it began the call, and what it dialled; an id that no channel has is that of a lost one."""
    if leg.call == leg.id and leg.local:
        leg.dialled = ""  # it began at the extension behind its other half
    began = leg.call == leg.id
    if not leg.dialled and (began or leg.began is None):
        leg.dialled = next(iter(leg.entered), "")
    leg.originated = began or (leg.call not in legs and leg.dialled != "")


def _caller(leg: Leg, legs: Mapping[str, Leg]) -> Leg | None:
    """Who began the call that it was part of at first."""
    known = legs.get(leg.call)
    others = (one for one in legs.values() if one.originated and one.call == leg.call)
    return known or min(others, key=lambda one: (one.first is None, one.first, one.id), default=None)


def _start(leg: Leg, row: CelRow) -> None:
    if leg.began is not None:
        return
    leg.began, leg.channel, leg.call, leg.context = row.at, row.channel, row.linkedid, row.context
    leg.redirected = _number_or_nothing(row.redirected)
    leg.dialled = _number_or_nothing(row.extension)


def _answer(leg: Leg, row: CelRow) -> None:
    if leg.answered is None:
        leg.answered = row.at
    # The leg that is called is where its caller is, who dialled this; a parking lot dials no number.
    if row.application == _DIALLED and Number(row.extension).is_dialable:
        leg.called_as = row.extension


def _enter(leg: Leg, row: CelRow) -> None:
    if leg.answered is None:  # its answer is lost: nobody speaks before it
        leg.answered = row.at


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
    "BRIDGE_ENTER": _enter,
    "HANGUP": _end,
    "CHAN_END": _end,
    "BLINDTRANSFER": _blind,
    "ATTENDEDTRANSFER": _attended,
}


def _number_or_nothing(text: str) -> str:
    return text if Number(text).is_dialable else ""
