"""The small doubles: clock, directory, bus and observer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.adapters.memory.node import ALICE
from tests.event_loop import in_loop
from unique_account.adapters.memory import MemoryBus, MemoryCallLog, MemoryCti, MemoryDirectory, SettableClock
from unique_account.core.account import Account
from unique_account.core.events import LoggedIn
from unique_account.core.forwarding import NO_FORWARDING, Forwarding
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.ports.directory import Colleague, Directory
from unique_account.service.history_query import HistoryQuery

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class TestSettableClock:
    """The clock stands still until it is moved, and wakes whoever asked for it in order."""

    def test_it_stands_where_it_was_set(self) -> None:
        clock = SettableClock(NOON)
        assert clock.now() == clock.now() == NOON
        assert SettableClock().now().tzinfo is UTC

    @in_loop
    async def test_sleepers_are_woken_in_order_at_their_instants(self) -> None:
        clock = SettableClock(NOON)
        woken: list[tuple[str, datetime]] = []

        def sleeper(name: str, seconds: float) -> None:
            async def wake() -> None:
                woken.append((name, clock.now()))

            clock.call_at(NOON + seconds * SECOND, wake)

        for name, seconds in (("late", 9), ("second", 2), ("first", 1), ("too, second", 2), ("past", -5)):
            sleeper(name, seconds)
        await clock.advance(0.5 * SECOND)
        assert woken == [("past", NOON)]
        await clock.advance(2 * SECOND)
        assert woken[1:] == [
            ("first", NOON + SECOND),
            ("second", NOON + 2 * SECOND),
            ("too, second", NOON + 2 * SECOND),
        ]
        assert clock.now() == NOON + 2.5 * SECOND

    @in_loop
    async def test_one_who_is_woken_may_sleep_again(self) -> None:
        clock = SettableClock(NOON)
        woken: list[datetime] = []

        async def wake() -> None:
            woken.append(clock.now())
            clock.call_at(clock.now() + SECOND, wake)

        clock.call_at(NOON + SECOND, wake)
        await clock.advance(3 * SECOND)
        assert woken == [NOON + SECOND, NOON + 2 * SECOND, NOON + 3 * SECOND]


class TestDirectory:
    """The directory knows the people it was given."""

    @in_loop
    async def test_a_login_needs_its_own_password(self) -> None:
        directory: Directory = MemoryDirectory({"alice": "sésame", "bob": "hunter2"}, {})
        assert await directory.authenticate("alice", "sésame") == "alice"
        for login, password in (("alice", "hunter2"), ("alice", ""), ("carol", ""), ("carol", "sésame")):
            assert await directory.authenticate(login, password) is None

    @in_loop
    async def test_names_and_numbers_are_those_it_knows(self) -> None:
        directory = MemoryDirectory({"alice": "sésame"}, {"1001": "Alice Martin"})
        assert (await directory.name("1001"), await directory.name("1002")) == ("Alice Martin", None)
        asked = (("alice", "1001"), ("alice", "1002"), ("carol", "1001"))
        assert [await directory.may_see(*pair) for pair in asked] == [True, False, False]

    @in_loop
    async def test_colleagues_are_everybody_else_by_name(self) -> None:
        names = {"1001": "Alice Martin", "1002": "Bob Durand", "1003": "Anne Petit"}
        directory = MemoryDirectory({"alice": "sésame"}, names, {"1001": "alice"})
        anne, bob = Colleague("1003", "Anne Petit"), Colleague("1002", "Bob Durand")
        assert await directory.colleagues("alice") == [anne, bob]
        assert await directory.colleagues("alice", limit=1) == [anne]
        assert (
            await directory.colleagues("alice", "DUR") == await directory.colleagues("alice", "02") == [bob]
        )

    def test_it_shows_no_password(self) -> None:
        assert repr(MemoryDirectory({"alice": "sésame"}, {})) == "MemoryDirectory(of 1 people)"


class TestBus:
    """The bus keeps the last word on each number and user."""

    @in_loop
    async def test_the_last_word_is_kept(self) -> None:
        bus = MemoryBus()
        for presence in (Presence.RINGING, Presence.IN_USE):
            await bus.presence_changed("1001", presence)
        for forwarding in (Forwarding(do_not_disturb=True), NO_FORWARDING):
            await bus.forwarding_changed("alice", forwarding)
        for selection in (Device.WEBRTC, Device.DESKPHONE):
            await bus.selection_changed("alice", selection)
        assert (bus.presences, bus.forwardings, bus.selections) == (
            {"1001": Presence.IN_USE},
            {"alice": NO_FORWARDING},
            {"alice": Device.DESKPHONE},
        )


class TestCti:
    """A UC Assistant that nobody listens to says so."""

    @in_loop
    async def test_a_listener_that_was_replaced_does_not_silence_its_successor(self) -> None:
        cti, received = MemoryCti(), []

        def listener(name: str) -> asyncio.Task[None]:
            async def on_event(user: str, event: object) -> None:
                received.append(name)

            async def on_command(user: str, command: object) -> bool:
                return True

            histories = HistoryQuery(lambda _: Account(ALICE), MemoryCallLog())
            return asyncio.create_task(cti.listen(on_event, on_command, histories))

        first, second = listener("first"), listener("second")
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await cti.act("alice", LoggedIn("tab-1"))
        assert received == ["second"]
        second.cancel()

    @in_loop
    async def test_acting_needs_a_listener(self) -> None:
        with pytest.raises(ConnectionError, match="no service listens"):
            await MemoryCti().act("alice", LoggedIn("tab-1"))
