"""What tests of the bus drive it with: a listener at the exchange, and an observer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, ExchangeType
from attrs import define, field

from lab.rabbitmq import RabbitmqBroker
from unique_account.adapters.rabbitmq import RabbitmqBus
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.machine import Device
from unique_account.core.presence import Presence

PATIENCE: Final = 60.0
FIELDS: Final = (("unconditional", "unconditional"), ("no_answer", "noanswer"), ("busy", "busy"))


async def until(happened: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110 - a broker sets no events
            await asyncio.sleep(0.01)


@define
class Exchanges:
    """Exchanges that no other test has."""

    xivo: str = field(factory=lambda: f"xivo-{uuid4().hex}")
    presences: str = field(factory=lambda: f"presences-{uuid4().hex}")


class XivoListener:
    """A service of the company that listens to XiVO's bus."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.raw: list[AbstractIncomingMessage] = []

    async def take(self, message: AbstractIncomingMessage) -> None:
        self.raw.append(message)
        self.messages.append((message.routing_key or "", json.loads(message.body)))

    def last(self, name: str, **about: str) -> dict[str, Any] | None:
        """The data of the last message of a name about somebody."""
        for _, envelope in reversed(self.messages):
            data = envelope["data"]
            if envelope["name"] == name and all(data[key] == value for key, value in about.items()):
                return dict(data)
        return None

    async def presence(self, number: str) -> Presence | None:
        data = self.last("unique_account_presence_updated", number=number)
        return None if data is None else Presence(data["status"])

    async def selection(self, user: str) -> Device | None:
        data = self.last("unique_account_selection_updated", user_uuid=user)
        return None if data is None else Device(data["selection"])

    async def forwarding(self, user: str) -> Forwarding | None:
        services = self.last("users_services_dnd_updated", user_uuid=user)
        if services is None:
            return None
        forwards = {
            field: self.last(f"users_forwards_{name}_updated", user_uuid=user) for field, name in FIELDS
        }
        return Forwarding(
            do_not_disturb=services["enabled"],
            **{
                name: Forward(data["destination"], data["enabled"])
                for name, data in forwards.items()
                if data and data["destination"]
            },
        )


@asynccontextmanager
async def connected(broker: RabbitmqBroker) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    """A channel of somebody else's connection."""
    async with await aio_pika.connect(broker.url) as connection:
        yield await connection.channel()


@asynccontextmanager
async def listening(broker: RabbitmqBroker, exchange: str) -> AsyncIterator[XivoListener]:
    """A listener that misses nothing."""
    async with connected(broker) as channel:
        listener = XivoListener()
        made = await channel.declare_exchange(exchange, ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(made, "#")
        await queue.consume(listener.take, no_ack=True)
        yield listener


async def keep(broker: RabbitmqBroker, exchange: str) -> None:
    """Have the broker keep messages for a listener that comes later, over a restart too."""
    async with connected(broker) as channel:
        queue = await channel.declare_queue(f"kept-{exchange}", durable=True)
        await queue.bind(exchange, "#")


@asynccontextmanager
async def queued(broker: RabbitmqBroker, exchange: str) -> AsyncIterator[XivoListener]:
    """The listener for whom messages were kept."""
    async with connected(broker) as channel:
        listener = XivoListener()
        queue = await channel.get_queue(f"kept-{exchange}")
        await queue.consume(listener.take, no_ack=True)
        yield listener


async def publish(broker: RabbitmqBroker, exchange: str, *messages: tuple[str, object]) -> None:
    """Put messages of somebody else's on an exchange."""
    async with connected(broker) as channel:
        to = await channel.get_exchange(exchange)
        for key, envelope in messages:
            body = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
            await to.publish(aio_pika.Message(body), key)


def bus(broker: RabbitmqBroker, exchanges: Exchanges, **settings: Any) -> RabbitmqBus:
    """A bus on a test's own exchanges."""
    settings = {"exchange": exchanges.xivo, "presences": exchanges.presences, **settings}
    return RabbitmqBus(broker.url, **settings)


class Shown:
    """What a group was shown of the others."""

    def __init__(self) -> None:
        self.presences: dict[str, Presence] = {}
        self.reports: list[tuple[str, Presence]] = []

    async def show(self, number: str, presence: Presence) -> None:
        self.reports.append((number, presence))
        self.presences[number] = presence
