"""Groups show each other their presences, over a real RabbitMQ."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika

from lab.rabbitmq import RabbitmqBroker
from tests.event_loop import in_loop
from tests.rabbitmq.drivers import Exchanges, Shown, bus, connected, until
from unique_account.adapters.rabbitmq import RabbitmqBus
from unique_account.core.presence import Presence


@asynccontextmanager
async def group(
    broker: RabbitmqBroker, exchanges: Exchanges, name: str, epoch: int = 1
) -> AsyncIterator[tuple[RabbitmqBus, Shown]]:
    """A group with what it is shown of the others."""
    shown = Shown()
    async with bus(broker, exchanges, group=name, epoch=epoch) as opened:
        listening = asyncio.create_task(opened.listen(shown.show))
        try:
            yield opened, shown
        finally:
            listening.cancel()


async def say(broker: RabbitmqBroker, exchanges: Exchanges, body: bytes, key: str = "group.lyon") -> None:
    """Put a message of somebody else's on the exchange."""
    async with connected(broker) as channel:
        exchange = await channel.get_exchange(exchanges.presences)
        await exchange.publish(aio_pika.Message(body), key)


def frame(epoch: int, sequence: int, presences: dict[str, int], **more: Any) -> bytes:
    """A frame of the group lyon."""
    stamp = {"group": "lyon", "instance": "a", "epoch": epoch, "sequence": sequence}
    return json.dumps({**stamp, "presences": presences, **more}).encode()


class TestTwoGroups:
    """Each group is shown the numbers of the other, whoever comes first."""

    @in_loop
    async def test_each_is_shown_what_the_other_announces(self, broker: RabbitmqBroker) -> None:
        exchanges = Exchanges()
        async with group(broker, exchanges, "lyon") as (lyon, in_lyon):
            await lyon.presence_changed("2001", Presence.BUSY)
            lyon.complete()
            async with group(broker, exchanges, "paris") as (paris, in_paris):
                await paris.presence_changed("1001", Presence.RINGING)
                paris.complete()
                await until(lambda: in_paris.presences == {"2001": Presence.BUSY})
                await until(lambda: in_lyon.presences == {"1001": Presence.RINGING})
                await paris.presence_changed("1001", Presence.UNEXISTING)
                await paris.presence_changed("1002", Presence.AVAILABLE)
                gone = {"1001": Presence.UNEXISTING, "1002": Presence.AVAILABLE}
                await until(lambda: in_lyon.presences == gone)
            assert paris.dropped.counts == {}

    @in_loop
    async def test_a_new_owner_shows_what_it_has_and_nothing_else(self, broker: RabbitmqBroker) -> None:
        exchanges = Exchanges()
        async with group(broker, exchanges, "paris") as (_, shown):
            async with group(broker, exchanges, "lyon", epoch=1) as (lyon, _):
                await lyon.presence_changed("2001", Presence.BUSY)
                await lyon.presence_changed("2002", Presence.BUSY)
                lyon.complete()
                await until(lambda: len(shown.presences) == 2)
            async with group(broker, exchanges, "lyon", epoch=2) as (lyon, _):
                await lyon.presence_changed("2001", Presence.AVAILABLE)
                await until(lambda: shown.presences["2001"] is Presence.AVAILABLE)
                assert shown.presences["2002"] is Presence.BUSY  # as long as nobody knows better
                lyon.complete()
                await until(lambda: shown.presences["2002"] is Presence.UNEXISTING)

    @in_loop
    async def test_a_number_whose_node_is_down_at_a_takeover_stays(self, broker: RabbitmqBroker) -> None:
        """P5: it is not gone, although nothing is known of it."""
        exchanges = Exchanges()
        async with group(broker, exchanges, "paris") as (_, shown):
            async with group(broker, exchanges, "lyon", epoch=1) as (lyon, _):
                await lyon.presence_changed("2001", Presence.BUSY)
                await lyon.presence_changed("2002", Presence.BUSY)
                lyon.complete()
                await until(lambda: len(shown.presences) == 2)
            async with group(broker, exchanges, "lyon", epoch=2) as (lyon, _):
                lyon.complete(lambda: ["2001"])
                await until(lambda: shown.presences["2002"] is Presence.UNEXISTING)
                assert shown.presences["2001"] is Presence.BUSY

    @in_loop
    async def test_a_broker_that_dies_loses_nothing(self, broker: RabbitmqBroker) -> None:
        exchanges = Exchanges()
        async with (
            group(broker, exchanges, "lyon") as (lyon, _),
            group(broker, exchanges, "paris") as (_, shown),
        ):
            lyon.complete()
            await lyon.presence_changed("2001", Presence.BUSY)
            await lyon.presence_changed("2002", Presence.BUSY)
            await until(lambda: len(shown.presences) == 2)
            broker.kill()
            try:
                await lyon.presence_changed("2001", Presence.AVAILABLE)
                await lyon.presence_changed("2002", Presence.UNEXISTING)
            finally:
                broker.start()
            expected = {"2001": Presence.AVAILABLE, "2002": Presence.UNEXISTING}
            await until(lambda: shown.presences == expected)

    @in_loop
    async def test_a_snapshot_of_many_numbers_comes_whole(self, broker: RabbitmqBroker) -> None:
        exchanges = Exchanges()
        async with group(broker, exchanges, "lyon") as (lyon, _):
            for number in range(3000, 5200):
                await lyon.presence_changed(str(number), Presence.AVAILABLE)
            lyon.complete()
            await until(lambda: lyon.waiting == 0)
            async with group(broker, exchanges, "paris") as (_, shown):
                await until(lambda: len(shown.presences) == 2200)


