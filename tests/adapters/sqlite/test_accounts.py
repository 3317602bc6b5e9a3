"""The SQLite store: its contract, its file, its schema, other processes and sudden death."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest
from attrs import evolve

from tests.adapters.memory.node import ALICE, BOB
from tests.event_loop import in_loop
from unique_account.adapters.sqlite import (
    FileHeld,
    NewerSchema,
    SqliteAccounts,
    SqliteCallLog,
    UnusableFile,
    accounts,
    file,
    schema,
)
from unique_account.core.account import NOTHING_KEPT, Kept
from unique_account.core.machine import Device
from unique_account.ports.accounts import Accounts, StaleVersion
from unique_account.testing.contracts import AccountsContract


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.db"


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as any SQLite sees it."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def loosen(connection: sqlite3.Connection, table: str) -> None:
    """Let a table's columns hold anything, as a damaged file's do."""
    connection.execute(f"CREATE TABLE loose AS SELECT * FROM {table}")
    connection.execute(f"DROP TABLE {table}")
    connection.execute(f"ALTER TABLE loose RENAME TO {table}")


def made(path: Path) -> None:
    """Make a store with one account."""

    @in_loop
    async def make() -> None:
        async with aclosing(SqliteAccounts(path)) as store:
            await store.add([ALICE])

    make()


class TestContractInMemory(AccountsContract):
    """The embedded default keeps the contract."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Accounts]:
        async with aclosing(SqliteAccounts(":memory:")) as store:
            yield store


