"""Sends messages to a broker in batches; a batch is done when the broker has confirmed all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractConnection, AbstractExchange, ExchangeType
from aio_pika.exceptions import ChannelNotFoundEntity
from aiormq.abc import FieldValue
from attrs import frozen

CONFIRMS_WITHIN: Final = 5.0
"""How many seconds a broker has to confirm a batch; after that its connection counts as lost."""

BATCH: Final = 500
"""How many messages are under way at once."""


@frozen(weakref_slot=False)
class Outgoing:
    """A message to send.

    Attributes:
        exchange: Where to.
        key: Its routing key.
        body: What is in it.
        lasting: Whether a broker that restarts still has to have it.
        version: The version of the account that it is about; None where it has none.
    """

    exchange: str
    key: str
    body: bytes
    lasting: bool = False
    version: int | None = None

    def message(self) -> Message:
        """The message as the library has it."""
        mode = DeliveryMode.PERSISTENT if self.lasting else DeliveryMode.NOT_PERSISTENT
        headers: dict[str, FieldValue] = {} if self.version is None else {"version": self.version}
        return Message(self.body, headers=headers, content_type="application/json", delivery_mode=mode)


class Publisher:
    """Sends messages over one channel.

    Args:
        exchanges: The exchanges that are sent to, of a channel with confirms.
    """

    def __init__(self, *exchanges: AbstractExchange) -> None:
        self._exchanges = {exchange.name: exchange for exchange in exchanges}
        self._turn = asyncio.Lock()

    async def send(self, messages: Iterable[Outgoing]) -> None:
        """Send messages in their order; returns when all are confirmed.

        Raises:
            Exception: It is not known which of them the broker has.
        """
        waiting = list(messages)
        for start in range(0, len(waiting), BATCH):
            async with self._turn, asyncio.timeout(CONFIRMS_WITHIN):
                await asyncio.gather(*map(self._send, waiting[start : start + BATCH]))

    async def _send(self, outgoing: Outgoing) -> None:
        exchange = self._exchanges[outgoing.exchange]
        # Not mandatory: that nobody listens is no failure.
        await exchange.publish(outgoing.message(), outgoing.key, mandatory=False)


async def publisher(connection: AbstractConnection, *names: str) -> Publisher:
    """A publisher to topic exchanges, each made where there is none."""
    for name in names:
        await _ensure(connection, name)
    channel = await connection.channel(publisher_confirms=True)
    return Publisher(*[await channel.get_exchange(name, ensure=False) for name in names])


async def _ensure(connection: AbstractConnection, name: str) -> None:
    """Make an exchange, unless somebody made it, maybe with other properties than we would.

    The question closes its channel where there is none.
    """
    try:
        async with connection.channel() as channel:
            await channel.get_exchange(name, ensure=True)
    except ChannelNotFoundEntity:
        async with connection.channel() as channel:
            await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True)
