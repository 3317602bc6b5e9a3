"""What every store of sessions, preferences and favourites must do."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from unique_account.ports.assistant_store import (
    MOST_FAVORITES,
    MOST_PREFERENCES,
    MOST_SESSIONS,
    AssistantStore,
    Preference,
    TooManyFavorites,
    TooManyPreferences,
)
from unique_account.testing.contracts.scenario import Contract, scenario

LATER: Final = 9e9
"""A time when nothing here has expired, as a POSIX timestamp."""


class AssistantStoreContract(Contract[AssistantStore]):
    """The contract of `unique_account.ports.assistant_store.AssistantStore`."""

    dark = Preference("dark", "String")
    odd = Preference("é\0\N{GRINNING FACE}\n' OR 1=1 --", "")

    @scenario
    async def test_a_session_lives_until_it_ends(self, store: AssistantStore) -> None:
        """Its tokens are valid from now on; once it ended, for ever not."""
        one = ("alice", "one")
        assert await self._living(store, one) == set()
        await store.begin(*one, LATER, LATER)
        assert await self._living(store, one) == {one}
        await store.end(*one)
        await store.end(*one)
        assert await self._living(store, one) == set()

    @scenario
    async def test_sessions_end_one_by_one(self, store: AssistantStore) -> None:
        """A session is that of a user; another one of that user, or of that name, is another."""
        three = (("alice", "one"), ("alice", "two"), ("bob", "one"))
        for one in three:
            await store.begin(*one, LATER, LATER)
        await store.end("alice", "one")
        assert await self._living(store, *three) == {("alice", "two"), ("bob", "one")}

    @scenario
    async def test_a_session_that_ended_is_not_prolonged(self, store: AssistantStore) -> None:
        """False: the session has ended; it does not live again."""
        await store.begin("alice", "one", LATER, LATER)
        assert await store.prolong("alice", "one", LATER + 1)
        await store.end("alice", "one")
        assert not await store.prolong("alice", "one", LATER + 2)
        assert not await store.prolong("alice", "never", LATER)
        assert await self._living(store, ("alice", "one"), ("alice", "never")) == set()

    @scenario
    async def test_the_first_that_expires_makes_room(self, store: AssistantStore) -> None:
        """Of more sessions than allowed, the one that expires first ends; to prolong one moves it back."""
        names = [("alice", f"{number}") for number in range(MOST_SESSIONS)]
        for number, one in enumerate(names):
            await store.begin(*one, LATER + number, 2 * LATER)
        await store.begin("bob", "one", LATER, LATER)
        await store.prolong("alice", "0", LATER + MOST_SESSIONS)
        await store.begin("alice", "new", LATER + MOST_SESSIONS, 2 * LATER)
        living = await self._living(store, *names, ("alice", "new"), ("bob", "one"))
        assert living == {*names, ("alice", "new"), ("bob", "one")} - {("alice", "1")}

    @scenario
    async def test_a_preference_is_there_once_it_is_set(self, store: AssistantStore) -> None:
        """A user's preferences by key, with any text in them; the last one counts."""
        assert await store.preferences("alice") == {}
        await store.prefer("alice", "theme", self.odd)
        await store.prefer("alice", "theme", self.dark)
        await store.prefer("alice", "sound", self.odd)
        await store.prefer("bob", "theme", self.odd)
        assert await store.preferences("alice") == {"theme": self.dark, "sound": self.odd}

    @scenario
    async def test_preferences_at_once_are_no_more_than_allowed(self, store: AssistantStore) -> None:
        """Too many: the key is new, and there are as many as one user may have."""
        work = (store.prefer("alice", f"key-{number}", self.dark) for number in range(MOST_PREFERENCES + 5))
        results = await asyncio.gather(*work, return_exceptions=True)
        assert [type(one) for one in results if one is not None] == [TooManyPreferences] * 5
        kept = await store.preferences("alice")
        assert len(kept) == MOST_PREFERENCES
        await store.prefer("alice", next(iter(kept)), self.odd)

    @scenario
    async def test_favourites_are_in_their_order(self, store: AssistantStore) -> None:
        """In the order in which they were added; True where that is a change."""
        assert [await store.favor("alice", number, added=True) for number in ("3", "1", "2")] == [True] * 3
        assert not await store.favor("alice", "3", added=True)
        assert await store.favor("alice", "1", added=False)
        assert not await store.favor("alice", "1", added=False)
        assert await store.favor("alice", "1", added=True)
        assert (list(await store.favorites("alice")), list(await store.favorites("bob"))) == (
            ["3", "2", "1"],
            [],
        )

    @scenario
    async def test_favourites_are_no_more_than_allowed(self, store: AssistantStore) -> None:
        """Too many: there are as many as one user may have."""
        for number in range(MOST_FAVORITES):
            await store.favor("alice", f"{number}", added=True)
        with pytest.raises(TooManyFavorites):
            await store.favor("alice", "more", added=True)
        assert not await store.favor("alice", "0", added=True)

    @scenario
    async def test_nothing_is_left_of_a_forgotten_user(self, store: AssistantStore) -> None:
        """All sessions, preferences and favourites of a user are removed; those of others stay."""
        for user in ("alice", "bob"):
            await store.begin(user, "one", LATER, LATER)
            await store.prefer(user, "theme", self.dark)
            await store.favor(user, "1002", added=True)
        await store.forget("alice")
        assert await self._living(store, ("alice", "one"), ("bob", "one")) == {("bob", "one")}
        assert (await store.preferences("alice"), list(await store.favorites("alice"))) == ({}, [])
        assert (await store.preferences("bob"), list(await store.favorites("bob"))) == (
            {"theme": self.dark},
            ["1002"],
        )
        await store.begin("alice", "two", LATER, LATER)
        await store.save()
        assert await self._living(store, ("alice", "two")) == {("alice", "two")}

    @scenario
    async def test_sessions_that_are_not_over_are_saved(self, store: AssistantStore) -> None:
        """Sessions that are over are deleted, and no other ones."""
        await store.begin("alice", "one", LATER, LATER)
        await store.save()
        assert await self._living(store, ("alice", "one")) == {("alice", "one")}

    async def _living(self, store: AssistantStore, *sessions: tuple[str, str]) -> set[tuple[str, str]]:
        return set(await store.living(sessions))
