"""Two nodes, an owner and two standbys on PostgreSQL: a call and many selections while the owner is lost.

Bob talks to alice's browser over the trunk of the nodes, and carol selects one device and the other.
"""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Final

import pytest

from tests.e2e.fixtures.group_nodes import group_nodes
from tests.event_loop import in_loop
from unique_account.core.machine import Device

pytestmark = pytest.mark.e2e

WATCHDOG_PAUSES: Final = 5.0
"""After how many seconds the watchdog of an owner that is gone looks whether there is a new one."""

TAKEN_WITHIN: Final = 8.0
"""A generous bound in seconds, on a machine that does much beside it; the times are set shorter."""

LEASE: Final = 60
"""For how many seconds a session that vanished holds its account."""


class TestKilled:
    """S2, P1: a call of the gap follows the last choice; afterwards all goes on as before."""

    @in_loop
    async def test_nobody_in_the_call_notices_and_the_next_call_is_right(self) -> None:
        async with group_nodes() as at:
            await at.talk()
            async with at.selections.storm():
                await at.selections.goes_on(after=time.monotonic() + 0.5)
                killed = time.monotonic()
                at.members["one"].signal(signal.SIGKILL)
                possible = at.selections.possible()
                async with at.ringing() as device:
                    assert device in possible
                    shown = await at.lamps["1003"].shows("Ringing", after=killed)
                    assert shown.at - killed < TAKEN_WITHIN
                await at.lamps["1003"].shows("Ready", after=killed)
                await at.selections.goes_on(after=shown.at)
            assert at.selections.longest_gap(since=killed) < TAKEN_WITHIN
            called = time.monotonic()
            async with at.ringing() as device:
                assert device == at.selections.acknowledged
                await at.lamps["1003"].shows("Ringing", after=called)
            await at.lamps["1003"].shows("Ready", after=called)
            assert await at.page_is_back(since=killed) < LEASE
            await asyncio.sleep(killed + WATCHDOG_PAUSES + 1 - time.monotonic())
            await at.nobody_noticed(since=killed)
            assert at.changes(since=killed)["1003"] == ["Ringing", "Ready"] * 2
            await at.agrees()

    @in_loop
    async def test_a_node_that_restarts_meanwhile_is_served_by_the_new_owner(self) -> None:
        async with group_nodes() as at:
            await at.selections.select("webrtc")
            at.members["one"].signal(signal.SIGKILL)
            await at.restart_node("mds1")
            await at.owner(after=1)
            await at.agrees()
            await at.selections.select("deskphone")
            assert await at.call_rings() == "deskphone"
            await at.agrees()


class TestPaused:
    """S2, P1: what reaches an owner that is paused is not done, and what it finds later changes nothing."""

    @in_loop
    async def test_nothing_comes_of_it_after_the_takeover(self) -> None:
        async with group_nodes() as at:
            await at.talk()
            await at.selections.select("webrtc")
            async with at.selections.direct(at.members["one"].assistant) as ask:
                paused = time.monotonic()
                at.members["one"].signal(signal.SIGSTOP)
                await ask("deskphone")
                assert await at.call_rings() == "webrtc"
                await at.owner(after=1)
                assert (await at.stored()).selection is Device.WEBRTC
                assert await at.call_rings() == "webrtc"
                assert await at.page_is_back(since=paused) < LEASE
                resumed = time.monotonic()
                async with at.selections.storm():
                    at.members["one"].signal(signal.SIGCONT)
                    await at.members["one"].stands(role="standby")
                    await at.selections.goes_on(after=time.monotonic() + 1)
            assert at.changes(since=resumed)["1003"] == []
            assert await at.call_rings() == at.selections.acknowledged
            await at.nobody_noticed(since=paused)
            await at.agrees()


class TestRollingRestart:
    """S2, P1: standbys first, then the owner, under calls: no lamp changes, and nobody waits for long."""

    @in_loop
    async def test_under_a_call_and_selections(self) -> None:
        async with group_nodes() as at:
            await at.talk()
            begun = time.monotonic()
            async with at.selections.storm():
                for name in ("three", "two", "one"):
                    stopped = time.monotonic()
                    await at.members[name].stop()
                    await at.members[name].start()
                    await at.members[name].stands(role="standby")
                await at.owner(after=1)
                await at.selections.goes_on(after=time.monotonic())
            assert at.selections.longest_gap(since=stopped) < TAKEN_WITHIN / 2
            assert await at.page_is_back(since=begun) < LEASE
            await at.nobody_noticed(since=begun)
            assert at.changes(since=begun)["1003"] == []
            assert await at.call_rings() == at.selections.acknowledged
            await at.agrees()
