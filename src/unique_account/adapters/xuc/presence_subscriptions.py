"""Which tab watches which number, and the presence of each."""

from __future__ import annotations

from collections import defaultdict

from attrs import frozen

from unique_account.adapters.xuc.protocol import own_messages, xivo_messages
from unique_account.adapters.xuc.protocol.outgoing import Frames
from unique_account.adapters.xuc.tab import Tab
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.core.view import View
from unique_account.ports.directory import Directory


@frozen(weakref_slot=False)
class Diversion:
    """What keeps calls from ringing at a number, beside what its phones do.

    Attributes:
        do_not_disturb: Whether do-not-disturb is on.
        forwarded: Whether an unconditional forward is on; where to is the user's own affair.
    """

    do_not_disturb: bool = False
    forwarded: bool = False


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
        frames: Makes the frames.
    """

    def __init__(self, directory: Directory, frames: Frames) -> None:
        self._directory = directory
        self._frames = frames
        self._presences: dict[str, Presence] = {}
        self._diversions: dict[str, Diversion] = {}
        self._subscribers: defaultdict[str, set[Tab]] = defaultdict(set)

    async def visible_to(self, user: str, number: str) -> VisiblePresence:
        """What a user sees of a number: nothing, unless the directory allows it."""
        if not number or not await self._directory.may_see(user, number):
            return VisiblePresence(allowed=False)
        return VisiblePresence(True, await self._directory.name(number), self.of(number))

    async def visible_name(self, user: str, number: str) -> str:
        """The name behind a number, or nothing where the user does not see one."""
        return (await self.visible_to(user, number)).name or ""

    def of(self, number: str) -> Presence | None:
        """The presence of a number, as last published; None: not known yet."""
        return self._presences.get(Number(number))

    def publish(self, number: str, presence: Presence) -> None:
        """Show a presence in every tab that watches the number."""
        if presence is Presence.UNEXISTING:
            self._presences.pop(number, None)
        else:
            self._presences[number] = presence
        frame = self._hint(number, presence)
        for tab in tuple(self._subscribers.get(number, ())):
            tab.queue.put(frame, number)

    def diversion_of(self, number: str) -> Diversion:
        """What keeps calls from ringing at a number."""
        return self._diversions.get(number, Diversion())

    def publish_diversion(self, view: View) -> None:
        """Show what keeps calls from ringing at a user's number, where that changed."""
        diversion = Diversion(view.forwarding.do_not_disturb, view.forward is not None)
        if diversion != self.diversion_of(view.number):
            self._diversions[view.number] = diversion
            for tab in tuple(self._subscribers.get(view.number, ())):
                tab.queue.put(self._diversion_frame(view.number), f"diversion {view.number}")

    def forget_diversion(self, number: str) -> None:
        """A number is nobody's any more."""
        self._diversions.pop(number, None)

    def _diversion_frame(self, number: str) -> str:
        shown = self.diversion_of(number)
        content = own_messages.diversion(number, shown.do_not_disturb, shown.forwarded)
        return self._frames.message("ColleagueDiversion", content)

    def _hint(self, number: str, presence: Presence) -> str:
        return self._frames.message("PhoneHintStatusEvent", xivo_messages.hint(number, presence))

    def show_unknown(self, tab: Tab, number: str) -> None:
        """Show a number that the tab's user may not see as one that is not used."""
        tab.queue.put(self._hint(number, Presence.UNEXISTING), number)

    def subscribe(self, tab: Tab, number: str) -> None:
        """Show a number's presence in a tab from now on, unless it is gone."""
        if tab.is_gone:
            return
        tab.watched.add(number)
        self._subscribers[number].add(tab)
        if number in self._presences:
            tab.queue.put(self._hint(number, self._presences[number]), number)

    def clear(self) -> None:
        """Know of no presence, and show none in any tab."""
        self._presences.clear()
        self._diversions.clear()
        self._subscribers.clear()

    def unsubscribe(self, tab: Tab) -> None:
        """Show no number's presence in a tab any more."""
        for number in tab.watched:
            self._subscribers[number].discard(tab)
            if not self._subscribers[number]:
                del self._subscribers[number]
        tab.watched.clear()
