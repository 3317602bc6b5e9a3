"""One ownership of a group by this process, from the takeover to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from unique_account.cluster.ownership import Ownership
from unique_account.core.errors import UniqueAccountError
from unique_account.ports.group_leases import Fence, Fenced


class HandedBack(UniqueAccountError):
    """A process gave its group up, as it reached none of the nodes.

    Attributes:
        group: The group.
        seconds: For how long it reached none.
    """

    def __init__(self, group: str, seconds: float) -> None:
        super().__init__(group, seconds)
        self.group = group
        self.seconds = seconds

    def __str__(self) -> str:
        return f"no node of the group {self.group} was connected for {self.seconds:g} s"


class Tenure:
    """One ownership of a group, which the service reads and the lease's keeper writes.

    Args:
        ownership: How it begins.
        now: The monotonic clock.
        is_handed_over: Whether the former owner gave the group up.

    Attributes:
        fence: What the owner shows with all that it writes.
        is_handed_over: Whether the former owner gave the group up, so that nothing of it runs any more.
        over: Set when the service has to close, in order.
        why: Why it is over, if it is not for a planned stop.
        is_ready: Whether the service is ready.
        nodes: Whether any of the service's nodes is connected.
    """

    def __init__(
        self, ownership: Ownership, now: Callable[[], float], *, is_handed_over: bool = False
    ) -> None:
        self._ownership = ownership
        self._now = now
        self.is_handed_over = is_handed_over
        self.over = asyncio.Event()
        self.why: Exception | None = None
        self.is_ready = False
        self.nodes: Callable[[], bool] = lambda: True

    @property
    def fence(self) -> Fence:
        """What the owner shows with all that it writes."""
        return self._ownership.fence

    @property
    def is_sure(self) -> bool:
        """Whether no other process can own the group yet, so that changes may be taken."""
        return not self.is_lost and self._ownership.is_sure(self._now())

    @property
    def is_lost(self) -> bool:
        """Whether another process owns the group."""
        return isinstance(self.why, Fenced)

    @property
    def age(self) -> float:
        """For how many seconds the process has owned the group."""
        return self._now() - self._ownership.taken

    @property
    def renewed(self) -> float:
        """How many seconds ago the last renewal was sent that succeeded."""
        return self._now() - self._ownership.sent

    def keep(self, sent: float) -> None:
        """Take a renewal down that succeeded."""
        self._ownership = self._ownership.renewed(sent)

    def look_at_nodes(self) -> None:
        """End it if no node has been connected for long."""
        now = self._now()
        self._ownership = self._ownership.saw_nodes(not self.is_ready or self.nodes(), now)
        if self._ownership.hands_back(now):
            self.end(HandedBack(self.fence.group, self._ownership.times.dead))

    def end(self, why: Exception | None = None) -> None:
        """Have the service close; the first reason counts, but for a fence, which counts always."""
        if self.why is None or isinstance(why, Fenced):
            self.why = why
        self.over.set()
