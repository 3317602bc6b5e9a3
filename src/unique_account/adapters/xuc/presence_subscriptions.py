"""Which tab watches which number, and the presence of each."""

from __future__ import annotations

from collections import defaultdict

from attrs import frozen

from unique_account.adapters.xuc.protocol import xivo_messages
from unique_account.adapters.xuc.tab import Tab
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.ports.directory import Directory


@frozen(weakref_slot=False)
class VisiblePresence:
    """What a user sees of a number.

    Attributes:
        allowed: Whether the user may see it; if not, the rest is None.
        name: The full name of its user; None: no user is known to have it.
        presence: Its presence; None: not known yet.
    """

    allowed: bool
    name: str | None = None
    presence: Presence | None = None


class PresenceSubscriptions:
    """The tabs that watch each number.

    Args:
        directory: Decides which numbers a user may see.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._presences: dict[str, Presence] = {}
        self._subscribers: defaultdict[str, set[Tab]] = defaultdict(set)

    async def visible_to(self, user: str, number: str) -> VisiblePresence:
        """What a user sees of a number: nothing, unless the directory allows it."""
        if not number or not await self._directory.may_see(user, number):
            return VisiblePresence(allowed=False)
        return VisiblePresence(True, await self._directory.name(number), self.of(number))

    def of(self, number: str) -> Presence | None:
        """The presence of a number, as last published; None: not known yet."""
        return self._presences.get(Number(number))

    def publish(self, number: str, presence: Presence) -> None:
        """Show a presence in every tab that watches the number."""
        if presence is Presence.UNEXISTING:
            self._presences.pop(number, None)
        else:
            self._presences[number] = presence
        frame = xivo_messages.hint(number, presence)
        for tab in tuple(self._subscribers.get(number, ())):
            tab.queue.put(frame, number)

    def subscribe(self, tab: Tab, number: str) -> None:
        """Show a number's presence in a tab from now on, unless it is gone."""
        if tab.is_gone:
            return
        tab.watched.add(number)
        self._subscribers[number].add(tab)
        if number in self._presences:
            tab.queue.put(xivo_messages.hint(number, self._presences[number]), number)

    def unsubscribe(self, tab: Tab) -> None:
        """Show no number's presence in a tab any more."""
        for number in tab.watched:
            self._subscribers[number].discard(tab)
            if not self._subscribers[number]:
                del self._subscribers[number]
        tab.watched.clear()