class TestContractOnDisk(AccountsContract):
    """A file keeps the contract."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self._folder = tmp_path_factory

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Accounts]:
        path = self._folder.mktemp("contract") / "accounts.db"
        async with aclosing(SqliteAccounts(path)) as store:
            yield store


class TestFile:
    """S2: the file is in write-ahead mode, and what it cannot be used for is said clearly."""

    def test_it_is_in_write_ahead_mode_and_flushes_every_write(self, path: Path) -> None:
        made(path)
        with raw(path) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

        @in_loop
        async def look() -> None:
            async with aclosing(SqliteAccounts(path)) as store:
                settings = await store._run(lambda c: c.execute("PRAGMA synchronous").fetchone())
                assert settings == (2,)

        look()

    def test_readers_do_not_wait_for_a_writer(self, path: Path) -> None:
        made(path)
        with raw(path) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("DELETE FROM accounts")

            @in_loop
            async def read() -> None:
                async with aclosing(SqliteAccounts(path)) as store:
                    assert await store.load("alice") == (ALICE, NOTHING_KEPT)

            read()

    def test_a_missing_folder_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "missing" / "accounts.db"
        with pytest.raises(UnusableFile) as refused:
            SqliteAccounts(path)
        assert (refused.value.path, refused.value.reason) == (path, f"there is no {path.parent}")
        assert str(refused.value) == f"{path} cannot be used as a store: there is no {path.parent}"

    def test_a_folder_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(UnusableFile, match="unable to open database file"):
            SqliteAccounts(tmp_path)

    def test_a_text_file_is_named_and_left_as_it_is(self, path: Path) -> None:
        text = "id,extension\nalice,1001\n" * 100
        path.write_text(text)
        with pytest.raises(UnusableFile, match="file is not a database") as refused:
            SqliteAccounts(path)
        assert isinstance(refused.value.__cause__, sqlite3.DatabaseError)
        assert path.read_text() == text
        assert list(path.parent.iterdir()) == [path]

    @pytest.mark.parametrize("odd", [None, b"\x00\xd8", 5, 1.5, "", "{}", "[", '{"id": "\\ud800"}'])
    @pytest.mark.parametrize("column", ["administered", "kept"])
    @in_loop
    async def test_an_account_that_is_none_is_named_with_the_file(
        self, path: Path, column: str, odd: object
    ) -> None:
        async with aclosing(SqliteAccounts(path)) as store:
            await store.add([ALICE])
            with raw(path) as connection:
                loosen(connection, "accounts")
                connection.execute(f"UPDATE accounts SET {column} = ?", (odd,))
            if (column, odd) == ("kept", "{}"):  # which says that nothing is kept
                return
            with pytest.raises(UnusableFile, match=r"accounts\.db cannot be used .*: a row is damaged"):
                await store.load("alice")
            with pytest.raises(UnusableFile, match=r"accounts\.db cannot be used .*: a row is damaged"):
                _ = [each async for each in store.all()]

    @in_loop
    async def test_a_version_that_is_none_is_a_damaged_row(self, path: Path) -> None:
        async with aclosing(SqliteAccounts(path)) as store:
            await store.add([ALICE])
            with raw(path) as connection:
                loosen(connection, "accounts")
                connection.execute("UPDATE accounts SET version = 'x'")
            with pytest.raises(UnusableFile, match=r"accounts\.db cannot be used .*: a row is damaged"):
                await store.save(ALICE, NOTHING_KEPT, 7)

    def test_a_schema_of_half_characters_is_damage(self, path: Path) -> None:
        made(path)
        with raw(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        data = path.read_bytes()
        path.write_bytes(data.replace(b"administered TEXT NOT", b"administered T\xffXT NOT"))
        with pytest.raises(UnusableFile, match=r"accounts\.db cannot be used as a store"):
            SqliteAccounts(path)

    @in_loop
    async def test_so_it_is_when_it_breaks_while_the_file_is_open(self, path: Path) -> None:
        async with aclosing(SqliteAccounts(path)) as store:
            await store.add([ALICE])
            with raw(path) as connection:
                connection.execute("PRAGMA writable_schema = ON")
                connection.execute(
                    "UPDATE sqlite_schema SET sql = replace(sql, 'administered TEXT', "
                    "'administered T' || CAST(x'ff' AS TEXT) || 'XT') WHERE name = 'accounts'"
                )
                connection.execute(f"PRAGMA schema_version = {2**20}")
            with pytest.raises(UnusableFile, match=r"accounts\.db cannot be used as a store"):
                await store.load("alice")

    def test_nothing_is_left_open_by_a_file_that_cannot_be_used(self, path: Path) -> None:
        path.write_text("no database\n" * 100)
        before = threading.active_count()
        with pytest.raises(UnusableFile):
            SqliteAccounts(path)
        assert threading.active_count() == before

    @in_loop
    async def test_closing_ends_its_thread(self) -> None:
        before = threading.active_count()
        await SqliteAccounts(":memory:").aclose()
        assert threading.active_count() == before

    @in_loop
    async def test_closing_waits_for_what_was_asked_for(self) -> None:
        store = SqliteAccounts(":memory:")
        adding = asyncio.create_task(store.add([ALICE]))
        await asyncio.sleep(0)
        await store.aclose()
        await asyncio.sleep(0)  # the thread is done; its result is one step away
        assert adding.done()
        await adding

    @in_loop
    async def test_a_batch_of_accounts_is_read_at_a_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(accounts, "_BATCH", 2)
        users = [evolve(ALICE, id=f"user-{number}") for number in range(5)]
        async with aclosing(SqliteAccounts(":memory:")) as store:
            await store.add(users)
            assert [user async for user, _ in store.all()] == users


class TestSchema:
    """Migrations are numbered and atomic, and a file of a newer release is left as it is."""

    def test_migrations_are_numbered_without_holes(self) -> None:
        versions = [version for version, _ in schema.MIGRATIONS]
        assert versions == list(range(1, len(versions) + 1))

    def test_a_new_file_is_at_the_newest_version(self, path: Path) -> None:
        made(path)
        with raw(path) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (schema.MIGRATIONS[-1][0],)

    def test_a_newer_file_is_left_as_it_is(self, path: Path) -> None:
        with raw(path) as connection:
            connection.execute("CREATE TABLE something_new (it)")
            connection.execute("PRAGMA user_version = 99")
        before = path.read_bytes()
        with pytest.raises(NewerSchema) as refused:
            SqliteAccounts(path)
        assert (refused.value.found, refused.value.known) == (99, schema.MIGRATIONS[-1][0])
        newest = schema.MIGRATIONS[-1][0]
        assert f"the file {path} has schema version 99, this release knows {newest}" in str(refused.value)
        assert path.read_bytes() == before
        assert list(path.parent.iterdir()) == [path]

    def test_an_older_file_is_brought_to_the_newest(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made(path)
        newest = schema.MIGRATIONS[-1][0]
        later = [*schema.MIGRATIONS, (newest + 1, "ALTER TABLE accounts ADD COLUMN note TEXT;")]
        monkeypatch.setattr(schema, "MIGRATIONS", later)

        @in_loop
        async def reopen() -> None:
            async with aclosing(SqliteAccounts(path)) as store:
                assert await store.load("alice") == (ALICE, NOTHING_KEPT)

        reopen()
        with raw(path) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (newest + 1,)
            assert connection.execute("SELECT note FROM accounts").fetchall() == [(None,)]

    def test_a_migration_that_fails_leaves_nothing_of_it(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made(path)
        broken = "CREATE TABLE half (it);\nINSERT INTO nowhere VALUES (1);\n"
        newest = schema.MIGRATIONS[-1][0]
        later = [*schema.MIGRATIONS, (newest + 1, "CREATE TABLE whole (it);"), (newest + 2, broken)]
        monkeypatch.setattr(schema, "MIGRATIONS", later)
        with pytest.raises(UnusableFile, match="no such table: nowhere"):
            SqliteAccounts(path)
        with raw(path) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (newest + 1,)
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
            assert tables >= {"accounts", "whole"}
            assert "half" not in tables

    def test_a_migration_that_another_process_did_first_is_not_done_again(self, path: Path) -> None:
        made(path)
        with raw(path) as connection:
            schema.SqliteSchema(path, connection).upgrade(1, "CREATE TABLE accounts (again);")
            assert not connection.in_transaction

    def test_a_transaction_that_ended_by_itself_hides_no_error(self, path: Path) -> None:
        def end_and_fail(connection: sqlite3.Connection) -> None:
            with schema.transaction(connection):
                connection.execute("ROLLBACK")
                raise LookupError("what went wrong")

        with raw(path) as connection:
            with pytest.raises(LookupError):
                end_and_fail(connection)
            assert not connection.in_transaction


INCREMENT = """
import asyncio, sys
from attrs import evolve
from unique_account.adapters.sqlite import SqliteAccounts
from unique_account.ports.accounts import StaleVersion

