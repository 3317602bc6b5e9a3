"""What the server of the UC Assistants keeps: sessions whose tokens are valid, preferences and favourites."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Protocol

from attrs import frozen

from unique_account.core.errors import UniqueAccountError, Unreachable

MOST_SESSIONS: Final = 256
"""How many sessions with valid tokens one user may have; of more, the one that expires first ends."""

MOST_PREFERENCES: Final = 64
"""How many preferences one user may have."""

MOST_FAVORITES: Final = 256
"""How many favourites one user may have."""

UserAndSession = tuple[str, str]
"""The ids of a user and of one of the user's sessions."""


class StoreFailed(Unreachable):
    """The store could not be read or written."""


class TooManyPreferences(UniqueAccountError, ValueError):
    """A user has as many preferences as allowed."""

    def __str__(self) -> str:
        return f"there are {MOST_PREFERENCES} preferences already"


class TooManyFavorites(UniqueAccountError, ValueError):
    """A user has as many favourites as allowed."""

    def __str__(self) -> str:
        return f"there are {MOST_FAVORITES} favourites already"


@frozen(weakref_slot=False)
class Preference:
    """A preference, in the words of XiVO's page."""

    value: str
    value_type: str


class AssistantStore(Protocol):
    """A store of sessions, preferences and favourites, which several processes may share.

    What one process stored counts in all processes of the store at once. What ends or is removed here counts
    here even if it cannot be stored, and `save` stores it later. Every method bounds how long it waits, and
    raises `StoreFailed` where the store cannot be read or written.
    """

    async def begin(self, user: str, session: str, expires: float, until: float) -> None:
        """Add a session, whose tokens are valid from now on.

        Args:
            user: Its user.
            session: Its id, never used before.
            expires: When its last token expires, as a POSIX timestamp.
            until: After this, none of its tokens can be valid, however often renewed.
        """
        ...

    async def prolong(self, user: str, session: str, expires: float) -> bool:
        """A session got a token that expires then; False: the session has ended."""
        ...

    async def living(self, sessions: Collection[UserAndSession]) -> Collection[UserAndSession]:
        """Those of some sessions that have not ended."""
        ...

    async def end(self, user: str, session: str) -> None:
        """End a session, with all of its tokens, for ever; nothing if it has ended.

        Raises:
            StoreFailed: It has ended here, but may be living for others and after a restart, until `save`.
        """
        ...

    async def preferences(self, user: str) -> Mapping[str, Preference]:
        """A user's preferences, by key."""
        ...

    async def prefer(self, user: str, key: str, preference: Preference) -> None:
        """Set a preference; it counts once it is stored.

        Raises:
            TooManyPreferences: The key is new, and the user has too many already.
            StoreFailed: It could not be stored.
        """
        ...

    async def favorites(self, user: str) -> Collection[str]:
        """The numbers of a user's favourites, in the order in which they were added."""
        ...

    async def favor(self, user: str, number: str, *, added: bool) -> bool:
        """Add or remove a favourite; returns whether that is a change.

        Raises:
            TooManyFavorites: The user has too many already.
            StoreFailed: It could not be stored.
        """
        ...

    async def forget(self, user: str) -> None:
        """Remove all sessions, preferences and favourites of a user.

        Raises:
            StoreFailed: They are gone here, but may be there for others and after a restart, until `save`.
        """
        ...

    async def save(self) -> None:
        """Store what could not be stored before, and delete sessions that are over; called regularly."""
        ...

    async def aclose(self) -> None:
        """Close the store, after what is under way."""
        ...
