"""The watchdog: a process of its own that restores the hints when the service is gone.

It reads from its standard input, whose end is that of the service: first where to log in and as which owner,
then which devices each hint is to follow. When the input ends, it connects, puts these back, and is done.
Signals that are meant for the service do not end it.

Where a node's owners take turns, it first gives a new owner time to come. It puts nothing back once one has.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from random import Random
from typing import IO, Any, Final

from attrs import frozen

from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection
from unique_account.adapters.asterisk.ami.login import ManagerLogin, connect, delays
from unique_account.adapters.asterisk.fence.epoch import OwnEpoch
from unique_account.adapters.asterisk.hints.hints import give_back
from unique_account.core.errors import Unreachable
from unique_account.ports.group_leases import Fenced

TRIES_FOR: Final = 60.0
"""How many seconds the watchdog tries to reach a node that is there but does not answer."""


@frozen(weakref_slot=False)
class Turn:
    """The turn of an owner that is gone.

    Attributes:
        own: Its epoch.
        pause: How many seconds a new owner has to come.
    """

    own: OwnEpoch
    pause: float

    async def lasts(self, connection: Connection) -> bool:
        """Whether no newer owner has taken the node."""
        try:
            return await self.own.is_at(connection)
        except Fenced:
            return False
        except ActionRefused as error:
            raise Unreachable(str(error)) from error


def wait(lines: Iterable[str]) -> tuple[ManagerLogin, Turn | None, dict[str, str]]:
    """Read what the service sends until it is gone: where to log in, its turn, the devices of each number."""
    reported = iter(lines)
    login = ManagerLogin(**json.loads(next(reported)))
    turn = _turn(json.loads(next(reported, "{}")).get("own"))
    devices: dict[str, str | None] = {}
    for line in reported:
        if line.endswith("\n"):  # else the service went in the middle of it
            devices.update(json.loads(line))
    return login, turn, {number: followed for number, followed in devices.items() if followed is not None}


def _turn(own: dict[str, Any] | None) -> Turn | None:
    if own is None:
        return None
    pause = own.pop("pause")
    return Turn(OwnEpoch(**own), pause)


async def put_back(login: ManagerLogin, devices: Mapping[str, str], turn: Turn | None = None) -> None:
    """Let every hint follow its devices. A node that is down has its rendered hints when it is up again.

    Raises:
        TimeoutError: The node could not be reached within `TRIES_FOR`.
    """
    if turn is not None:
        await asyncio.sleep(turn.pause)
    async with asyncio.timeout(TRIES_FOR):
        for delay in delays(Random()):
            await asyncio.sleep(delay)
            try:
                async with connect(login) as connection:
                    if turn is None or await turn.lasts(connection):
                        await give_back(connection, devices)
            except ConnectionError as error:
                if not isinstance(error.__cause__, ConnectionRefusedError):
                    continue
            return


def restore(login: ManagerLogin, devices: Mapping[str, str], turn: Turn | None) -> None:
    """Put the hints back; what keeps it from that is a sentence in the service's log."""
    try:
        asyncio.run(put_back(login, devices, turn))
    except TimeoutError:
        where = f"{login.host}:{login.port}"
        sys.exit(f"{where} did not answer within {TRIES_FOR:g} s; its hints stay as they are")


def main(source: IO[str]) -> None:
    """Wait until the source ends, then restore the hints."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    login, turn, devices = wait(source)
    if devices and (turn is None or os.fork() == 0):  # the service need not wait for a new owner
        restore(login, devices, turn)


if __name__ == "__main__":
    main(sys.stdin)
