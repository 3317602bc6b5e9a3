"""Processes of the lab: each leads a process group, which is ended as a whole."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

GRACE: Final = 5.0
"""How many seconds a process that is asked to end may take."""


class Process:
    """A running program, and every process that it started in its group."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """The number of the program's process, and of its group."""
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group; one that is gone already is no error."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    async def kill(self) -> None:
        """End the whole group at once, without a word to it."""
        self.signal(signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> None:
        """Ask the program to end, and kill what is left of its group."""
        self.signal(signal.SIGCONT)
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await self._process.wait()
        await self.kill()


async def start(*command: str, log: Path) -> Process:
    """Run a program as the leader of a group of its own; what it prints goes to a file.

    It ends with this process at the latest, be that killed.
    """
    with log.open("ab") as output:
        started = await asyncio.create_subprocess_exec(
            "setpriv",
            "--pdeathsig=KILL",
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Process(started)


@asynccontextmanager
async def running(*command: str, log: Path) -> AsyncIterator[Process]:
    """Run a program until the context closes; what it prints goes to a file."""
    process = await start(*command, log=log)
    try:
        yield process
    finally:
        await process.stop()


@contextmanager
def own_folder(name: str) -> Iterator[Path]:
    """A folder that is deleted at the end, and kept and named in the error if there was one."""
    folder = Path(mkdtemp(prefix=f"lab-{name}-"))
    try:
        yield folder
    except BaseException as error:
        error.add_note(f"the logs of {name} are kept in {folder}")
        raise
    shutil.rmtree(folder, ignore_errors=True)
