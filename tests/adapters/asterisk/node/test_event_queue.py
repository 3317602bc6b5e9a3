"""Event queues: each user's events in their order, users side by side, and never too many that wait."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from tests.event_loop import in_loop
from unique_account.adapters.asterisk.node.event_queue import MOST_WAITING_EVENTS, EventQueue
from unique_account.core.events import CallEnded, DeviceToggled, Event, FactsReplaced


def events(*names: object) -> list[Event]:
    """Events that can be told apart."""
    return [FactsReplaced(str(name)) for name in names]


class Ear:
    """Hears when it is let."""

    def __init__(self) -> None:
        self.received: list[tuple[str, Event]] = []
        self.open = asyncio.Event()
        self.failures: list[str] = []

    async def on_event(self, user: str, event: Event) -> None:
        await self.open.wait()
        self.received.append((user, event))

    def failed(self, what: str, error: Exception, user: str) -> None:
        self.failures.append(f"{what}: {error}")


@in_loop
async def test_a_users_events_keep_their_order_and_others_do_not_wait() -> None:
    ear = Ear()
    slow = asyncio.Event()

    async def on_event(user: str, event: Event) -> None:
        if user == "alice":
            await slow.wait()
        await ear.on_event(user, event)

    ear.open.set()
    reporting = EventQueue(on_event, ear.failed)
    reporting.report("alice", events(1, 2))
    reporting.report("bob", events(3))
    reporting.report("alice", events(4))
    await reporting.reported("bob")
    assert ear.received == [("bob", FactsReplaced("3"))]
    slow.set()
    await reporting.reported("alice")
    assert [event for user, event in ear.received if user == "alice"] == events(1, 2, 4)


@in_loop
async def test_what_is_dropped_is_not_told() -> None:
    ear = Ear()
    reporting = EventQueue(ear.on_event, ear.failed)
    reporting.report("alice", events(1, 2, 3))
    await asyncio.sleep(0)
    reporting.drop("alice")
    reporting.drop("nobody")
    reporting.report("alice", events(4))
    ear.open.set()
    await reporting.reported("alice")
    assert [event for _, event in ear.received] == events(1, 4)


@in_loop
async def test_what_is_told_anew_takes_the_place_of_what_waits_up_to_what_nothing_tells_again() -> None:
    ear = Ear()
    reporting = EventQueue(ear.on_event, ear.failed)
    over = CallEnded("1", datetime(2026, 1, 5, 8, tzinfo=UTC))
    reporting.report("alice", [*events(1, 2), over, *events(3), DeviceToggled(), *events(4, 5)])
    await asyncio.sleep(0)
    reporting.replace("alice", FactsReplaced("6"))
    reporting.replace("alice", FactsReplaced("7"))
    reporting.replace("bob", FactsReplaced("8"))
    ear.open.set()
    await reporting.reported("alice")
    await reporting.reported("bob")
    alice = [event for user, event in ear.received if user == "alice"]
    assert alice == [*events(1, 2), over, *events(3), DeviceToggled(), *events(7)]
    assert ("bob", FactsReplaced("8")) in ear.received


@in_loop
async def test_whoever_is_told_anew_again_and_again_leaves_room() -> None:
    ear = Ear()
    reporting = EventQueue(ear.on_event, ear.failed)
    for number in range(2 * MOST_WAITING_EVENTS):
        reporting.replace("alice", FactsReplaced(str(number)))
    await asyncio.wait_for(reporting.room(), 1)
    ear.open.set()
    await reporting.reported("alice")
    assert [event for _, event in ear.received] == events(2 * MOST_WAITING_EVENTS - 1)


@in_loop
async def test_whoever_brings_too_much_waits_for_room() -> None:
    ear = Ear()
    reporting = EventQueue(ear.on_event, ear.failed)
    reporting.report("alice", events(*range(MOST_WAITING_EVENTS + 10)))
    waiting = asyncio.create_task(reporting.room())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    ear.open.set()
    await waiting
    await reporting.reported("alice")
    assert len(ear.received) == MOST_WAITING_EVENTS + 10


@in_loop
async def test_nothing_more_is_told_once_it_is_closed() -> None:
    ear = Ear()
    reporting = EventQueue(ear.on_event, ear.failed)
    reporting.report("alice", events(1, 2))
    await asyncio.sleep(0)
    await reporting.aclose()
    ear.open.set()
    await asyncio.sleep(0)
    assert ear.received == []


@in_loop
async def test_users_wait_side_by_side_however_many_they_are() -> None:
    ear, begun, all_begun = Ear(), set[str](), asyncio.Event()

    async def on_event(user: str, event: Event) -> None:
        begun.add(user)
        if len(begun) == len(users):
            all_begun.set()
        await ear.on_event(user, event)

    reporting = EventQueue(on_event, ear.failed)
    users = [f"u{number}" for number in range(50)]
    for user in users:
        reporting.report(user, events(user))
    await all_begun.wait()
    assert not ear.received
    ear.open.set()
    await asyncio.gather(*map(reporting.reported, users))
    assert {user for user, _ in ear.received} == set(users)


@in_loop
async def test_events_that_wait_for_nothing_share_a_task() -> None:
    ear, tasks = Ear(), set[object]()

    async def on_event(user: str, event: Event) -> None:
        tasks.add(asyncio.current_task())

    reporting = EventQueue(on_event, ear.failed)
    for number in range(100):
        reporting.report(f"u{number}", events(number))
    await reporting.reported("u99")
    assert len(tasks) == 1


@in_loop
async def test_nobody_waits_for_a_queue_that_is_closed() -> None:
    ear = Ear()
    reporting = EventQueue(ear.on_event, ear.failed)
    reporting.report("alice", events(1))
    reporting.report("bob", events(2))
    waiting = [asyncio.create_task(reporting.reported(user)) for user in ("alice", "bob")]
    await asyncio.sleep(0)
    await reporting.aclose()
    await asyncio.gather(*waiting)
    assert not ear.received
