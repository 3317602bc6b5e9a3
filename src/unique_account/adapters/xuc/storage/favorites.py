"""The favourites of users: the numbers of contacts, by user."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from unique_account.adapters.xuc.storage.sqlite_file import SqliteFile, Statement
from unique_account.ports import assistant_store
from unique_account.ports.assistant_store import TooManyFavorites


class StoredFavorites:
    """Favourites in memory, as the file has them; each user's in the order in which they were added."""

    def __init__(self) -> None:
        self._favorites: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def load(self, file: SqliteFile) -> None:
        """Read the favourites of the file."""
        for user, number in file.rows("SELECT user, number FROM favorites ORDER BY place", str, str):
            self._favorites[user][number] = None

    def of(self, user: str) -> Collection[str]:
        """The numbers of a user's favourites."""
        return self._favorites.get(user, {}).keys()

    def check_room(self, user: str) -> None:
        """Check that a user may add a favourite.

        Raises:
            TooManyFavorites: There are too many already.
        """
        if len(self.of(user)) >= assistant_store.MOST_FAVORITES:
            raise TooManyFavorites

    def set(self, user: str, number: str, *, added: bool) -> None:
        """Add or remove a favourite."""
        if added:
            self._favorites[user][number] = None
        else:
            self._favorites[user].pop(number, None)

    def forget(self, user: str) -> None:
        """Remove all favourites of a user."""
        self._favorites.pop(user, None)

    def statements(self, user: str) -> list[Statement]:
        """The statements that replace a user's favourites in the file."""
        delete: Statement = ("DELETE FROM favorites WHERE user = ?", (user,))
        return [delete, *(change(user, number, added=True) for number in self.of(user))]


def change(user: str, number: str, *, added: bool) -> Statement:
    """The statement that adds or removes one favourite in the file."""
    if added:
        return "INSERT OR IGNORE INTO favorites (user, number) VALUES (?, ?)", (user, number)
    return "DELETE FROM favorites WHERE user = ? AND number = ?", (user, number)
