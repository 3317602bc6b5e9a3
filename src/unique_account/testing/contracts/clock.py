"""What every clock must do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from unique_account.ports.clock import Clock
from unique_account.testing.contracts.scenario import Contract, scenario

Passing = Callable[[timedelta], Awaitable[object]]
"""Lets so much time pass; on a real clock, by waiting."""


class ClockContract(Contract[tuple[Clock, Passing]]):
    """The contract of `unique_account.ports.clock.Clock`; a clock opens with a way to let time pass.

    Attributes:
        moment: A short time, in which nothing else of a test takes as long.
    """

    moment = timedelta(seconds=0.05)

    @scenario
    async def test_it_shows_the_present_instant_in_utc(self, opened: tuple[Clock, Passing]) -> None:
        """The present instant, in UTC."""
        clock, passing = opened
        before = clock.now()
        await passing(self.moment)
        assert before.tzinfo is UTC
        assert clock.now() >= before + self.moment

    @scenario
    async def test_it_wakes_at_the_instant_or_soon_after(self, opened: tuple[Clock, Passing]) -> None:
        """Awaits ``wake()`` at an instant or soon after, and not before."""
        clock, passing = opened
        due, woken = clock.now() + self.moment, list[datetime]()
        clock.call_at(due, self._noting(clock, woken))
        await passing(timedelta(0))
        assert woken == []
        await passing(2 * self.moment)
        await self._count(woken, 1)
        assert woken[0] >= due

    @scenario
    async def test_it_wakes_once(self, opened: tuple[Clock, Passing]) -> None:
        """Awaits ``wake()`` once."""
        clock, passing = opened
        woken: list[datetime] = []
        clock.call_at(clock.now() + self.moment, self._noting(clock, woken))
        for _ in range(3):
            await passing(self.moment)
        await self._count(woken, 1)

    @scenario
    async def test_a_past_instant_wakes_soon(self, opened: tuple[Clock, Passing]) -> None:
        """A past instant wakes soon."""
        clock, passing = opened
        woken: list[datetime] = []
        clock.call_at(clock.now() - timedelta(days=1), self._noting(clock, woken))
        await passing(self.moment)
        await self._count(woken, 1)

    @scenario
    async def test_each_is_woken_at_its_own_instant(self, opened: tuple[Clock, Passing]) -> None:
        """Timers do not replace each other, equal ones included."""
        clock, passing = opened
        woken: list[datetime] = []
        now = clock.now()
        for due in (now + self.moment, now + self.moment, now + 2 * self.moment):
            clock.call_at(due, self._noting(clock, woken))
        await passing(3 * self.moment)
        await self._count(woken, 3)
        assert woken[-1] >= now + 2 * self.moment

    @scenario
    async def test_who_is_woken_may_ask_again(self, opened: tuple[Clock, Passing]) -> None:
        """Who is woken looks whether there is still something to do, and may set a timer for it."""
        clock, passing = opened
        woken: list[datetime] = []

        async def once_more() -> None:
            clock.call_at(clock.now() + self.moment, self._noting(clock, woken))

        clock.call_at(clock.now() + self.moment, once_more)
        for _ in range(3):
            await passing(self.moment)
        await self._count(woken, 1)

    async def _count(self, woken: list[datetime], times: int) -> None:
        async def enough() -> bool:
            return len(woken) >= times

        await self.until(enough)
        assert len(woken) == times

    def _noting(self, clock: Clock, woken: list[datetime]) -> Callable[[], Awaitable[object]]:
        async def wake() -> None:
            woken.append(clock.now())

        return wake
