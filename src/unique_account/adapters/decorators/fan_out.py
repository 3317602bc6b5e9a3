"""Several observers in the place of one."""

from __future__ import annotations

from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.ports.group_leases import NodeTaken
from unique_account.ports.observer import Observer, PortRequest


class FanOut:
    """Passes each report on to several observers, in order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def applied(self, event: Event, before: Account, after: Account) -> None:
        """An event made another account."""
        for observer in self._observers:
            observer.applied(event, before, after)

    def refused(self, event: Event, account: Account, refusal: Refused) -> None:
        """An event was refused."""
        for observer in self._observers:
            observer.refused(event, account, refusal)

    def failed(self, request: PortRequest, error: Exception) -> None:
        """A port did not fulfil a request."""
        for observer in self._observers:
            observer.failed(request, error)

    def recovered(self, request: PortRequest) -> None:
        """A request works again."""
        for observer in self._observers:
            observer.recovered(request)

    def node_taken(self, taken: NodeTaken) -> None:
        """The process took a node."""
        for observer in self._observers:
            observer.node_taken(taken)
