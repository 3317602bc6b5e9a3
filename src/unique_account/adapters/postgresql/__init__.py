"""Accounts, call logs and what UC Assistants share in a PostgreSQL database; an Asterisk's ``cel`` table.

Needs psycopg: ``pip install 'unique_account[postgresql]'``.
"""

from unique_account.adapters.postgresql.accounts import PostgresqlAccounts
from unique_account.adapters.postgresql.assistant_store import PostgresqlAssistantStore
from unique_account.adapters.postgresql.call_log import PostgresqlCallLog
from unique_account.adapters.postgresql.cel import CelTable
from unique_account.adapters.postgresql.database import DatabaseUnreachable, UnusableDatabase
from unique_account.adapters.postgresql.group_leases import PostgresqlGroupLeases
from unique_account.adapters.postgresql.login_attempts import PostgresqlLoginAttempts
from unique_account.adapters.postgresql.outbox import PostgresqlOutbox
from unique_account.sql.migrations import NewerSchema

__all__ = [
    "CelTable",
    "DatabaseUnreachable",
    "NewerSchema",
    "PostgresqlAccounts",
    "PostgresqlAssistantStore",
    "PostgresqlCallLog",
    "PostgresqlGroupLeases",
    "PostgresqlLoginAttempts",
    "PostgresqlOutbox",
    "UnusableDatabase",
]
