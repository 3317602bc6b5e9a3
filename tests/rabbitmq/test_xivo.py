"""What is set elsewhere in XiVO reaches the service, once it can store it, and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from lab.rabbitmq import RabbitmqBroker
from tests.event_loop import in_loop
from tests.rabbitmq.drivers import Exchanges, bus, publish, until
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.rabbitmq import RabbitmqBus, xivo_consumer
from unique_account.bootstrap import bootstrap
from unique_account.core.errors import Unreachable
from unique_account.core.events import Event, ForwardSet
from unique_account.core.forwarding import Forward
from unique_account.core.forwarding_changes import Setting
from unique_account.core.user import User
from unique_account.ports.inbound.events import UnknownUser

ALICE: Final = User(id="uuid-a", extension="1001", deskphone="PJSIP/a", webrtc="PJSIP/a_w")


def busy(destination: str, user: str = "uuid-a", **more: Any) -> tuple[str, dict[str, Any]]:
    """A forward that somebody sets in XiVO."""
    data = {"user_uuid": user, "enabled": True, "destination": destination, **more}
    envelope = {"name": "users_forwards_busy_updated", "origin_uuid": "xivo", "data": data}
    return f"config.users.{user}.forwards.busy.updated", envelope


class Handler:
    """A service that notes events, and fails as often as a test says."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Event]] = []
        self.failures: list[Exception] = []
        self.changed = 0

    async def handle(self, user: str, event: Event) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if user != "uuid-a":
            raise UnknownUser(user)
        self.events.append((user, event))

    def users_changed(self) -> None:
        self.changed += 1


@asynccontextmanager
async def consuming(
    broker: RabbitmqBroker, exchanges: Exchanges, handler: Handler, **settings: Any
) -> AsyncIterator[RabbitmqBus]:
    """A bus that passes what it receives to a handler, and has its queue."""
    async with bus(broker, exchanges, **settings) as opened:
        opened.pass_to(handler.handle, handler.users_changed)
        await until(lambda: opened.receiving)
        yield opened


def forward(destination: str) -> tuple[str, ForwardSet]:
    return "uuid-a", ForwardSet(Setting.BUSY, enabled=True, destination=destination)


class TestConsumed:
    """Forwards, do-not-disturb and changes of users are consumed."""

    @in_loop
    async def test_a_forward_that_is_set_in_xivo_is_the_users(self, broker: RabbitmqBroker) -> None:
        exchanges = Exchanges()
        async with bus(broker, exchanges) as opened, bootstrap(bus=opened) as service:
            await service.add(ALICE)
            opened.pass_to(service.handle, lambda: None)
            await until(lambda: opened.receiving)
            await publish(broker, exchanges.xivo, busy("3000"))
            await until(lambda: service.account("uuid-a").forwarding.busy == Forward("3000"))
            version = service.account("uuid-a").version
            await publish(broker, exchanges.xivo, busy("3000"), busy("3001"))
            await until(lambda: service.account("uuid-a").forwarding.busy == Forward("3001"))
            assert service.account("uuid-a").version == version + 1

    @in_loop
    async def test_ones_own_announcements_do_not_come_back(self, broker: RabbitmqBroker) -> None:
        exchanges = Exchanges()
        async with bus(broker, exchanges) as opened, bootstrap(bus=opened) as service:
            opened.pass_to(service.handle, lambda: None)
            await until(lambda: opened.receiving)
            await service.add(ALICE)
            for destination in ("3000", "3001") * 20:
                await service.handle(*forward(destination))
            await until(lambda: opened.waiting == 0)
            await publish(broker, exchanges.xivo, ("config.user.edited", {"name": "none", "data": {}}))
            await until(lambda: opened.dropped.counts.total() == 1)
            assert service.account("uuid-a").version == 40

    @in_loop
    async def test_users_that_change_are_read_again(self, broker: RabbitmqBroker) -> None:
        exchanges, handler = Exchanges(), Handler()
        async with consuming(broker, exchanges, handler):
            for name in ("created", "edited", "deleted"):
                await publish(broker, exchanges.xivo, (f"config.user.{name}", {"name": f"user_{name}"}))
            await until(lambda: handler.changed == 3)

    @in_loop
    async def test_what_comes_while_nobody_is_there_is_kept(self, broker: RabbitmqBroker) -> None:
        exchanges, handler = Exchanges(), Handler()
        async with consuming(broker, exchanges, handler):
            pass
        await publish(broker, exchanges.xivo, busy("3000"))
        async with consuming(broker, exchanges, handler):
            await until(lambda: handler.events == [forward("3000")])

    @in_loop
    async def test_what_cannot_be_stored_waits_and_keeps_its_order(
        self, broker: RabbitmqBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(xivo_consumer, "AGAIN_AFTER", 0.01)
        exchanges, handler, observer = Exchanges(), Handler(), MemoryObserver()
        handler.failures = [Unreachable("the store is away")] * 3
        async with consuming(broker, exchanges, handler, observer=observer):
            await publish(broker, exchanges.xivo, busy("3000"), busy("3001"), busy("3002"))
            await until(lambda: len(handler.events) == 3)
        assert handler.events == [forward("3000"), forward("3001"), forward("3002")]
        assert {str(request) for request, _ in observer.failures} == {"bus: setting for uuid-a"}

    @in_loop
    async def test_what_was_not_acknowledged_comes_again_after_a_crash(self, broker: RabbitmqBroker) -> None:
        exchanges, handler = Exchanges(), Handler()
        handler.failures = [Unreachable("the store is away")] * 1000
        async with consuming(broker, exchanges, handler):
            await publish(broker, exchanges.xivo, busy("3000"))
            await until(lambda: len(handler.failures) < 1000)
        handler.failures = []
        async with consuming(broker, exchanges, handler):
            await until(lambda: handler.events == [forward("3000")])


class TestStrangeMessages:
    """What is not understood is dropped, counted, and holds nobody up."""

    @in_loop
    async def test_poison_is_dropped_and_what_follows_is_not(self, broker: RabbitmqBroker) -> None:
        exchanges, handler = Exchanges(), Handler()
        key, good = busy("3000")
        handler.failures = [ValueError("a fault of ours")]
        poison: tuple[object, ...] = (
            *(b"", b"\xff", b"[]", b"x" * 300_000, b"[" * 100_000, {}, {"name": "nothing we know"}),
            *({**good, "data": []}, busy("3000", enabled="yes")[1], busy("3000", user="")[1]),
            *(busy("9" * 500)[1], busy("3000", user="nobody")[1]),
        )
        async with consuming(broker, exchanges, handler) as opened:
            await publish(broker, exchanges.xivo, (key, good), *((key, body) for body in poison), (key, good))
            await until(lambda: handler.events == [forward("3000")])
            assert opened.dropped.counts.total() == len(poison)
            await asyncio.sleep(0)
            assert opened.reachable
