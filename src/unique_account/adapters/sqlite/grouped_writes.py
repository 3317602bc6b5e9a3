"""Writes that share a transaction: those that come while the one before is put on the disk.

To put a transaction on the disk takes milliseconds, however many writes are in it. So a write that comes
alone is a transaction of its own, and a storm of them takes a few. Each write is on the disk when it
returns, and fails for itself.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

from unique_account.adapters.sqlite.schema import transaction

T = TypeVar("T")

Write = Callable[[sqlite3.Connection], None]
"""One write, made of statements that belong together; it raises what is wrong with it."""

MOST_TOGETHER: Final = 500
"""How many writes one transaction has, at most: other processes wait for the file as long."""


class Run(Protocol):
    """Runs a query in the thread of the file."""

    def __call__(self, query: Callable[[sqlite3.Connection], T], /) -> Awaitable[T]:
        """Its result."""
        ...


class GroupedWrites:
    """Does writes in the order in which they come.

    Args:
        run: Runs a query in the thread of the file.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waiting: list[tuple[Write, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def aclose(self) -> None:
        """Wait for the writes that are asked for already."""
        if self._writer is not None:
            await self._writer

    async def do(self, write: Write) -> None:
        """Do a write; returns when it is on the disk, and raises what it raised."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._do_all())
        await done

    async def _do_all(self) -> None:
        try:
            while self._waiting:
                some, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
                await self._do(some)
        finally:
            self._writer = None

    async def _do(self, some: list[tuple[Write, asyncio.Future[None]]]) -> None:
        outcomes: list[Exception | None]
        try:
            outcomes = await self._run(lambda connection: _together(connection, [each for each, _ in some]))
        except Exception as error:
            outcomes = [error] * len(some)
        for (_, done), raised in zip(some, outcomes, strict=True):
            if done.cancelled():
                continue
            if raised is None:
                done.set_result(None)
            else:
                done.set_exception(raised)


def _together(connection: sqlite3.Connection, writes: list[Write]) -> list[Exception | None]:
    """Do writes in one transaction, or each in its own if that one cannot be; what each of them raised."""
    if len(writes) > 1:
        try:
            with transaction(connection):
                return [_error_of(connection, each) for each in writes]
        except sqlite3.Error:
            pass  # such as a full disk: each may still find room for itself
    return [_alone(connection, each) for each in writes]


def _alone(connection: sqlite3.Connection, write: Write) -> Exception | None:
    try:
        with transaction(connection):
            write(connection)
    except Exception as error:
        return error
    return None


def _error_of(connection: sqlite3.Connection, write: Write) -> Exception | None:
    """What a write raises; an error of SQLite itself is not that of one write."""
    try:
        write(connection)
    except sqlite3.Error:
        raise
    except Exception as error:
        return error
    return None
