"""The call log on SQLite: its contract, other processes and sudden death."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, closing
from pathlib import Path

import pytest

from unique_account.adapters.sqlite import FileHeld, SqliteCallLog, UnusableFile, file
from unique_account.core.errors import Unreachable
from unique_account.ports.call_log import CallLog, Position
from unique_account.testing.contracts import CallLogContract
from unique_account.testing.contracts.call_log.records import a_record


def loosen(connection: sqlite3.Connection, table: str) -> None:
    """Let a table's columns hold anything, as a damaged file's do."""
    connection.execute(f"CREATE TABLE loose AS SELECT * FROM {table}")
    connection.execute(f"DROP TABLE {table}")
    connection.execute(f"ALTER TABLE loose RENAME TO {table}")


class TestContractInMemory(CallLogContract):
    """A log that is gone with the process keeps the contract."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[CallLog]:
        async with aclosing(SqliteCallLog(":memory:")) as log:
            yield log


class TestContractOnDisk(CallLogContract):
    """A file keeps the contract."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self._folder = tmp_path_factory

    @asynccontextmanager
    async def open(self) -> AsyncIterator[CallLog]:
        path = self._folder.mktemp("contract") / "calls.db"
        async with aclosing(SqliteCallLog(path)) as log:
            yield log


class TestDamage:
    """H6: a row that is no record makes the file an unusable one, which is named."""

    @pytest.mark.parametrize(
        ("column", "odd"),
        [
            ("status", "lost"),
            ("status", None),
            ("direction", 5),
            ("device", "fax"),
            ("answered", "noon"),
            ("ended", 2**62),
            ("rang", None),
            ("rang", -1),
            ("waited", -1),
            ("peer", None),
            ("peer_name", b"\xff"),
            ("transferred_to", b"7"),
        ],
    )
    def test_a_row_that_is_no_record(self, tmp_path: Path, column: str, odd: object) -> None:
        async def check() -> None:
            record = a_record(1)
            async with aclosing(SqliteCallLog(tmp_path / "calls.db")) as log:
                await log.add([record])
                await log._run(lambda file: loosen(file, "call_log"))
                await log._run(lambda file: file.execute(f"UPDATE call_log SET {column} = ?", (odd,)))
                with pytest.raises(UnusableFile, match=r"calls\.db cannot be used .*: a row is damaged"):
                    await log.before(record.user, None, 5)
                with pytest.raises(UnusableFile, match=r"calls\.db cannot be used .*: a row is damaged"):
                    await log.add([record])

        asyncio.run(check())

    @pytest.mark.parametrize("odd", [None, b"\xff", "[", "7"])
    def test_a_position_that_is_none(self, tmp_path: Path, odd: object) -> None:
        async def check() -> None:
            async with aclosing(SqliteCallLog(tmp_path / "calls.db")) as log:
                await log.add([], Position("one", 7, (9,)))
                await log._run(lambda file: loosen(file, "positions"))
                await log._run(lambda file: file.execute("UPDATE positions SET beyond = ?", (odd,)))
                with pytest.raises(UnusableFile, match=r"calls\.db cannot be used .*: a row is damaged"):
                    await log.position("one")

        asyncio.run(check())


class TestFullDisk:
    """H6: a file that may not grow any more is an error of ours, and takes nothing of a batch."""

    def test_what_found_no_room_comes_again(self, tmp_path: Path) -> None:
        records = [a_record(number) for number in range(2000)]

        async def check() -> None:
            async with aclosing(SqliteCallLog(tmp_path / "calls.db")) as log:
                await log._run(lambda file: file.execute("PRAGMA max_page_count = 20").fetchall())
                with pytest.raises(UnusableFile, match=r"calls\.db cannot be used .* is full"):
                    await log.add(records, Position("one", 7))
                assert list(await log.before("alice", None, 1)) == []
                assert await log.position("one") is None
                await log._run(lambda file: file.execute("PRAGMA max_page_count = 2000").fetchall())
                await log.add(records, Position("one", 7))
                assert len(await log.before("alice", None, 5000)) == 2000

        asyncio.run(check())


class TestHeldFile:
    """H6: a file that another process holds for long is asked again, and nothing of a batch is lost."""

    def test_what_was_given_while_it_was_held_comes_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(file, "_PATIENCE", 0.05)
        records = [a_record(number) for number in range(3)]

        async def check() -> None:
            path = tmp_path / "calls.db"
            async with aclosing(SqliteCallLog(path)) as log:
                with closing(sqlite3.connect(path, isolation_level=None)) as holder:
                    holder.execute("BEGIN IMMEDIATE")
                    with pytest.raises(Unreachable, match=r"calls\.db is held by another process"):
                        await log.add(records, Position("one", 7))
                    assert await log.position("one") is None
                await log.add(records, Position("one", 7))
                assert len(await log.before("alice", None, 5000)) == 3

        asyncio.run(check())

    def test_it_may_be_opened_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(file, "_PATIENCE", 0.05)
        with closing(sqlite3.connect(tmp_path / "calls.db", isolation_level=None)) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            with pytest.raises(FileHeld, match="is held by another process"):
                SqliteCallLog(tmp_path / "calls.db")
        asyncio.run(SqliteCallLog(tmp_path / "calls.db").aclose())


class TestRetention:
    """H5: what is taken away by its age is found by its age, however long the history is."""

    def test_no_table_is_read_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "calls.db"
        asyncio.run(SqliteCallLog(path).aclose())
        with closing(sqlite3.connect(path)) as connection:
            plan = connection.execute("EXPLAIN QUERY PLAN DELETE FROM call_log WHERE start < 9").fetchall()
        assert [step[-1].partition(" (")[0] for step in plan] == [
            "SEARCH call_log USING COVERING INDEX call_log_start"
        ]
