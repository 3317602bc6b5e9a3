"""Whose the lines and mailboxes of one media server are, while users come and go."""

from __future__ import annotations

from typing import NamedTuple

from unique_account.adapters.asterisk.translation.vocabulary import full_mailbox
from unique_account.core.errors import InvalidFields
from unique_account.core.machine import Device
from unique_account.core.uniqueness import Claim, ClaimKind, Claims, claims_of
from unique_account.core.user import User


class WatchedLine(NamedTuple):
    """Whose line an endpoint is."""

    user: str
    device: Device


class WatchedLines:
    """The watched users, with those lines and mailboxes that are on this media server.

    Attributes:
        users: All users by their ids, those of other media servers included.
        by_interface: The lines by their endpoints.
        mailboxes: The ids of the users who have a mailbox, by its address.
        by_number: The ids of the users whose lines are here, by the contexts of their numbers and these.
    """

    def __init__(self, media_server: str) -> None:
        self._media_server = media_server
        self._claims: Claims[str] = Claims()
        self.users: dict[str, User] = {}
        self.by_interface: dict[str, WatchedLine] = {}
        self.mailboxes: dict[str, list[str]] = {}
        self.by_number: dict[tuple[str, str], str] = {}

    def add(self, user: User) -> None:
        """Watch one more user.

        Raises:
            InvalidFields: Another user has this id, or an endpoint on this media server.
        """
        claims = self._claims_of(user)
        if taken := self._claims.collisions(claims):
            raise InvalidFields(f"{user.id}: {collision}" for collision in taken)
        self._claims.take(claims, user.id)
        self.users[user.id] = user
        if self._is_here(user):
            self.by_interface |= {user.interface(device): WatchedLine(user.id, device) for device in Device}
            self.by_number |= dict.fromkeys(_places(user), user.id)
            if user.mailbox is not None:
                self.mailboxes.setdefault(full_mailbox(user.mailbox), []).append(user.id)

    def forget(self, user: str) -> tuple[str, ...]:
        """Watch a user no longer; returns the user's endpoints, none where nobody knows the user."""
        known = self.users.pop(user, None)
        if known is None:
            return ()
        self._claims.release(self._claims_of(known), user)
        if not self._is_here(known):
            return ()
        if known.mailbox is not None:
            self.mailboxes[full_mailbox(known.mailbox)].remove(user)
        for place in _places(known):
            if self.by_number.get(place) == user:
                del self.by_number[place]
        interfaces = tuple(map(known.interface, Device))
        for interface in interfaces:
            del self.by_interface[interface]
        return interfaces

    def _claims_of(self, user: User) -> list[Claim]:
        """The id, and the devices that are here: other media servers may use the same endpoint names."""
        kinds = {ClaimKind.ID, ClaimKind.DEVICE} if self._is_here(user) else {ClaimKind.ID}
        return [claim for claim in claims_of(user) if claim.kind in kinds]

    def _is_here(self, user: User) -> bool:
        return user.media_server == self._media_server


def _places(user: User) -> list[tuple[str, str]]:
    """A user's numbers, as the dialplan names them, each with its context."""
    return [(user.context, number) for number in user.numbers]
