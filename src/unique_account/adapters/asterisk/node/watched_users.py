"""The watched users of a node, found by their ids, numbers and endpoints."""

from __future__ import annotations

from unique_account.core.machine import Device
from unique_account.core.number import Number
from unique_account.core.user import User


class WatchedUsers:
    """The users that are watched, each under its latest word."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self._numbers: dict[str, User] = {}
        self._interfaces: dict[str, User] = {}

    @property
    def users(self) -> tuple[User, ...]:
        """All of them, in the order in which they came."""
        return tuple(self._users.values())

    def __contains__(self, user: User) -> bool:
        return self._users.get(user.id) is user

    def add(self, user: User) -> None:
        """Keep a user, in place of what was known of it."""
        self.forget(user.id)
        self._users[user.id] = user
        self._numbers |= dict.fromkeys(user.numbers, user)
        self._interfaces |= dict.fromkeys(map(user.interface, Device), user)

    def forget(self, user: str) -> tuple[str, ...]:
        """Keep a user no more; gives the numbers that were the user's till now."""
        known = self._users.pop(user, None)
        if known is None:
            return ()
        numbers = tuple(number for number in known.numbers if self._numbers[number] is known)
        for number in numbers:
            del self._numbers[number]
        for interface in map(known.interface, Device):
            if self._interfaces[interface] is known:
                del self._interfaces[interface]
        return numbers

    def of_number(self, number: str) -> User | None:
        """Whose number this is."""
        return self._numbers.get(Number(number))

    def of_interface(self, interface: str) -> User | None:
        """Whose phone this is."""
        return self._interfaces.get(interface)
