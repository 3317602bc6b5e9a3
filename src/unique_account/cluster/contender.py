"""When a standby takes a group over: a pure decision on what it has read of the lease."""

from __future__ import annotations

from attrs import evolve, frozen

from unique_account.cluster.times import Times
from unique_account.ports.group_leases import GroupLease


@frozen(weakref_slot=False, kw_only=True)
class Contender:
    """What a process knows of a group that it does not own.

    Instants are those of its own monotonic clock. The lease stood still from the answer to the first read of
    it to the question of the last one. Between two reads at most the time of a renewal counts, so neither a
    clock that steps nor a process that was paused makes an owner look dead.

    Attributes:
        times: The times of the group.
        is_known: Whether the last read succeeded.
        lease: The lease as it was read last; None: nobody ever owned the group.
        unchanged: For how many seconds it has been seen so.
        counted: Up to which instant that is.
        failures: How many ownerships of this process in a row were no success.
        resting_until: When it contends again.
    """

    times: Times
    is_known: bool = False
    lease: GroupLease | None = None
    unchanged: float = 0.0
    counted: float = 0.0
    failures: int = 0
    resting_until: float | None = None

    def read(self, lease: GroupLease | None, asked: float, answered: float) -> Contender:
        """The contender after it read the lease."""
        if not self.is_known or lease != self.lease:
            return evolve(self, is_known=True, lease=lease, unchanged=0.0, counted=answered)
        passed = min(max(asked - self.counted, 0.0), self.times.renew)
        return evolve(self, unchanged=self.unchanged + passed, counted=max(asked, self.counted))

    def unreadable(self) -> Contender:
        """The contender after it could not read the lease; the owner could not renew it then, either."""
        return evolve(self, is_known=False)

    @property
    def may_take(self) -> bool:
        """Whether the group is nobody's, or its owner seems dead."""
        return self._waited(self.times.takeover, 0.0)

    @property
    def may_take_unconnected(self) -> bool:
        """The same for a process that reaches none of the nodes: it leaves others the time to be first."""
        return self._waited(self.times.takeover + self.times.dead, self.times.dead)

    def _waited(self, owned: float, free: float) -> bool:
        if not self.is_known or (self.resting_until is not None and self.counted < self.resting_until):
            return False
        is_free = self.lease is None or not self.lease.owner
        return self.unchanged >= (free if is_free else owned)

    def failed(self, lived: float, now: float) -> Contender:
        """The contender after an ownership of its own ended by itself."""
        failures = self.failures + 1 if lived < self.times.young else 1
        rest = min(self.times.rest * 2 ** min(failures - 1, 30), self.times.longest_rest)
        return evolve(self, is_known=False, failures=failures, resting_until=now + rest)

    def ended(self, lived: float) -> Contender:
        """The contender after an ownership that another process ended; it need not rest."""
        failures = self.failures if lived < self.times.young else 0
        return evolve(self, is_known=False, failures=failures, resting_until=None)
