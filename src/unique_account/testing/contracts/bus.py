"""What every bus must do."""

from __future__ import annotations

from typing import Protocol

from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.ports.bus import Bus
from unique_account.testing.contracts.scenario import Contract, scenario


class Listener(Protocol):
    """A service of the company that listens to the bus, in the hands of the test."""

    async def presence(self, number: str) -> Presence | None:
        """The last presence that was announced of a number; None: none yet."""
        ...

    async def forwarding(self, user: str) -> Forwarding | None:
        """The last forwarding that was announced of a user; None: none yet."""
        ...

    async def selection(self, user: str) -> Device | None:
        """The last selection that was announced of a user; None: none yet."""
        ...


class BusContract(Contract[tuple[Bus, Listener]]):
    """The contract of `unique_account.ports.bus.Bus`; a bus opens with a listener that has missed nothing."""

    away = Forwarding(do_not_disturb=True, busy=Forward("3000", enabled=True))
    back = Forwarding(busy=Forward("3000"))

    @scenario
    async def test_the_last_presence_of_a_number_is_announced(self, opened: tuple[Bus, Listener]) -> None:
        """A number's presence is this now."""
        bus, listener = opened
        for presence in (Presence.RINGING, Presence.IN_USE, Presence.UNEXISTING, Presence.AVAILABLE):
            await bus.presence_changed("1001", presence)
            await self._shows(listener, "1001", presence)

    @scenario
    async def test_the_last_forwarding_of_a_user_is_announced(self, opened: tuple[Bus, Listener]) -> None:
        """A user's do-not-disturb and forwards are these now."""
        bus, listener = opened
        for forwarding in (self.away, self.back):
            await bus.forwarding_changed("alice", forwarding)
            await self._forwards(listener, "alice", forwarding)

    @scenario
    async def test_the_last_selection_of_a_user_is_announced(self, opened: tuple[Bus, Listener]) -> None:
        """The device that a user has selected is this now."""
        bus, listener = opened
        for selection in (Device.DESKPHONE, Device.WEBRTC):
            await bus.selection_changed("alice", selection)
            await self._selects(listener, "alice", selection)

    @scenario
    async def test_what_comes_again_changes_nothing(self, opened: tuple[Bus, Listener]) -> None:
        """An announcement may come again with the same content."""
        bus, listener = opened
        for _ in range(2):
            await bus.presence_changed("1001", Presence.BUSY)
            await bus.forwarding_changed("alice", self.away)
            await bus.selection_changed("alice", Device.DESKPHONE)
        await self._shows(listener, "1001", Presence.BUSY)
        await self._forwards(listener, "alice", self.away)
        await self._selects(listener, "alice", Device.DESKPHONE)

    @scenario
    async def test_numbers_and_users_do_not_touch_each_other(self, opened: tuple[Bus, Listener]) -> None:
        """Each announcement is about one number or one user."""
        bus, listener = opened
        await bus.presence_changed("1001", Presence.BUSY)
        await bus.presence_changed("1002", Presence.AVAILABLE)
        await bus.forwarding_changed("alice", self.away)
        await bus.forwarding_changed("bob", self.back)
        await bus.selection_changed("alice", Device.DESKPHONE)
        await bus.selection_changed("bob", Device.WEBRTC)
        await self._shows(listener, "1002", Presence.AVAILABLE)
        await self._shows(listener, "1001", Presence.BUSY)
        await self._forwards(listener, "bob", self.back)
        await self._forwards(listener, "alice", self.away)
        await self._selects(listener, "bob", Device.WEBRTC)
        await self._selects(listener, "alice", Device.DESKPHONE)

    async def _shows(self, listener: Listener, number: str, presence: Presence) -> None:
        async def announced() -> bool:
            return await listener.presence(number) is presence

        await self.until(announced)

    async def _forwards(self, listener: Listener, user: str, forwarding: Forwarding) -> None:
        async def announced() -> bool:
            return await listener.forwarding(user) == forwarding

        await self.until(announced)

    async def _selects(self, listener: Listener, user: str, selection: Device) -> None:
        async def announced() -> bool:
            return await listener.selection(user) is selection

        await self.until(announced)
