"""The stores of call records: what a page costs as a history grows, and taking records in.

Histories of several lengths are in one table, one for each user, and pages are asked for at places that are
drawn anew each round. Beside the stores, on the same PostgreSQL and the same rows, is what one would write
without them: the calls of each device in a query of its own, joined by ``UNION ALL``, sorted, and cut by
``LIMIT`` and ``OFFSET``. Time is that of the clock on the wall, since the database is another process.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

import psycopg

from benchmarks.report import Aim, Comparison, Row, Table
from lab.postgresql import postgresql_server
from unique_account.adapters.asterisk.cel.records import CallHistory
from unique_account.adapters.asterisk.cel.rows import from_table
from unique_account.adapters.memory import MemoryCallLog
from unique_account.adapters.postgresql import PostgresqlCallLog
from unique_account.adapters.sqlite import SqliteCallLog
from unique_account.adapters.system_clock import SystemClock
from unique_account.core.account import Direction
from unique_account.core.history import CallRecord, HistoryStatus
from unique_account.core.machine import Device
from unique_account.core.user import User
from unique_account.ports.call_log import CallLog
from unique_account.service.call_log_ingest import CallLogIngest

LENGTHS: Final = tuple(10**power for power in range(3, int(os.environ.get("CALL_LOG_POWER", "6")) + 1))
ROUNDS: Final = 41
SIZE: Final = 50
TAKEN_IN: Final = 100_000
BATCH: Final = 2000
_FIRST: Final = datetime(2020, 1, 1, tzinfo=UTC)
_STEP: Final = timedelta(seconds=5)

_FILL_POSTGRESQL: Final = """
    INSERT INTO unique_account.call_log
    SELECT %s, timestamptz '2020-01-01 00:00:00Z' + n * interval '5 seconds', n || '.1',
        'answered', 'incoming',
        CASE n %% 2 WHEN 0 THEN 'webrtc' ELSE 'deskphone' END, '0612345678', 'Carol', NULL, NULL,
        interval '2 seconds', '', '', true, '0612345678 carol', interval '0'
    FROM generate_series(0, %s - 1) AS n
"""
_FILL_SQLITE: Final = """
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ? - 1)
    INSERT INTO call_log
    SELECT ?, 1577836800000000 + n * 5000000, n || '.1', 'answered', 'incoming',
        CASE n % 2 WHEN 0 THEN 'webrtc' ELSE 'deskphone' END, '0612345678', 'Carol', NULL, NULL,
        2000000, '', '', 1, '0612345678 carol', 0
    FROM numbers
"""
_UNION: Final = """
    SELECT * FROM unique_account.call_log WHERE user_id = %(user)s AND device = 'webrtc'
    UNION ALL
    SELECT * FROM unique_account.call_log WHERE user_id = %(user)s AND device = 'deskphone'
    ORDER BY date DESC, linkedid DESC LIMIT 50 OFFSET %(offset)s
