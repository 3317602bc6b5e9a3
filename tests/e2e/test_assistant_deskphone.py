"""The page as remote control of a real deskphone that obeys: whatever the page shows, the telephones did."""

from __future__ import annotations

import time

import pytest

from lab.waiting import until
from tests.e2e.drivers.assistant_calls import approx_tone
from tests.e2e.drivers.page import Assistant, expect
from tests.e2e.fixtures.full_system import FullSystem, full_system
from tests.event_loop import in_loop

pytestmark = pytest.mark.e2e


async def with_deskphone(at: FullSystem) -> Assistant:
    """A tab in which Alice has the deskphone in use."""
    tab = await at.logged_in()
    await tab.uses("deskphone")
    return tab


async def answered(at: FullSystem, tab: Assistant) -> float:
    """Bob calls Alice, who answers her deskphone by the button in the page; the instant before."""
    start = time.monotonic()
    await at.bob.dial("1001")
    await tab.button("Answer").click()
    await tab.call("talking", "deskphone").wait_for()
    await at.bob.event("CALL_ESTABLISHED", after=start)
    return start


class TestSteering:
    """C1: the page answers, holds, resumes, dials and hangs up, and the deskphone does it."""

    @in_loop
    async def test_a_call_that_comes_in(self) -> None:
        async with full_system(controllable=True) as at:
            tab = await with_deskphone(at)
            start = await answered(at, tab)
            await tab.button("Hold").click()
            await at.pbx.ami.event("Hold", after=start)
            await tab.call("held", "deskphone").wait_for()
            await tab.button("Resume").click()
            await at.pbx.ami.event("Unhold", after=start)
            await tab.call("talking", "deskphone").wait_for()
            await tab.button("Hang up").click()
            await at.bob.event("CALL_CLOSED", after=start)
            await expect(tab.page.locator(".call")).to_have_count(0)

    @in_loop
    async def test_a_call_that_is_dialled(self) -> None:
        async with full_system(controllable=True) as at:
            tab = await with_deskphone(at)
            start = time.monotonic()
            await tab.dial("1002")
            await picks_up(at)
            await at.bob.event("CALL_INCOMING", after=start)
            await at.bob.accept()
            await tab.call("talking", "deskphone").wait_for()
            await tab.button("Hang up").click()
            await at.bob.event("CALL_CLOSED", after=start)


class TestTransferring:
    """C1: the page connects others with each other, and both stay connected when the deskphone is out."""

    @in_loop
    async def test_blindly(self) -> None:
        async with full_system(controllable=True) as at:
            tab = await with_deskphone(at)
            start = await answered(at, tab)
            await tab.transfer("1003", "Transfer now")
            await at.carol.event("CALL_INCOMING", after=start)
            await at.carol.accept()
            await at.carol.event("CALL_ESTABLISHED", after=start)
            await are_connected(at, tab, start)

    @in_loop
    async def test_after_asking(self) -> None:
        async with full_system(controllable=True) as at:
            tab = await with_deskphone(at)
            start = await answered(at, tab)
            await tab.transfer("1003", "Ask first")
            await at.pbx.ami.event("Hold", after=start)
            await picks_up(at)
            await at.carol.event("CALL_INCOMING", after=start)
            await at.carol.accept()
            await at.carol.event("CALL_ESTABLISHED", after=start)
            await tab.button("Complete the transfer").click()
            await are_connected(at, tab, start)


async def picks_up(at: FullSystem) -> None:
    """The deskphone rings, because of the page, and Alice picks it up."""

    async def rings() -> bool:
        return at.controllable.ringing is not None

    await until(rings, "that the deskphone rings")
    at.controllable.answer()


async def are_connected(at: FullSystem, tab: Assistant, start: float) -> None:
    """Bob and Carol hear each other, and Alice has no call any more."""
    await expect(tab.page.locator(".call")).to_have_count(0)
    await at.carol.receives(at.bob.tone)
    await at.carol.hang_up()
    await at.bob.event("CALL_CLOSED", after=start)
    assert at.carol.received() == (approx_tone(at.bob.tone),)
