"""Group leases: which process owns a group of media servers, and the fence against earlier owners."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import frozen

from unique_account.core.errors import UniqueAccountError
from unique_account.core.plural import counted


@frozen(weakref_slot=False)
class Fence:
    """What an owner shows with all that it writes.

    Attributes:
        group: The group that it owns.
        epoch: The number of its ownership; every takeover raises it by one.
    """

    group: str
    epoch: int


class Fenced(UniqueAccountError):
    """The group has another owner by now, or none; nothing was written.

    Attributes:
        group: The group.
        epoch: The epoch of this process.
        newer: The epoch that was found; None where the group has no lease at all.
    """

    def __init__(self, group: str, epoch: int, newer: int | None) -> None:
        super().__init__(group, epoch, newer)
        self.group = group
        self.epoch = epoch
        self.newer = newer

    def __str__(self) -> str:
        now = "has no owner" if self.newer is None else f"has an owner of epoch {self.newer}"
        return f"the group {self.group} {now}, this process had epoch {self.epoch}"


@frozen(weakref_slot=False, kw_only=True)
class GroupLease:
    """Who owns a group, as it was read.

    Attributes:
        group: The group.
        owner: The name of the process that owns it; empty after a planned hand-over.
        address: Where browsers reach that process; empty where it serves none.
        epoch: The number of this ownership, from 1.
        counter: How often the owner renewed it; a counter that stands still is a dead owner.
    """

    group: str
    owner: str
    address: str
    epoch: int
    counter: int


class GroupRole(StrEnum):
    """What a process is in its group."""

    STANDBY = "standby"
    STARTING = "starting"
    """It owns the group, and its service is not ready yet."""
    OWNER = "owner"
    UNSURE = "unsure"
    """It owned the group when it last renewed the lease, which was too long ago to take changes."""


@frozen(weakref_slot=False, kw_only=True)
class GroupStanding:
    """How things stand in a group, as one of its processes sees it.

    Attributes:
        group: The group.
        name: The name of the process.
        role: What the process is.
        owner: The name of the owner; empty: there is none, or none is known.
        address: Where browsers reach the owner.
        epoch: The number of the ownership; 0: none is known.
        since: When this process first saw this ownership; None: none is known.
        takeovers: How often this process took the group.
        renewed: How many seconds ago it sent its last renewal that succeeded; None: it is no owner.
    """

    group: str
    name: str
    role: GroupRole
    owner: str = ""
    address: str = ""
    epoch: int = 0
    since: datetime | None = None
    takeovers: int = 0
    renewed: float | None = None

    @property
    def lease(self) -> GroupLease | None:
        """The lease as the process knows it, without its counter; None: nobody ever owned the group."""
        if not self.epoch:
            return None
        return GroupLease(
            group=self.group, owner=self.owner, address=self.address, epoch=self.epoch, counter=0
        )


@frozen(weakref_slot=False, kw_only=True)
class NodeTaken:
    """An owner took a node of its group; as text, a sentence.

    Attributes:
        media_server: The node.
        fence: The ownership.
        ended: How many sessions at the node were ended, those of earlier owners among them.
        seconds: How long that took.
    """

    media_server: str
    fence: Fence
    ended: int
    seconds: float

    def __str__(self) -> str:
        ownership = f"the group {self.fence.group} in epoch {self.fence.epoch}"
        ended = counted(self.ended, "session")
        return f"took {self.media_server} for {ownership} in {self.seconds * 1000:.0f} ms; ended {ended}"


class GroupLeases(Protocol):
    """Where processes agree who owns a group; no clock but each process's own takes part."""

    async def read(self, group: str) -> GroupLease | None:
        """The lease of a group; None where nobody ever owned it."""
        ...

    async def take(
        self, group: str, owner: str, address: str, seen: GroupLease | None, above: int = 0
    ) -> Fence | None:
        """Own a group, if its lease is still the one that was seen; None if another process was faster.

        Once it returns a fence, no write under an earlier epoch is carried out any more.

        Args:
            group: The group.
            owner: The name of the process.
            address: Where browsers reach it.
            seen: The lease as it was read; None: nobody ever owned the group.
            above: The new epoch is above this one, too: a restored database may know less than a node.
        """
        ...

    async def renew(self, fence: Fence) -> None:
        """Raise the counter.

        Raises:
            Fenced: Another process owns the group.
        """
        ...

    async def release(self, fence: Fence) -> None:
        """Give a group up, so that the next owner need not wait; nothing if another process owns it."""
        ...
