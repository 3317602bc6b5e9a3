"""A real ``cel`` table is read on from where it was read to, whoever is killed when."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import aclosing, suppress
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from tests.cli.history_command import users
from tests.postgresql.cel_rows import CEL, table, whole, written
from tests.service.cel_table import RECORDINGS, columns, day
from tests.service.expected_history import DAYS_LATER, expected
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.adapters.postgresql import CelTable, PostgresqlCallLog, UnusableDatabase
from unique_account.adapters.sqlite import SqliteCallLog
from unique_account.cli import command

__all__ = ["table", "users"]

KILLS = 6
"""How often a process is killed at most."""

INGEST = """
import asyncio, os, signal, sys
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from tests.e2e.scenes.people import USERS
from unique_account.adapters.asterisk.cel.rows import from_table
from unique_account.adapters.asterisk.cel.records import CallHistory
from unique_account.adapters.memory import SettableClock
from unique_account.adapters.postgresql import CelTable, PostgresqlCallLog
from unique_account.adapters.sqlite import SqliteCallLog
from unique_account.service.call_log_ingest import CallLogIngest

class Dying:
    writes = 0

    async def add(self, records, read=None):
        Dying.writes += 1
        if (Dying.writes, "before") == self.when:
            os.kill(os.getpid(), signal.SIGKILL)
        await super().add(records, read)
        if (Dying.writes, "after") == self.when:
            os.kill(os.getpid(), signal.SIGKILL)

