"""Accounts in a PostgreSQL database that several processes write."""

from __future__ import annotations

from tests.service.two_writers import two_lose_nothing


class TestTwoProcesses:
    """S2: two processes on one database lose nothing that was acknowledged."""

    def test_two_on_one_database(self, url: str) -> None:
        assert two_lose_nothing(url, 4) > 100
