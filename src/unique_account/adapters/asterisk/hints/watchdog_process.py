"""The watchdog: a process of its own that restores the hints when the service is gone.

It reads from its standard input, whose end is that of the service: first where to log in, then which devices
each hint is to follow. When the input ends, it connects, puts these back, and is done. Signals that are meant
for the service do not end it.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Iterable, Mapping
from random import Random
from typing import IO, Final

from unique_account.adapters.asterisk.ami.login import ManagerLogin, connect, delays
from unique_account.adapters.asterisk.hints.hints import give_back

TRIES_FOR: Final = 60.0
"""How many seconds the watchdog tries to reach a node that is there but does not answer."""


def wait(lines: Iterable[str]) -> tuple[ManagerLogin, dict[str, str]]:
    """Read what the service sends until it is gone: where to log in, and the devices of each number."""
    reported = iter(lines)
    login = ManagerLogin(**json.loads(next(reported)))
    devices: dict[str, str | None] = {}
    for line in reported:
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
    """Wait until the source ends, then restore the hints."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    login, devices = wait(source)
    if devices:
        asyncio.run(put_back(login, devices))


if __name__ == "__main__":
    main(sys.stdin)
