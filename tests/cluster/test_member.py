"""A process of a group, on leases in memory: takeovers, hand-overs, losses and rests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from attrs import define, field

from tests.event_loop import in_loop
from unique_account.adapters.memory import MemoryGroupLeases
from unique_account.cluster.member import DidNotClose, GroupMember
from unique_account.cluster.tenure import Tenure
from unique_account.cluster.times import Times
from unique_account.core.errors import Unreachable
from unique_account.ports.group_leases import Fence, Fenced, GroupLease, GroupRole

TIMES = Times(
    renew=0.03, look=0.01, stop=0.2, takeover=0.5, dead=0.4, tenure=0.1, young=5, rest=0.3, close=0.2
)
PATIENCE = 5


class Leases(MemoryGroupLeases):
    """Leases that may be out of reach."""

    is_reachable = True

    async def read(self, group: str) -> GroupLease | None:
        self._check()
        return await super().read(group)

    async def renew(self, fence: Fence) -> None:
        self._check()
        await super().renew(fence)

    def _check(self) -> None:
        if not self.is_reachable:
            raise Unreachable("the leases are out of reach")


@define(eq=False)
class Process:
    """A member and what its service does."""

    leases: Leases
    name: str
    begun: list[Tenure] = field(factory=list)
    closed: list[int] = field(factory=list)
    fails: Exception | None = None
    hangs: bool = False
    reaches: bool = True
    connected: bool = True
    stop: asyncio.Event = field(factory=asyncio.Event)
    member: GroupMember = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.member = GroupMember(
            self.leases,
            "paris",
            self.name,
            f"https://{self.name}",
            reaches=self._reached,
            times=TIMES,
        )

    async def _reached(self) -> bool:
        return self.reaches

    async def _serve(self, tenure: Tenure) -> None:
        self.begun.append(tenure)
        if self.fails:
            raise self.fails
        tenure.nodes = lambda: self.connected
        tenure.is_ready = True
        await tenure.over.wait()
        while self.hangs:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue
        self.closed.append(tenure.fence.epoch)

    @property
    def role(self) -> GroupRole:
        return self.member.standing.role

    async def owns(self, epoch: int | None = None) -> None:
        await until(lambda: self.role is GroupRole.OWNER and epoch in (None, self.member.standing.epoch))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.member.run(self._serve, self.stop))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - nothing says so
            await asyncio.sleep(0.005)


async def owner(leases: Leases) -> GroupLease:
    lease = await MemoryGroupLeases.read(leases, "paris")
    assert lease is not None
    return lease


class TestTakeover:
    @in_loop
    async def test_the_first_process_owns_the_group(self) -> None:
        one = Process(Leases(), "one")
        async with one.running():
            await one.owns(1)
            standing = one.member.standing
            assert (standing.owner, standing.address, standing.takeovers) == ("one", "https://one", 1)
            assert standing.since is not None
            assert standing.renewed is not None

    @in_loop
    async def test_a_standby_knows_the_owner(self) -> None:
        leases = Leases()
        one, two = Process(leases, "one"), Process(leases, "two")
        async with one.running():
            await one.owns()
            async with two.running():
                await until(lambda: two.member.standing.owner == "one")
                await asyncio.sleep(2 * TIMES.takeover)
                standing = two.member.standing
                assert (standing.role, standing.address, standing.epoch) == ("standby", "https://one", 1)
                assert (standing.takeovers, standing.renewed) == (0, None)
                assert not two.begun

    @in_loop
    async def test_after_a_planned_stop_nothing_of_the_former_owner_is_left(self) -> None:
        leases = Leases()
        one, two = Process(leases, "one"), Process(leases, "two")
        async with one.running() as task:
            await one.owns(1)
            one.stop.set()
            await task
        async with two.running():
            await two.owns(2)
        assert two.begun[0].is_handed_over

    @in_loop
    async def test_an_owner_that_dies_is_followed(self) -> None:
        leases = Leases()
        one, two = Process(leases, "one"), Process(leases, "two")
        async with two.running():
            await two.owns(1)
        async with one.running():
            await one.owns(2)
        assert not one.begun[0].is_handed_over

    @in_loop
    async def test_a_planned_stop_hands_over_at_once(self) -> None:
        leases = Leases()
        one, two = Process(leases, "one"), Process(leases, "two")
        async with one.running() as running:
            await one.owns()
            async with two.running():
                await until(lambda: two.member.standing.owner == "one")
                one.stop.set()
                await running
                assert one.closed == [1], "it closes before another process may own the group"
                async with asyncio.timeout(0.9 * TIMES.takeover):
                    await two.owns(2)

    @in_loop
    async def test_one_that_reaches_no_node_leaves_it_to_others(self) -> None:
        leases = Leases()
        one, two = Process(leases, "one", reaches=False), Process(leases, "two")
        async with one.running():
            await asyncio.sleep(TIMES.dead / 2)
            async with two.running():
                await two.owns(1)
                assert not one.begun

    @in_loop
    async def test_if_nobody_reaches_a_node_one_owns_it_still(self) -> None:
        one = Process(Leases(), "one", reaches=False)
        async with one.running():
            await one.owns(1)


class TestLoss:
    @in_loop
    async def test_an_owner_that_was_followed_closes_and_is_a_standby(self) -> None:
        leases = Leases()
        one = Process(leases, "one")
        async with one.running():
            await one.owns()
            assert await leases.take("paris", "two", "", await owner(leases))
            await until(lambda: one.closed == [1])
            assert not one.begun[0].is_sure
            assert isinstance(one.begun[0].why, Fenced)
            await until(lambda: one.member.standing.owner == "two")
            assert (await owner(leases)).owner == "two", "it does not release what another process owns"
            await one.owns(3)  # as the other one does not renew it

    @in_loop
    async def test_out_of_reach_it_takes_no_changes_and_goes_on_later(self) -> None:
        """Nobody can take the group over meanwhile, as all need the same database."""
        leases = Leases()
        one, two = Process(leases, "one"), Process(leases, "two")
        async with one.running():
            await one.owns()
            async with two.running():
                leases.is_reachable = False
                await until(lambda: one.role is GroupRole.UNSURE)
                assert not one.begun[0].is_sure
                await asyncio.sleep(2 * TIMES.takeover)
                leases.is_reachable = True
                await one.owns(1)
                await asyncio.sleep(TIMES.takeover)
                assert (len(one.begun), len(two.begun)) == (1, 0)

    @in_loop
    async def test_a_node_that_knows_a_newer_epoch_is_outranked(self) -> None:
        """As after the database was restored from a backup."""
        one = Process(Leases(), "one")
        async with one.running():
            await one.owns(1)
            one.begun[0].end(Fenced("paris", 1, 41))
            await one.owns(42)

    @in_loop
    async def test_a_service_that_does_not_close_is_an_error(self) -> None:
        one = Process(Leases(), "one", hangs=True)
        async with one.running() as running:
            await one.owns()
            one.begun[0].end(Fenced("paris", 1, 2))
            with pytest.raises(DidNotClose):
                await running
            one.hangs = False


class TestRests:
    @in_loop
    async def test_one_whose_service_dies_lets_others_try(self) -> None:
        leases = Leases()
        one, two = Process(leases, "one", fails=Unreachable("no store")), Process(leases, "two")
        async with one.running():
            await until(lambda: len(one.begun) == 1)
            async with two.running():
                await two.owns(2)
            one.fails = None
            await one.owns()
            assert len(one.begun) == 2

    @in_loop
    async def test_one_without_nodes_hands_back(self) -> None:
        leases = Leases()
        one, two = Process(leases, "one"), Process(leases, "two")
        async with one.running():
            await one.owns()
            async with two.running():
                one.connected = False
                await two.owns(2)
                assert one.closed == [1]
                assert "no node" in str(one.begun[0].why)
