"""The bus: what other services of the company learn about accounts."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from unique_account.core.forwarding import Forwarding
from unique_account.core.machine import Device
from unique_account.core.presence import Presence


@frozen(weakref_slot=False, kw_only=True)
class BusStanding:
    """How a bus stands.

    Attributes:
        is_connected: Whether it takes what is announced, and passes on what others say.
        waiting: How many last words it has not confirmed.
        dropped: How many messages of it were not understood.
    """

    is_connected: bool
    waiting: int
    dropped: int


class Bus(Protocol):
    """A message bus. An announcement may come again with the same content; listeners take the last one.

    The service makes these requests while it holds a user's lock, so none of them may wait for a broker.
    """

    async def presence_changed(self, number: str, presence: Presence) -> None:
        """A number's presence is this now (P5)."""
        ...

    async def forwarding_changed(self, user: str, forwarding: Forwarding) -> None:
        """A user's do-not-disturb and forwards are these now."""
        ...

    async def selection_changed(self, user: str, selection: Device) -> None:
        """The device that a user has selected is this now."""
        ...
