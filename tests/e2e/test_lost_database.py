"""``unique-account serve`` whose accounts are in PostgreSQL, and what happens when the database dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from attrs import frozen

from lab.postgresql import PostgresqlServer, postgresql_server
from lab.waiting import until
from tests.e2e.fixtures.serve_process import ServeProcess, serve_process
from tests.event_loop import in_loop
from unique_account.adapters.postgresql import PostgresqlCallLog
from unique_account.core.machine import Device
from unique_account.core.presence import Presence

pytestmark = pytest.mark.e2e

LOST = "ERROR   accounts: connection failed: the database 127.0.0.1:"
NOT_RECORDED = "ERROR   call log: add for "
BACK = "accounts: connection works again"


@frozen(weakref_slot=False)
class Kept:
    """A service, and the database that keeps its accounts."""

    at: ServeProcess
    database: PostgresqlServer

    async def lost(self) -> None:
        """Wait until the service knows that the database is not there, and has said so once."""
        await self.at.storeless()
        assert self.at.log.count(LOST) == 1

    async def found(self) -> None:
        """Wait until the service knows that the database is back; it has said so once, and little else."""
        await self.at.connected()
        assert self.at.log.count(BACK) == 1
        reported = [line for line in self.at.log.splitlines() if " ERROR " in line or " WARNING " in line]
        assert [line for line in reported if LOST not in line and NOT_RECORDED not in line] == []
        assert len(reported) <= 2

    async def rings_as_stored(self) -> None:
        """The PBX holds what is stored, and a call rings accordingly."""
        await self.at.agree()
        selected = (await self.at.stored()).selection
        await self.at.call_rings("webrtc" if selected is Device.WEBRTC else "deskphone")

    async def caught_up(self, session: str) -> None:
        """Wait until the service has handled what alice did so far, and stores again what she does.

        Another session logs in again and again: while the database is away, that is refused.
        """

        async def stored() -> bool:
            await self.at.report_action("log_in", Session=session)
            return session in {known.id for known in (await self.at.stored()).sessions}

        await until(stored, f"the log-in of {session} in the database")

    async def talks(self) -> None:
        """Bob calls alice, who answers her deskphone, and hangs up; the lamp follows."""
        start = time.monotonic()
        await self.at.bob.dial("1001")
        await self.at.alice.event("CALL_INCOMING", after=start)
        await self.at.alice.accept()
        await self.at.shows(Presence.IN_USE)
        await self.at.bob.hang_up()
        await self.at.shows(Presence.AVAILABLE)


@asynccontextmanager
async def kept() -> AsyncIterator[Kept]:
    with postgresql_server() as database:
        async with serve_process(database) as at:
            yield Kept(at, database)


class TestAway:
    """R16, S2: while the database is away calls and presence go on, and nothing counts that is not stored."""

    @in_loop
    async def test_for_some_seconds(self) -> None:
        async with kept() as here:
            at = here.at
            await at.logs_in()
            await at.selects("deskphone")
            await asyncio.to_thread(here.database.stop)
            await at.report_action("select", Device="webrtc")
            await here.lost()
            await _toggle(at, 20)
            await here.talks()
            await at.call_rings("deskphone")
            await asyncio.to_thread(here.database.start)
            await here.found()
            await here.rings_as_stored()
            assert (await at.stored()).selection is Device.DESKPHONE
            await at.selects("webrtc")
            await here.rings_as_stored()
            await _is_recorded(here.database)

    @in_loop
    async def test_while_it_hangs(self) -> None:
        async with kept() as here:
            at = here.at
            await at.logs_in()
            await at.selects("deskphone")
            here.database.freeze()
            try:
                await at.report_action("select", Device="webrtc")
                await here.lost()
                await here.talks()
            finally:
                here.database.thaw()
            await here.found()
            await at.report_action("select", Device="webrtc")
            await at.planned("webrtc")
            await here.rings_as_stored()


class TestRestarted:
    """S2: a database that is soon back costs nothing but a moment, whatever was under way."""

    @in_loop
    async def test_in_order(self) -> None:
        async with kept() as here:
            await here.at.logs_in()
            await asyncio.to_thread(here.database.stop)
            await here.at.report_action("select", Device="deskphone")
            await asyncio.to_thread(here.database.start)
            await here.at.planned("deskphone")
            assert " ERROR " not in here.at.log
            await here.rings_as_stored()

    @in_loop
    async def test_killed_in_the_middle_of_a_toggle_storm(self) -> None:
        async with kept() as here:
            await here.at.logs_in()
            for number, delay in enumerate((0.05, 0.2, 0.3)):
                storm = asyncio.create_task(_toggle(here.at, 200))
                await asyncio.sleep(delay)
                await asyncio.to_thread(here.database.kill)
                await storm
                await asyncio.to_thread(here.database.start)
                await here.caught_up(f"after-{number}")
                await here.rings_as_stored()
                await here.at.selects("deskphone")
                await here.at.selects("webrtc")


async def _toggle(at: ServeProcess, times: int) -> None:
    """Select one device and the other, as fast as it goes."""
    for number in range(times):
        await at.report_action("select", Device=("deskphone", "webrtc")[number % 2])


async def _is_recorded(database: PostgresqlServer) -> None:
    """Wait until the call that was answered meanwhile is in the history."""
    log = PostgresqlCallLog(database.url())

    async def recorded() -> bool:
        return "answered" in {record.status for record in await log.before("alice", None, 10)}

    try:
        await until(recorded, "the call in the history")
    finally:
        await log.aclose()
