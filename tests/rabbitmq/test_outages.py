"""A broker that is lost, hangs or refuses: nothing waits for it, and nothing is lost."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial

import pytest

from lab.rabbitmq import RabbitmqBroker
from tests.event_loop import in_loop
from tests.rabbitmq.drivers import Exchanges, bus, listening, until
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.rabbitmq import RabbitmqBus, publisher
from unique_account.core.machine import Device
from unique_account.core.presence import Presence

SOON = 5.0
"""How many seconds 10,000 announcements take at most, as they wait for nobody."""


async def announce(to: RabbitmqBus, times: int) -> None:
    """Announce changes of ten numbers, the last of each being AVAILABLE."""
    for turn in range(times):
        presence = Presence.AVAILABLE if turn >= times - 10 else Presence.RINGING
        await to.presence_changed(f"10{turn % 10:02}", presence)


class TestOutages:
    """The bus goes on without a broker, and catches up with it."""

    @in_loop
    async def test_10_000_changes_of_an_outage_become_the_last_of_each_number(
        self, broker: RabbitmqBroker
    ) -> None:
        exchanges, observer = Exchanges(), MemoryObserver()
        async with bus(broker, exchanges, observer=observer) as announcing:
            await until(lambda: announcing.reachable)
            await announcing.selection_changed("alice", Device.DESKPHONE)
            await announcing.presence_changed("2000", Presence.BUSY)
            await until(lambda: announcing.waiting == 0)
            broker.kill()
            try:
                await until(lambda: not announcing.reachable)
                begun = time.monotonic()
                await announce(announcing, 10_000)
                assert time.monotonic() - begun < SOON
                assert announcing.waiting <= 12
            finally:
                broker.start()
            async with listening(broker, exchanges.xivo) as listener:
                await announcing.presence_changed("1000", Presence.IN_USE)
                await until(lambda: announcing.waiting == 0)
                assert await listener.presence("1000") is Presence.IN_USE
            assert announcing.reachable
        failed = [str(request) for request, _ in observer.failures]
        assert set(failed) == {"bus: connection"}
        assert [str(request) for request in observer.recoveries] == ["bus: connection"]

    @in_loop
    async def test_everything_is_announced_again_on_a_new_connection(self, broker: RabbitmqBroker) -> None:
        exchanges = Exchanges()
        async with bus(broker, exchanges) as announcing:
            await announcing.presence_changed("2000", Presence.BUSY)
            await announcing.selection_changed("alice", Device.DESKPHONE)
            await until(lambda: announcing.reachable and announcing.waiting == 0)
            broker.freeze()
            try:
                await announcing.presence_changed("2001", Presence.RINGING)
                await until(lambda: not announcing.reachable)  # the broker owes a confirmation
            finally:
                broker.thaw()
            async with listening(broker, exchanges.xivo) as listener:
                selected = partial(listener.last, "unique_account_selection_updated", user_uuid="alice")
                await until(lambda: selected() is not None)
                await until(lambda: announcing.waiting == 0)
                assert await listener.presence("2000") is Presence.BUSY
                assert await listener.presence("2001") is Presence.RINGING

    @in_loop
    async def test_a_short_pause_costs_no_connection(
        self, broker: RabbitmqBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(publisher, "CONFIRMS_WITHIN", 60)
        exchanges, observer = Exchanges(), MemoryObserver()
        async with listening(broker, exchanges.xivo) as listener:
            async with bus(broker, exchanges, observer=observer) as announcing:
                await until(lambda: announcing.reachable)
                broker.freeze()
                try:
                    begun = time.monotonic()
                    await announce(announcing, 10_000)
                    assert time.monotonic() - begun < SOON
                    await asyncio.sleep(1)
                    assert announcing.waiting + 10 <= 20
                finally:
                    broker.thaw()
                await until(lambda: announcing.waiting == 0)
                await until(lambda: ("status.unique_account.1009") in dict(listener.messages))
            assert [await listener.presence(f"10{number:02}") for number in range(10)] == [
                Presence.AVAILABLE
            ] * 10
        assert observer.failures == []

    @in_loop
    async def test_a_broker_that_comes_after_the_bus_gets_everything(self, broker: RabbitmqBroker) -> None:
        exchanges, observer = Exchanges(), MemoryObserver()
        broker.stop()
        try:
            async with bus(broker, exchanges, observer=observer) as announcing:
                await announcing.presence_changed("1001", Presence.BUSY)
                await until(lambda: bool(observer.failures))
                broker.start()
                await until(lambda: announcing.reachable and announcing.waiting == 0)
        finally:
            if broker.stopped:
                broker.start()
        [(request, error)] = observer.failures
        assert str(request) == "bus: connection"
        assert str(error).startswith(f"the broker 127.0.0.1:{broker.port}/ is not reachable: ")

    @in_loop
    async def test_a_bus_that_is_closed_leaves_nothing_behind(self, broker: RabbitmqBroker) -> None:
        exchanges = Exchanges()
        async with listening(broker, exchanges.xivo) as listener:
            async with bus(broker, exchanges) as announcing:
                await until(lambda: announcing.reachable)
                await announce(announcing, 500)
            await until(lambda: "status.unique_account.1009" in dict(listener.messages))
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})


class TestSecrets:
    """A password is in no text that anybody sees."""

    @in_loop
    async def test_a_wrong_one_is_refused_and_not_shown(
        self, broker: RabbitmqBroker, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        observer = MemoryObserver()
        url = broker.url.replace(broker.password, "w%40rong")
        async with RabbitmqBus(url, observer=observer) as announcing:
            await until(lambda: bool(observer.failures))
            assert not announcing.reachable
        [(_, error)] = observer.failures
        assert "ACCESS_REFUSED" in str(error)
        for secret in ("w@rong", "w%40rong"):
            assert secret not in str(error) + repr(error) + caplog.text + repr(announcing)

    @in_loop
    async def test_a_virtual_host_that_is_not_there_is_said(self, broker: RabbitmqBroker) -> None:
        observer = MemoryObserver()
        async with RabbitmqBus(f"{broker.url}elsewhere", observer=observer):
            await until(lambda: bool(observer.failures))
        [(_, error)] = observer.failures
        assert str(error).endswith("/elsewhere is not reachable: it refused the virtual host")
