"""Telling: each user's events in their order, users side by side, and never more than enough waiting."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from tests.adapters.asterisk.ami.test_connection import in_loop
from unique_account.adapters.asterisk.node.event_queue import ENOUGH_UNTOLD, Telling
from unique_account.core.events import CallEnded, DeviceToggled, Event, NodeLost


def events(*names: object) -> list[Event]:
    """Events that can be told apart."""
    return [NodeLost(str(name)) for name in names]


class Ear:
    """Hears when it is let."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Event]] = []
        self.open = asyncio.Event()
        self.failures: list[str] = []

    async def hear(self, user: str, event: Event) -> None:
        await self.open.wait()
        self.heard.append((user, event))

    def failed(self, what: str, error: Exception) -> None:
        self.failures.append(f"{what}: {error}")


@in_loop
async def test_a_users_events_keep_their_order_and_others_do_not_wait() -> None:
    ear = Ear()
    slow = asyncio.Event()

    async def hear(user: str, event: Event) -> None:
        if user == "alice":
            await slow.wait()
        await ear.hear(user, event)

    ear.open.set()
    telling = Telling(hear, ear.failed)
    telling.tell("alice", events(1, 2))
    telling.tell("bob", events(3))
    telling.tell("alice", events(4))
    await telling.told("bob")
    assert ear.heard == [("bob", NodeLost("3"))]
    slow.set()
    await telling.told("alice")
    assert [event for user, event in ear.heard if user == "alice"] == events(1, 2, 4)


@in_loop
async def test_what_is_dropped_is_not_told() -> None:
    ear = Ear()
    telling = Telling(ear.hear, ear.failed)
    telling.tell("alice", events(1, 2, 3))
    await asyncio.sleep(0)
    telling.drop("alice")
    telling.drop("nobody")
    telling.tell("alice", events(4))
    ear.open.set()
    await telling.told("alice")
    assert [event for _, event in ear.heard] == events(1, 4)


@in_loop
async def test_what_is_told_anew_takes_the_place_of_what_waits_up_to_what_nothing_tells_again() -> None:
    ear = Ear()
    telling = Telling(ear.hear, ear.failed)
    over = CallEnded("1", datetime(2026, 1, 5, 8, tzinfo=UTC))
    telling.tell("alice", [*events(1, 2), over, *events(3), DeviceToggled(), *events(4, 5)])
    await asyncio.sleep(0)
    telling.tell_anew("alice", NodeLost("6"))
    telling.tell_anew("alice", NodeLost("7"))
    telling.tell_anew("bob", NodeLost("8"))
    ear.open.set()
    await telling.told("alice")
    await telling.told("bob")
    alice = [event for user, event in ear.heard if user == "alice"]
    assert alice == [*events(1, 2), over, *events(3), DeviceToggled(), *events(7)]
    assert ("bob", NodeLost("8")) in ear.heard


@in_loop
async def test_whoever_is_told_anew_again_and_again_leaves_room() -> None:
    ear = Ear()
    telling = Telling(ear.hear, ear.failed)
    for number in range(2 * ENOUGH_UNTOLD):
        telling.tell_anew("alice", NodeLost(str(number)))
    await asyncio.wait_for(telling.room(), 1)
    ear.open.set()
    await telling.told("alice")
    assert [event for _, event in ear.heard] == events(2 * ENOUGH_UNTOLD - 1)


@in_loop
async def test_whoever_brings_too_much_waits_for_room() -> None:
    ear = Ear()
    telling = Telling(ear.hear, ear.failed)
    telling.tell("alice", events(*range(ENOUGH_UNTOLD + 10)))
    waiting = asyncio.create_task(telling.room())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    ear.open.set()
    await waiting
    await telling.told("alice")
    assert len(ear.heard) == ENOUGH_UNTOLD + 10


@in_loop
async def test_nothing_more_is_told_once_it_is_closed() -> None:
    ear = Ear()
    telling = Telling(ear.hear, ear.failed)
    telling.tell("alice", events(1, 2))
    await asyncio.sleep(0)
    await telling.aclose()
    ear.open.set()
    await asyncio.sleep(0)
    assert ear.heard == []
