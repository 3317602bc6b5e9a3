"""What drives the in-memory ports in the tests of their contracts."""

from __future__ import annotations

from datetime import timedelta

from unique_account.adapters.memory import (
    MemoryBus,
    MemoryCti,
    MemoryDirectory,
    MemoryPbx,
    PlacedCall,
    SettableClock,
)
from unique_account.core.events import Event
from unique_account.core.forwarding import Destination, Forwarding, Outcome
from unique_account.core.history import Page
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.core.view import View
from unique_account.ports.inbound.commands import Command
from unique_account.testing.contracts import (
    Employee,
)


class MemoryListener:
    """Who listens to the bus in memory."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus

    async def presence(self, number: str) -> Presence | None:
        return self._bus.presences.get(number)

    async def forwarding(self, user: str) -> Forwarding | None:
        return self._bus.forwardings.get(user)

    async def selection(self, user: str) -> Device | None:
        return self._bus.selections.get(user)


class MemoryCompany:
    """The people of a directory in memory."""

    def __init__(self, directory: MemoryDirectory) -> None:
        self._directory = directory

    async def employ(self, *employees: Employee) -> None:
        passwords = {each.user: each.password for each in employees if each.password}
        names = {each.number: each.name for each in employees}
        self._directory.replace(passwords, names, {each.number: each.user for each in employees})


class MemoryAssistants:
    """The users of the CTI in memory."""

    def __init__(self, cti: MemoryCti) -> None:
        self._cti = cti

    async def act(self, user: str, event: Event) -> None:
        await self._cti.act(user, event)

    async def command(self, user: str, command: Command) -> bool:
        return await self._cti.command(user, command)

    async def history(self, user: str, size: int, cursor: str | None = None) -> Page:
        return await self._cti.history(user, size, cursor)

    async def shown(self, user: str) -> View | None:
        return self._cti.shown.get(user)

    async def history_changes(self, user: str) -> int:
        return self._cti.history_changes.count(user)

    async def presence(self, number: str) -> Presence | None:
        return self._cti.presences.get(number)


class MemoryPhones:
    """The phones around the PBX in memory; its time passes when they wait."""

    def __init__(self, pbx: MemoryPbx, clock: SettableClock) -> None:
        self._pbx = pbx
        self._clock = clock
        self._calls: dict[str, PlacedCall] = {}

    async def register(self, interface: str) -> None:
        await self._pbx.register(interface)

    async def unregister(self, interface: str) -> None:
        await self._pbx.unregister(interface)

    async def call(self, number: str) -> str:
        call = await self._pbx.call(number, caller="3000")
        self._calls[call.id] = call
        return call.id

    def _at(self, interface: str) -> PlacedCall:
        calls = (call for call in self._pbx.calls if self._rings_at(call) == interface)
        return next(calls)

    def _rings_at(self, call: PlacedCall) -> str | None:
        return call.callee_leg.interface if call.rings is not None and call.callee_leg else None

    async def ringing(self, call: str) -> str | None:
        return self._rings_at(self._calls[call])

    async def pick_up(self, interface: str) -> None:
        await self._pbx.pick_up(self._at(interface))

    async def reject(self, interface: str) -> None:
        await self._pbx.ends_with(self._at(interface), Outcome.BUSY)

    async def hang_up(self, call: str) -> None:
        await self._pbx.end(self._calls[call])

    async def talks(self, call: str) -> bool:
        return self._calls[call].answered and not self._calls[call].over

    async def destination(self, call: str) -> Destination | None:
        return self._calls[call].destination

    async def hint(self, number: str) -> Presence | None:
        return self._pbx.hints.get(number)

    async def lose_node(self) -> None:
        await self._pbx.go_down()

    async def restore_node(self) -> None:
        await self._pbx.come_back()

    async def wait(self, seconds: float) -> None:
        await self._clock.advance(timedelta(seconds=seconds))
