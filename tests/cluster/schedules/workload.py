"""What users and callers do all the time, until it is to be quiet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Final

from tests.cluster.checker.history import Call
from tests.cluster.schedules.client import Client
from tests.cluster.schedules.world import World

PAUSE: Final = 0.08
"""How many seconds a user waits between two actions, on average."""
_STATES: Final = ("NOT_INUSE", "INUSE", "RINGING", "NOT_INUSE")


class Workload:
    """Users who ask for changes, phones that are used, and callers.

    Attributes:
        doubted: The nodes that could not be reached at some time of the run; no callers are asked about them,
            as a plan that is due there may be owed.
    """

    def __init__(self, at: World, random: Random) -> None:
        self.doubted: set[str] = set()
        self._at = at
        self._random = random
        self._goes_on = asyncio.Event()
        self._busy = 0
        self._calls = 0
        self._away: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator[None]:
        """Let them act until the context is left."""
        self._goes_on.set()
        tasks = [asyncio.create_task(self._user(client)) for client in self._at.clients]
        tasks.append(asyncio.create_task(self._callers()))
        try:
            yield
            await self.quiet()
        finally:
            for task in (*tasks, *self._away):
                task.cancel()
            await asyncio.gather(*tasks, *self._away, return_exceptions=True)

    async def quiet(self) -> None:
        """Let nobody begin anything, and wait until all that was begun has ended."""
        self._goes_on.clear()
        await self._at.until(lambda: not self._busy, "what users began has ended")

    def go_on(self) -> None:
        """Let them act again."""
        self._goes_on.set()

    async def _user(self, client: Client) -> None:
        random = Random(f"{self._random.random()} {client.user}")
        while True:
            await self._goes_on.wait()
            self._busy += 1
            try:
                await self._action(client, random)()
            finally:
                self._busy -= 1
            await asyncio.sleep(random.expovariate(1 / PAUSE))

    def _action(self, client: Client, random: Random) -> Callable[[], Awaitable[None]]:
        async def use_phone() -> None:
            home = self._at.nodes[self._at.homes[client.user]]
            home.change(random.choice((client.user, f"{client.user}_w")), random.choice(_STATES))

        async def go_away() -> None:
            await client.go_away(random.uniform(0.1, 3.0) if random.random() < 0.3 else 0.1)

        weights = {client.forward: 60, use_phone: 20, client.select: 8, client.dial: 6}
        weights |= {client.log_out: 2, go_away: 2, client.abandon: 1}
        return random.choices(list(weights), list(weights.values()))[0]

    async def _callers(self) -> None:
        """Read plans as INVITEs would, at random instants."""
        while True:
            await asyncio.sleep(self._random.expovariate(1 / 0.03))
            user = self._random.choice(list(self._at.homes))
            node = self._at.nodes[self._at.homes[user]]
            plan = node.plans().get(user)
            if node.name not in self.doubted and plan is not None:
                self._calls += 1
                call = Call(
                    user=user,
                    call=f"call {self._calls}",
                    invited=time.monotonic(),
                    version=plan.version,
                    is_logged=False,
                )
                self._at.note(call)
