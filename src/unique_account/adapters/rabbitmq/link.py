"""The connection to a broker, which is made again whenever it is lost, until it is closed for good."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError
from aiormq.exceptions import InvalidFrameError

from unique_account.adapters.rabbitmq.address import BrokerAddress
from unique_account.adapters.rabbitmq.errors import BrokerUnreachable
from unique_account.core.errors import UniqueAccountError
from unique_account.ports.observer import Observer, PortRequest

CONNECTS_WITHIN: Final = 5.0
"""How many seconds a broker has to accept a connection."""

CLOSES_WITHIN: Final = 1.0
"""How many seconds a broker has to say goodbye."""

FIRST_PAUSE: Final = 0.5
"""How many seconds pass before a lost connection is made again."""

LONGEST_PAUSE: Final = 10.0
"""The same after many attempts in vain."""

_CONNECTION: Final = PortRequest("bus", "connection")

# Both log each failure as an error, with a traceback, at each attempt; the link reports it once.
for _library in ("aiormq", "aio_pika"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)

Session = Callable[[AbstractConnection], Awaitable[None]]
"""What is done with a connection; returns or raises once it is of no more use."""


class BrokerLink:
    """Keeps a connection, and runs a session on each one that is made.

    Args:
        address: Where the broker is.
        observer: Is notified that the broker is lost, with each new reason, and that it is back.
        session: What is done with a connection.

    Attributes:
        reachable: Whether the broker is connected and does what it is asked.
    """

    def __init__(self, address: BrokerAddress, observer: Observer | None, session: Session) -> None:
        self._address = address
        self._observer = observer
        self._session = session
        self._why: str | None = None
        self._pause = FIRST_PAUSE
        self.reachable = False

    def works(self) -> None:
        """Note that the broker does what it is asked."""
        self._pause = FIRST_PAUSE
        self.reachable = True
        if self._why is not None:
            self._why = None
            if self._observer is not None:
                self._observer.recovered(_CONNECTION)

    async def keep(self) -> None:
        """Connect, and connect again whenever the connection is lost, until cancelled."""
        while True:
            try:
                await self._connected()
            except asyncio.CancelledError:
                if _cancelled():
                    raise
                self._lose("a request was given up")
            except Exception as error:
                self._lose(_reason(error))
            else:
                self._lose("the connection was closed")
            self.reachable = False
            await asyncio.sleep(self._pause * random.uniform(0.5, 1))
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    async def _connected(self) -> None:
        """Run a session on a new connection until either ends, which is the loss of it."""
        async with asyncio.timeout(CONNECTS_WITHIN):
            connection = await aio_pika.connect(self._address.url)
        try:
            closed = _closed(connection)
            session = asyncio.ensure_future(self._session(connection))
            try:
                await asyncio.wait((closed, session), return_when=asyncio.FIRST_COMPLETED)
                if session.done():
                    session.result()
            finally:
                session.cancel()
                await asyncio.gather(session, return_exceptions=True)
        finally:
            with suppress(Exception):
                async with asyncio.timeout(CLOSES_WITHIN):
                    await connection.close()

    def _lose(self, why: str) -> None:
        if self._why != why:
            self._why = why
            if self._observer is not None:
                self._observer.failed(_CONNECTION, BrokerUnreachable(self._address.place, why))


def _closed(connection: AbstractConnection) -> asyncio.Future[None]:
    """What is done when the connection is lost; `AbstractConnection.closed` is not, where the broker dies."""
    closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def close(*_: object) -> None:
        if not closed.done():
            closed.set_result(None)

    connection.close_callbacks.add(close)
    return closed


def _cancelled() -> bool:
    """Whether this very task was cancelled, rather than something that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _reason(error: BaseException) -> str:
    """What went wrong, on one line, of the first error that is not a group of others."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, InvalidFrameError):
        return "it refused the virtual host"  # the library has no words for that answer
    if isinstance(error, (AMQPError, OSError, UniqueAccountError)):
        return " ".join(str(error).split()) or type(error).__name__
    return f"{type(error).__name__}: {error}"
