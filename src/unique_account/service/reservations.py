"""Which user has which id, numbers and devices, while accounts come, change and go (A1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from unique_account.core.errors import Ineligible
from unique_account.core.uniqueness import Claims, claims_of
from unique_account.core.user import User


class Reservations:
    """What belongs to the users that have an account, and to those that are about to."""

    def __init__(self) -> None:
        self._claims: Claims[str] = Claims()

    def problems(self, user: User) -> tuple[str, ...]:
        """What of a user's belongs to another user already, a sentence each."""
        return tuple(f"{user.id}: {taken}" for taken in self._claims.collisions(claims_of(user), user.id))

    def move(self, former: User | None, user: User | None) -> None:
        """Release what a user had, and take what the user claims now and nobody else has."""
        if former is not None:
            self._claims.release(claims_of(former), former.id)
        if user is not None:
            self._claims.take(claims_of(user), user.id)

    @contextmanager
    def reserved(self, held: Callable[[], User | None], user: User) -> Iterator[None]:
        """Take what a user claims; if the block raises, go back to what the accounts say then.

        Args:
            held: The user as the accounts have it; None: there is no account.
            user: The user as it is to be.

        Raises:
            Ineligible: Another user has some of it; nothing has changed.
        """
        if problems := self.problems(user):
            raise Ineligible(problems)
        self.move(held(), user)
        try:
            yield
        except BaseException:
            self.move(user, held())
            raise
