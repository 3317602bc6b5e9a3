"""The bus on RabbitMQ: XiVO's, and presences between groups of media servers.

Needs aio-pika: ``pip install 'unique_account[rabbitmq]'``.
"""

from unique_account.adapters.rabbitmq.bus import GROUP, PRESENCES, XIVO, RabbitmqBus
from unique_account.adapters.rabbitmq.errors import BrokerUnreachable, BusFull, InvalidMessage, UnusableBroker

__all__ = [
    "GROUP",
    "PRESENCES",
    "XIVO",
    "BrokerUnreachable",
    "BusFull",
    "InvalidMessage",
    "RabbitmqBus",
    "UnusableBroker",
]
