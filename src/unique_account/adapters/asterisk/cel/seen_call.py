"""A call as its rows report it: its legs, and how they belong together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from unique_account.adapters.asterisk.cel.forwards import Forward, first_called
from unique_account.adapters.asterisk.cel.leg import Leg
from unique_account.adapters.asterisk.cel.owners import Owners


class SeenCall(NamedTuple):
    """One call.

    Attributes:
        id: Its id.
        start: When it began, in UTC.
        settled: All its rows came.
        legs: Its legs, by their ids.
        forwards: The numbers that it left.
        last: The instant of its last row, in UTC.
        owners: Whose phones and numbers are whose.
    """

    id: str
    start: datetime
    settled: bool
    legs: Mapping[str, Leg]
    forwards: tuple[Forward, ...]
    last: datetime
    owners: Owners

    def clicked(self, leg: Leg) -> bool:
        """Whether a phone rings so that the PBX can dial for it, through a Local channel.

        The PBX originates that channel: its second half calls the phone, and once that is up, its first
        half dials the number.
        """
        through = self._through(leg)
        if through is None or through is leg or leg.originated or leg.first is None:
            return False
        return through.answered is None or leg.first < through.answered

    def _through(self, leg: Leg) -> Leg | None:
        """The Local channel that began the call of a leg, if one did."""
        origin = self.legs.get(leg.call)
        return origin if origin is not None and origin.local and origin.originated else None

    def began_by(self, origin: Leg | None) -> Leg | None:
        """Whose call it is that a leg began: behind a Local channel, the phone that it dials for."""
        if origin is None or not origin.local:
            return origin
        phones = (leg for leg in self.legs.values() if leg.call == origin.id and not leg.local)
        return next((leg for leg in phones if leg.answered is not None and self.clicked(leg)), origin)

    def dialled_by(self, main: Leg) -> str:
        """The number that a user dialled, or had dialled by a click."""
        through = self._through(main) if self.clicked(main) else None
        return main.dialled if through is None else through.dialled

    def rung_by(self, main: Leg, own: list[Leg]) -> list[Leg]:
        """The phones that rang because a user dialled, in the order in which they began."""
        clicked = self.clicked(main)
        rung = (leg for leg in self.legs.values() if leg.call == main.call and leg is not main)
        called = [leg for leg in rung if not (leg.originated or leg.local or leg.first is None)]
        if clicked:
            called = [leg for leg in called if leg not in own or not self.clicked(leg)]
        return sorted(called, key=lambda leg: (leg.first, leg.id))

    def forwarded_from(self, user: str) -> str:
        """The number that was called first, where a forward brought the call to a user."""
        return first_called(self.forwards, user)
