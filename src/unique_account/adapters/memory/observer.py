"""An observer that remembers everything."""

from __future__ import annotations

from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.ports.group_leases import NodeTaken
from unique_account.ports.observer import PortRequest


class MemoryObserver:
    """Remembers everything, so it is for tests and short demos.

    Attributes:
        applications: Each event that made another account, with the accounts before and after.
        refusals: Each refused event, with its refusal.
        failures: Each request that a port did not fulfil, with its error.
        recoveries: What works again.
        taken: Each node that was taken.
    """

    def __init__(self) -> None:
        self.applications: list[tuple[Event, Account, Account]] = []
        self.refusals: list[tuple[Event, Refused]] = []
        self.failures: list[tuple[PortRequest, Exception]] = []
        self.recoveries: list[PortRequest] = []
        self.taken: list[NodeTaken] = []

    def applied(self, event: Event, before: Account, after: Account) -> None:
        """Remember an event that made another account."""
        self.applications.append((event, before, after))

    def refused(self, event: Event, account: Account, refusal: Refused) -> None:
        """Remember a refusal."""
        self.refusals.append((event, refusal))

    def failed(self, request: PortRequest, error: Exception) -> None:
        """Remember a failure."""
        self.failures.append((request, error))

    def recovered(self, request: PortRequest) -> None:
        """Remember a recovery."""
        self.recoveries.append(request)

    def node_taken(self, taken: NodeTaken) -> None:
        """Remember a node that was taken."""
        self.taken.append(taken)
