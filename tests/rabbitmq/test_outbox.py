"""What is stored in PostgreSQL is announced, whatever happens to the broker, the process or the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from functools import partial
from typing import Final

import psycopg
import pytest

from lab.postgresql import PostgresqlServer, postgresql_server
from lab.rabbitmq import RabbitmqBroker
from tests.event_loop import in_loop
from tests.rabbitmq.drivers import Exchanges, XivoListener, bus, keep, listening, queued, until
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.postgresql import PostgresqlAccounts, PostgresqlOutbox
from unique_account.bootstrap import bootstrap
from unique_account.core.account import Kept
from unique_account.core.events import DeviceSelected, DoNotDisturbSet, LoggedIn
from unique_account.core.machine import Device
from unique_account.core.user import User

ALICE: Final = User(id="alice", extension="1001", deskphone="PJSIP/a", webrtc="PJSIP/a_w")


@pytest.fixture(scope="module")
def server(network: None) -> Iterator[PostgresqlServer]:
    """A database server for the tests of this module."""
    with postgresql_server() as running:
        yield running


@pytest.fixture
def url(server: PostgresqlServer) -> str:
    """An empty database of its own for a test."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS one WITH (FORCE)")
        connection.execute("CREATE DATABASE one")
    return server.url("one")


def versions(listener: XivoListener, name: str) -> list[int]:
    """The versions of the messages of a name, in the order in which they came."""
    return [
        version
        for message, (_, envelope) in zip(listener.raw, listener.messages, strict=True)
        if envelope["name"] == name and isinstance(version := message.headers.get("version"), int)
    ]


def empty(url: str) -> bool:
    """Whether nothing waits in the outbox."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1 FROM unique_account.outbox").fetchone() is None


class TestStoredIsAnnounced:
    """Each stored choice is announced, or a later one of the same user."""

    @in_loop
    async def test_choices_are_announced_in_order_with_their_versions(
        self, broker: RabbitmqBroker, url: str
    ) -> None:
        exchanges = Exchanges()
        async with (
            listening(broker, exchanges.xivo) as listener,
            aclosing(PostgresqlAccounts(url)) as accounts,
            aclosing(PostgresqlOutbox(url)) as outbox,
            bus(broker, exchanges, outbox=outbox) as announcing,
            bootstrap(accounts=accounts, bus=announcing) as service,
        ):
            await outbox.waiting(1)  # from now on it is filled
            await service.add(ALICE)
            await service.handle("alice", LoggedIn("tab-1"))
            for device in (Device.DESKPHONE, Device.WEBRTC) * 10:
                await service.handle("alice", DeviceSelected(device))
            await service.handle("alice", DoNotDisturbSet(on=True))
            await until(partial(empty, url))
            assert await listener.selection("alice") is Device.WEBRTC
            forwarding = await listener.forwarding("alice")
            assert forwarding == service.account("alice").forwarding
            came = versions(listener, "unique_account_selection_updated")
            assert came == sorted(came)
            assert came[-1] == service.account("alice").version

    @in_loop
    async def test_what_was_stored_by_a_process_that_died_is_announced(
        self, broker: RabbitmqBroker, url: str
    ) -> None:
        exchanges = Exchanges()
        async with aclosing(PostgresqlAccounts(url)) as accounts, aclosing(PostgresqlOutbox(url)) as outbox:
            await outbox.waiting(1)
            await accounts.add([ALICE])
            await accounts.save(ALICE, Kept(version=1, selection=Device.DESKPHONE), 0)
        async with (
            listening(broker, exchanges.xivo) as listener,
            aclosing(PostgresqlOutbox(url)) as outbox,
            bus(broker, exchanges, outbox=outbox),
        ):
            await until(partial(empty, url))
            assert await listener.selection("alice") is Device.DESKPHONE

    @in_loop
    async def test_a_broker_that_dies_meanwhile_gets_the_last_word(
        self, broker: RabbitmqBroker, url: str
    ) -> None:
        exchanges = Exchanges()
        async with (
            aclosing(PostgresqlAccounts(url)) as accounts,
            aclosing(PostgresqlOutbox(url)) as outbox,
            bus(broker, exchanges, outbox=outbox) as announcing,
            bootstrap(accounts=accounts, bus=announcing) as service,
        ):
            await outbox.waiting(1)  # from now on it is filled
            await service.add(ALICE)
            await service.handle("alice", LoggedIn("tab-1"))
            await until(lambda: announcing.reachable and empty(url))
            await keep(broker, exchanges.xivo)
            broker.kill()
            try:
                for device in (Device.DESKPHONE, Device.WEBRTC, Device.DESKPHONE):
                    await service.handle("alice", DeviceSelected(device))
                assert not empty(url)
            finally:
                broker.start()
            async with queued(broker, exchanges.xivo) as listener:
                await until(partial(empty, url))
                await until(lambda: bool(listener.messages))
                assert await listener.selection("alice") is Device.DESKPHONE

    @in_loop
    async def test_a_database_that_is_away_costs_no_connection_to_the_broker(
        self, broker: RabbitmqBroker, server: PostgresqlServer, url: str
    ) -> None:
        exchanges, observer = Exchanges(), MemoryObserver()
        async with (
            aclosing(PostgresqlOutbox(url)) as outbox,
            bus(broker, exchanges, outbox=outbox, observer=observer) as announcing,
        ):
            await until(lambda: announcing.reachable)
            server.kill()
            try:
                await until(lambda: bool(observer.failures))
            finally:
                server.start()
            await until(lambda: bool(observer.recoveries))
            assert announcing.reachable
        assert {str(request) for request, _ in observer.failures} == {"bus: outbox"}
        assert [str(request) for request in observer.recoveries] == ["bus: outbox"]
