"""Hostile frames of a logged-in user, while another one gives commands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from random import Random
from typing import Final

from fuzz.attacks.attack import Attack
from fuzz.attacks.bystander import bystander
from fuzz.attacks.server import remote
from fuzz.clients import WORDS, frames
from fuzz.mutation import Mutator
from fuzz.premises import Client, Door, frame
from fuzz.target import is_text

AT_ONCE: Final = 4
"""How many sockets the attacker has."""

EACH: Final = 90
"""How many frames a socket sends, as fast as it can; a few more would slow it down."""


async def hostile_frames(attempts: int) -> str:
    """Send so many frames, each made from a real command."""
    mutator = Mutator(frames(), WORDS, 1 << 13, Random(1))
    inputs = (mutator.next() for _ in range(attempts))
    async with remote() as server, bystander(server) as delays:
        async with asyncio.TaskGroup() as sending:
            tasks = [sending.create_task(_send_all(server.door, inputs)) for _ in range(AT_ONCE)]
        await server.check()
    sent = sum(task.result() for task in tasks)
    return (
        f"{sent:,} hostile frames of a logged-in user: nothing fails, no account of others changes; {delays}"
    )


async def _send_all(door: Door, inputs: Iterator[bytes]) -> int:
    """Send what is left, a socketful after the other; returns how many frames."""
    sent, token = 0, await door.log_in("alice")
    while batch := [data for _, data in zip(range(EACH), inputs, strict=False)]:
        socket = await door.socket(token)
        if socket.closed or socket.goodbye:  # a frame of before has logged out
            token = await door.log_in("alice")
            socket = await door.socket(token)
        sent += await _send(socket, batch)
        socket.abort()
    return sent


async def _send(socket: Client, batch: list[bytes]) -> int:
    """Send frames, and wait until all are read or the server says goodbye."""
    for data in batch:
        socket.write(frame(data, 0x1 if is_text(data) else 0x2))
    socket.write(frame(json.dumps({"claz": "web", "command": "getIceConfig", "ref": "the end"}).encode()))
    await socket.until(lambda said: b'"the end"' in said)
    return len(batch)


ATTACK: Final = Attack(name="frames", attempts=275_263, made=hostile_frames)
