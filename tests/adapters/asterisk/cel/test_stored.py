"""Rows of CEL in the stores that need no server; `tests/postgresql` has the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from tests.adapters.asterisk.cel.stored_rows import StoredRows
from unique_account.adapters.memory import MemoryCallLog
from unique_account.adapters.sqlite import SqliteCallLog
from unique_account.ports.call_log import CallLog


class TestInMemory(StoredRows):
    """H6: the log in memory."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[CallLog]:
        yield MemoryCallLog()


class TestSqlite(StoredRows):
    """H6: the log on SQLite."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[CallLog]:
        async with aclosing(SqliteCallLog(":memory:")) as log:
            yield log
