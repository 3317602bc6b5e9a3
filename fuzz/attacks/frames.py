"""Hostile frames of a logged-in user, while another one gives commands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from itertools import cycle
from random import Random
from typing import Final

from fuzz.attacks.attack import Attack
from fuzz.attacks.bystander import bystander
from fuzz.attacks.server import remote
from fuzz.clients import WORDS, frames
from fuzz.cti_server import Client, ServerPort, frame
from fuzz.mutation import Mutator
from fuzz.target import is_text
from fuzz.users import INSIDERS
from unique_account.core.user import User

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
            shares = [INSIDERS[place::AT_ONCE] for place in range(AT_ONCE)]
            tasks = [sending.create_task(_send_all(server.server_port, share, inputs)) for share in shares]
        await server.check()
    sent = sum(task.result() for task in tasks)
    who = f"{sent:,} hostile frames of {len(INSIDERS)} logged-in users"
    return f"{who}: nothing fails, no account of others changes; {delays}"


async def _send_all(door: ServerPort, users: Sequence[User], inputs: Iterator[bytes]) -> int:
    """Send what is left, a socketful of a user after that of another; returns how many frames."""
    sent, tokens = 0, {user.id: await door.log_in(user.id) for user in users}
    turns = cycle(tokens)
    while batch := [data for _, data in zip(range(EACH), inputs, strict=False)]:
        user = next(turns)
        socket = await door.socket(tokens[user])
        if socket.closed or socket.goodbye:  # a frame of before has logged out
            tokens[user] = await door.log_in(user)
            socket = await door.socket(tokens[user])
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
