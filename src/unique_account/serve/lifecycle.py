"""The life of ``unique-account serve``: ready, in step with users and PBX, and a stop that is waited for."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from math import inf
from typing import Final, Literal

from attrs import frozen

from unique_account.core.errors import UniqueAccountError
from unique_account.core.plural import counted
from unique_account.http_server.file_descriptors import raise_limit
from unique_account.service.roster_sync import RosterSync
from unique_account.service.service import Service

LOGGER: Final = logging.getLogger("unique_account.serve")

AWAITS: Final = 1.0
"""Every how many seconds it is looked whether another group has let users go who come from it."""


def log_difference(sentence: str) -> None:
    """Log in what a PBX and the accounts differed."""
    LOGGER.info("resync: %s", sentence)


@frozen(weakref_slot=False)
class Running:
    """What runs.

    Attributes:
        service: The service.
        enrolment: Keeps its accounts in step with the roster.
        monitor: Where health and metrics are served.
        every: After how many seconds the roster is read again; None for only when it is asked for.
    """

    service: Service
    enrolment: RosterSync
    monitor: str
    every: int | None


class Signals:
    """The signals of the process: SIGHUP to read users again and resync, SIGTERM or SIGINT to stop."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.again = asyncio.Event()
        self.ready = False
        self._serving = asyncio.current_task()

    def _stop(self, name: str) -> None:
        """Stop in order; at once if it is not ready yet, or at the second signal."""
        if self.ready and not self.stop.is_set():
            LOGGER.info("%s: stopping; once more stops at once", name)
            self.stop.set()
        elif self._serving is not None:
            LOGGER.info("%s: stopping at once", name)
            self._serving.cancel()

    @contextmanager
    def received(self) -> Iterator[Signals]:
        """Receive the process's signals until the context is left."""
        loop = asyncio.get_running_loop()
        ends = (signal.SIGTERM, signal.SIGINT)
        for number in ends:
            loop.add_signal_handler(number, self._stop, number.name)
        loop.add_signal_handler(signal.SIGHUP, self.again.set)
        try:
            yield self
        finally:
            for number in (*ends, signal.SIGHUP):
                loop.remove_signal_handler(number)


async def serve(running: AbstractAsyncContextManager[Running]) -> None:
    """Run until a signal says to stop.

    Raises:
        UniqueAccountError: The roster makes no users, and nobody has an account.
        OSError: The roster or the store cannot be read, or the monitor's address not be listened on.
    """
    raise_limit()
    with Signals().received() as signals:
        try:
            async with running as at:
                await enrol(at.service, at.enrolment, first=True)
                LOGGER.info("ready: %s; %s/health", counted(len(at.service.users), "account"), at.monitor)
                signals.ready = True
                await keep_in_step(at.service, at.enrolment, at.every, signals.stop, signals.again)
        except asyncio.CancelledError:
            LOGGER.warning("stopped without waiting")
        else:
            LOGGER.info("stopped")


async def keep_in_step(
    service: Service,
    enrolment: RosterSync,
    every: int | None,
    stop: asyncio.Event,
    again: asyncio.Event,
) -> None:
    """Read the roster whenever it is due or asked for, and resync when asked, until the stop."""
    stopped = asyncio.create_task(stop.wait())
    while not stopped.done():
        await _look_again(enrolment, stopped, again, every)
        if not stopped.done():
            on_demand = again.is_set()
            again.clear()
            await enrol(service, enrolment)
            if on_demand:
                await service.resync()
                LOGGER.info("resync: PBX and accounts agree, as far as can be reached")


async def _look_again(
    enrolment: RosterSync, stopped: asyncio.Task[Literal[True]], again: asyncio.Event, every: int | None
) -> None:
    """Wait until the roster is to be read, and meanwhile for users of other groups."""
    due = time.monotonic() + (inf if every is None else every)
    asked = asyncio.create_task(again.wait())
    while not (stopped.done() or asked.done() or (left := due - time.monotonic()) <= 0):
        timeout = min(left, AWAITS) if enrolment.awaited else left
        within = None if timeout == inf else timeout
        await asyncio.wait((stopped, asked), timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if enrolment.awaited and not (stopped.done() or asked.done()):
            changes = await enrolment.look_again()
            if changes.joined or changes.added or changes.refused:
                LOGGER.info("users: %s", changes)
    asked.cancel()


async def enrol(service: Service, enrolment: RosterSync, *, first: bool = False) -> None:
    """Let the accounts agree with the roster; one that cannot be read is logged, and changes nothing.

    Where nobody has an account yet, there would be nothing to serve, so the error is raised.
    """
    try:
        enrolled = await enrolment.agree()
    except (UniqueAccountError, OSError):
        if first and not service.users:
            raise
    else:
        LOGGER.info("users: %s", enrolled)
