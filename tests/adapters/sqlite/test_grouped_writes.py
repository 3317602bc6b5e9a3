"""Writes share a transaction where they come together, and each fails for itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.event_loop import in_loop
from unique_account.adapters.sqlite import SqliteAccounts
from unique_account.adapters.sqlite.grouped_writes import MOST_TOGETHER, GroupedWrites
from unique_account.core.account import Kept, Session
from unique_account.core.user import User
from unique_account.ports.accounts import StaleVersion

T = TypeVar("T")


class File:
    """A table of numbers, and the transactions that were made of it."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.connection.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)")
        self.statements: list[str] = []
        self.connection.set_trace_callback(self.statements.append)
        self.writes = GroupedWrites(self.run)

    async def run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.to_thread(query, self.connection)

    async def insert(self, number: int) -> None:
        await self.writes.do(lambda connection: _insert(connection, number))

    @property
    def numbers(self) -> list[int]:
        return [number for (number,) in self.connection.execute("SELECT number FROM numbers ORDER BY number")]


def _insert(connection: sqlite3.Connection, number: int) -> None:
    if number < 0:
        raise ValueError("negative")
    connection.execute("INSERT INTO numbers VALUES (?)", (number,))


@in_loop
async def test_what_comes_while_another_is_written_shares_a_transaction() -> None:
    file = File()
    await asyncio.gather(*map(file.insert, range(100)))
    assert file.numbers == list(range(100))
    assert file.statements.count("COMMIT") <= 2


@in_loop
async def test_a_transaction_has_a_bounded_number_of_writes() -> None:
    file = File()
    await asyncio.gather(*map(file.insert, range(2 * MOST_TOGETHER + 1)))
    assert len(file.numbers) == 2 * MOST_TOGETHER + 1
    assert file.statements.count("COMMIT") >= 3


@in_loop
async def test_each_fails_for_itself() -> None:
    file = File()
    done = await asyncio.gather(*map(file.insert, (1, -2, 3)), return_exceptions=True)
    assert [type(each) for each in done] == [type(None), ValueError, type(None)]
    assert file.numbers == [1, 3]


@in_loop
async def test_where_sqlite_fails_at_one_the_others_are_written_alone() -> None:
    file = File()
    done = await asyncio.gather(*map(file.insert, (1, 2, 2, 3)), return_exceptions=True)
    assert [type(each) for each in done] == [type(None), type(None), sqlite3.IntegrityError, type(None)]
    assert file.numbers == [1, 2, 3]


@in_loop
async def test_a_cancelled_one_keeps_no_other_waiting() -> None:
    file = File()
    first, second = (asyncio.create_task(file.insert(number)) for number in (1, 2))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert 2 in file.numbers
    assert first.cancelled()


@in_loop
async def test_a_thread_that_is_gone_fails_them_all() -> None:
    async def run(_: Callable[[sqlite3.Connection], T]) -> T:
        raise RuntimeError("closed")

    writes = GroupedWrites(run)
    tasks = (writes.do(lambda connection: None) for _ in range(3))
    assert {str(each) for each in await asyncio.gather(*tasks, return_exceptions=True)} == {"closed"}


@in_loop
async def test_closing_a_store_waits_for_what_is_asked_for(tmp_path: Path) -> None:
    users = [
        User(id=f"u{n}", extension=f"{n}", deskphone=f"PJSIP/{n}", webrtc=f"PJSIP/{n}_w") for n in range(50)
    ]
    kept = Kept(version=1, sessions=(Session("tab"),))
    store = SqliteAccounts(tmp_path / "a.sqlite")
    await store.add(users)
    saves = [asyncio.create_task(store.save(user, kept, 0)) for user in users]
    stale = asyncio.create_task(store.save(users[0], kept, 7))
    await asyncio.sleep(0)
    await store.aclose()
    await asyncio.gather(*saves)
    with pytest.raises(StaleVersion):
        await stale
    again = SqliteAccounts(tmp_path / "a.sqlite")
    assert [kept.version async for _, kept in again.all()] == [1] * 50
    await again.aclose()