async def main(url, store, batch, write="0", when=""):
    clock = SettableClock(datetime(2026, 1, 8, 12, tzinfo=UTC))
    kind = PostgresqlCallLog if store.startswith("postgresql:") else SqliteCallLog
    opened = type("Log", (Dying, kind), {"when": (int(write), when)})
    async with aclosing(CelTable(url)) as rows, aclosing(opened(store)) as log:
        ingestion = CallLogIngest(rows, from_table, CallHistory(USERS), log, clock, print, int(batch))
        print("begun", flush=True)
        await ingestion.catch_up()
        print("done", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
class TestSuddenDeath:
    """H6: a process that is killed between reading and writing loses nothing and doubles nothing."""

    def test_killed_again_and_again_it_comes_to_the_same(self, kind: str, table: str, tmp_path: Path) -> None:
        rows = day([(recording, 3 * number) for number, recording in enumerate(RECORDINGS)])
        written(table, rows)
        store = table if kind == "postgresql" else str(tmp_path / "calls.db")
        lives, done, seed = 0, False, random.Random(7)
        while not done:
            lives += 1
            done = self._lived(table, store, seed.uniform(0, 0.25) if lives <= KILLS else 60)
        assert lives > 1, "it was never killed"
        self._agrees(kind, store, rows)

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_killed_at_each_write_it_comes_to_the_same(
        self, kind: str, when: str, table: str, tmp_path: Path
    ) -> None:
        """What was read is not kept yet, or it is and nobody was told so; each life ends a write later."""
        rows = day([(recording, 3 * number) for number, recording in enumerate(RECORDINGS[::3])])
        written(table, rows)
        store = table if kind == "postgresql" else str(tmp_path / "calls.db")
        ends: list[int] = []
        while not ends or ends[-1] == -signal.SIGKILL:
            command = [sys.executable, "-c", INGEST, table, store, "40", str(len(ends) + 1), when]
            ends.append(subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode)
        assert len(ends) > 3
        assert ends[-1] == 0
        self._agrees(kind, store, rows)

    def _agrees(self, kind: str, store: str, rows: Sequence[CelRow]) -> None:
        async def check() -> None:
            async with aclosing(
                PostgresqlCallLog(store) if kind == "postgresql" else SqliteCallLog(store)
            ) as log:
                assert await whole(log) == expected(rows)

        asyncio.run(check())

    def _lived(self, table: str, store: str, seconds: float) -> bool:
        """Whether a process came to an end before it was killed."""
        with subprocess.Popen(
            [sys.executable, "-c", INGEST, table, store, "3"], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
            return "done" in process.stdout.read()


class TestTable:
    """The table is read by number, and never written."""

    def test_rows_come_by_number(self, table: str) -> None:
        rows = day([(RECORDINGS[0], 0)])
        written(table, rows)

        async def check() -> None:
            async with aclosing(CelTable(table)) as cel:
                assert [await cel.left(row) for row in (0, 3)] == [len(rows), len(rows) - 3]
                found = await cel.after(3, 4)
                assert [number for number, _ in found] == [4, 5, 6, 7]
                assert found[0][1] == columns(rows[3])
                assert list(await cel.after(len(rows), 4)) == []

        asyncio.run(check())

    def test_a_table_that_is_not_there_is_named(self, url: str) -> None:
        async def check() -> None:
            async with aclosing(CelTable(url, 'x"; DROP TABLE y; --')) as cel:
                with pytest.raises(UnusableDatabase, match="does not exist"):
                    await cel.after(0, 1)

        asyncio.run(check())

    def test_two_who_read_at_once_double_nothing(self, table: str) -> None:
        rows = day([(recording, 3 * number) for number, recording in enumerate(RECORDINGS)])
        written(table, rows)
        readers: Sequence[subprocess.Popen[str]] = [
            subprocess.Popen(
                [sys.executable, "-c", INGEST, table, table, "3"], stdout=subprocess.PIPE, text=True
            )
            for _ in range(3)
        ]
        assert ["done" in reader.communicate(timeout=100)[0] for reader in readers] == [True] * 3

        async def check() -> None:
            async with aclosing(PostgresqlCallLog(table)) as log:
                assert await whole(log) == expected(rows)

        asyncio.run(check())


class TestCommand:
    """H1: from the table of an Asterisk to a user's list, by the command line."""

    def test_it_is_taken_in_once(self, table: str, users: Path) -> None:
        rows = day([(recording, 3 * number) for number, recording in enumerate(RECORDINGS)])
        written(table, rows)
        assert rows[-1].at < DAYS_LATER

        def run(*arguments: str) -> str:
            done = CliRunner().invoke(command, ["history", *arguments], catch_exceptions=False)
            assert done.exit_code == 0, done.output
            return done.output

        ingest = ("ingest", table, "--users", str(users), "--store", table)
        assert (
            run(*ingest)
            == f"{len(rows)} rows read, {len(expected(rows))} entries made, 0 rows not understood\n"
        )
        assert run(*ingest) == "0 rows read, 0 entries made, 0 rows not understood\n"
        entries = [entry for entry in expected(rows) if entry.user == "alice"]
        assert run("alice", "--store", table).count("\n") == len(entries)

    def test_a_table_in_another_order_is_an_error(self, table: str, users: Path) -> None:
        written(
            table,
            sorted(
                day([(one, 3 * place) for place, one in enumerate(RECORDINGS)]), key=lambda row: row.channel
            ),
        )
        done = CliRunner().invoke(
            command, ["history", "ingest", table, "--users", str(users), "--store", table]
        )
        assert done.exit_code == 1
        assert "Error: the ids of the table are not in the order of eventtime" in done.output

    def _refused(self, url: str, users: Path, *more: str) -> str:
        store = str(users.parent / "calls.db")
        done = CliRunner().invoke(
            command, ["history", "ingest", url, "--users", str(users), "--store", store, *more]
        )
        assert done.exit_code == 1
        assert done.output.startswith("Error: the database ")
        assert done.output.count("\n") == 1
        return done.output

    def test_an_empty_table_is_no_error(self, table: str, users: Path) -> None:
        store = str(users.parent / "calls.db")
        done = CliRunner().invoke(
            command, ["history", "ingest", table, "--users", str(users), "--store", store]
        )
        assert done.output == "0 rows read, 0 entries made, 0 rows not understood\n"
        assert done.exit_code == 0

    def test_what_is_missing_of_the_table_is_said_in_a_sentence(self, url: str, users: Path) -> None:
        assert 'relation "cel" does not exist' in self._refused(url, users)
        with psycopg.connect(url) as connection:
            connection.execute(CEL.replace("cid_rdnis text NOT NULL,", ""))
        assert 'column "cid_rdnis" does not exist' in self._refused(url, users)
        assert 'relation "nowhere.cel" does not exist' in self._refused(url, users, "--table", "nowhere.cel")

    def test_a_database_that_is_not_there_is_said_at_once(
        self, users: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        said = self._refused("postgresql://lab:s3cret@127.0.0.1:1/one", users)
        assert "127.0.0.1:1/one is not reachable" in said
        assert "refused" in said
        assert "s3cret" not in said + caplog.text
        assert not [record for record in caplog.records if record.name.startswith("psycopg")]
