"""Accounts in one SQLite file: the embedded default."""

from unique_account.adapters.sqlite.accounts import NewerSchema, SqliteAccounts, UnusableFile

__all__ = ["NewerSchema", "SqliteAccounts", "UnusableFile"]
