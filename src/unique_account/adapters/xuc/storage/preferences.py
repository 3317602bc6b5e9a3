"""The preferences that pages set, by user."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from unique_account.adapters.xuc.storage.sqlite_file import SqliteFile, Statement
from unique_account.ports.assistant_store import MOST_PREFERENCES, Preference, TooManyPreferences


class StoredPreferences:
    """Preferences in memory, as the file has them."""

    def __init__(self) -> None:
        self._preferences: defaultdict[str, dict[str, Preference]] = defaultdict(dict)

    def load(self, file: SqliteFile) -> None:
        """Read the preferences of the file."""
        query = "SELECT user, key, value, value_type FROM preferences"
        for user, key, value, value_type in file.rows(query, str, str, str, str):
            self._preferences[user][key] = Preference(value, value_type)

    def of(self, user: str) -> Mapping[str, Preference]:
        """A user's preferences, by key."""
        return self._preferences.get(user, {})

    def check_room(self, user: str, key: str) -> None:
        """Check that a user may set a preference.

        Raises:
            TooManyPreferences: The key is new, and the user has too many already.
        """
        own = self.of(user)
        if key not in own and len(own) >= MOST_PREFERENCES:
            raise TooManyPreferences

    def set(self, user: str, key: str, preference: Preference) -> None:
        """Set a preference."""
        self._preferences[user][key] = preference

    def forget(self, user: str) -> None:
        """Remove all preferences of a user."""
        self._preferences.pop(user, None)

    def statements(self, user: str) -> list[Statement]:
        """The statements that replace a user's preferences in the file."""
        delete: Statement = ("DELETE FROM preferences WHERE user = ?", (user,))
        return [delete, *(insert(user, key, preference) for key, preference in self.of(user).items())]


def insert(user: str, key: str, preference: Preference) -> Statement:
    """The statement that sets one preference in the file."""
    row = (user, key, preference.value, preference.value_type)
    return "INSERT OR REPLACE INTO preferences VALUES (?, ?, ?, ?)", row
