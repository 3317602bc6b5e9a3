"""The stores on a real PostgreSQL keep the contracts of their ports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import psycopg
import pytest

from lab.postgresql import PostgresqlServer
from tests.adapters.asterisk.cel.stored_rows import StoredRows
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.postgresql import (
    PostgresqlAccounts,
    PostgresqlAssistantStore,
    PostgresqlCallLog,
    PostgresqlGroupLeases,
    PostgresqlLoginAttempts,
    database,
)
from unique_account.ports.accounts import Accounts
from unique_account.ports.assistant_store import AssistantStore
from unique_account.ports.call_log import CallLog
from unique_account.ports.group_leases import GroupLeases
from unique_account.ports.login_attempts import LoginAttempts
from unique_account.testing.contracts import (
    AccountsContract,
    AssistantStoreContract,
    CallLogContract,
    GroupLeasesContract,
    LoginAttemptsContract,
)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is always there, but on a busy machine it may take long."""
    monkeypatch.setattr(database, "_PATIENCE", 60)


def emptied(url: str, *tables: str) -> None:
    """Delete all rows; without the lock that truncating takes, for which old transactions may have to end."""
    with psycopg.connect(url) as connection:
        for table in tables:
            connection.execute(f"DELETE FROM unique_account.{table}".encode())


class TestPostgresqlAccounts(AccountsContract):
    """The account store on PostgreSQL."""

    @pytest.fixture(autouse=True)
    def _database(self, server: PostgresqlServer) -> None:
        self._url = server.url()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Accounts]:
        async with aclosing(PostgresqlAccounts(self._url)) as store:
            emptied(self._url, "accounts")
            yield store


class TestPostgresqlCallLog(CallLogContract, StoredRows):
    """The call log on PostgreSQL, also with rows of CEL."""

    @pytest.fixture(autouse=True)
    def _database(self, server: PostgresqlServer) -> None:
        self._url = server.url()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[CallLog]:
        async with aclosing(PostgresqlCallLog(self._url)) as log:
            emptied(self._url, "call_log", "positions")
            yield log


class TestPostgresqlGroupLeases(GroupLeasesContract):
    """Group leases on PostgreSQL."""

    @pytest.fixture(autouse=True)
    def _database(self, server: PostgresqlServer) -> None:
        self._url = server.url()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[GroupLeases]:
        async with aclosing(PostgresqlGroupLeases(self._url, patience=60)) as leases:
            emptied(self._url, "group_leases")
            yield leases


class TestPostgresqlAssistantStore(AssistantStoreContract):
    """Sessions, preferences and favourites on PostgreSQL."""

    @pytest.fixture(autouse=True)
    def _database(self, server: PostgresqlServer) -> None:
        self._url = server.url()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AssistantStore]:
        async with aclosing(PostgresqlAssistantStore(self._url, MemoryObserver())) as store:
            emptied(self._url, "assistant_sessions", "preferences", "favorites")
            yield store


class TestPostgresqlLoginAttempts(LoginAttemptsContract):
    """Failed log-ins on PostgreSQL."""

    @pytest.fixture(autouse=True)
    def _database(self, server: PostgresqlServer) -> None:
        self._url = server.url()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[LoginAttempts]:
        async with aclosing(PostgresqlLoginAttempts(self._url)) as attempts:
            emptied(self._url, "login_attempts")
            yield attempts
