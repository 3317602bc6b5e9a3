"""The directory: who may log in, what people are called, and who may see whose presence."""

from __future__ import annotations

from typing import Protocol


class Directory(Protocol):
    """What the company knows of its people."""

    async def authenticate(self, login: str, password: str) -> str | None:
        """The id of the user with this login and password; None where they do not match.

        Takes as long for an unknown login as for a wrong password.
        """
        ...

    async def name(self, number: str) -> str | None:
        """The full name behind an internal number; None where nobody is known to have it."""
        ...

    async def may_see(self, user: str, number: str) -> bool:
        """Whether a user may see the presence of a number."""
        ...
