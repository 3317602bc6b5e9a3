"""The observer: the one hook for logs, metrics and tests."""

from __future__ import annotations

from typing import Protocol

from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import Event


class Observer(Protocol):
    """Is told what the service did. It must not raise, and must not take long."""

    def applied(self, event: Event, before: Account, after: Account) -> None:
        """An event made another account."""
        ...

    def refused(self, event: Event, account: Account, refusal: Refused) -> None:
        """An event was refused, and the account is what it was."""
        ...

    def failed(self, what: str, error: Exception) -> None:
        """A port did not do what it was asked for; ``what`` names the port, the request and the user.

        Nothing is lost: what is owed is handed over with the user's next change or resync. While a node is
        down there may be many such failures, each a `unique_account.ports.pbx.NodeDown`, and while the store
        is, each a `unique_account.ports.accounts.StoreDown`.
        """
        ...

    def recovered(self, what: str) -> None:
        """What failed before, such as ``pbx mds1: connection``, works again."""
        ...
