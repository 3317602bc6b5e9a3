"""The contract of the clock can fail: it finds each adapter that breaks a promise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.testing.promises import broken_promises, keeps
from unique_account.adapters.memory import (
    SettableClock,
)
from unique_account.testing.contracts import (
    ClockContract,
)

Wake = Callable[[], Awaitable[object]]


class StandsStill(SettableClock):
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


class LocalTime(SettableClock):
    def now(self) -> datetime:
        return super().now().replace(tzinfo=None)


class WakesTwice(SettableClock):
    def call_at(self, instant: datetime, wake: Wake) -> None:
        super().call_at(instant, wake)
        super().call_at(instant, wake)


class WakesEarly(SettableClock):
    def call_at(self, instant: datetime, wake: Wake) -> None:
        super().call_at(instant - timedelta(hours=1), wake)


class OneTimer(SettableClock):
    def call_at(self, instant: datetime, wake: Wake) -> None:
        self._sleepers.clear()
        super().call_at(instant, wake)


class OnlyTheFuture(SettableClock):
    def call_at(self, instant: datetime, wake: Wake) -> None:
        if instant > self.now():
            super().call_at(instant, wake)


@pytest.mark.parametrize("adapter", [StandsStill, LocalTime, WakesTwice, WakesEarly, OneTimer, OnlyTheFuture])
def test_a_broken_clock_is_found_out(adapter: type[SettableClock]) -> None:
    def opened() -> Any:
        clock = adapter()
        return clock, clock.advance

    assert broken_promises(keeps(ClockContract, opened))


def test_a_whole_one_breaks_no_promise() -> None:
    def opened() -> Any:
        clock = SettableClock()
        return clock, clock.advance

    assert broken_promises(keeps(ClockContract, opened, within=5)) == []
