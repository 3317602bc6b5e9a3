"""What only one user can have: an id, a device, and a number within its context (A1).

It is judged here for everybody: for changes of accounts, for rosters, and for what a PBX is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Generic, TypeVar

from attrs import frozen

from unique_account.core.number import Number
from unique_account.core.user import User

Owner = TypeVar("Owner")


class ClaimKind(StrEnum):
    """What kind of thing is claimed."""

    ID = "id"
    DEVICE = "device"
    NUMBER = "number"


@frozen(weakref_slot=False)
class Claim:
    """One thing that only one user can have.

    Attributes:
        kind: What it is.
        name: The id, the PBX interface, or the number as it is compared.
        context: Where a number is valid; empty for other things.
    """

    kind: ClaimKind
    name: str
    context: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name} in {self.context}" if self.context else f"{self.kind} {self.name}"


def number_claim(number: str, context: str) -> Claim:
    """The claim to a number, however it is written."""
    return Claim(ClaimKind.NUMBER, Number(number), context)


def claims_of(user: User) -> tuple[Claim, ...]:
    """What a user claims: the id, both devices, and all numbers."""
    devices = (Claim(ClaimKind.DEVICE, interface) for interface in (user.deskphone, user.webrtc))
    numbers = (number_claim(number, user.context) for number in user.numbers)
    return (Claim(ClaimKind.ID, user.id), *devices, *numbers)


@frozen(weakref_slot=False)
class Collision(Generic[Owner]):
    """A claim to something that belongs to another owner.

    Attributes:
        claim: What is claimed.
        owner: The owner who claimed it first.
    """

    claim: Claim
    owner: Owner

    def __str__(self) -> str:
        return already(str(self.claim), self.owner)


def already(what: str, owner: object) -> str:
    """The sentence that every judge gives for a collision."""
    return f"{what} is already that of {owner}"


class Claims(Generic[Owner]):
    """Which owner has what; an owner is any key of the caller's, such as a user's id."""

    def __init__(self) -> None:
        self._owners: dict[Claim, Owner] = {}

    def collisions(self, claims: Iterable[Claim], owner: Owner | None = None) -> list[Collision[Owner]]:
        """Which of these claims another owner has; without an owner, which of them anybody has."""
        found = ((claim, self._owners[claim]) for claim in claims if claim in self._owners)
        return [Collision(claim, other) for claim, other in found if other != owner]

    def take(self, claims: Iterable[Claim], owner: Owner) -> list[Collision[Owner]]:
        """Give an owner what nobody else has; returns the rest."""
        claims = tuple(claims)
        for claim in claims:
            self._owners.setdefault(claim, owner)
        return self.collisions(claims, owner)

    def release(self, claims: Iterable[Claim], owner: Owner) -> None:
        """Take away from an owner what it has of these."""
        for claim in claims:
            if self._owners.get(claim) == owner:
                del self._owners[claim]


def collisions(users: Iterable[tuple[str, User]]) -> Iterator[str]:
    """What users of one list have in common although only one can have it, a sentence each.

    Args:
        users: The users in their order, each with its name in the sentences; a name may come twice.
    """
    names: list[str] = []
    claims: Claims[int] = Claims()
    for index, (name, user) in enumerate(users):
        names.append(name)
        for collision in claims.take(claims_of(user), index):
            yield f"{name}: {Collision(collision.claim, names[collision.owner])}"
