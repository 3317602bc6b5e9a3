"""Who was with whom: the bridges that the legs of a call enter and leave.

Two legs speak with each other when nobody else is in their bridge. Local channels are looked through: the
two halves of one make a single bridge of the two that they are in.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from unique_account.adapters.asterisk.cel.leg import Leg
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.core.number import Number

_CONFERENCE: Final = "softmix"
_LOT: Final = "holding_bridge"
_LEAVING: Final = ("BRIDGE_EXIT", "HANGUP", "CHAN_END")


class Bridges:
    """Who is in which bridge, as of the last row."""

    def __init__(self) -> None:
        self._in: dict[str, set[Leg]] = {}
        self._where: dict[Leg, str] = {}
        self._halves: dict[str, Leg] = {}

    def take(self, leg: Leg, row: CelRow) -> None:
        """Note what a row of a leg says about bridges."""
        if leg.local:
            self._halves[leg.channel] = leg
        if row.kind == "BRIDGE_ENTER":
            self._enter(leg, row)
        elif row.kind in _LEAVING:
            reported = row.detail("bridge_id")
            bridge = self._where.get(leg, "")
            if bridge and reported in ("", bridge):
                self._leave(leg)
                self._meet(bridge, row.at)

    def _enter(self, leg: Leg, row: CelRow) -> None:
        self._leave(leg)
        details = row.details()
        if details.get("bridge_technology") == _LOT:
            leg.wait(row.at)
        elif details.get("bridge_technology") == _CONFERENCE:
            leg.speak(row.at)
            leg.room = row.extension if Number(row.extension).is_dialable else leg.last_number
        elif bridge := row.detail("bridge_id"):
            self._in.setdefault(bridge, set()).add(leg)
            self._where[leg] = bridge
            self._meet(bridge, row.at)

    def _leave(self, leg: Leg) -> None:
        bridge = self._where.pop(leg, None)
        if bridge is not None:
            self._in[bridge].discard(leg)

    def _meet(self, bridge: str, at: datetime) -> None:
        """Two that are alone with each other are partners."""
        phones = [leg for leg in self._all_in(bridge) if not leg.local]
        if len(phones) == 2:
            one, other = phones
            one.meet(other, at)
            other.meet(one, at)

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
