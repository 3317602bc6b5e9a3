"""A service in a process of its own, which can be killed: what carries accounts to a real node, and dies.

Run as a program it takes requests from its standard input, a line each, and answers each with a line.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

from lab.asterisk import Node
from lab.patience import PATIENCE
from lab.processes import own_folder
from unique_account import User
from unique_account.adapters.asterisk import AsteriskPbx, ManagerLogin
from unique_account.adapters.sqlite import SqliteAccounts
from unique_account.adapters.system import LogObserver
from unique_account.bootstrap import bootstrap
from unique_account.core.events import Event
from unique_account.service.service import Service

_LONGEST_LINE: Final = 1 << 20


class Served:
    """A running service; a `tests.e2e.drivers.asterisk_calls.Carrier`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = count(1)
        self._answers: dict[str, asyncio.Future[str]] = {}
        self._listening = asyncio.create_task(self._listen())

    async def add(self, user: User, events: Sequence[Event]) -> None:
        """Give a user an account anew, and let these events happen to it."""
        await self._ask("add", user, tuple(events))

    async def handle(self, user: str, events: Sequence[Event]) -> None:
        """Let events happen to an account."""
        await self._ask("handle", user, tuple(events))

    async def kill(self) -> None:
        """End it at once, without a word to it."""
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await self._listening

    async def _ask(self, *request: Any) -> None:
        number = str(next(self._numbers))
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number} {b64encode(pickle.dumps(request)).decode()}\n".encode())
        async with asyncio.timeout(PATIENCE):
            said = await answer
        assert said == "done", said

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        while line := (await self._process.stdout.readline()).decode():
            number, _, said = line.strip().partition(" ")
            self._answers.pop(number).set_result(said)


@asynccontextmanager
async def served(pbx: Node, store: Path | str = ":memory:") -> AsyncIterator[Served]:
    """A service that carries accounts to a node; killed, if it is not yet, when the context closes.

    Args:
        pbx: The node.
        store: The file of its accounts.
    """
    with own_folder("service") as folder, (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.e2e.drivers.service_process", str(pbx.ports.ami), str(store)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "SECRET": pbx.secret},
        )
        running = Served(process)
        try:
            yield running
        finally:
            await running.kill()


async def _serve(port: int, store: str, secret: str) -> None:
    requests = asyncio.StreamReader(limit=_LONGEST_LINE)
    protocol = asyncio.StreamReaderProtocol(requests)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    login = ManagerLogin(username="lab", secret=secret, port=port)
    ports: dict[str, Any] = {"accounts": SqliteAccounts(store), "pbxs": (AsteriskPbx(login, LogObserver()),)}
    async with bootstrap(**ports) as service, asyncio.TaskGroup() as tasks:
        while line := await requests.readline():
            number, _, request = line.decode().partition(" ")
            tasks.create_task(_answer(service, number, *pickle.loads(b64decode(request))))


async def _answer(service: Service, number: str, what: str, whom: Any, events: Sequence[Event]) -> None:
    try:
        if what == "add":
            if whom.id in service.users:
                await service.remove(whom.id)
            await service.add(whom)
        for event in events:
            await service.handle(whom.id if what == "add" else whom, event)
    except Exception as error:
        print(number, repr(error), flush=True)
    else:
        print(number, "done", flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2], os.environ["SECRET"]))
