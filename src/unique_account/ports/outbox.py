"""The outbox: choices of users that are stored, and that the bus has not announced yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from attrs import frozen

from unique_account.core.account import Kept


@frozen(weakref_slot=False)
class Unannounced:
    """A user whose choices are to be announced.

    Attributes:
        user: The user's id.
        kept: What is stored of the user now.
    """

    user: str
    kept: Kept


class Outbox(Protocol):
    """Knows whose stored choices wait to be announced.

    An entry is made with the save itself: neither is there without the other. It stands for the last word of
    a user, so there is one a user at most, however long nobody announces anything.
    """

    async def waiting(self, most: int) -> Sequence[Unannounced]:
        """Some users whose choices wait; they are this reader's to announce for a while.

        The first time, and after a long time without any reader, all users wait.
        """
        ...

    async def announced(self, done: Iterable[Unannounced]) -> None:
        """Note that choices are announced; a user who chose something else meanwhile waits again."""
        ...
