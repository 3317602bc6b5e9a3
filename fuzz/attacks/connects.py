"""Clients that connect and go, again and again: with a token, with a bad one, without a word, cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from fuzz.attacks.attack import Attack
from fuzz.attacks.bystander import bystander
from fuzz.attacks.server import Remote, remote
from fuzz.cti_server import PATIENCE, ServerPort, handshake
from fuzz.target import require

AT_ONCE: Final = 8
MAY_GROW: Final = 64 * 1024 * 1024
"""By how much the server's memory may grow, in bytes."""


async def connects(attempts: int) -> str:
    """Connect so often, in each way in turn."""
    async with remote() as server, bystander(server) as delays:
        await _all(server.server_port, iter(range(len(WAYS) * 50)))  # what is made once is made
        memory, descriptors = server.memory, server.descriptors
        await _all(server.server_port, iter(range(attempts)))
        await server.check()
        grown = await _settled(server, descriptors) - memory
    require(grown < MAY_GROW, f"the server has grown: by {grown >> 20} MiB")
    return (
        f"{attempts:,} connects, with a token, a bad one, half a handshake and nothing: no descriptor stays "
        f"open, memory grows by {max(0, grown) >> 20} MiB; {delays}"
    )


async def _all(door: ServerPort, numbers: Iterator[int]) -> None:
    token = await door.log_in("alice")

    async def some() -> None:
        for number in numbers:
            await WAYS[number % len(WAYS)](door, token)

    async with asyncio.TaskGroup() as connecting:
        for _ in range(AT_ONCE):
            connecting.create_task(some())


async def _settled(server: Remote, descriptors: int) -> int:
    """The memory once all connections are gone."""
    async with asyncio.timeout(PATIENCE):
        while server.descriptors > descriptors:  # noqa: ASYNC110 - another process, which notifies nobody
            await asyncio.sleep(0.05)
    return server.memory


async def _with_token(door: ServerPort, token: str) -> None:
    socket = await door.socket(token)
    require(b" 101 " in socket.said[:20], "a good token is refused")
    socket.abort()


async def _with_bad_token(door: ServerPort, token: str) -> None:
    socket = await door.socket(token[:-3] + "abc")
    await socket.until(lambda said: b"LoggedOnError" in said)
    require(b"LoggedOnError" in socket.said, "a bad token is not refused")
    socket.abort()


async def _half(door: ServerPort, token: str) -> None:
    client = await door.connect()
    client.write(handshake(token)[:40])
    client.abort()


async def _nothing(door: ServerPort, _: str) -> None:
    (await door.connect()).abort()


WAYS: Final[tuple[Callable[[ServerPort, str], Awaitable[None]], ...]] = (
    _with_token,
    _with_bad_token,
    _half,
    _nothing,
)

ATTACK: Final = Attack(name="connects", attempts=40_000, made=connects)
