"""What follows a database goes on when that is back, and ends in order."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import aclosing
from pathlib import Path

from attrs import evolve

from lab.postgresql import PostgresqlServer
from tests.cli.history_command import MISSED, begun, users
from tests.postgresql.cel_rows import table, whole, written
from tests.service.cel_table import RECORDINGS, day
from tests.service.expected_history import expected
from unique_account.adapters.postgresql import PostgresqlCallLog
from unique_account.core.history import CallRecord

__all__ = ["table", "users"]

FIRST = day([(recording, 3 * number) for number, recording in enumerate(RECORDINGS[:25])])
LATER = day([(recording, 600 + 3 * number) for number, recording in enumerate(RECORDINGS[25:])])
PATIENCE = 40
"""For how many seconds what was lost may stay away."""


def add(url: str, records: Iterable[CallRecord]) -> None:
    async def keep() -> None:
        async with aclosing(PostgresqlCallLog(url)) as log:
            await log.add(records)

    asyncio.run(keep())


def kept(url: str) -> list[CallRecord]:
    async def read() -> list[CallRecord]:
        async with aclosing(PostgresqlCallLog(url)) as log:
            return await whole(log)

    return asyncio.run(read())


def until(there: Callable[[], bool]) -> None:
    patience = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < patience
        time.sleep(0.1)


class TestLosses:
    """H1, H6: a database that is lost is said so, and gone on with when it is back."""

    def test_a_list_shows_what_came_meanwhile(self, server: PostgresqlServer, url: str) -> None:
        add(url, [MISSED])
        with begun("alice", "--store", url, "--follow", "--json", lines=1) as (process, _):
            assert process.stdout is not None
            assert process.stderr is not None
            server.stop()
            lost = process.stderr.readline()
            server.start()
            add(url, [evolve(MISSED, id="2.1"), evolve(MISSED, peer_name="Bob")])
            shown = [json.loads(process.stdout.readline()) for _ in range(2)]
            process.send_signal(signal.SIGINT)
            reported, _ = process.communicate(timeout=20)
        assert [(one["id"], one["peer_name"]) for one in shown] == [("1.1", "Bob"), ("2.1", "")]
        assert "is not reachable" in lost
        assert lost.endswith("; trying again\n")
        assert (reported, process.returncode) == ("", 0)

    def test_rows_are_taken_in_once(self, server: PostgresqlServer, table: str, users: Path) -> None:
        written(table, FIRST)
        arguments = ("ingest", table, "--users", users, "--store", table, "--follow")
        with begun(*arguments, lines=0) as (process, _):
            assert process.stderr is not None
            until(lambda: kept(table) == expected(FIRST))
            server.stop()
            lost = process.stderr.readline()
            server.start()
            written(table, LATER)
            until(lambda: kept(table) == expected([*FIRST, *LATER]))
            process.send_signal(signal.SIGTERM)
            reported, _ = process.communicate(timeout=20)
        assert "is not reachable" in lost
        assert lost.endswith("; trying again\n")
        assert process.returncode == 0
        entries = len(expected([*FIRST, *LATER]))
        assert reported == (
            f"{len(FIRST) + len(LATER)} rows read, {entries} entries made, 0 rows not understood\n"
        )
