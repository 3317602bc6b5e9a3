"""The UC Assistant on a real Asterisk, whose browser loses its network and finds it again."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import pytest

from lab.network import nothing_but_loopback
from tests.e2e.drivers.assistant_calls import answer_bobs_call, page_plays
from tests.e2e.drivers.page import Assistant, expect
from tests.e2e.fixtures.full_system import FullSystem, full_system, remote_system
from tests.event_loop import in_loop

pytestmark = pytest.mark.e2e

SECONDS: Final = 5.0
"""Within which the deskphone rings; it takes 1.5 s where the browser's phone is still thought to be there."""

NOTICED: Final = 25_000
"""Milliseconds within which the page notices that nothing comes: three heartbeats of 5 s, and one."""

RETURNS: Final = 40_000
"""Milliseconds within which the page and its phone are back: each waits longer from try to try."""

REGISTERED_FOR: Final = 100_000
"""Milliseconds within which the line is registered again, or 32 s later has failed for want of an answer."""

UNANSWERED: Final = 33_000
"""Milliseconds after which a registration has failed for want of an answer."""


async def rings_on_the_deskphone(at: FullSystem) -> None:
    """Bob calls Alice, whose deskphone rings within seconds, and gives up."""
    start = time.monotonic()
    await at.bob.dial("1001")
    rang = await at.alice.event("CALL_INCOMING", after=start)
    assert rang.at - start < SECONDS
    await at.bob.hang_up()
    await at.alice.event("CALL_CLOSED", after=start)


async def is_back(tab: Assistant) -> None:
    """The page takes the troubles away, and calls ring in it."""
    for kind in ("offline", "line_lost", "line_refused"):
        await expect(tab.trouble(kind)).to_have_count(0, timeout=RETURNS)
    await tab.ready()


async def with_a_clock(at: FullSystem) -> Assistant:
    """A tab like any other, whose clock a test can put forward."""
    tab = await at.tab()
    await tab.page.clock.install()
    await tab.log_in()
    await tab.ready()
    return tab


LATE_TIMERS: Final = """
const later = window.setTimeout;
window.setTimeout = (act, delay = 0, ...more) => (delay > 10_000 ? 0 : later(act, delay, ...more));
"""
"""Timers of more than ten seconds never come, as in a tab that a browser has put into the background."""

EXPIRED: Final = 75.0
"""Seconds after which a registration of 60 s that nobody renewed is gone for sure."""


class TestInTheBackground:
    """S5: browsers slow down the timers of a page that nobody sees."""

    @in_loop
    async def test_stays_registered_though_its_timers_come_too_late(self) -> None:
        async with full_system() as at:
            tab = await at.tab()
            await tab.page.add_init_script(LATE_TIMERS)
            await tab.page.reload()
            await tab.log_in()
            await tab.ready()
            await asyncio.sleep(EXPIRED)
            assert "alice_w" in await at.pbx.cli("pjsip show contacts")
            await tab.ready()


class TestIdle:
    """R4, R15, S5: without a network the page says so, calls ring on the deskphone, and nothing is lost."""

    @in_loop
    async def test_where_connections_break(self) -> None:
        async with remote_system() as (at, network):
            tab = await at.logged_in()
            network.cut()
            await expect(tab.trouble("offline")).to_contain_text("calls ring on your deskphone")
            await expect(tab.trouble("line_lost")).to_be_visible()
            await rings_on_the_deskphone(at)
            network.mend()
            await is_back(tab)
            await expect(tab.entries("missed")).to_have_count(1)
            start = await answer_bobs_call(at, tab)
            await page_plays(tab, at.bob.tone)
            assert "CALL_INCOMING" not in at.alice.reported(after=start)

    @in_loop
    async def test_where_nothing_comes_any_more(self) -> None:
        async with remote_system() as (at, network):
            tab = await at.logged_in()
            network.silence()
            await rings_on_the_deskphone(at)
            await expect(tab.trouble("offline")).to_be_visible(timeout=NOTICED)
            await rings_on_the_deskphone(at)
            network.mend()
            await is_back(tab)
            await expect(tab.entries("missed")).to_have_count(2)
            start = await answer_bobs_call(at, tab)
            await page_plays(tab, at.bob.tone)
            assert "CALL_INCOMING" not in at.alice.reported(after=start)

    @in_loop
    async def test_for_so_long_that_the_line_is_not_registered_any_more(self) -> None:
        async with remote_system() as (at, network):
            tab = await with_a_clock(at)
            network.silence()
            await tab.page.clock.run_for(REGISTERED_FOR)
            await expect(tab.trouble("line_lost")).to_be_visible()
            await expect(tab.trouble("line_refused")).to_have_count(0)
            network.mend()
            await is_back(tab)
            await answer_bobs_call(at, tab)
            await page_plays(tab, at.bob.tone)

    @in_loop
    async def test_where_the_page_comes_back_and_its_phone_finds_a_dead_connection(self) -> None:
        async with remote_system() as (at, network):
            tab = await with_a_clock(at)
            network.silence()
            await tab.page.clock.run_for(NOTICED)
            await expect(tab.trouble("offline")).to_be_visible()
            network.to_page.mend()
            await expect(tab.trouble("offline")).to_have_count(0, timeout=RETURNS)
            await tab.page.clock.run_for(UNANSWERED)
            await expect(tab.trouble("line_lost")).to_be_visible()
            network.mend()
            await is_back(tab)


class TestInACall:
    """R4, S5: a call that loses its network ends for the other party, and the next rings the deskphone."""

    @in_loop
    async def test_ends_for_want_of_media(self) -> None:
        async with remote_system() as (at, network):
            tab = await at.logged_in()
            start = await answer_bobs_call(at, tab)
            await page_plays(tab, at.bob.tone)
            with nothing_but_loopback():
                network.silence()
                await at.bob.event("CALL_CLOSED", after=start)
                await rings_on_the_deskphone(at)
                await expect(tab.trouble("offline")).to_be_visible(timeout=NOTICED)
            network.mend()
            await is_back(tab)
            await expect(tab.page.locator(".call")).to_have_count(0)
            await answer_bobs_call(at, tab)
            await page_plays(tab, at.bob.tone)

    @in_loop
    async def test_goes_on_where_only_the_servers_are_lost(self) -> None:
        async with remote_system() as (at, network):
            tab = await at.logged_in()
            start = await answer_bobs_call(at, tab)
            network.cut()
            await expect(tab.trouble("offline")).to_be_visible()
            await page_plays(tab, at.bob.tone)
            network.mend()
            await is_back(tab)
            await expect(tab.call("talking")).to_be_visible()
            await page_plays(tab, at.bob.tone)
            await tab.button("Hang up").click()
            await at.bob.event("CALL_CLOSED", after=start)
