"""Announces what waits in the outbox: read, sent, confirmed by the broker, and only then taken out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from unique_account.adapters.rabbitmq.announcements import Kind
from unique_account.adapters.rabbitmq.publisher import Publisher
from unique_account.adapters.rabbitmq.xivo_messages import XivoMessages
from unique_account.core.errors import UniqueAccountError
from unique_account.ports.observer import Observer, PortRequest
from unique_account.ports.outbox import Outbox, Unannounced

LOOKS_EVERY: Final = 1.0
"""Every how many seconds the outbox is read, if nobody says that something is in it."""

_BATCH: Final = 100
_READ: Final = PortRequest("bus", "outbox")


class OutboxRelay:
    """Relays an outbox to a broker.

    Args:
        outbox: The outbox.
        messages: Makes the messages.
        observer: Is notified that the outbox cannot be read, and that it can be read again.
    """

    def __init__(self, outbox: Outbox, messages: XivoMessages, observer: Observer | None) -> None:
        self._outbox = outbox
        self._messages = messages
        self._observer = observer
        self._due = asyncio.Event()
        self._failed = False

    def wake(self) -> None:
        """Look into the outbox now."""
        self._due.set()

    async def relay(self, to: Publisher) -> None:
        """Relay until the connection is lost."""
        while True:
            self._due.clear()
            waiting = await self._waiting()
            if waiting:
                await self._announce(to, waiting)
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOKS_EVERY):
                        await self._due.wait()

    async def _waiting(self) -> Sequence[Unannounced]:
        """What waits; nothing while the outbox cannot be read, which is no fault of the broker's."""
        try:
            waiting = await self._outbox.waiting(_BATCH)
        except UniqueAccountError as error:
            if not self._failed and self._observer is not None:
                self._observer.failed(_READ, error)
            self._failed = True
            await asyncio.sleep(LOOKS_EVERY)
            return ()
        if self._failed and self._observer is not None:
            self._observer.recovered(_READ)
        self._failed = False
        return waiting

    async def _announce(self, to: Publisher, waiting: Sequence[Unannounced]) -> None:
        await to.send(
            message
            for one in waiting
            for key, word in (
                ((Kind.FORWARDING, one.user), one.kept.forwarding),
                ((Kind.SELECTION, one.user), one.kept.selection),
            )
            for message in self._messages.encode((key, word), one.kept.version)
        )
        with suppress(UniqueAccountError):  # what stays in the outbox is announced again
            await self._outbox.announced(waiting)
