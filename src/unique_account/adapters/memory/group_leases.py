"""Group leases between services of one process."""

from __future__ import annotations

from attrs import evolve

from unique_account.ports.group_leases import Fence, Fenced, GroupLease


class MemoryGroupLeases:
    """Keeps group leases in a dict."""

    def __init__(self) -> None:
        self._leases: dict[str, GroupLease] = {}

    async def read(self, group: str) -> GroupLease | None:
        """The lease of a group; None where nobody ever owned it."""
        return self._leases.get(group)

    async def take(
        self, group: str, owner: str, address: str, seen: GroupLease | None, above: int = 0
    ) -> Fence | None:
        """Own a group, if its lease is still the one that was seen; None if another process was faster."""
        if self._leases.get(group) != seen:
            return None
        epoch, counter = (seen.epoch, seen.counter + 1) if seen else (0, 0)
        lease = GroupLease(
            group=group, owner=owner, address=address, epoch=max(epoch, above) + 1, counter=counter
        )
        self._leases[group] = lease
        return Fence(group, lease.epoch)

    async def renew(self, fence: Fence) -> None:
        """Raise the counter."""
        self.check(fence)
        lease = self._leases[fence.group]
        self._leases[fence.group] = evolve(lease, counter=lease.counter + 1)

    async def release(self, fence: Fence) -> None:
        """Give a group up; nothing if another process owns it."""
        lease = self._leases.get(fence.group)
        if lease is not None and lease.epoch == fence.epoch:
            self._leases[fence.group] = evolve(lease, owner="", address="")

    def check(self, fence: Fence) -> None:
        """Compare a fence with the lease.

        Raises:
            Fenced: The group has another owner, or none.
        """
        lease = self._leases.get(fence.group)
        if lease is None or not lease.owner or lease.epoch != fence.epoch:
            raise Fenced(fence.group, fence.epoch, lease.epoch if lease and lease.owner else None)
