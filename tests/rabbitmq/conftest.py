"""Tests on a real RabbitMQ, which they start in a network of their own and stop again.

They run in the session ``nox -s e2e``, as root, and fail where there is no RabbitMQ. A worker's tests share
a broker; each has exchanges of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.programs import NotInstalled
from lab.rabbitmq import RabbitmqBroker, rabbitmq_broker


@pytest.fixture(scope="session", autouse=True)
def _network(network: None) -> None:
    """The network is made before any test, as a process that has threads cannot move into it."""


@pytest.fixture(scope="session")
def broker(network: None) -> Iterator[RabbitmqBroker]:
    """A broker for all tests of a worker; a test that stops it starts it again."""
    try:
        with rabbitmq_broker() as running:
            yield running
    except NotInstalled as error:
        pytest.fail(str(error), pytrace=False)
