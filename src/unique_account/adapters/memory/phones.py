"""The phones of the in-memory PBX: contacts, legs, line statuses, and who receives them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from unique_account.adapters.memory.calls import PhoneLeg
from unique_account.core.account import CallStatus, LineStatus
from unique_account.core.diversions import CallDiverted
from unique_account.core.events import (
    CallChanged,
    CallEnded,
    ContactsChanged,
    Event,
    Fact,
    FactsReplaced,
    LineChanged,
    MessagesChanged,
)
from unique_account.core.machine import Device
from unique_account.core.presence import join
from unique_account.core.user import User
from unique_account.ports.inbound.events import EventHandler, UnknownUser

_SHOWN_AS = {
    CallStatus.DIALLING: LineStatus.IN_USE,
    CallStatus.RINGING: LineStatus.RINGING,
    CallStatus.TALKING: LineStatus.IN_USE,
    CallStatus.HELD: LineStatus.ON_HOLD,
}


class MemoryPhones:
    """The live facts of one node. Facts about watched users are reported as they come to be.

    Attributes:
        on_event: Receives them; None until somebody listens.
        is_up: Whether the node can be reached. While it cannot, nothing changes as far as anybody knows.
        users: The watched users by id.
    """

    def __init__(self) -> None:
        self.on_event: EventHandler | None = None
        self.is_up = True
        self.users: dict[str, User] = {}
        self._lines: dict[str, tuple[str, Device]] = {}
        self._contacts: dict[str, set[str]] = {}
        self._silent: set[str] = set()
        self._legs: dict[str, dict[str, PhoneLeg]] = {}
        self._messages: dict[str, tuple[int, int]] = {}
        self._reported: dict[str, LineStatus] = {}

    async def watch(self, user: User, media_server: str) -> None:
        """Report this user's facts from now on, first all that is known."""
        self.forget(user.id)
        self.users[user.id] = user
        self._lines |= {user.interface(device): (user.id, device) for device in Device}
        facts = self._known(user) if self.is_up else self._unavailable()
        await self._notify(user.id, FactsReplaced(media_server, tuple(facts)))

    def _unavailable(self) -> Iterator[Fact]:
        """What is true of a user while the node cannot be reached."""
        for device in Device:
            yield LineChanged(device, LineStatus.UNAVAILABLE)

    def _known(self, user: User) -> Iterator[Fact]:
        """All that is known of a user."""
        for device in Device:
            interface = user.interface(device)
            self._reported[interface] = status = self.status(interface)
            yield ContactsChanged(device, self.reachable(interface))
            yield LineChanged(device, status)
            yield from (CallChanged(leg.as_call(device)) for leg in self.legs(interface))
        if user.mailbox in self._messages:
            yield MessagesChanged(*self._messages[user.mailbox])

    def forget(self, user: str) -> None:
        """Report nothing more of this user."""
        known = self.users.pop(user, None)
        for interface in (known.deskphone, known.webrtc) if known else ():
            if self._lines.get(interface, ("",))[0] == user:  # else it is another user's by now
                del self._lines[interface]

    async def _report(self, user: str, event: Event) -> None:
        if self.is_up:
            await self._notify(user, event)

    async def _notify(self, user: str, event: Event) -> None:
        if self.on_event is not None and user in self.users:
            with suppress(UnknownUser):  # the account goes just now
                await self.on_event(user, event)

    # -- contacts ------------------------------------------------------------------------------------

    def reachable(self, interface: str) -> bool:
        """Whether a phone has a contact."""
        return bool(self._contacts.get(interface))

    def silent(self, interface: str) -> bool:
        """Whether a phone keeps its contacts but answers nothing (R15)."""
        return interface in self._silent

    async def register(self, interface: str, contact: str) -> None:
        """A contact comes; a silent phone answers again."""
        self._silent.discard(interface)
        self._contacts.setdefault(interface, set()).add(contact)
        await self._report_contacts(interface)

    async def unregister(self, interface: str, contact: str) -> None:
        """A contact goes."""
        self._contacts.get(interface, set()).discard(contact)
        await self._report_contacts(interface)

    def fall_silent(self, interface: str) -> None:
        """A phone freezes, or its network dies."""
        self._silent.add(interface)

    async def _report_contacts(self, interface: str) -> None:
        if interface in self._lines:
            user, device = self._lines[interface]
            await self._report(user, ContactsChanged(device, self.reachable(interface)))
        await self._report_status(interface)

    # -- legs ----------------------------------------------------------------------------------------

    def legs(self, interface: str) -> tuple[PhoneLeg, ...]:
        """The live legs on a phone."""
        return tuple(self._legs.get(interface, {}).values())

    def status(self, interface: str) -> LineStatus:
        """A line's status: what its legs come to; without any, whether it has a contact."""
        status = LineStatus.NOT_IN_USE if self.reachable(interface) else LineStatus.UNAVAILABLE
        for leg in self.legs(interface):
            status = join(status, _SHOWN_AS[leg.status])
        return status

    def whose(self, interface: str) -> tuple[str, Device] | None:
        """The watched user and the device that an interface is."""
        return self._lines.get(interface)

    async def report_leg(self, leg: PhoneLeg) -> None:
        """A leg is there, or changed."""
        self._legs.setdefault(leg.interface, {})[leg.id] = leg
        if leg.interface in self._lines:
            user, device = self._lines[leg.interface]
            await self._report(user, CallChanged(leg.as_call(device)))
        await self._report_status(leg.interface)

    async def report_end(self, leg: PhoneLeg, at: datetime) -> None:
        """A leg is over."""
        self._legs.get(leg.interface, {}).pop(leg.id, None)
        if leg.interface in self._lines:
            await self._report(self._lines[leg.interface][0], CallEnded(leg.id, at))
        await self._report_status(leg.interface)

    async def report_diverted(self, user: str, diverted: CallDiverted) -> None:
        """A call was sent elsewhere from a user's number."""
        await self._report(user, diverted)

    async def _report_status(self, interface: str) -> None:
        status = self.status(interface)
        if interface in self._lines and self._reported.get(interface) is not status:
            self._reported[interface] = status
            user, device = self._lines[interface]
            await self._report(user, LineChanged(device, status))

    # -- messages ------------------------------------------------------------------------------------

    async def hold_messages(self, mailbox: str, new: int, old: int) -> None:
        """A mailbox holds so many messages now."""
        self._messages[mailbox] = (new, old)
        for user in list(self.users.values()):
            if user.mailbox == mailbox:
                await self._report(user.id, MessagesChanged(new, old))
