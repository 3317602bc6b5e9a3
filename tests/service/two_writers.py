"""Two processes that write the same accounts, and what each had acknowledged."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from attrs import frozen

from tests.service.writer_process import USERS, event_of, lines, store_at
from unique_account.core.account import Account
from unique_account.core.events import (
    apply,
)

WRITER = Path(__file__).with_name("writer_process.py")


@frozen
class Acknowledged:
    """A change that a process acknowledged."""

    user: str
    version: int
    wrote: bool
    asked: float
    answered: float
    kind: str
    said: list[Any]

    def changes(self, account: Account) -> bool:
        return apply(account, event_of(self.kind, self.said)).kept is not account.kept


def written_by_two(address: str, seconds: float) -> list[Acknowledged]:
    """What two processes had acknowledged that wrote the same accounts at the same time."""
    processes = [
        Popen(
            [sys.executable, str(WRITER), address, str(number), str(seconds)],
            stdin=PIPE,
            stdout=PIPE,
            text=True,
        )
        for number in range(2)
    ]
    outputs = []
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        outputs.append(process.communicate(timeout=60)[0])
        assert process.returncode == 0
    return [Acknowledged(*line) for line in lines(outputs)]


def contradictions(acknowledged: list[Acknowledged], stored: dict[str, Account]) -> list[str]:
    """Where what was acknowledged is not what is stored.

    Every version is one acknowledged change, and what wrote no version had nothing to change in one of those
    that were there between its question and its answer.
    """
    return [
        f"{user.id}: {problem}"
        for user in USERS
        for problem in _contradictions([one for one in acknowledged if one.user == user.id], stored[user.id])
    ]


def _contradictions(acknowledged: list[Acknowledged], stored: Account) -> Iterator[str]:
    wrote = {one.version: one for one in acknowledged if one.wrote}
    yield from ["a version was written twice"] * (len(wrote) < sum(one.wrote for one in acknowledged))
    states = [Account(stored.user)]
    for version in range(1, stored.version + 1):
        if version not in wrote:
            yield f"nobody made version {version}"
            return
        states.append(apply(states[-1], event_of(wrote[version].kind, wrote[version].said)))
    if states[-1].kept != stored.kept:
        yield f"{states[-1].kept} was acknowledged, {stored.kept} is stored"
    for one in acknowledged:
        if not one.wrote and all(one.changes(states[there]) for there in _there(one, wrote)):
            yield f"{one.kind} {one.said} was acknowledged, and was never there"


def _there(one: Acknowledged, wrote: dict[int, Acknowledged]) -> range:
    """The versions that may have been there while a change was made."""
    first = max((version for version, other in wrote.items() if other.answered <= one.asked), default=0)
    last = max((version for version, other in wrote.items() if other.asked <= one.answered), default=0)
    return range(first, max(first, last) + 1)


async def _stored(address: str) -> dict[str, Account]:
    store = store_at(address)
    try:
        return {user.id: Account(user, kept) async for user, kept in store.all()}
    finally:
        await store.aclose()


async def _prepared(address: str) -> None:
    store = store_at(address)
    await store.add(USERS)
    await store.aclose()


def two_lose_nothing(address: str, seconds: float) -> int:
    """Let two processes write, and compare; returns how many changes were acknowledged."""
    asyncio.run(_prepared(address))
    acknowledged = written_by_two(address, seconds)
    stored = asyncio.run(_stored(address))
    assert contradictions(acknowledged, stored) == []
    return len(acknowledged)
