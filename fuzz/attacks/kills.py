"""Kills a service while it writes: what it acknowledged is stored, however it ended."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from random import Random
from typing import Final

from fuzz.attacks.attack import Attack
from fuzz.attacks.processes import kill, module
from fuzz.attacks.writer import USERS, change_of
from fuzz.target import require
from unique_account.adapters.sqlite import SqliteAccounts

LIVES_FOR: Final = (0.05, 1.0)
"""How many seconds a process goes on after its first word."""


async def kills(attempts: int) -> str:
    """Kill so many processes, one after the other on one file."""
    random, acknowledged = Random(1), 0
    changes = {user.id: 0 for user in USERS}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "accounts.sqlite"
        for _ in range(attempts):
            before = sum(changes.values())
            changes |= await _life(file, random.uniform(*LIVES_FOR))
            acknowledged += sum(changes.values()) - before
            changes = await _stored(file, changes)
    require(acknowledged > attempts, "hardly a change was acknowledged")
    return f"{attempts:,} kills of a process that writes, {acknowledged:,} acknowledged changes: none is lost"


async def _life(file: Path, seconds: float) -> dict[str, int]:
    """Run a process and kill it; returns the last change of each user that it acknowledged."""
    async with module("fuzz.attacks.writer", str(file)) as process:
        assert process.stdout is not None
        said = await process.stdout.readline()
        await asyncio.sleep(seconds)
        await kill(process)
        said += await process.stdout.read()
    lines = [line.split() for line in said.decode().splitlines(keepends=True) if line.endswith("\n")]
    return {user: int(change) for user, change in lines}


async def _stored(file: Path, acknowledged: dict[str, int]) -> dict[str, int]:
    """The change that is stored of each user: the last acknowledged one, or the one that was under way."""
    store = SqliteAccounts(file)
    try:
        stored = {user.id: change_of(kept.forwarding) async for user, kept in store.all()}
    finally:
        await store.aclose()
    for user, change in acknowledged.items():
        require(
            change <= stored[user] <= change + 1,
            f"a change was lost: {user}'s {change}, {stored[user]} is there",
        )
    return stored


ATTACK: Final = Attack(name="kills", attempts=60, made=kills)
