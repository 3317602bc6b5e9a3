"""Who owns a group when: the pure decisions, under any order of reads and renewals, pauses and clocks."""

from __future__ import annotations

import asyncio

import pytest
from attrs import define, evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from unique_account.adapters.memory import MemoryGroupLeases
from unique_account.cluster.contender import Contender
from unique_account.cluster.ownership import Ownership
from unique_account.cluster.times import Times
from unique_account.core.errors import InvalidFields
from unique_account.ports.group_leases import Fence, Fenced, GroupLease

TIMES = Times()
LEASE = GroupLease(group="paris", owner="one", address="", epoch=1, counter=7)
RELEASED = evolve(LEASE, owner="")


def seen(lease: GroupLease | None, *reads: float, since: Contender | None = None) -> Contender:
    """A contender that read the same lease at these instants, each answered at once."""
    contender = since or Contender(times=TIMES)
    for instant in reads:
        contender = contender.read(lease, instant, instant)
    return contender


class TestContender:
    def test_an_owner_that_does_not_renew_for_5_s_is_followed(self) -> None:
        assert not seen(LEASE, *range(5)).may_take
        assert seen(LEASE, *range(6)).may_take

    def test_an_owner_that_renews_is_not(self) -> None:
        contender = Contender(times=TIMES)
        for second in range(100):
            contender = contender.read(evolve(LEASE, counter=second // 4), second, second)
            assert not contender.may_take

    @pytest.mark.parametrize("lease", [None, RELEASED])
    def test_a_group_of_nobody_is_taken_at_once(self, lease: GroupLease | None) -> None:
        assert seen(lease, 0).may_take

    def test_what_was_never_read_is_not_taken(self) -> None:
        assert not Contender(times=TIMES).may_take

    def test_time_counts_from_the_first_answer_to_the_last_question(self) -> None:
        contender = Contender(times=TIMES).read(LEASE, 0, 0.9)
        for second in range(1, 6):
            contender = contender.read(LEASE, second, second + 0.9)
        assert not contender.may_take
        assert contender.read(LEASE, 6, 6.9).may_take

    @pytest.mark.parametrize("jump", [10, 1e9])
    def test_a_clock_that_steps_or_a_pause_makes_nobody_an_owner(self, jump: float) -> None:
        assert not seen(LEASE, 0, 1, 1 + jump).may_take

    def test_while_it_cannot_be_read_it_could_not_be_renewed(self) -> None:
        contender = seen(LEASE, *range(4)).unreadable()
        assert not seen(LEASE, 20, 21, since=contender).may_take
        assert seen(LEASE, *range(20, 26), since=contender).may_take

    def test_one_that_reaches_no_node_comes_last(self) -> None:
        assert not seen(RELEASED, 0).may_take_unconnected
        assert seen(RELEASED, *range(16)).may_take_unconnected
        assert not seen(LEASE, *range(20)).may_take_unconnected
        assert seen(LEASE, *range(21)).may_take_unconnected

    def test_after_a_takeover_that_dies_it_rests_longer_each_time(self) -> None:
        contender, rests = Contender(times=TIMES), []
        for _ in range(6):
            contender = contender.failed(59, now=100)
            assert contender.resting_until is not None
            rests.append(contender.resting_until - 100)
            assert not seen(RELEASED, contender.resting_until - 0.1, since=contender).may_take
            assert seen(RELEASED, contender.resting_until, since=contender).may_take
        assert rests == [5, 10, 20, 40, 60, 60]
        assert contender.failed(60, now=100).resting_until == 105

    def test_one_whose_group_was_taken_need_not_rest(self) -> None:
        assert seen(RELEASED, 0, since=Contender(times=TIMES).failed(1, 0).ended(1)).may_take


class TestOwnership:
    OWNERSHIP = Ownership.begun(TIMES, Fence("paris", 1), asked=10, now=11)

    def test_it_is_sure_for_3_and_a_half_seconds_after_it_sent_its_last_renewal(self) -> None:
        assert self.OWNERSHIP.is_sure(13.4)
        assert not self.OWNERSHIP.is_sure(13.5)
        assert self.OWNERSHIP.renewed(12).is_sure(15.4)
        assert not self.OWNERSHIP.renewed(12).renewed(11).is_sure(15.5)

    def test_it_hands_back_after_15_s_without_a_node(self) -> None:
        assert not self.OWNERSHIP.hands_back(25.9)
        assert self.OWNERSHIP.hands_back(26)
        assert not self.OWNERSHIP.saw_nodes(True, 20).saw_nodes(False, 26).hands_back(34.9)
        assert self.OWNERSHIP.saw_nodes(True, 20).hands_back(35)

    def test_it_hands_back_at_most_once_in_10_s(self) -> None:
        short = Ownership.begun(Times(dead=2), Fence("paris", 1), asked=10, now=10)
        assert not short.hands_back(19.9)
        assert short.hands_back(20)


class TestTimes:
    @pytest.mark.parametrize(
        ("changed", "problem"),
        [
            ({"stop": 5.0}, "takeover: is 5; needs to be more than stop"),
            ({"renew": 3.5}, "stop: is 3.5; needs to be more than renew"),
        ],
    )
    def test_an_owner_must_stop_before_others_follow(self, changed: dict[str, float], problem: str) -> None:
        with pytest.raises(InvalidFields) as refused:
            Times(**changed)
        assert refused.value.problems == (problem,)


@frozen
class Move:
    """What a process does next.

    Attributes:
        process: Which one.
        wait: How many seconds pass before it.
        latency: How many seconds the store takes for the answer.
    """

    process: int
    wait: float
    latency: float


@define(eq=False)
class Process:
    """A process with a monotonic clock of its own."""

    rate: float
    offset: float
    contender: Contender = field(factory=lambda: Contender(times=TIMES))
    ownership: Ownership | None = None

    def clock(self, real: float) -> float:
        return self.offset + real * self.rate


@define(eq=False)
class World:
    """Processes that share leases, and the real time."""

    processes: list[Process]
    leases: MemoryGroupLeases = field(factory=MemoryGroupLeases)
    real: float = 0.0
    renewed: float = 0.0
    epochs: list[int] = field(factory=list)

    async def move(self, move: Move) -> None:
        self.real += move.wait
        process = self.processes[move.process]
        if process.ownership is None:
            await self._contend(process, move.latency)
        else:
            await self._renew(process, process.ownership, move.latency)
        self.check()

    async def _renew(self, process: Process, ownership: Ownership, latency: float) -> None:
        sent = process.clock(self.real)
        try:
            await self.leases.renew(ownership.fence)
        except Fenced:
            process.ownership = None
        else:
            self.renewed = self.real
            process.ownership = ownership.renewed(sent)
        self.real += latency

    async def _contend(self, process: Process, latency: float) -> None:
        asked = process.clock(self.real)
        lease = await self.leases.read("paris")
        self.real += latency
        process.contender = process.contender.read(lease, asked, process.clock(self.real))
        if not process.contender.may_take:
            return
        asked = process.clock(self.real)
        fence = await self.leases.take("paris", str(id(process)), "", lease)
        if fence is not None:
            assert not self.epochs or self.real - self.renewed > TIMES.stop / 0.95
            self.epochs.append(fence.epoch)
            self.renewed = self.real
            process.ownership = Ownership.begun(TIMES, fence, asked, process.clock(self.real))
        process.contender = process.contender.unreadable()

    def check(self) -> None:
        sure = [
            process
            for process in self.processes
            if process.ownership is not None and process.ownership.is_sure(process.clock(self.real))
        ]
        assert len(sure) <= 1
        assert self.epochs == list(range(1, len(self.epochs) + 1))


moves = st.builds(
    Move,
    process=st.integers(0, 2),
    wait=st.one_of(st.floats(0, 0.5), st.floats(0, 1.2), st.floats(0, 30)),
    latency=st.one_of(st.just(0.0), st.floats(0, 2)),
)
clocks = st.builds(Process, rate=st.floats(0.95, 1.05), offset=st.floats(-1e6, 1e6))


class TestAnySchedule:
    """Whatever is slow, paused or unlucky, at most one process takes changes, and epochs grow by one."""

    @given(processes=st.lists(clocks, min_size=3, max_size=3), schedule=st.lists(moves, max_size=150))
    def test_at_most_one_is_sure(self, processes: list[Process], schedule: list[Move]) -> None:
        async def play() -> None:
            world = World(processes)
            for move in schedule:
                await world.move(move)

        asyncio.run(play())

    @given(
        processes=st.lists(clocks, min_size=3, max_size=3),
        schedule=st.lists(moves, max_size=60),
        step=st.tuples(st.integers(0, 59), st.floats(0, 1e6)),
    )
    def test_a_clock_that_steps_changes_that_not(
        self, processes: list[Process], schedule: list[Move], step: tuple[int, float]
    ) -> None:
        async def play() -> None:
            world = World(processes)
            for number, move in enumerate(schedule):
                if number == step[0]:
                    processes[move.process].offset += step[1]
                await world.move(move)

        asyncio.run(play())

    @given(schedule=st.lists(moves, max_size=100))
    def test_an_owner_that_renews_keeps_its_group(self, schedule: list[Move]) -> None:
        """However long the standbys are paused."""

        async def play() -> None:
            world = World([Process(1, 0), Process(1.05, 5), Process(0.95, -5)])
            await world.move(Move(0, 0, 0))
            for move in schedule:
                for _ in range(int(move.wait + 1)):
                    await world.move(Move(0, min(move.wait, 1.0), 0))
                await world.move(evolve(move, wait=0, latency=0))
            assert world.epochs == [1]

        asyncio.run(play())
