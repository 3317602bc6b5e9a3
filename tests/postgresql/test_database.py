"""A database that is not there, goes away, or is of another release; and its password, which is not told."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import psycopg
import pytest

from lab.postgresql import PostgresqlServer
from unique_account.adapters.postgresql import (
    CelTable,
    DatabaseUnreachable,
    NewerSchema,
    PostgresqlAccounts,
    PostgresqlCallLog,
    UnusableDatabase,
    database,
    schema,
)
from unique_account.core.errors import Unreachable
from unique_account.testing.contracts.call_log.records import a_record


def having(url: str, work: Callable[[PostgresqlCallLog], Awaitable[None]]) -> None:
    async def run() -> None:
        async with aclosing(PostgresqlCallLog(url)) as log:
            await work(log)

    asyncio.run(run())


class TestLosses:
    """H6: a connection that is lost is a clear error, what was under way is whole or not there at all."""

    def test_a_server_that_comes_back_is_used_again(self, server: PostgresqlServer, url: str) -> None:
        async def check(log: PostgresqlCallLog) -> None:
            await log.add([a_record(1)])
            server.stop()
            try:
                with pytest.raises(DatabaseUnreachable) as refused:
                    await log.add([a_record(2)])
                assert isinstance(refused.value, Unreachable)
                assert f"127.0.0.1:{server.port}/one is not reachable" in str(refused.value)
            finally:
                server.start()
            await log.add([a_record(3)])
            assert [entry.id for entry in await log.before("alice", None, 9)] == ["3.1", "1.1"]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(database, "_PATIENCE", 2)
            having(url, check)

    def test_a_server_that_crashes_keeps_what_was_acknowledged(
        self, server: PostgresqlServer, url: str
    ) -> None:
        async def check(log: PostgresqlCallLog) -> None:
            await log.add([a_record(1)])
            server.kill()
            server.start()
            assert [entry.id for entry in await log.before("alice", None, 9)] == ["1.1"]

        having(url, check)

    def test_a_connection_that_is_cut_in_a_batch_leaves_nothing_of_it(self, url: str) -> None:
        async def check(log: PostgresqlCallLog) -> None:
            with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as other:
                holder.execute("LOCK unique_account.call_log IN EXCLUSIVE MODE")
                adding = asyncio.create_task(log.add([a_record(1), a_record(2)]))
                while not other.execute(_WAITING).fetchall():  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.01)
                other.execute(f"SELECT pg_terminate_backend(pid) FROM ({_WAITING}) AS them")
                with pytest.raises(DatabaseUnreachable):
                    await adding
            assert list(await log.before("alice", None, 9)) == []
            await log.add([a_record(1), a_record(2)])
            assert len(await log.before("alice", None, 9)) == 2

        having(url, check)

    def test_nobody_listens(self, server: PostgresqlServer) -> None:
        with pytest.raises(DatabaseUnreachable, match=r"127\.0\.0\.1:1/one is not reachable: .*refused"):
            PostgresqlAccounts("postgresql://lab@127.0.0.1:1/one")


_WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = 'one' AND wait_event_type = 'Lock'"


class TestSecrets:
    """Passwords are never in errors, logs or what is shown of an object."""

    SECRET = "s3cret-word"

    @pytest.mark.parametrize(
        "address",
        [
            "postgresql://lab:{secret}@127.0.0.1:{port}/one",
            "postgresql://lab:{secret}@127.0.0.1:{port}/none",
            "postgresql://lab:{secret}@127.0.0.1:port/one",
            "postgresql://lab:{secret}@[127.0.0.1/one",
            "host=127.0.0.1 port={port} user=lab password={secret} dbname=one",
            "password={secret} {secret}",
        ],
    )
    def test_no_failure_tells_it(
        self, address: str, server: PostgresqlServer, url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        given = address.format(secret=self.SECRET, port=server.port)
        with pytest.raises(UnusableDatabase) as refused:
            PostgresqlCallLog(given)
        reported = "".join(traceback.format_exception(refused.value)) + repr(refused.value) + caplog.text
        assert self.SECRET not in reported

    def test_no_store_shows_it(
        self, server: PostgresqlServer, url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)

        async def check(log: PostgresqlCallLog) -> None:
            await log.add([a_record(1)])
            table = CelTable(url)
            shown = f"{log!r} {log._database!r} {log._database._pool!r} {table!r} {table.name}"
            assert server.password not in shown + caplog.text

        having(url, check)


class TestSchema:
    """Migrations are numbered and whole, and a database of a newer release is left as it is."""

    def test_migrations_are_numbered(self) -> None:
        versions = [version for version, _ in schema.MIGRATIONS]
        assert versions == sorted(set(versions))

    def test_a_newer_database_is_left_as_it_is(self, url: str) -> None:
        PostgresqlCallLog(url)
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO unique_account.migrations VALUES (99)")
        with pytest.raises(NewerSchema, match="schema version 99, this release knows"):
            PostgresqlCallLog(url)

    def test_a_migration_that_fails_leaves_nothing_of_it(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        newest = schema.MIGRATIONS[-1][0]
        broken = "CREATE TABLE unique_account.half (it int); INSERT INTO nowhere VALUES (1);"
        later = [*schema.MIGRATIONS, (newest + 1, broken)]
        monkeypatch.setattr(schema, "MIGRATIONS", later)
        with pytest.raises(UnusableDatabase, match='"nowhere" does not exist'):
            PostgresqlCallLog(url)
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT max(version) FROM unique_account.migrations").fetchone()
            assert found == (newest,)
            assert connection.execute("SELECT to_regclass('unique_account.half')").fetchone() == (None,)

    def test_many_may_open_a_new_database_at_once(self, url: str) -> None:
        async def open_all() -> None:
            await asyncio.gather(*(asyncio.to_thread(PostgresqlCallLog, url) for _ in range(6)))

        for _ in range(5):
            asyncio.run(open_all())
            with psycopg.connect(url) as connection:
                connection.execute("DROP SCHEMA unique_account CASCADE")

    def test_whoever_may_use_its_rows_needs_no_other_right(self, server: PostgresqlServer, url: str) -> None:
        PostgresqlCallLog(url)
        with psycopg.connect(url) as connection:
            connection.execute("DROP ROLE IF EXISTS clerk")
            connection.execute("CREATE ROLE clerk LOGIN PASSWORD 'clerk'")
            connection.execute("GRANT USAGE ON SCHEMA unique_account TO clerk")
            connection.execute(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA unique_account TO clerk"
            )
        clerk = f"postgresql://clerk:clerk@127.0.0.1:{server.port}/one"

        async def check(log: PostgresqlCallLog) -> None:
            await log.add([a_record(1)])
            assert len(await log.before("alice", None, 9)) == 1

        having(clerk, check)
        with psycopg.connect(url) as connection:
            connection.execute("DROP OWNED BY clerk")
            connection.execute("DROP ROLE clerk")
