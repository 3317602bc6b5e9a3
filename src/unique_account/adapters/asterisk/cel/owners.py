"""Whose the legs of a call are, and the numbers that were dialled."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from unique_account.adapters.asterisk.cel.leg import Leg
from unique_account.core.errors import Ineligible
from unique_account.core.machine import Device
from unique_account.core.uniqueness import collisions
from unique_account.core.user import User


class OwnedLine(NamedTuple):
    """A user's device."""

    user: str
    device: Device


class Owners:
    """Whose endpoints and numbers are whose.

    Attributes:
        lines: The users' endpoints.
        numbers: The users by context and number.
        extensions: The number by which a user is known.

    Raises:
        Ineligible: Two users have an id, an endpoint or a number in common.
    """

    def __init__(self, users: Iterable[User]) -> None:
        self.lines: dict[str, OwnedLine] = {}
        self.numbers: dict[tuple[str, str], str] = {}
        self.extensions: dict[str, str] = {}
        users = tuple(users)
        if problems := tuple(collisions((user.id, user) for user in users)):
            raise Ineligible(problems)
        for user in users:
            self.extensions[user.id] = user.extension
            for device in Device:
                self.lines[user.interface(device)] = OwnedLine(user.id, device)
            for number in user.numbers:
                self.numbers[user.context, number] = user.id

    def line(self, leg: Leg) -> OwnedLine | None:
        """Whose phone a leg is; None if nobody's whose history is made."""
        return None if leg.local else self.lines.get(leg.interface)

    def party(self, leg: Leg | None, at: datetime | None = None) -> tuple[str, str]:
        """The number and the name of the person at a leg, as others knew them at an instant.

        A user has one number, and the name that the user's phone showed first.
        """
        if leg is None:
            return "", ""
        line = self.line(leg)
        return leg.identity(at) if line is None else (self.extensions[line.user], leg.own_name)
