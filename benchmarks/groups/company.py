"""A company on fake nodes: its databases, and what serves it in each setting."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg

from benchmarks.groups.contenders import Nodes, Plain, Served, until
from lab.postgresql import PostgresqlServer
from unique_account.adapters.postgresql import PostgresqlAccounts
from unique_account.adapters.rosters.users_file import read_users_file


class Company:
    """Users on fake nodes, and a database for each group of nodes.

    Args:
        server: The PostgreSQL server.
        folder: Where files are made.
        nodes: The nodes.
    """

    def __init__(self, server: PostgresqlServer, folder: Path, nodes: Nodes) -> None:
        self.nodes = nodes
        self.server = server
        self._folder = folder
        self._made: set[str] = set()

    def process(self, name: str, group: int = 0, of: int = 1) -> Served:
        """A process of one of so many groups."""
        ports = dict(enumerate(self.nodes.ports))
        own = {node: port for node, port in ports.items() if node * of // len(ports) == group}
        database = f"{self._folder.name}_{group}_{of}"
        folder = self._folder / f"{group}_{of}_{name}"
        url = self.server.url(database)
        served = Served(folder, url, f"group{group}", name, own, len(ports), self.nodes.users)
        if database not in self._made:
            self._made.add(database)
            self._make(database, folder / "users.toml")
        return served

    def plain(self, commits: str) -> Plain:
        """The plain baseline."""
        return Plain(self.server.url(), commits, self.nodes)

    def _make(self, database: str, users: Path) -> None:
        """Make a database with all of a group's users, as a company is imported at once."""
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database}".encode())
        asyncio.run(_import(self.server.url(database), users))


async def _import(url: str, users: Path) -> None:
    accounts = PostgresqlAccounts(url)
    try:
        await accounts.add(read_users_file(users))
    finally:
        await accounts.aclose()


def as_owners(*processes: Served) -> None:
    """Start processes of different groups, and wait until each serves its own."""
    for one in processes:
        one.start()
    for one in processes:
        one.wait("owner")


def as_standby(process: Served) -> None:
    """Start a process that stands by."""
    process.start()
    until(lambda: process.role == "standby", "a standby")
