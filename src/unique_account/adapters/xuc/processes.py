"""The processes that browsers can reach, where several share the users; see `Processes`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, Final

from attrs import field, frozen

from unique_account.ports.group_leases import GroupLease

BEAT: Final = 2.0
"""How many seconds lie between two heartbeats of a page.

A page leaves a process that sent nothing between two of them: within twice this, and so in a lease of 5 s.
"""


class Browsers(StrEnum):
    """How a browser comes to the process that serves its user."""

    REDIRECT = "redirect"
    """Our page is sent there. Other clients know one address, so they are passed through."""

    PASS = "pass"
    """All are passed through: they can reach this process only."""


def _addresses(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(text.rstrip("/") for text in texts)


@frozen(weakref_slot=False, kw_only=True)
class Processes:
    """The processes that share the users.

    Attributes:
        owner: Who owns the group of a user, as last read; None: nobody ever did. It does not wait.
        name: The name of this process in leases.
        addresses: Where browsers reach each process, such as ``https://one.example.org``.
        browsers: How a browser comes to the process that serves its user.
        beat: How many seconds lie between two heartbeats of a page.
    """

    owner: Callable[[str], GroupLease | None]
    name: str
    addresses: tuple[str, ...] = field(default=(), converter=_addresses)
    browsers: Browsers = Browsers.REDIRECT
    beat: float = BEAT

    @property
    def origins(self) -> tuple[str, ...]:
        """Where a page of one process may connect: the addresses, also as those of WebSockets."""
        return (*self.addresses, *(address.replace("http", "ws", 1) for address in self.addresses))

    def is_here(self, user: str) -> bool:
        """Whether this process owns the group of a user."""
        lease = self.owner(user)
        return lease is not None and lease.owner == self.name

    def elsewhere(self, user: str) -> GroupLease | None:
        """The lease of another process that serves a user; None: no other one does."""
        lease = self.owner(user)
        if lease is None or not lease.owner or not lease.address or lease.owner == self.name:
            return None
        return lease

    def message(self, user: str) -> dict[str, Any]:
        """``Processes``: where a user is served."""
        lease = self.owner(user)
        address = lease.address.rstrip("/") if lease is not None and lease.owner else ""
        return {"owner": address or None, "addresses": list(self.addresses), "beat": self.beat}
