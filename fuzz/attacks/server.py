"""A CTI server in a process of its own, which says by lines on its output how it is."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import frozen

from fuzz.attacks.processes import module
from fuzz.cti_server import CtiServer, ServerPort, cti_server
from fuzz.target import Broken, require


@frozen(weakref_slot=False)
class Remote:
    """A server in another process.

    Attributes:
        door: Where it listens.
        pid: Its process.
    """

    server_port: ServerPort
    pid: int
    _process: asyncio.subprocess.Process

    async def note(self) -> None:
        """Take the bystander's account as it is now for as it has to stay."""
        await self._ask("note")

    async def check(self) -> None:
        """Nothing failed there, nothing was logged, and nothing happened to the bystander."""
        await self._ask("check")

    async def _ask(self, what: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what}\n".encode())
        wrong = json.loads(await self._process.stdout.readline())
        require(wrong is None, str(wrong))

    @property
    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    @property
    def memory(self) -> int:
        """How much memory it has, in bytes."""
        pages = Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1]
        return int(pages) * resource.getpagesize()


@asynccontextmanager
async def remote() -> AsyncIterator[Remote]:
    """A server, until the block is left."""
    async with module("fuzz.attacks.server") as process:
        assert process.stdout is not None
        yield Remote(ServerPort(json.loads(await process.stdout.readline())), process.pid, process)


async def _answers(at: CtiServer) -> None:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while asked := await reader.readline():
        try:
            at.note() if asked == b"note\n" else at.check()
        except Broken as broken:
            print(json.dumps(str(broken)), flush=True)
        else:
            print(json.dumps(None), flush=True)


async def _main() -> None:
    async with cti_server() as at:
        print(json.dumps(at.server_port.port), flush=True)
        await _answers(at)


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_main())
