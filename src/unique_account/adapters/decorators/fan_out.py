"""Several observers in the place of one."""

from __future__ import annotations

from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.ports.observer import Observer, PortRequest


class FanOut:
    """Tells each of several observers what it is told, in order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def applied(self, event: Event, before: Account, after: Account) -> None:
        """Tell each of an event that made another account."""
        for observer in self._observers:
            observer.applied(event, before, after)

    def refused(self, event: Event, account: Account, refusal: Refused) -> None:
        """Tell each of a refusal."""
        for observer in self._observers:
            observer.refused(event, account, refusal)

    def failed(self, request: PortRequest, error: Exception) -> None:
        """Tell each of a failure."""
        for observer in self._observers:
            observer.failed(request, error)

    def recovered(self, request: PortRequest) -> None:
        """Tell each of what works again."""
        for observer in self._observers:
            observer.recovered(request)
