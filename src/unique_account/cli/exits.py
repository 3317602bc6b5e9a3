"""How commands end: by a signal, or when nobody reads them; and which go on when a database is lost."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import IO, Any, Final

import click

from unique_account.core.errors import Unreachable

AGAIN: Final = 5.0
"""After how many seconds a database is tried again that was lost."""


class Interrupted(click.ClickException):
    """A signal stopped a command before it was done; the exit code is what shells expect of SIGINT."""

    exit_code = 130


def sentence(error: OSError) -> str:
    """What the system refused, with the name of the file if there is one."""
    reason = error.strerror or str(error)
    return reason if error.filename is None else f"{os.fsdecode(error.filename)}: {reason}"


def say(sentence: str) -> None:
    """Say something about the work, on standard error."""
    click.echo(sentence, err=True)


def file_name(file: IO[Any]) -> str:
    """The name of a file that an argument names, as people write it."""
    name = getattr(file, "name", "<stdin>")
    return "standard input" if name == "<stdin>" else os.fsdecode(name)


def until_stopped(work: Coroutine[Any, Any, object]) -> None:
    """Run what has no end of its own until SIGINT, as Ctrl-C sends, or SIGTERM; it ends in order."""

    async def run() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        await work

    with suppress(asyncio.CancelledError):
        asyncio.run(run())


async def again(work: Callable[[], Awaitable[None]], say: Callable[[str], object]) -> None:
    """Do something, and again whenever a database that it needs is out of reach."""
    while True:
        try:
            await work()
        except Unreachable as error:
            say(f"{error}; trying again")
            await asyncio.sleep(AGAIN)
        else:
            return


def check_reader() -> None:
    """See whether anybody reads the output: a pipe reports that only to a process that writes to it, or asks.

    Raises:
        BrokenPipeError: Nobody does.
    """
    output = _output()
    if output is None:
        return
    poll = select.poll()
    poll.register(output, 0)
    if any(reported & select.POLLERR for _, reported in poll.poll(0)):
        raise BrokenPipeError


def give_output_up() -> None:
    """Let what is left of the output go, or the interpreter complains once more as it ends."""
    output = _output()
    if output is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, output)
        os.close(nowhere)


def _output() -> int | None:
    """The standard output's file, where it is one."""
    try:
        return sys.stdout.fileno()
    except (OSError, ValueError):
        return None
