"""A queue of events for each user: one after the other for a user, side by side for different users.

The queues are bounded: who adds to them waits for room.
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
from unique_account.core.events import Event, Fact, FactsReplaced
from unique_account.ports.inbound.events import EventHandler, UnknownUser

MOST_WAITING_EVENTS: Final = 1000
"""How many events may wait before `EventQueue.room` waits."""

Answered = Callable[[str], object]
"""Receives the result of an event, for a caller who waits for it."""


class EventQueue:
    """Passes events to a handler, until it is closed.

    Args:
        on_event: The handler.
        failed: Called with an event that could not be handled; the next one is passed on nevertheless.
    """

    def __init__(self, on_event: EventHandler, failed: Callable[[str, Exception, str], None]) -> None:
        self._on_event = on_event
        self._failed = failed
        self._waiting: dict[str, deque[tuple[Event, Answered | None]]] = {}
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._count = 0
        self._room = asyncio.Event()
        self._room.set()

    def report(self, user: str, events: Iterable[Event], answered: Answered | None = None) -> None:
        """Report a user's events, after those that wait.

        Args:
            user: The user's id.
            events: In their order.
            answered: Receives the result of each.
        """
        waiting = self._waiting.setdefault(user, deque())
        before = len(waiting)
        waiting.extend((event, answered) for event in events)
        self._counted(len(waiting) - before)
        if waiting and user not in self._senders:
            self._senders[user] = asyncio.create_task(self._report(user, waiting))

    def replace(self, user: str, facts: FactsReplaced) -> None:
        """Report all facts of a user, in place of the facts that wait.

        What the user did, and that a call is over, is not among the facts: it stays, with what came before.
        """
        waiting = self._waiting.get(user, deque())
        while waiting and isinstance(waiting[-1][0], Fact | FactsReplaced):
            waiting.pop()
            self._counted(-1)
        self.report(user, [facts])

    def drop(self, user: str) -> None:
        """Drop what of a user still waits."""
        waiting = self._waiting.get(user, deque())
        self._counted(-len(waiting))
        waiting.clear()

    async def room(self) -> None:
        """Wait until there is room for more."""
        await self._room.wait()

    async def reported(self, user: str) -> None:
        """Wait until nothing of a user waits any more."""
        sender = self._senders.get(user)
        if sender is not None:
            await asyncio.wait([sender])

    async def aclose(self) -> None:
        """Report nothing more."""
        senders = list(self._senders.values())
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    async def _report(self, user: str, waiting: deque[tuple[Event, Answered | None]]) -> None:
        try:
            while waiting:
                event, answered = waiting.popleft()
                self._counted(-1)
                try:
                    with suppress(UnknownUser):  # the account goes just now
                        await self._handle(user, event, answered)
                except Exception as error:
                    self._failed(type(event).__name__, error, user)
        finally:
            del self._senders[user], self._waiting[user]

    async def _handle(self, user: str, event: Event, answered: Answered | None) -> None:
        try:
            after = await self._on_event(user, event)
        except Refused:  # the observer knows
            if answered is not None:
                answered(REFUSED)
        else:
            if answered is not None:
                answered(answer(event, after))

    def _counted(self, more: int) -> None:
        self._count += more
        if self._count < MOST_WAITING_EVENTS:
            self._room.set()
        else:
            self._room.clear()
