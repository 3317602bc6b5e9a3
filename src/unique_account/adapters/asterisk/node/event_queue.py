"""Telling events on: each user's in their order, those of different users side by side.

What waits to be told is bounded: whoever brings more waits for room.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from unique_account.adapters.asterisk.translation.feature_codes import answer
from unique_account.adapters.asterisk.wire_names import REFUSED
from unique_account.core.errors import Refused
from unique_account.core.events import Event, Fact, NodeLost
from unique_account.ports.inbound.events import Hear, UnknownUser

ENOUGH_UNTOLD: Final = 1000
"""How many events may wait before whoever brings more has to wait."""

Answered = Callable[[str], object]
"""Is told, for somebody who waits, what became of an event."""


class Telling:
    """Tells events to one who hears, until it is closed.

    Args:
        hear: Who is told.
        failed: Is told of an event that could not be worked off; the next one is told nevertheless.
    """

    def __init__(self, hear: Hear, failed: Callable[[str, Exception], None]) -> None:
        self._hear = hear
        self._failed = failed
        self._untold: dict[str, deque[tuple[Event, Answered | None]]] = {}
        self._tellers: dict[str, asyncio.Task[None]] = {}
        self._count = 0
        self._room = asyncio.Event()
        self._room.set()

    def tell(self, user: str, events: Iterable[Event], answered: Answered | None = None) -> None:
        """Tell a user's events, after those that were brought before.

        Args:
            user: Whose they are.
            events: In their order.
            answered: Is told what became of each that was worked off.
        """
        untold = self._untold.setdefault(user, deque())
        before = len(untold)
        untold.extend((event, answered) for event in events)
        self._counted(len(untold) - before)
        if untold and user not in self._tellers:
            self._tellers[user] = asyncio.create_task(self._tell(user, untold))

    def tell_anew(self, user: str, known: NodeLost) -> None:
        """Tell all that is known of a user, in place of the facts that wait and are told again by it.

        What the user did, and that a call is over, nothing tells again: it stays, with what came before it.
        """
        untold = self._untold.get(user, deque())
        while untold and isinstance(untold[-1][0], Fact | NodeLost):
            untold.pop()
            self._counted(-1)
        self.tell(user, [known])

    def drop(self, user: str) -> None:
        """Do not tell what of a user still waits."""
        untold = self._untold.get(user, deque())
        self._counted(-len(untold))
        untold.clear()

    async def room(self) -> None:
        """Wait until there is room for more."""
        await self._room.wait()

    async def told(self, user: str) -> None:
        """Wait until nothing of a user waits any more."""
        teller = self._tellers.get(user)
        if teller is not None:
            await asyncio.wait([teller])

    async def aclose(self) -> None:
        """Tell nothing more."""
        tellers = list(self._tellers.values())
        for teller in tellers:
            teller.cancel()
        await asyncio.gather(*tellers, return_exceptions=True)

    async def _tell(self, user: str, untold: deque[tuple[Event, Answered | None]]) -> None:
        try:
            while untold:
                event, answered = untold.popleft()
                self._counted(-1)
                try:
                    with suppress(UnknownUser):  # the account goes just now
                        word = await self._word(user, event)
                        if answered is not None:
                            answered(word)
                except Exception as error:
                    self._failed(f"{type(event).__name__} of {user}", error)
        finally:
            del self._tellers[user], self._untold[user]

    async def _word(self, user: str, event: Event) -> str:
        try:
            return answer(event, await self._hear(user, event))
        except Refused:  # the observer knows
            return REFUSED

    def _counted(self, more: int) -> None:
        self._count += more
        if self._count < ENOUGH_UNTOLD:
            self._room.set()
        else:
            self._room.clear()
