"""The bus on a real RabbitMQ keeps the contract of its port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lab.rabbitmq import RabbitmqBroker
from tests.rabbitmq.drivers import Exchanges, bus, listening
from unique_account.ports.bus import Bus
from unique_account.testing.contracts import BusContract, Listener


class TestRabbitmqBus(BusContract):
    """The bus on RabbitMQ."""

    patience = 60.0

    @pytest.fixture(autouse=True)
    def _broker(self, broker: RabbitmqBroker) -> None:
        self._at = broker

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Bus, Listener]]:
        exchanges = Exchanges()
        async with listening(self._at, exchanges.xivo) as listener, bus(self._at, exchanges) as opened:
            yield opened, listener
