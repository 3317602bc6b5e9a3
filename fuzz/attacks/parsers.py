"""Hostile inputs for every parser and for the server, all targets of the fuzzers, the same number each."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Final

from fuzz.attacks.attack import Attack
from fuzz.target import Broken
from fuzz.targets import TARGETS

SEED: Final = 1

SLOW: Final[Mapping[str, int]] = {
    "people": 20, "wire": 20, "cti-store": 10, "http": 10, "log-ins": 10, "commands": 5, "accounts-store": 5,
}  # fmt: skip
"""Targets that get so many times fewer inputs: each costs a connection, a file of SQLite, or argon2."""


async def parsers(attempts: int) -> str:
    """Give so many inputs to each target, each in a process of its own, two at a time."""
    turns = asyncio.Semaphore(2)
    ran = await asyncio.gather(*(_fuzz(name, attempts // SLOW.get(name, 1), turns) for name in TARGETS))
    if found := [line for lines in ran for line in lines]:
        raise Broken("\n".join(found))
    total = sum(attempts // SLOW.get(name, 1) for name in TARGETS)
    return (
        f"{total:,} inputs for {len(TARGETS)} readers, {attempts:,} for each parser and fewer for files and "
        "sockets: nothing but our own errors comes out, nothing that is wrong is accepted"
    )


async def _fuzz(name: str, rounds: int, turns: asyncio.Semaphore) -> list[str]:
    command = (
        sys.executable,
        "-m",
        "fuzz",
        name,
        "--seed",
        str(SEED),
        "--rounds",
        str(rounds),
        "--seconds",
        "1e9",
    )
    async with turns:
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
    lines = said.decode("utf-8", "replace").splitlines()
    return [line for line in lines if process.returncode and line.startswith(f"  {name}: ")]


ATTACK: Final = Attack(name="parsers", attempts=34_000, made=parsers)