"""
Ask = Callable[[int, int], Awaitable[int]]
"""Asks for a page of a history of so many calls, after so many; gives how many calls came."""


def record(number: int, user: str) -> CallRecord:
    return CallRecord(
        id=f"{number}.1",
        user=user,
        start=_FIRST + number * _STEP,
        status=HistoryStatus.ANSWERED,
        direction=Direction.INCOMING,
        device=(Device.WEBRTC, Device.DESKPHONE)[number % 2],
        peer="0612345678",
        peer_name="Carol",
        rang=timedelta(seconds=2),
        settled=True,
    )


def user_of(length: int) -> str:
    return f"user-{length}"


def compare() -> Comparison:
    """Fill the stores, ask them for pages in turn, and take records in."""
    folder = os.environ.get("TMPDIR", tempfile.gettempdir())
    with postgresql_server({}) as server, tempfile.TemporaryDirectory(dir=folder) as files:
        return asyncio.run(_compare(server.url(), Path(files)))


async def _compare(url: str, folder: Path) -> Comparison:
    memory = MemoryCallLog()
    async with (
        aclosing(SqliteCallLog(folder / "calls.db")) as sqlite,
        aclosing(PostgresqlCallLog(url)) as postgresql,
        await psycopg.AsyncConnection[Any].connect(url, autocommit=True) as plain,
    ):
        # At 10³ calls the planner would start workers for the baseline, which costs more than its work.
        await plain.execute("SET max_parallel_workers_per_gather = 0")
        logs: dict[str, CallLog] = {"memory": memory, "SQLite": sqlite, "PostgreSQL": postgresql}
        taken_in = [await _taken_in(name, log) for name, log in logs.items()]
        await _fill(memory, sqlite, plain)

        async def union(length: int, skipped: int) -> int:
            cursor = await plain.execute(_UNION, {"user": user_of(length), "offset": skipped})
            return len(await cursor.fetchall())

        asks = {name: _asking(log) for name, log in logs.items()}
        asks["UNION ALL … OFFSET"] = union
        pages = await _pages(asks)
    growth = [_memory_of(rows, folder) for rows in (100_000, 1_000_000)]
    return _reported(pages, taken_in, growth)


async def _fill(memory: MemoryCallLog, sqlite: SqliteCallLog, plain: psycopg.AsyncConnection[Any]) -> None:
    for length in LENGTHS:
        await sqlite._run(lambda c, n=length: c.execute(_FILL_SQLITE, (n, user_of(n))).rowcount)  # type: ignore[misc]
        await plain.execute(_FILL_POSTGRESQL, (user_of(length), length))
        for first in range(0, length, BATCH):  # a record takes 320 bytes, so 10⁷ of them 3.2 GB
            numbers = range(first, min(first + BATCH, length))
            await memory.add(record(number, user_of(length)) for number in numbers)
    await plain.execute("VACUUM ANALYZE unique_account.call_log")


def _asking(log: CallLog) -> Ask:
    async def ask(length: int, skipped: int) -> int:
        number = length - skipped
        return len(await log.before(user_of(length), (_FIRST + number * _STEP, ""), SIZE))

    return ask


async def _pages(asks: Mapping[str, Ask]) -> Mapping[str, Mapping[int, float]]:
    """The seconds that a page takes, by who is asked and by the length of the history."""
    times: dict[str, dict[int, list[float]]] = {name: {} for name in asks}
    draw = random.Random(1)
    for turn in range(ROUNDS):
        for length in LENGTHS:
            skipped = draw.randrange(length // 4, length * 3 // 4)
            for name, ask in asks.items():
                if name.startswith("UNION") and turn > 4:
                    continue
                await ask(length, skipped)  # the first one may wait for the disk, for all of them
                before = perf_counter()
                came = await ask(length, skipped)
                times[name].setdefault(length, []).append(perf_counter() - before)
                if came != SIZE:
                    raise AssertionError(f"{name} gives {came} calls")
    return {name: {length: median(found) for length, found in of.items()} for name, of in times.items()}


async def _taken_in(name: str, log: CallLog) -> Row:
    records = [record(number, f"taken-{number % 100}") for number in range(TAKEN_IN)]
    figures = []
    for _ in ("new", "again"):
        before = perf_counter()
        for start in range(0, TAKEN_IN, BATCH):
            await log.add(records[start : start + BATCH])
        figures.append(TAKEN_IN / (perf_counter() - before))
    return {"log": name, "new records/s": figures[0], "the same again/s": figures[1]}


# -- memory of an ingestion ---------------------------------------------------------------------------


class _Rows:
    """Rows of CEL, made as they are read: calls of alice to bob, one after the other, twelve rows each."""

    name = "made"
    kinds = (
        *(("CHAN_START", 0), ("CHAN_START", 1), ("ANSWER", 1), ("ANSWER", 0), ("BRIDGE_ENTER", 1)),
        *(("BRIDGE_ENTER", 0), ("BRIDGE_EXIT", 1), ("HANGUP", 1), ("CHAN_END", 1), ("HANGUP", 0)),
        *(("CHAN_END", 0), ("LINKEDID_END", 0)),
    )

    def __init__(self, rows: int) -> None:
        self._rows = rows

    async def after(self, row: int, limit: int) -> Sequence[tuple[int, Mapping[str, Any]]]:
        return [(n, self._row(n - 1)) for n in range(row + 1, min(row + limit, self._rows) + 1)]

    def _row(self, number: int) -> Mapping[str, Any]:
        call, place = divmod(number, len(self.kinds))
        kind, leg = self.kinds[place]
        second = 1_600_000_000 + 10 * call
        return {
            "eventtype": kind,
            "eventtime": datetime.fromtimestamp(second + place / 4, UTC),
            "uniqueid": f"{second}.{leg}",
            "linkedid": f"{second}.0",
            "channame": f"PJSIP/{('alice', 'bob')[leg]}-{call:08x}",
            "cid_num": ("1001", "1002")[leg],
            "exten": "1002",
            "context": "default",
            "extra": '{"bridge_id":"' + f"{second}" + '"}' if kind.startswith("BRIDGE") else "",
        }


def _ingest(rows: int, path: str) -> None:
    users = [
        User(id=name, extension=number, deskphone=f"PJSIP/{name}", webrtc=f"PJSIP/{name}_w")
        for name, number in (("alice", "1001"), ("bob", "1002"))
    ]

    async def run() -> float:
        async with aclosing(SqliteCallLog(path)) as log:
            calls = CallHistory(users)
            ingestion = CallLogIngest(_Rows(rows), from_table, calls, log, SystemClock(), print)
            before = perf_counter()
            await ingestion.catch_up()
            assert ingestion.made >= rows // 12 * 2 - 4
            return rows / (perf_counter() - before)

    speed = asyncio.run(run())
    # Not `getrusage`, whose maximum counts the process that started this one.
    status = Path("/proc/self/status").read_text("ascii")
    print(speed, int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def _memory_of(rows: int, folder: Path) -> Row:
    """What an ingestion takes at most, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.call_logs", str(rows), str(folder / f"{rows}.db")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return {"rows of CEL": rows, "rows/s": float(said[0]), "peak MB": float(said[1])}


def _reported(
    pages: Mapping[str, Mapping[int, float]], taken_in: Sequence[Row], growth: Sequence[Row]
) -> Comparison:
    rows: list[Row] = [
        {
            "a page of 50, in µs": name,
            **{f"{length:,}": of[length] * 1e6 for length in LENGTHS},
            "slowest/fastest": max(of.values()) / min(of.values()),
        }
        for name, of in pages.items()
    ]
    flat = [
        Aim(f"{name}: the slowest page over the fastest", max(of.values()) / min(of.values()), at_most=1.5)
        for name, of in pages.items()
        if not name.startswith("UNION")
    ]
    more = float(growth[1]["peak MB"]) / float(growth[0]["peak MB"])
    return Comparison(
        [
            Table("A page somewhere in the middle half of a history, by its length", rows),
            Table(f"Taking {TAKEN_IN:,} records in, in batches of {BATCH:,}", taken_in),
            Table("From rows of CEL to a SQLite file", growth),
        ],
        [*flat, Aim("memory of 1,000,000 rows over that of 100,000", more, at_most=1.2)],
    )


if __name__ == "__main__":
    _ingest(int(sys.argv[1]), sys.argv[2])
