"""A directory of a few people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hmac import compare_digest

from unique_account.core.number import Number
from unique_account.core.search import folded, searchable
from unique_account.ports.directory import Colleague


class MemoryDirectory:
    """Knows the people it was given; everybody may see everybody.

    Args:
        passwords: The password of each user; logins are user ids.
        names: The full name behind each number.
        numbers: The user who has a number, by number, so that nobody is a colleague of himself.
    """

    def __init__(
        self, passwords: Mapping[str, str], names: Mapping[str, str], numbers: Mapping[str, str] | None = None
    ) -> None:
        self.replace(passwords, names, numbers)

    def replace(
        self, passwords: Mapping[str, str], names: Mapping[str, str], numbers: Mapping[str, str] | None = None
    ) -> None:
        """Know these people from now on, and no others."""
        self._passwords = dict(passwords)
        self._names = {Number(number): name for number, name in names.items()}
        self._numbers = {Number(number): user for number, user in (numbers or {}).items()}

    def __repr__(self) -> str:
        return f"MemoryDirectory(of {len(self._passwords)} people)"

    async def authenticate(self, login: str, password: str) -> str | None:
        """The user with this login and password; logins are user ids."""
        known = compare_digest(self._passwords.get(login, "").encode(), password.encode())
        return login if known and login in self._passwords else None

    async def credential(self, login: str) -> str | None:
        """The password of a login."""
        return self._passwords.get(login)

    async def name(self, number: str) -> str | None:
        """The full name behind an internal number."""
        return self._names.get(Number(number))

    async def may_see(self, user: str, number: str) -> bool:
        """Everybody may see the numbers of the directory."""
        return user in self._passwords and Number(number) in self._names

    async def colleagues(self, user: str, words: str = "", limit: int = 100) -> Sequence[Colleague]:
        """Everybody but the user."""
        found = [
            Colleague(number, name)
            for number, name in self._names.items()
            if self._numbers.get(number) != user and folded(words) in searchable(name, number)
        ]
        return sorted(found, key=lambda colleague: (colleague.name, colleague.number))[:limit]
