"""Receives what was set elsewhere in XiVO: forwards, do-not-disturb, and that users changed.

A queue of the broker's keeps it while no process of the group is there. Each message sets a value, so one
that comes again changes nothing. One is acknowledged once the service has stored it; while the store is
away, the service is asked again and again, in the order of the messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, AbstractQueue

from unique_account.adapters.rabbitmq.dropped import DroppedMessages
from unique_account.adapters.rabbitmq.errors import InvalidMessage
from unique_account.adapters.rabbitmq.xivo_messages import BINDINGS, UsersChanged, UserSetting, XivoMessages
from unique_account.core.errors import Unreachable
from unique_account.ports.accounts import StaleVersion
from unique_account.ports.inbound.events import EventHandler, UnknownUser
from unique_account.ports.observer import Observer, PortRequest

AGAIN_AFTER: Final = 1.0
"""After how many seconds the service is asked again that could not store something."""

LONGEST_QUEUE: Final = 100_000
"""How many messages wait in the broker; of more, the oldest are dropped."""

FORGOTTEN_AFTER: Final = timedelta(days=7)
"""After how long without any process of the group the broker forgets the queue."""

_AT_ONCE: Final = 50


class XivoConsumer:
    """Receives messages and passes them to the service.

    Attributes:
        receiving: Whether the queue is there on the connection of now.

    Args:
        exchange: The exchange of XiVO's bus.
        group: The group; each has a queue.
        messages: Reads messages.
        dropped: Counts what is not understood.
        observer: Is notified of what the service did not do.
    """

    def __init__(
        self,
        exchange: str,
        group: str,
        messages: XivoMessages,
        dropped: DroppedMessages,
        observer: Observer | None,
    ) -> None:
        self._exchange = exchange
        self._queue = f"unique_account.{exchange}.{group}"
        self._messages = messages
        self._dropped = dropped
        self._observer = observer
        self._handle: EventHandler | None = None
        self._users_changed: Callable[[], object] | None = None
        self._ready = asyncio.Event()
        self.receiving = False

    def pass_to(self, handle: EventHandler, users_changed: Callable[[], object]) -> None:
        """Begin to receive.

        Args:
            handle: Handles events of users.
            users_changed: Called when users were added, changed or removed.
        """
        self._handle, self._users_changed = handle, users_changed
        self._ready.set()

    async def receive(self, connection: AbstractConnection) -> None:
        """Receive on a connection, until it is lost."""
        await self._ready.wait()
        queue = await self._declare(connection)
        self.receiving = True
        try:
            async with queue.iterator() as messages:
                async for message in messages:
                    await self._take(message)
        finally:
            self.receiving = False

    async def _declare(self, connection: AbstractConnection) -> AbstractQueue:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=_AT_ONCE)
        queue = await channel.declare_queue(
            self._queue,
            durable=True,
            arguments={
                "x-max-length": LONGEST_QUEUE,
                "x-expires": int(FORGOTTEN_AFTER.total_seconds() * 1000),
                "x-single-active-consumer": True,  # so that two processes do not mix up the order
            },
        )
        for key in BINDINGS:
            await queue.bind(self._exchange, key)
        return queue

    async def _take(self, message: AbstractIncomingMessage) -> None:
        try:
            said = self._messages.decode(message.body)
        except InvalidMessage as error:
            self._dropped.drop(self._exchange, error)
            await message.reject(requeue=False)
            return
        if isinstance(said, UserSetting):
            await self._apply(said)
        elif isinstance(said, UsersChanged) and self._users_changed is not None:
            self._users_changed()
        await message.ack()

    async def _apply(self, setting: UserSetting) -> None:
        """Pass a setting to the service, again and again while it cannot store it."""
        assert self._handle is not None
        while True:
            try:
                await self._handle(setting.user, setting.event)
            except UnknownUser:
                self._dropped.drop(self._exchange, "a message is about a user without an account")
            except (Unreachable, StaleVersion) as error:
                self._report(setting, error)
                await asyncio.sleep(AGAIN_AFTER)
                continue
            except Exception as error:
                self._report(setting, error)
            return

    def _report(self, setting: UserSetting, error: Exception) -> None:
        if self._observer is not None:
            self._observer.failed(PortRequest("bus", "setting", user=setting.user), error)
