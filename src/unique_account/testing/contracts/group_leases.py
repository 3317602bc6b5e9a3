"""What every store of group leases must do."""

from __future__ import annotations

import asyncio

import pytest
from attrs import evolve

from unique_account.ports.group_leases import Fence, Fenced, GroupLease, GroupLeases
from unique_account.testing.contracts.scenario import Contract, scenario

FIRST = GroupLease(group="paris", owner="one", address="https://one", epoch=1, counter=0)


async def taken(leases: GroupLeases, owner: str, group: str = "paris") -> Fence:
    """The fence of a process that takes a group as it is now."""
    fence = await leases.take(group, owner, f"https://{owner}", await leases.read(group))
    assert fence is not None
    return fence


class GroupLeasesContract(Contract[GroupLeases]):
    """The contract of `unique_account.ports.group_leases.GroupLeases`; ``open`` gives an empty store."""

    @scenario
    async def test_a_group_that_nobody_owned_has_no_lease(self, leases: GroupLeases) -> None:
        """None where nobody ever owned it."""
        assert await leases.read("paris") is None

    @scenario
    async def test_the_first_owner_has_the_first_epoch(self, leases: GroupLeases) -> None:
        """Own a group, if its lease is still the one that was seen; epochs start at 1."""
        assert await leases.take("paris", "one", "https://one", None) == Fence("paris", 1)
        lease = await leases.read("paris")
        assert lease is not None
        assert evolve(lease, counter=0) == FIRST

    @scenario
    async def test_each_takeover_raises_the_epoch_by_one(self, leases: GroupLeases) -> None:
        """The number of this ownership grows by one at each takeover."""
        epochs = [(await taken(leases, owner)).epoch for owner in ("one", "two", "one")]
        assert epochs == [1, 2, 3]
        lease = await leases.read("paris")
        assert lease is not None
        assert (lease.owner, lease.address, lease.epoch) == ("one", "https://one", 3)

    @scenario
    async def test_an_epoch_can_be_lifted_above_another(self, leases: GroupLeases) -> None:
        """The new epoch is above this one, too; whether somebody owned the group or not."""
        assert await leases.take("paris", "one", "", None, 6) == Fence("paris", 7)
        assert await leases.take("paris", "two", "", await leases.read("paris"), 3) == Fence("paris", 8)
        assert await leases.take("paris", "one", "", await leases.read("paris"), 20) == Fence("paris", 21)

    @scenario
    async def test_a_lease_that_changed_is_not_taken(self, leases: GroupLeases) -> None:
        """None if another process was faster, or the owner renewed it, or gave it up."""
        fence = await taken(leases, "one")
        seen = await leases.read("paris")
        assert await leases.take("paris", "two", "", None) is None
        await leases.renew(fence)
        assert await leases.take("paris", "two", "", seen) is None
        seen = await leases.read("paris")
        await leases.release(fence)
        assert await leases.take("paris", "two", "", seen) is None
        await taken(leases, "two")
        assert await leases.take("paris", "three", "", seen) is None

    @scenario
    async def test_of_many_contenders_exactly_one_wins(self, leases: GroupLeases) -> None:
        """None if another process was faster."""
        for epoch in (1, 2, 3):
            seen = await leases.read("paris")
            takes = (leases.take("paris", f"process-{number}", "", seen) for number in range(8))
            fences = [fence for fence in await asyncio.gather(*takes) if fence is not None]
            assert fences == [Fence("paris", epoch)]

    @scenario
    async def test_a_renewal_raises_the_counter(self, leases: GroupLeases) -> None:
        """Raise the counter, and change nothing else."""
        fence = await taken(leases, "one")
        before = await leases.read("paris")
        await leases.renew(fence)
        await leases.renew(fence)
        assert before is not None
        assert await leases.read("paris") == evolve(before, counter=before.counter + 2)

    @scenario
    async def test_an_earlier_owner_renews_nothing(self, leases: GroupLeases) -> None:
        """Another process owns the group."""
        fence = await taken(leases, "one")
        await taken(leases, "two")
        before = await leases.read("paris")
        with pytest.raises(Fenced) as fenced:
            await leases.renew(fence)
        assert (fenced.value.group, fenced.value.epoch, fenced.value.newer) == ("paris", 1, 2)
        assert await leases.read("paris") == before

    @scenario
    async def test_a_released_group_has_no_owner(self, leases: GroupLeases) -> None:
        """Give a group up, so that the next owner need not wait; its epoch stays taken."""
        fence = await taken(leases, "one")
        await leases.release(fence)
        lease = await leases.read("paris")
        assert lease is not None
        assert (lease.owner, lease.address, lease.epoch) == ("", "", 1)
        with pytest.raises(Fenced) as fenced:
            await leases.renew(fence)
        assert fenced.value.newer is None
        assert await taken(leases, "two") == Fence("paris", 2)

    @scenario
    async def test_a_group_of_another_owner_is_not_released(self, leases: GroupLeases) -> None:
        """Nothing if another process owns it."""
        fence = await taken(leases, "one")
        await taken(leases, "two")
        before = await leases.read("paris")
        await leases.release(fence)
        await leases.release(Fence("nowhere", 1))
        assert await leases.read("paris") == before
        assert await leases.read("nowhere") is None

    @scenario
    async def test_groups_do_not_touch_each_other(self, leases: GroupLeases) -> None:
        """A lease is that of one group."""
        paris, lyon = await taken(leases, "one"), await taken(leases, "two", "lyon")
        await leases.renew(lyon)
        await leases.release(paris)
        lease = await leases.read("lyon")
        assert lease is not None
        assert (lease.owner, lease.epoch) == ("two", 1)

    @scenario
    async def test_a_group_without_a_lease_is_not_renewed(self, leases: GroupLeases) -> None:
        """The group has no lease at all."""
        with pytest.raises(Fenced) as fenced:
            await leases.renew(Fence("nowhere", 4))
        assert fenced.value.newer is None