class TestStrangeMessages:
    """Messages that are late, broken or unknown change nothing, and are counted."""

    @in_loop
    async def test_late_frames_of_an_earlier_owner_are_dropped(self, broker: RabbitmqBroker) -> None:
        exchanges = Exchanges()
        async with group(broker, exchanges, "paris") as (_, shown):
            async with group(broker, exchanges, "lyon", epoch=7) as (lyon, _):
                await lyon.presence_changed("2001", Presence.BUSY)
                lyon.complete()
                await until(lambda: shown.presences == {"2001": Presence.BUSY})
                await say(broker, exchanges, frame(6, 9_000, {"2001": -2}))
                await say(broker, exchanges, frame(6, 9_001, {"2001": 0}, part=1, parts=1))
                await lyon.presence_changed("2002", Presence.BUSY)
                await until(lambda: "2002" in shown.presences)
            assert {presence for _, presence in shown.reports} == {Presence.BUSY}

    @in_loop
    async def test_poison_is_dropped_and_what_follows_is_not(self, broker: RabbitmqBroker) -> None:
        exchanges = Exchanges()
        poison = (
            *(b"", b"\xff\xfe", b"[]", b"{}", b"null", b"[" * 100_000, b"x" * 300_000),
            *(frame(1, 1, {"2001": 3}), frame(1, 1, {"x\r\ny": 0}), frame(1, 1, {"2001": True})),
            *(frame(-1, 1, {}), frame(1, 10**30, {}), frame(1, 1, {}, part=2, parts=1)),
            *(frame(1, 1, {}, part=1), frame(1, 1, {}, part=1, parts=10**9)),
        )
        async with group(broker, exchanges, "paris") as (paris, shown):
            await until(lambda: paris.reachable)
            for body in poison:
                await say(broker, exchanges, body)
            await say(broker, exchanges, b"what", "request")
            await say(broker, exchanges, frame(1, 1, {"2001": 1}))
            await until(lambda: shown.presences == {"2001": Presence.IN_USE})
            assert paris.dropped.counts.total() == len(poison) + 1
            assert paris.reachable
