"""A directory of a few people."""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest


class MemoryDirectory:
    """Knows the people it was given; everybody may see everybody."""

    def __init__(self, passwords: Mapping[str, str], names: Mapping[str, str]) -> None:
        self._passwords = dict(passwords)
        self._names = dict(names)

    def __repr__(self) -> str:
        return f"MemoryDirectory(of {len(self._passwords)} people)"

    async def authenticate(self, login: str, password: str) -> str | None:
        """The user with this login and password; logins are user ids."""
        known = compare_digest(self._passwords.get(login, "").encode(), password.encode())
        return login if known and login in self._passwords else None

    async def name(self, number: str) -> str | None:
        """The full name behind an internal number."""
        return self._names.get(number)

    async def may_see(self, user: str, number: str) -> bool:
        """Everybody may see the numbers of the directory."""
        return user in self._passwords and number in self._names
