"""A queue of events for each user: one after the other for a user, side by side for different users.

The queues are bounded: who adds to them waits for room. One task works on the users in turn. Only while it
waits for something, another one goes on with the next user, so that no user waits for another, and an event
that waits for nothing costs no task of its own.
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
        self._ready: deque[str] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._dispatching: asyncio.Handle | None = None
        self._finished: dict[str, asyncio.Event] = {}
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
        added = [(event, answered) for event in events]
        if not added:
            return
        waiting = self._waiting.get(user)
        if waiting is None:
            self._waiting[user] = waiting = deque()
            self._ready.append(user)
            if self._dispatching is None:
                self._dispatch()
        waiting.extend(added)
        self._counted(len(added))

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
        if user in self._waiting:
            await self._finished.setdefault(user, asyncio.Event()).wait()

    async def aclose(self) -> None:
        """Report nothing more."""
        if self._dispatching is not None:
            self._dispatching.cancel()
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        for finished in self._finished.values():
            finished.set()

    def _dispatch(self) -> None:
        """Start a worker if users are ready, for those that there are wait for something; then look again."""
        self._dispatching = None
        if self._ready:
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
            self._dispatching = asyncio.get_running_loop().call_soon(self._dispatch)

    async def _work(self) -> None:
        while self._ready:
            await self._report(self._ready.popleft())

    async def _report(self, user: str) -> None:
        waiting = self._waiting[user]
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
            del self._waiting[user]
            if user in self._finished:
                self._finished.pop(user).set()

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
