"""Tests on a real PostgreSQL, which they start in a network of their own and stop again.

They run in the session ``nox -s e2e``, as root, and fail where there is no PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from lab.postgresql import PostgresqlServer, postgresql_server
from lab.programs import NotInstalled


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known where these tests run without the others of the lab."""
    config.addinivalue_line("markers", "alone: measures a time, so nothing else may run beside it")


@pytest.fixture(scope="session", autouse=True)
def _network(network: None) -> None:
    """The network is made before any test, as a process that has threads cannot move into it."""


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
