"""Accounts and call logs in one SQLite file: the embedded default."""

from unique_account.adapters.sqlite.accounts import SqliteAccounts
from unique_account.adapters.sqlite.call_log import SqliteCallLog
from unique_account.adapters.sqlite.file import FileHeld, UnusableFile
from unique_account.sql.migrations import NewerSchema

__all__ = ["FileHeld", "NewerSchema", "SqliteAccounts", "SqliteCallLog", "UnusableFile"]
