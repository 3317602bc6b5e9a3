"""The service's end of the watchdog: a process that restores the hints when the service is gone.

The service replaces hints by states that only it sets, so its end, even by ``kill -9``, would leave them as
they were. The watchdog waits for that end. A pipe, which closes with the service, carries the devices that
each hint is to follow. `unique_account.adapters.asterisk.hints.watchdog_process` is what it does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Final

from attrs import asdict

from unique_account.adapters.asterisk.ami.login import ManagerLogin
from unique_account.adapters.asterisk.fence.epoch import OwnEpoch

PAUSE: Final = 7.0
"""How many seconds the hints wait for a new owner: a group lease lasts for 5 s."""

ENDS_WITHIN: Final = 5.0
"""How many seconds a service that ends in good order waits for its watchdog."""

_PROCESS: Final = "unique_account.adapters.asterisk.hints.watchdog_process"


class Watchdog:
    """Starts the process with the first hint, and sends it every change.

    Args:
        login: Where the hints are.
        own: The epoch of this process; None where no other process ever owns the node.
        pause: With an epoch, how many seconds the hints wait for a new owner.
    """

    def __init__(self, login: ManagerLogin, own: OwnEpoch | None = None, pause: float = PAUSE) -> None:
        self._login = login
        self._own = None if own is None else {**asdict(own), "pause": pause}
        self._process: asyncio.subprocess.Process | None = None
        self._reported: dict[str, str | None] = {}
        self._starting = asyncio.Lock()

    async def restore(self, number: str, devices: str | None) -> None:
        """Let a number's hint follow these devices once the service is gone; None: leave it alone."""
        if self._reported.get(number) == devices:
            return
        self._reported[number] = devices
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                await self._start()
            else:
                self._report({number: devices})

    async def aclose(self) -> None:
        """The service is done with hints; returns when they are put back, or cannot be for now.

        Where a new owner may come, it returns at once: the hints stay as they are for a while.
        """
        process, self._process = self._process, None
        self._reported.clear()
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
            *(sys.executable, "-m", _PROCESS),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        login = self._login
        self._report(
            {"host": login.host, "port": login.port, "username": login.username, "secret": login.secret}
        )
        self._report({"own": self._own})
        self._report(self._reported)

    def _report(self, line: Mapping[str, object]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