async def main():
    store = SqliteAccounts(sys.argv[1])
    for _ in range(int(sys.argv[2])):
        while True:
            user, kept = await store.load("alice")
            try:
                await store.save(user, evolve(kept, version=kept.version + 1), kept.version)
                break
            except StaleVersion:
                continue
        print(kept.version + 1, flush=True)
    await store.aclose()

asyncio.run(main())
"""


def incrementing(path: Path, times: int) -> subprocess.Popen[str]:
    """A process that writes one version after the other, and says which are written."""
    return subprocess.Popen(
        [sys.executable, "-c", INCREMENT, str(path), str(times)], stdout=subprocess.PIPE, text=True
    )


class TestProcesses:
    """Several processes may use one file: none loses what another wrote."""

    def test_two_writers_lose_nothing(self, path: Path) -> None:
        made(path)
        writers = [incrementing(path, 100) for _ in range(2)]
        said = [writer.communicate(timeout=60)[0] for writer in writers]
        assert [writer.returncode for writer in writers] == [0, 0]
        versions = sorted(int(line) for text in said for line in text.split())
        assert versions == list(range(1, 201))

    @in_loop
    async def test_two_stores_see_each_others_writes(self, path: Path) -> None:
        async with aclosing(SqliteAccounts(path)) as one, aclosing(SqliteAccounts(path)) as other:
            await one.add([ALICE])
            await other.save(ALICE, Kept(version=1, selection=Device.DESKPHONE), 0)
            assert await one.load("alice") == (ALICE, Kept(version=1, selection=Device.DESKPHONE))
            with pytest.raises(StaleVersion):
                await one.save(ALICE, Kept(version=1), 0)
            with pytest.raises(StaleVersion):
                await one.add([BOB, ALICE])
            assert await other.load("bob") is None

    def test_opening_waits_until_others_let_go_of_the_file(self, path: Path) -> None:
        made(path)
        with raw(path) as holder:
            holder.execute("PRAGMA journal_mode = DELETE")
            holder.execute("BEGIN IMMEDIATE")
            letting_go = threading.Timer(0.1, lambda: holder.execute("COMMIT"))
            letting_go.start()
            asyncio.run(SqliteAccounts(path).aclose())
            letting_go.join()
        with raw(path) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_its_patience_has_an_end(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(file, "_PATIENCE", 0.05)
        made(path)
        with raw(path) as holder:
            holder.execute("PRAGMA journal_mode = DELETE")
            holder.execute("BEGIN IMMEDIATE")
            with pytest.raises(FileHeld, match="is held by another process"):
                SqliteAccounts(path)
            holder.execute("COMMIT")


class TestSuddenDeath:
    """S2: a write survives a crash once it has returned."""

    @pytest.mark.parametrize("acknowledged", [1, 20, 150])
    def test_a_killed_process_leaves_its_last_acknowledged_version(
        self, path: Path, acknowledged: int
    ) -> None:
        made(path)
        writer = incrementing(path, 1_000_000)
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(acknowledged)]
        writer.kill()
        said += writer.stdout.readlines()
        writer.stdout.close()
        writer.wait()
        last = max(int(line) for line in said if line.endswith("\n"))

        @in_loop
        async def reopen() -> None:
            async with aclosing(SqliteAccounts(path)) as store:
                stored = await store.load("alice")
                assert stored is not None
                assert last <= stored[1].version <= last + 1
                await store.save(ALICE, Kept(version=0), stored[1].version)

        reopen()
        with raw(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def rights(path: Path) -> dict[str, int]:
    """Who may do what with each file of a folder."""
    return {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}


class TestRights:
    """The file is its owner's alone, whatever the umask is."""

    @pytest.fixture(autouse=True)
    def _open_umask(self) -> Iterator[None]:
        before = os.umask(0)
        yield
        os.umask(before)

    @in_loop
    async def _used(self, path: Path) -> None:
        async with aclosing(SqliteAccounts(path)) as store, aclosing(SqliteCallLog(path)):
            await store.add([ALICE])
            self.seen = rights(path)

    def test_a_new_file_and_what_is_beside_it_are_the_owners(self, path: Path) -> None:
        self._used(path)
        assert self.seen == {"accounts.db": 0o600, "accounts.db-wal": 0o600, "accounts.db-shm": 0o600}

    def test_an_older_file_becomes_so(self, path: Path) -> None:
        with raw(path) as older:
            older.execute("PRAGMA journal_mode = WAL")
            older.execute("CREATE TABLE other (x)")
            assert set(rights(path).values()) == {0o644}
            self._used(path)
            assert set(self.seen.values()) == {0o600}
            assert set(rights(path).values()) == {0o600}

    def test_what_is_no_store_is_left_as_it_is(self, path: Path) -> None:
        path.write_text("no database, but of somebody's who lets others read it" * 100, "utf-8")
        path.chmod(0o644)
        with pytest.raises(UnusableFile):
            SqliteAccounts(path)
        assert rights(path) == {"accounts.db": 0o644}

    def test_a_folder_that_is_named_by_mistake_is_left_as_it_is(self, tmp_path: Path) -> None:
        folder = tmp_path / "a" / "folder"
        folder.mkdir(parents=True)
        with pytest.raises(UnusableFile):
            SqliteAccounts(folder)
        assert rights(folder) == {"folder": 0o777}
