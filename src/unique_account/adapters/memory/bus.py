"""A bus that remembers what was announced."""

from __future__ import annotations

from unique_account.core.forwarding import Forwarding
from unique_account.core.machine import Device
from unique_account.core.presence import Presence


class MemoryBus:
    """Remembers the last word on each number and user.

    Attributes:
        presences: By number.
        forwardings: By user.
        selections: By user.
    """

    def __init__(self) -> None:
        self.presences: dict[str, Presence] = {}
        self.forwardings: dict[str, Forwarding] = {}
        self.selections: dict[str, Device] = {}

    async def presence_changed(self, number: str, presence: Presence) -> None:
        """Remember a number's presence."""
        self.presences[number] = presence

    async def forwarding_changed(self, user: str, forwarding: Forwarding) -> None:
        """Remember a user's forwarding."""
        self.forwardings[user] = forwarding

    async def selection_changed(self, user: str, selection: Device) -> None:
        """Remember which device a user has selected."""
        self.selections[user] = selection
