"""A process of a group: a standby until the owner is gone, an owner until it loses the group or stops."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from unique_account.cluster.contender import Contender
from unique_account.cluster.ownership import Ownership
from unique_account.cluster.tenure import Tenure
from unique_account.cluster.times import Times
from unique_account.core.errors import UniqueAccountError
from unique_account.ports.group_leases import (
    Fence,
    Fenced,
    GroupLease,
    GroupLeases,
    GroupRole,
    GroupStanding,
)

LOGGER: Final = logging.getLogger("unique_account.cluster")


class DidNotClose(UniqueAccountError):
    """The service of an earlier ownership does not close; only the end of the process is sure to end it.

    Attributes:
        group: The group.
    """

    def __init__(self, group: str) -> None:
        super().__init__(group)
        self.group = group

    def __str__(self) -> str:
        return f"the service of the group {self.group} did not close in time; end the process"


class GroupMember:
    """Contends for a group, and runs a service while this process owns it.

    Args:
        leases: Where the processes agree.
        group: The group.
        name: The name of this process.
        address: Where browsers reach it.
        reaches: Whether any node of the group can be reached from here.
        times: The times of the group.
        now: The monotonic clock.
    """

    def __init__(
        self,
        leases: GroupLeases,
        group: str,
        name: str,
        address: str,
        *,
        reaches: Callable[[], Awaitable[bool]],
        times: Times,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leases = leases
        self._group = group
        self._name = name
        self._address = address
        self._reaches = reaches
        self._times = times
        self._now = now
        self._contender = Contender(times=times)
        self._tenure: Tenure | None = None
        self._takeovers = 0
        self._above = 0
        self._epoch = 0
        self._since: datetime | None = None
        self._complaint = ""

    @property
    def standing(self) -> GroupStanding:
        """How things stand."""
        lease, tenure = self._contender.lease, self._tenure
        owner, address = (lease.owner, lease.address) if lease else ("", "")
        return GroupStanding(
            group=self._group,
            name=self._name,
            role=_role(tenure),
            owner=self._name if tenure else owner,
            address=self._address if tenure else address,
            epoch=self._epoch,
            since=self._since,
            takeovers=self._takeovers,
            renewed=tenure.renewed if tenure else None,
        )

    async def run(self, serve: Callable[[Tenure], Awaitable[None]], stop: asyncio.Event) -> None:
        """Contend and own until it is stopped.

        Args:
            serve: Runs the service, and returns in order once the tenure is over.
            stop: Set when it is stopped.

        Raises:
            DidNotClose: A service that must not go on does.
        """
        while not stop.is_set():
            if (tenure := await self._contend()) is not None:
                await self._own(tenure, serve, stop)
            else:
                await _wait(stop, self._times.look)

    # -- standby -------------------------------------------------------------------------------------

    async def _contend(self) -> Tenure | None:
        """Read the lease; own the group if it is due."""
        try:
            asked = self._now()
            lease = await self._leases.read(self._group)
            self._read(lease, asked)
            if self._contender.may_take and (self._contender.may_take_unconnected or await self._reaches()):
                asked = self._now()
                fence = await self._leases.take(self._group, self._name, self._address, lease, self._above)
                return None if fence is None else self._taken(fence, asked, lease)
        except UniqueAccountError as error:
            self._contender = self._contender.unreadable()
            self._complain(str(error))
        return None

    def _read(self, lease: GroupLease | None, asked: float) -> None:
        before = self._contender
        self._contender = before.read(lease, asked, self._now())
        self._complain("")
        seen, former = (lease.owner, lease.epoch) if lease else ("", 0), before.lease
        if not before.is_known or seen != ((former.owner, former.epoch) if former else ("", 0)):
            self._note(seen[1])
            LOGGER.info(
                "standby: the group %s is owned by %s, epoch %d", self._group, seen[0] or "nobody", seen[1]
            )

    def _note(self, epoch: int) -> None:
        if epoch != self._epoch or self._since is None:
            self._epoch, self._since = epoch, datetime.now(UTC)

    def _taken(self, fence: Fence, asked: float, former: GroupLease | None) -> Tenure:
        self._takeovers += 1
        self._note(fence.epoch)
        LOGGER.info("took the group %s over, epoch %d", self._group, fence.epoch)
        ownership = Ownership.begun(self._times, fence, asked, self._now())
        return Tenure(ownership, self._now, is_handed_over=former is not None and not former.owner)

    # -- owner ---------------------------------------------------------------------------------------

    async def _own(
        self, tenure: Tenure, serve: Callable[[Tenure], Awaitable[None]], stop: asyncio.Event
    ) -> None:
        self._tenure = tenure
        keeping = asyncio.create_task(self._keep(tenure))
        serving = asyncio.create_task(_served(serve, tenure))
        stopping = asyncio.create_task(stop.wait())
        over = asyncio.create_task(tenure.over.wait())
        try:
            await asyncio.wait((keeping, serving, stopping, over), return_when=asyncio.FIRST_COMPLETED)
            tenure.end()
            await self._close(tenure, serving)
        finally:
            for task in (keeping, serving, stopping, over):
                task.cancel()
            await asyncio.gather(keeping, stopping, over, return_exceptions=True)
        await self._let_go(tenure)
        self._tenure = None

    async def _close(self, tenure: Tenure, serving: asyncio.Task[None]) -> None:
        """Wait for the service to close; one that is not ready yet has nothing to close in order."""
        if not tenure.is_ready:
            serving.cancel()
        await asyncio.wait((serving,), timeout=self._times.close)
        serving.cancel()
        await asyncio.wait((serving,), timeout=self._times.close)
        if not serving.done():
            raise DidNotClose(self._group)

    async def _let_go(self, tenure: Tenure) -> None:
        """Give the group up, now that nothing of the service runs any more."""
        why = tenure.why
        if isinstance(why, Fenced):
            self._above = max(self._above, why.newer or 0)
            self._contender = self._contender.ended(tenure.age)
        elif why is not None:
            self._contender = self._contender.failed(tenure.age, self._now())
        LOGGER.info("gave the group %s up: %s", self._group, why or "a planned stop")
        with suppress(UniqueAccountError):  # others see then that the lease is not renewed
            await self._leases.release(tenure.fence)

    async def _keep(self, tenure: Tenure) -> None:
        """Renew the lease, and look at the nodes, until it is lost; a fault of ours ends the tenure."""
        try:
            await self._renew(tenure)
        except Exception as error:
            LOGGER.exception("the lease of the group %s is not renewed any more", self._group)
            tenure.end(error)

    async def _renew(self, tenure: Tenure) -> None:
        while not tenure.is_lost:
            sent = self._now()
            delay = self._times.renew
            try:
                await self._leases.renew(tenure.fence)
            except Fenced as error:
                tenure.end(error)
            except UniqueAccountError as error:
                self._complain(str(error))
                delay = self._times.look
            else:
                self._complain("")
                tenure.keep(sent)
            tenure.look_at_nodes()
            await asyncio.sleep(max(sent + delay - self._now(), 0))

    def _complain(self, problem: str) -> None:
        """Log a problem once, and its end."""
        if problem and not self._complaint:
            LOGGER.warning("the lease of the group %s: %s", self._group, problem)
        elif self._complaint and not problem:
            LOGGER.info("the lease of the group %s can be reached again", self._group)
        self._complaint = problem


async def _served(serve: Callable[[Tenure], Awaitable[None]], tenure: Tenure) -> None:
    try:
        await serve(tenure)
    except Exception as error:
        tenure.end(error)


def _role(tenure: Tenure | None) -> GroupRole:
    if tenure is None or tenure.over.is_set():
        return GroupRole.STANDBY
    if not tenure.is_sure:
        return GroupRole.UNSURE
    return GroupRole.OWNER if tenure.is_ready else GroupRole.STARTING


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
