"""The observer: the one hook for logs, metrics and tests."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.ports.group_leases import NodeTaken


@frozen(weakref_slot=False)
class PortRequest:
    """What a port was asked to do. As text, it is a phrase such as ``pbx mds1: install for alice``.

    Attributes:
        port: The kind of port, such as ``pbx``, ``accounts`` or ``call log``.
        request: What it was asked to do, such as ``install`` or ``connection``.
        name: The name of the adapter, where a service has several of the port; else empty.
        user: The id of the user whom the request concerns; else empty.
    """

    port: str
    request: str
    name: str = ""
    user: str = ""

    def __str__(self) -> str:
        port = f"{self.port} {self.name}" if self.name else self.port
        request = f"{self.request} for {self.user}" if self.user else self.request
        return f"{port}: {request}"


class Observer(Protocol):
    """Receives reports of what the service did. A method must not raise, and must return quickly."""

    def applied(self, event: Event, before: Account, after: Account) -> None:
        """An event changed an account."""
        ...

    def refused(self, event: Event, account: Account, refusal: Refused) -> None:
        """An event was refused; the account did not change."""
        ...

    def failed(self, request: PortRequest, error: Exception) -> None:
        """A port did not fulfil a request.

        Nothing is lost: the service makes the request again with the user's next change or resync. While a
        node is down there may be many such failures, each a `unique_account.ports.pbx.NodeDown`; while the
        store is down, each is a `unique_account.ports.accounts.StoreDown`.
        """
        ...

    def recovered(self, request: PortRequest) -> None:
        """A request that failed before, such as ``pbx mds1: connection``, works again."""
        ...

    def node_taken(self, taken: NodeTaken) -> None:
        """The process took a node of its group; no earlier owner acts there any more."""
        ...
