"""Tests on a real PostgreSQL, which they start in a network of their own and stop again.

They run in the session ``nox -s e2e``, as root, and fail where there is no PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from lab.postgresql import PostgresqlServer, postgresql_server
from lab.programs import NotInstalled


@pytest.fixture(scope="session")
def server(network: None) -> Iterator[PostgresqlServer]:
    """A server for all tests of a worker; who stops it starts it again."""
    try:
        with postgresql_server() as running:
            yield running
    except NotInstalled as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def url(server: PostgresqlServer) -> str:
    """An empty database of its own for a test."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS one WITH (FORCE)")
        connection.execute("CREATE DATABASE one")
    return server.url("one")
