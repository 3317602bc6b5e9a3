"""The guard of hints: a process of its own that lets them follow the devices again when the service is gone.

The service replaces hints by states that only it sets, so its end, even by ``kill -9``, would leave them as
they were. The guard reads from its standard input, whose end is that of the service: first where to log in,
then which devices each hint is to follow. When the input ends, it connects, puts these back, and is done.
Signals that are meant for the service do not end it.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Iterable, Mapping
from random import Random
from typing import IO, Final

from unique_account.adapters.asterisk.connection import connect, delays
from unique_account.adapters.asterisk.hints import give_back
from unique_account.adapters.asterisk.login import ManagerLogin

TRIES_FOR: Final = 60.0
"""How many seconds the guard tries to reach a node that is there but does not answer."""

ENDS_WITHIN: Final = 5.0
"""How many seconds a service that ends in good order waits for its guard."""


class Guard:
    """The service's end of the guard: started with the first hint, and told of every change."""

    def __init__(self, login: ManagerLogin) -> None:
        self._login = login
        self._process: asyncio.subprocess.Process | None = None
        self._told: dict[str, str | None] = {}
        self._starting = asyncio.Lock()

    async def restore(self, number: str, devices: str | None) -> None:
        """Let a number's hint follow these devices once the service is gone; None: leave it alone."""
        if self._told.get(number) == devices:
            return
        self._told[number] = devices
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                await self._start()
            else:
                self._tell({number: devices})

    async def aclose(self) -> None:
        """The service is done with hints; returns when they are put back, or cannot be for now."""
        process, self._process = self._process, None
        self._told.clear()
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(ENDS_WITHIN):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "unique_account.adapters.asterisk.guard"),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        login = self._login
        self._tell(
            {"host": login.host, "port": login.port, "username": login.username, "secret": login.secret}
        )
        self._tell(self._told)

    def _tell(self, line: Mapping[str, object]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")


def wait(lines: Iterable[str]) -> tuple[ManagerLogin, dict[str, str]]:
    """Read what the service tells until it is gone: where to log in, and the devices of each number."""
    told = iter(lines)
    login = ManagerLogin(**json.loads(next(told)))
    devices: dict[str, str | None] = {}
    for line in told:
        if line.endswith("\n"):  # else the service went in the middle of it
            devices.update(json.loads(line))
    return login, {number: followed for number, followed in devices.items() if followed is not None}


async def put_back(login: ManagerLogin, devices: Mapping[str, str]) -> None:
    """Let every hint follow its devices. A node that is down has its rendered hints when it is up again.

    Raises:
        TimeoutError: The node could not be reached within `TRIES_FOR`.
    """
    async with asyncio.timeout(TRIES_FOR):
        for delay in delays(Random()):
            await asyncio.sleep(delay)
            try:
                async with connect(login) as connection:
                    await give_back(connection, devices)
            except ConnectionError as error:
                if not isinstance(error.__cause__, ConnectionRefusedError):
                    continue
            return


def main(source: IO[str]) -> None:
    """Guard until the source ends, then put the hints back."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    login, devices = wait(source)
    if devices:
        asyncio.run(put_back(login, devices))


if __name__ == "__main__":
    main(sys.stdin)
