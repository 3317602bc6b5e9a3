"""The machine's clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from tests.event_loop import in_loop
from unique_account.adapters.system_clock import SystemClock
from unique_account.ports.clock import Clock
from unique_account.testing.contracts import ClockContract, Passing


class TestSystemClockContract(ClockContract):
    """The machine's clock."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Clock, Passing]]:
        clock = SystemClock()
        yield clock, lambda duration: asyncio.sleep(duration.total_seconds())
        await clock.aclose()


class TestSystemClock:
    """The clock tells the machine's time in UTC and wakes once, at an instant or soon after."""

    def test_it_tells_the_time_in_utc(self) -> None:
        before = datetime.now(UTC)
        now = SystemClock().now()
        assert before <= now <= datetime.now(UTC)
        assert now.tzinfo is UTC

    @in_loop
    async def test_it_wakes_in_the_order_of_the_instants(self) -> None:
        clock, woken = SystemClock(), []
        done = asyncio.Event()
        start = clock.now()
        for name, seconds in (("last", 0.03), ("first", 0.01), ("past", -60)):

            async def wake(name: str = name) -> None:
                woken.append((name, clock.now() - start))
                if name == "last":
                    done.set()

            clock.call_at(start + timedelta(seconds=seconds), wake)
        await done.wait()
        assert [name for name, _ in woken] == ["past", "first", "last"]
        assert woken[2][1] >= timedelta(seconds=0.029)
        await clock.aclose()

    @in_loop
    async def test_once_closed_it_wakes_nobody(self) -> None:
        clock, woken = SystemClock(), []

        async def wake() -> None:
            woken.append(clock.now())

        clock.call_at(clock.now() + timedelta(seconds=0.01), wake)
        await clock.aclose()
        await asyncio.sleep(0.02)
        assert woken == []
        assert asyncio.all_tasks() == {asyncio.current_task()}

    @in_loop
    async def test_who_was_woken_is_kept_no_longer(self) -> None:
        clock = SystemClock()
        done = asyncio.Event()

        async def wake() -> None:
            done.set()

        clock.call_at(clock.now(), wake)
        await done.wait()
        await asyncio.sleep(0)
        assert clock._sleepers == set()
