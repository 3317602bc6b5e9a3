"""Rows of a PBX become records once, whoever dies when; played with real recordings on a table in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.asterisk.cel.recorded import Recording
from tests.e2e.scenes.people import USERS
from tests.service.cel_table import NOON, RECORDINGS, at, columns, day
from tests.service.expected_history import AFTERWARDS, DAYS_LATER, expected
from unique_account.adapters.asterisk.cel.records import CallHistory
from unique_account.adapters.asterisk.cel.rows import CelRow, from_table
from unique_account.adapters.memory import MemoryCallLog, SettableClock
from unique_account.core.errors import UniqueAccountError
from unique_account.core.history import CallRecord
from unique_account.ports.call_log import Position
from unique_account.service import call_log_ingest
from unique_account.service.call_log_ingest import GAP_PATIENCE, CallLogIngest


class Table:
    """A ``cel`` table; a row that is not committed yet is not seen."""

    name = "cel"

    def __init__(self, rows: Iterable[CelRow], first: int = 1) -> None:
        self.rows: dict[int, Mapping[str, Any]] = dict(enumerate(map(columns, rows), first))

    async def after(self, row: int, limit: int) -> Sequence[tuple[int, Mapping[str, Any]]]:
        return [(number, self.rows[number]) for number in sorted(self.rows) if number > row][:limit]


class Died(Exception):
    """What happens to whoever reads or writes in a test."""


class Mortal(MemoryCallLog):
    """A log whose writers die: at their n-th write, before it is kept or after."""

    def __init__(self) -> None:
        super().__init__()
        self.dies: dict[int, str] = {}
        self.writes = 0

    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        self.writes += 1
        when = self.dies.pop(self.writes, None)
        if when == "before":
            raise Died
        await super().add(records, read)
        if when == "after":
            raise Died


def reading(
    table: Table, log: MemoryCallLog, batch: int = 500, clock: SettableClock | None = None
) -> CallLogIngest:
    def complain(number: int, error: UniqueAccountError) -> None:
        pytest.fail(f"row {number}: {error}")

    clock = clock or SettableClock(AFTERWARDS)
    return CallLogIngest(table, from_table, CallHistory(USERS), log, clock, complain, batch)


async def whole(log: MemoryCallLog) -> list[CallRecord]:
    return [record for user in USERS for record in await log.before(user.id, None, 1000)]


overlapping = st.lists(
    st.tuples(st.sampled_from(RECORDINGS), st.floats(0, 12)),
    min_size=1,
    max_size=6,
    unique_by=lambda chosen: chosen[0].name,
)


class TestCrashes:
    """H6: a crash between read and write loses and doubles nothing."""

    @given(chosen=overlapping, batch=st.integers(1, 40), data=st.data())
    def test_whoever_takes_over_comes_to_the_same(
        self, chosen: list[tuple[Recording, float]], batch: int, data: st.DataObject
    ) -> None:
        rows = day(chosen)
        log = Mortal()
        deaths = st.dictionaries(st.integers(1, 30), st.sampled_from(("before", "after")), max_size=8)
        log.dies = data.draw(deaths)

        async def check() -> None:
            lives = len(log.dies) + 1
            for _ in range(lives):
                try:
                    await reading(Table(rows), log, batch, SettableClock(DAYS_LATER)).catch_up()
                except Died:
                    continue
            assert await whole(log) == expected(rows)

        asyncio.run(check())

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_it_may_die_at_every_write(self, when: str) -> None:
        rows = day([(recording, number * 2) for number, recording in enumerate(RECORDINGS[::2])])
        log = Mortal()
        log.dies = dict.fromkeys(range(1, 1000, 2), when)

        async def check() -> None:
            for _ in range(1000):
                try:
                    await reading(Table(rows), log, 5, SettableClock(DAYS_LATER)).catch_up()
                except Died:
                    continue
                break
            assert log.writes > 5
            assert await whole(log) == expected(rows)

        asyncio.run(check())

    def test_when_every_call_is_over_nothing_is_read_again(self) -> None:
        rows = day([(recording, number / 2) for number, recording in enumerate(RECORDINGS)])
        log = MemoryCallLog()
        asyncio.run(reading(Table(rows), log).catch_up())
        assert asyncio.run(log.position("cel")) == Position("cel", len(rows))
        again = reading(Table(rows), log)
        asyncio.run(again.catch_up())
        assert again.done == 0

    def test_a_call_that_lasts_too_long_is_not_read_again_and_not_lost(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A call of which no end comes would have all later rows read again after each start."""
        monkeypatch.setattr(call_log_ingest, "REREAD", 30)
        long, *others = RECORDINGS[:4]
        rows = at(long, NOON)
        middle = day([(recording, 1 + number) for number, recording in enumerate(others)])
        rows = [*rows[:-1], *middle, evolve(rows[-1], at=middle[-1].at)]
        log, positions = MemoryCallLog(), []
        clock = SettableClock(NOON)

        async def check() -> None:
            reader = reading(Table(rows), log, 10, clock)
            while await reader.step():
                position = await log.position("cel")
                positions.append((reader.done, 0 if position is None else position.row))
            await clock.advance(AFTERWARDS - NOON)
            await reader.catch_up()

        asyncio.run(check())
        assert max(done - row for done, row in positions) == 30
        assert asyncio.run(whole(log)) == expected(rows)

    def test_a_call_that_is_over_is_not_told_again_from_its_later_rows(self) -> None:
        long, short = RECORDINGS[0], RECORDINGS[1]
        lasts = day([(short, 0)])[-1].at - NOON
        rows = day([(short, 0), (long, lasts.total_seconds() / 2)])
        log = MemoryCallLog()
        first = reading(Table(rows[:-3]), log)  # the last call is not over
        asyncio.run(first.catch_up())
        position = asyncio.run(log.position("cel"))
        assert position is not None
        assert position.row > 0
        assert position.beyond
        second = reading(Table(rows), log)
        asyncio.run(second.catch_up())
        assert second.done == len(rows) - position.row - len(position.beyond)
        assert asyncio.run(whole(log)) == expected(rows)


