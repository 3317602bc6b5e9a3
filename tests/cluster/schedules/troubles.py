"""What befalls the processes, the database, the nodes and the wires between them."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from random import Random
from typing import Final

from attrs import define, frozen

from tests.cluster.checker.history import HandOver
from tests.cluster.schedules import audit
from tests.cluster.schedules.members import LEASE, TIMES, Member
from tests.cluster.schedules.workload import Workload
from tests.cluster.schedules.world import World

OUTLIVES: Final = TIMES["takeover"] + 0.4
"""An owner that is away for so many seconds is followed."""
SETTLES: Final = 0.3
"""After so many seconds in which nobody does anything no lamp changes."""


@frozen
class Gone:
    """An owner is gone.

    Attributes:
        why: How it went.
        at: When.
        epoch: What it was the owner of.
    """

    why: str
    at: float
    epoch: int


@define(eq=False)
class Troubles:
    """Brings trouble, and takes it away again.

    Attributes:
        at: What it befalls.
        work: What users do meanwhile.
        random: Draws.
        gone: The owners that went.
        lasted: Each trouble, from when until when, and whether it is a reason for a takeover.
        under_way: What is wrong now.
    """

    at: World
    work: Workload
    random: Random
    gone: list[Gone]
    lasted: list[tuple[float, float, bool]]
    under_way: list[str]

    @asynccontextmanager
    async def trouble(self, what: str, *, excuses: bool) -> AsyncIterator[None]:
        """Something is wrong until the context is left."""
        begun = time.monotonic()
        self.at.tell(what)
        self.under_way.append(what)
        try:
            yield
        finally:
            self.under_way.remove(what)
            self.at.tell(f"no more: {what}")
            self.lasted.append((begun, time.monotonic(), excuses))

    def _of_owner(self, why: str, owner: Member) -> None:
        self.gone.append(Gone(why, time.monotonic(), owner.epoch))

    def _owner(self) -> Member:
        return self.at.owner or self.random.choice(self.at.members)

    def _standby(self) -> Member:
        return self.random.choice([member for member in self.at.members if member is not self.at.owner])

    async def _for(self, least: float, most: float) -> None:
        await asyncio.sleep(self.random.uniform(least, most))

    # -- processes -----------------------------------------------------------------------------------

    async def kill_owner(self) -> None:
        """The owner is killed, and started again."""
        await self._kill(self._owner())

    async def kill_standby(self) -> None:
        """A standby is killed, and started again."""
        await self._kill(self._standby())

    async def _kill(self, member: Member) -> None:
        owns = member is self.at.owner
        async with self.trouble(f"{member.name} is killed", excuses=owns):
            if owns:
                self._of_owner("killed", member)
            await member.kill()
            await self._for(0, 0.6)
            await member.start(self.at.fault)

    async def pause_owner(self) -> None:
        """The owner is paused for longer than its lease."""
        await self._pause(self._owner(), OUTLIVES, OUTLIVES + 1.0)

    async def pause_standby(self) -> None:
        """A standby is paused."""
        await self._pause(self._standby(), 0.1, OUTLIVES + 0.5)

    async def _pause(self, member: Member, least: float, most: float) -> None:
        owns = member is self.at.owner
        async with self.trouble(f"{member.name} is paused", excuses=owns):
            if owns:
                self._of_owner("paused", member)
            member.signal(signal.SIGSTOP)
            await self._for(least, most)
            member.signal(signal.SIGCONT)

    async def hand_over(self) -> None:
        """The owner is stopped in order, while nobody does anything, and started again."""
        if self.under_way:
            return
        await self._standbys_are_ready()
        owner = self._owner()
        await self.work.quiet()
        await self.at.served()
        await asyncio.sleep(SETTLES)
        async with self.trouble(f"{owner.name} is stopped", excuses=True):
            self._of_owner("stopped", owner)
            begun, epoch = time.monotonic(), owner.epoch
            owner.stop()
            await self.at.until(
                lambda: all(client.epoch > epoch for client in self.at.clients), "every user is served"
            )
            await asyncio.sleep(SETTLES)
            self.at.note(HandOver(begun=begun, ended=time.monotonic()))
            self.work.go_on()
            await owner.ended()
            await owner.start(self.at.fault)

    async def rolling_restart(self) -> None:
        """The standbys are restarted, then the owner."""
        if self.under_way:
            return
        owner = self._owner()
        for member in [member for member in self.at.members if member is not owner]:
            member.stop()
            await member.ended()
            await member.start(self.at.fault)
            await self._standbys_are_ready()
        await self.hand_over()

    async def _standbys_are_ready(self) -> None:
        await self.at.until(
            lambda: all(member.is_ready for member in self.at.members), "every member is ready"
        )

    # -- the database --------------------------------------------------------------------------------

    async def freeze_database(self) -> None:
        """The database hangs."""
        async with self.trouble("the database hangs", excuses=True):
            self.at.server.freeze()
            try:
                await self._for(0.2, OUTLIVES + 0.5)
            finally:
                self.at.server.thaw()

    async def restart_database(self) -> None:
        """The database is killed, and started again."""
        async with self.trouble("the database is killed", excuses=True):
            self.at.server.kill()
            await self._for(0, 0.6)
            await asyncio.to_thread(self.at.server.start)

    async def slow_database(self) -> None:
        """The database takes its time for each change."""
        seconds = self.random.choice((0.02, 0.1, 0.3))
        async with self.trouble(f"the database takes {seconds:g} s for a change", excuses=True):
            await self.pace(seconds)
            await self._for(0.5, 1.5)
            await self.pace(0)

    async def pace(self, seconds: float) -> None:
        """Let each change of an account take so many seconds more, if the database can be reached."""
        try:
            await asyncio.to_thread(audit.slow_down, self.at.url, seconds)
        except Exception as error:
            self.at.tell(f"no more: its pace is as it was: {error}")

    # -- wires ---------------------------------------------------------------------------------------

    async def part_from_database(self) -> None:
        """A member cannot reach the database."""
        member = self.random.choice((self._owner(), self._owner(), self._standby()))
        cut = self.random.random() < 0.5
        how = "is cut off from" if cut else "gets no answer from"
        async with self.trouble(f"{member.name} {how} the database", excuses=True):
            (member.database.cut if cut else member.database.silence)()
            await self._for(0.3, OUTLIVES + 1.0)
            member.database.mend()

    async def part_from_node(self) -> None:
        """The owner cannot reach a node."""
        member, name = self._owner(), self.random.choice(list(self.at.nodes))
        cut = self.random.random() < 0.5
        how = "is cut off from" if cut else "gets no answer from"
        async with self.trouble(f"{member.name} {how} {name}", excuses=True):
            self.work.doubted.add(name)
            (member.nodes[name].cut if cut else member.nodes[name].silence)()
            await self._for(0.3, 2.0)
            member.nodes[name].mend()

    async def lose_node(self) -> None:
        """A node is lost, and comes back as its dialplan says."""
        name = self.random.choice(list(self.at.nodes))
        node = self.at.nodes[name]
        async with self.trouble(f"{name} is lost", excuses=True):
            self.work.doubted.add(name)
            await node.stop()
            await self._for(0.1, 1.5)
            node.hints.clear()
            await node.start()

    # -- clocks --------------------------------------------------------------------------------------

    async def step_clock(self) -> None:
        """The wall clock of all processes is stepped, while no session is lost.

        A session's lease is measured by the wall clock, so a step while one runs ends it early or late.
        """
        if self.under_way:
            return
        await self.work.quiet()
        await self.at.served()
        await asyncio.sleep(LEASE + SETTLES)
        seconds = self.random.choice((-3600, -5, 5, 3600))
        async with self.trouble(f"the wall clock is {seconds} s ahead", excuses=False):
            self.at.step_clock(seconds)
            self.work.go_on()
            await self._for(0.5, 1.5)

    # -- users ---------------------------------------------------------------------------------------

    async def renumber(self, numbers: Mapping[str, str]) -> None:
        """Give users other numbers."""
        async with self.trouble(f"the numbers are {numbers}", excuses=False):
            self.at.numbers = dict(numbers)
            for member in self.at.members:
                (member.folder / "users.toml").write_text(self.at.users_file(), "utf-8")
                member.signal(signal.SIGHUP)

    def all(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Every trouble by name."""
        named = (
            *(self.kill_owner, self.kill_standby, self.pause_owner, self.pause_standby, self.hand_over),
            *(self.rolling_restart, self.freeze_database, self.restart_database, self.slow_database),
            *(self.part_from_database, self.part_from_node, self.lose_node, self.step_clock),
        )
        return {one.__name__: one for one in named}
