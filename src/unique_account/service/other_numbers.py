"""Shows the presence of numbers that other groups of nodes have, on this group's nodes and UC Assistants."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.ports.bus import Bus
from unique_account.ports.cti import Cti
from unique_account.ports.observer import Observer, PortRequest
from unique_account.ports.pbx import Pbx


class OtherNumbers:
    """Numbers that are no user's of this service; what is last known of each is kept.

    Args:
        pbxs: The nodes, by name.
        cti: The UC Assistants.
        bus: Whom it is announced to that another group has a number now.
        observer: Is notified of what a port did not show. A node gets it when it is back.
        own: Whether a number is shown for a user of this service, and so left alone.
    """

    def __init__(
        self, pbxs: Mapping[str, Pbx], cti: Cti, bus: Bus, observer: Observer, own: Callable[[str], bool]
    ) -> None:
        self._pbxs = pbxs
        self._cti = cti
        self._bus = bus
        self._observer = observer
        self._own = own
        self._presences: dict[str, Presence] = {}
        self._left: set[str] = set()

    async def show(self, number: str, presence: Presence) -> None:
        """Show the presence of a number; ``UNEXISTING`` where no group has it any more."""
        if presence is Presence.UNEXISTING:
            self._presences.pop(number, None)
        else:
            self._presences[number] = presence
        if self._own(number):
            return
        if number in self._left and presence is not Presence.UNEXISTING:
            self._left.discard(number)  # the other group has it by now, so it is not gone for anybody
            await self._announce(number, Presence.UNEXISTING)
        await self._show(number, presence)

    async def _announce(self, number: str, presence: Presence) -> None:
        await self._hand(PortRequest("bus", "presence"), self._bus.presence_changed(number, presence))

    async def _show(self, number: str, presence: Presence) -> None:
        await self._hand(PortRequest("cti", "publish"), self._cti.publish(number, presence))
        await self._hint(self._pbxs, number, presence)

    async def leave(self, numbers: Iterable[str]) -> None:
        """Show numbers of a user who goes to another group: unavailable until that group shows them."""
        for number in numbers:
            self._left.add(number)
            if number not in self._presences:
                self._presences[number] = Presence.UNAVAILABLE
                await self._announce(number, Presence.UNAVAILABLE)
                await self._show(number, Presence.UNAVAILABLE)
            else:
                await self.show(number, self._presences[number])

    async def reveal(self, numbers: Iterable[str]) -> None:
        """Show what is known of numbers that are no user's of this service any more."""
        for number in numbers:
            if number in self._presences:
                await self.show(number, self._presences[number])

    async def show_again(self, nodes: Iterable[str]) -> None:
        """Show all that is known on some nodes, which may have missed it."""
        for number, presence in list(self._presences.items()):
            if not self._own(number):
                await self._hint(nodes, number, presence)

    async def _hint(self, nodes: Iterable[str], number: str, presence: Presence) -> None:
        for node in nodes:
            await self._hand(
                PortRequest("pbx", "hint", node), self._pbxs[node].hint(Number(number), presence)
            )

    async def _hand(self, request: PortRequest, answer: Awaitable[object]) -> None:
        try:
            await answer
        except Exception as error:
            self._observer.failed(request, error)
