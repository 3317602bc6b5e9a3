"""Which user has which number and device, so that no two have the same (A1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from unique_account.core.errors import Ineligible
from unique_account.core.user import User


class Claims:
    """What each user has for itself alone, as `User.claims` says."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}

    def problems(self, user: User) -> tuple[str, ...]:
        """What of a user's is another user's already, a sentence each."""
        owners = ((claim, self._owners.get(claim, user.id)) for claim in user.claims)
        return tuple(
            f"{user.id}: {claim} is {owner}'s already" for claim, owner in owners if owner != user.id
        )

    def move(self, former: User | None, user: User | None) -> None:
        """Let others have what a user had, and the user have what it claims now and nobody else has."""
        if former is not None:
            for claim in former.claims:
                if self._owners.get(claim) == former.id:
                    del self._owners[claim]
        if user is not None:
            for claim in user.claims:
                self._owners.setdefault(claim, user.id)

    @contextmanager
    def reserved(self, held: Callable[[], User | None], user: User) -> Iterator[None]:
        """Let the user have what it claims; if the block raises, what it is held as by then.

        Args:
            held: The user as the accounts have it; None: there is no account.
            user: The user as it is to be.

        Raises:
            Ineligible: Something of it is another user's; nothing has changed.
        """
        if problems := self.problems(user):
            raise Ineligible(problems)
        self.move(held(), user)
        try:
            yield
        except BaseException:
            self.move(user, held())
            raise
