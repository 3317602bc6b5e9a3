"""The roster: who is to have a Unique Account."""

from __future__ import annotations

from typing import Protocol

from unique_account.core.user import User


class Roster(Protocol):
    """Names the users; who is no longer named has no account any more."""

    async def users(self) -> tuple[User, ...]:
        """All users who are to have a Unique Account now, whole or not at all.

        Returns, or raises, within a time that the adapter bounds.

        Raises:
            UniqueAccountError: What the roster says makes no users; all problems are listed.
            OSError: It cannot be read, or not be reached.
        """
        ...