class TestGaps:
    """H6: a row whose number was given before it is seen is not passed by."""

    def test_a_row_that_is_committed_late_is_read(self) -> None:
        rows = day([(RECORDINGS[0], 0), (RECORDINGS[1], 3)])
        table, log = Table(rows), MemoryCallLog()
        late = {number: table.rows.pop(number) for number in (7, 8, 20)}

        async def check() -> None:
            first = reading(table, log)
            await first.catch_up()
            position = await log.position("cel")
            assert position is None or position.row < 7
            table.rows |= late
            await first.catch_up()
            assert await whole(log) == expected(rows)
            assert await log.position("cel") == Position("cel", len(rows))
            assert first.done == len(rows)

        asyncio.run(check())

    def test_a_number_that_never_comes_is_waited_for_a_while_only(self) -> None:
        rows = day([(RECORDINGS[0], 0), (RECORDINGS[1], 3)])
        table, log, clock = Table(rows), MemoryCallLog(), SettableClock(AFTERWARDS)
        table.rows = {number + (number > len(rows) // 2): row for number, row in table.rows.items()}

        async def check() -> None:
            ingestion = reading(table, log, clock=clock)
            await ingestion.catch_up()
            position = await log.position("cel")
            assert position is None or position.row <= len(rows) // 2
            await clock.advance(GAP_PATIENCE - timedelta(microseconds=1))
            await ingestion.catch_up()
            assert ingestion.done == len(rows) // 2
            await clock.advance(timedelta(microseconds=1))
            await ingestion.catch_up()
            assert await log.position("cel") == Position("cel", len(rows) + 1)
            assert await whole(log) == expected(rows)

        asyncio.run(check())

    def test_old_gaps_hold_nobody_up(self) -> None:
        rows = day([(recording, 20 * number) for number, recording in enumerate(RECORDINGS)])
        table, log = Table(rows), MemoryCallLog()
        table.rows = {3 * number: row for number, row in table.rows.items()}
        ingestion = reading(table, log, 40)
        asyncio.run(ingestion.catch_up())
        assert len(rows) - 40 < ingestion.done < len(rows)


class TestRows:
    """What cannot be read is told and passed by; a call that goes on is awaited."""

    def test_an_unreadable_row_is_told_of_and_passed_by(self) -> None:
        rows = day([(RECORDINGS[0], 0)])
        table, log = Table(rows), MemoryCallLog()
        last = len(rows) + 1
        table.rows[last] = {"eventtype": "HANGUP", "eventtime": "yesterday", "uniqueid": "1.1"}
        reported: list[tuple[int, str]] = []
        ingestion = reading(table, log)
        ingestion.complain = lambda number, error: reported.append((number, str(error)))
        asyncio.run(ingestion.catch_up())
        assert [number for number, _ in reported] == [last]
        assert "eventtime is 'yesterday'" in reported[0][1]
        assert asyncio.run(log.position("cel")) == Position("cel", last)

    def test_the_last_call_is_final_once_it_is_quiet_for_a_while(self) -> None:
        rows = day([(RECORDINGS[0], 0)])
        clock, log = SettableClock(rows[-1].at), MemoryCallLog()

        async def check() -> None:
            ingestion = reading(Table(rows), log, clock=clock)
            await ingestion.catch_up()
            assert await whole(log) == []
            await clock.advance(timedelta(seconds=5))
            await ingestion.catch_up()
            assert await whole(log) == expected(rows)

        asyncio.run(check())

    def test_it_tells_how_far_it_is(self) -> None:
        rows = day([(RECORDINGS[0], 0)])
        reported: list[int] = []
        asyncio.run(reading(Table(rows), MemoryCallLog(), 7).catch_up(reported.append))
        assert reported == sorted(reported)
        assert reported[-1] == len(rows)

    def test_it_follows_what_comes(self) -> None:
        rows = day([(RECORDINGS[0], 0)])
        table, log = Table(rows[:10]), MemoryCallLog()

        async def check() -> None:
            ingestion = reading(table, log)
            following = asyncio.create_task(ingestion.follow(poll=0.001))
            await asyncio.sleep(0.05)
            table.rows = Table(rows).rows
            async with asyncio.timeout(60):
                while not await whole(log):  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.001)
            following.cancel()
            assert await whole(log) == expected(rows)

        asyncio.run(check())
