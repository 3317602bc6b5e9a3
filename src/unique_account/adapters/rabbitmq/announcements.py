"""What a bus has to announce: the last word on each number and user, and what no broker has confirmed yet.

A newer word takes the place of an older one, so what waits during an outage is never more than one word
for each number and user, however long it takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from enum import StrEnum
from itertools import islice
from typing import Final

from unique_account.adapters.rabbitmq.errors import BusFull
from unique_account.core.forwarding import Forwarding
from unique_account.core.machine import Device
from unique_account.core.presence import Presence

MOST: Final = 1_000_000
"""How many numbers and users a bus keeps the last word on."""


class Kind(StrEnum):
    """What an announcement is about."""

    PRESENCE = "presence"
    FORWARDING = "forwarding"
    SELECTION = "selection"


Key = tuple[Kind, str]
"""What is announced: a kind, and the number or user."""

Word = Presence | Forwarding | Device
Announcement = tuple[Key, Word]


class Announcements:
    """The last words, and those that wait.

    Attributes:
        empty: Set while the broker has every last word.

    Args:
        most: How many keys there may be.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._words: dict[Key, Word] = {}
        self._waiting: dict[Key, None] = {}
        self._under_way = 0
        self.empty = asyncio.Event()
        self.empty.set()

    def __len__(self) -> int:
        """How many no broker has confirmed, those under way included."""
        return len(self._waiting) + self._under_way

    def put(self, key: Key, word: Word) -> None:
        """Let the last word on a key be this one; it keeps the place in the row of one that waits.

        Raises:
            BusFull: The key is new, and there are too many; nothing changed.
        """
        if key not in self._words and len(self._words) >= self._most:
            raise BusFull(key[1], self._most)
        self._words[key] = word
        self._waiting[key] = None
        self.empty.clear()

    def take(self, most: int) -> list[Announcement]:
        """The announcements that have waited longest, which are under way until confirmed or given back."""
        keys = list(islice(self._waiting, most))
        for key in keys:
            del self._waiting[key]
        self._under_way = len(keys)
        return [(key, self._words[key]) for key in keys]

    def give_back(self, taken: Iterable[Announcement]) -> None:
        """Let what was taken wait again: nobody knows whether the broker has it."""
        self._under_way = 0
        self._waiting = {key: None for key, _ in taken if key in self._words} | self._waiting

    def confirm(self, taken: Iterable[Announcement]) -> None:
        """Forget numbers that are gone, once the broker has that."""
        self._under_way = 0
        for key, word in taken:
            if word is Presence.UNEXISTING and self._words.get(key) is word and key not in self._waiting:
                del self._words[key]
        if not self._waiting:
            self.empty.set()

    def repeat(self) -> None:
        """Let everything wait again."""
        self._waiting |= dict.fromkeys(self._words)
        if self._waiting:
            self.empty.clear()

    def presences(self) -> dict[str, Presence]:
        """The presence of each number that exists."""
        return {
            key: word
            for (_, key), word in self._words.items()
            if isinstance(word, Presence) and word is not Presence.UNEXISTING
        }
