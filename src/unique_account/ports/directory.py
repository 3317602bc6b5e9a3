"""The directory: who may log in, what people are called, and who may see whose presence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from unicodedata import normalize

from attrs import field, frozen

from unique_account.core.number import Number


@frozen(weakref_slot=False)
class Colleague:
    """Somebody with a number.

    Attributes:
        number: The internal number.
        name: The full name.
    """

    number: Number = field(converter=Number)
    name: str


def same_login(login: str) -> str:
    """What all spellings of a login have in common: the same for logins that differ only in case or form."""
    return normalize("NFKC", normalize("NFKC", login).casefold()).strip()


class Directory(Protocol):
    """What the company knows of its people.

    Logins that differ only in case or form (see `same_login`) are of one person at most.
    """

    async def authenticate(self, login: str, password: str) -> str | None:
        """The id of the user with this login and password; None where they do not match.

        Takes as long for an unknown login as for a wrong password.
        """
        ...

    async def credential(self, login: str) -> str | None:
        """A text that changes when the password of a login does, or the user that it logs in as.

        A secret, since it may be a password's hash. None where nobody can log in with this login (any more).
        """
        ...

    async def name(self, number: str) -> str | None:
        """The full name behind an internal number; None where nobody is known to have it.

        It is shown to those who may see the number.
        """
        ...

    async def may_see(self, user: str, number: str) -> bool:
        """Whether a user may see a number: the name behind it, and its presence."""
        ...

    async def colleagues(self, user: str, words: str = "", limit: int = 100) -> Sequence[Colleague]:
        """Whom a user may see, the user apart, in the order of their names.

        Args:
            user: Who asks.
            words: Only those whose name or number has this in it, folded as `core.search` does: without case,
                accents and separators.
            limit: How many at most, 1 or more.
        """
        ...
