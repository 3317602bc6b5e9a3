"""Somebody who has nothing to do with an attack, and gives commands all the while."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

from attrs import field, frozen

from fuzz.attacks.server import Remote
from fuzz.cti_server import Client, frame
from fuzz.target import require
from fuzz.users import BYSTANDER

BETWEEN: Final = 0.06
"""How many seconds lie between two commands, so that they keep within the pace of one client."""

AT_MOST: Final = 5.0
"""In how many seconds a command has to be carried out, on a machine that the attack shares."""


@frozen(weakref_slot=False)
class Delays:
    """How long the bystander's commands took, in seconds."""

    seconds: list[float] = field(factory=list)

    def __str__(self) -> str:
        p99 = sorted(self.seconds)[len(self.seconds) * 99 // 100]
        return f"{len(self.seconds):,} commands of a bystander took {p99 * 1000:,.0f} ms (p99)"


@asynccontextmanager
async def bystander(server: Remote) -> AsyncIterator[Delays]:
    """Give commands until the block is left; each has to be carried out."""
    token = await server.server_port.log_in(BYSTANDER.id)
    socket, over, delays = await server.server_port.socket(token), asyncio.Event(), Delays()
    await socket.until(lambda said: b"CurrentCallsPhoneEvents" in said)
    await server.note()
    giving = asyncio.create_task(_give(socket, over, delays))
    try:
        yield delays
    finally:
        over.set()
        await giving
        socket.abort()


async def _give(socket: Client, over: asyncio.Event, delays: Delays) -> None:
    clock = asyncio.get_running_loop().time
    for number in count():
        began, socket.said = clock(), b""
        command = {"claz": "web", "command": "getUserPreferences", "ref": number}
        socket.write(frame(json.dumps(command).encode()))
        await socket.until(lambda said: b'"Done"' in said)
        delays.seconds.append(clock() - began)
        require(not socket.closed, "a bystander is cut off")
        require(delays.seconds[-1] < AT_MOST, f"a bystander waits: {delays.seconds[-1]:.1f} s")
        if over.is_set():
            return
        await asyncio.sleep(BETWEEN)
