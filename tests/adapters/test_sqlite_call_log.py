"""The call log on SQLite: its contract, other processes and sudden death."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from unique_account.adapters.sqlite import SqliteCallLog
from unique_account.ports.call_log import CallLog
from unique_account.testing.contracts import CallLogContract


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
