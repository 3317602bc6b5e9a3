"""What an owner may do: a pure decision on its renewals and on its nodes."""

from __future__ import annotations

from attrs import evolve, frozen

from unique_account.cluster.times import Times
from unique_account.ports.group_leases import Fence


@frozen(weakref_slot=False, kw_only=True)
class Ownership:
    """What a process knows of a group that it owns; instants are those of its own monotonic clock.

    Attributes:
        times: The times of the group.
        fence: What it shows with all that it writes.
        taken: When it asked for the group.
        sent: When it sent its last renewal that succeeded.
        alive: When one of its nodes was last seen connected.
    """

    times: Times
    fence: Fence
    taken: float
    sent: float
    alive: float

    @classmethod
    def begun(cls, times: Times, fence: Fence, asked: float, now: float) -> Ownership:
        """An ownership that was asked for at an instant, and granted by now."""
        return cls(times=times, fence=fence, taken=asked, sent=asked, alive=now)

    def renewed(self, sent: float) -> Ownership:
        """The ownership after a renewal succeeded."""
        return evolve(self, sent=max(sent, self.sent))

    def saw_nodes(self, connected: bool, now: float) -> Ownership:
        """The ownership after a look at the nodes: whether any of them is connected."""
        return evolve(self, alive=now) if connected else self

    def is_sure(self, now: float) -> bool:
        """Whether no other process can own the group yet, so that changes may be taken."""
        return now - self.sent < self.times.stop

    def hands_back(self, now: float) -> bool:
        """Whether another process should try, as none of the nodes can be reached from here."""
        return now - self.alive >= self.times.dead and now - self.taken >= self.times.tenure
