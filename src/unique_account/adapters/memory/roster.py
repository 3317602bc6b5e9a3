"""A roster that is written within the process."""

from __future__ import annotations

from unique_account.core.user import User


class MemoryRoster:
    """Names the users that it was last given.

    Attributes:
        named: Who is to have an account.
        broken: What reading it raises, or None.
    """

    def __init__(self, *named: User) -> None:
        self.named = named
        self.broken: Exception | None = None

    async def users(self) -> tuple[User, ...]:
        """The users that are named now."""
        if self.broken is not None:
            raise self.broken
        return self.named
