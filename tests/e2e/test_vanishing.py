"""A browser that vanishes while it rings, on a real Asterisk that carries plans out by itself.

Nothing of the library runs while these calls are made, so what is proved here holds with its process dead.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import pytest
from attrs import evolve, frozen

from lab.browser import Browser, Tab, browser
from lab.config import Endpoint
from tests.e2e.fixtures.planned_node import (
    ALICE,
    BROWSER,
    DESKPHONE,
    FILES,
    OUTSIDE,
    PlannedNode,
    planned,
    planned_node,
)
from tests.event_loop import in_loop
from unique_account import User
from unique_account.core.events import DeviceSelected, LoggedIn
from unique_account.core.forwarding import Fallbacks
from unique_account.core.machine import Device

pytestmark = pytest.mark.e2e

USER: Final = evolve(ALICE, ring_seconds=6, fallbacks=Fallbacks(unavailable=OUTSIDE))
IN: Final = LoggedIn("tab-1")
CONFIRMS_WITHIN: Final = 1.5
QUICK: Final = 0.5
"""Far below the ring time and the 1.5 s; on an idle machine it takes a tenth of a second."""


@frozen(weakref_slot=False)
class Ringing:
    """A call that rings the tabs of a browser, since an instant."""

    at: PlannedNode
    chromium: Browser
    tabs: tuple[Tab, ...]
    start: float

    async def ended(self) -> None:
        """End the call from the caller's side."""
        await self.at.phones["bob"].hang_up()
        await self.at.cause(self.start)

    def goes_on(self) -> bool:
        """Whether the caller got only ringing so far: no answer, and no end."""
        reported = self.at.phones["bob"].reported(after=self.start)
        return not {"CALL_ESTABLISHED", "CALL_CLOSED"} & set(reported)


@asynccontextmanager
async def call_to_browser(
    *registered: Endpoint,
    tabs: int = 1,
    user: User = USER,
    browser_line: Endpoint = BROWSER,
    files: Mapping[str, str] = FILES,
) -> AsyncIterator[Ringing]:
    """A call to a logged-in user; these phones are registered, and the browser has so many tabs."""
    async with planned_node(*registered, known=(browser_line,), files=files) as at, browser() as chromium:
        await at.install(planned(user, IN))
        opened = [await chromium.tab(at.pbx, browser_line) for _ in range(tabs)]
        start = await at.dial(user.extension)
        for tab in opened:
            await tab.event("ringing", after=start)
        yield Ringing(at, chromium, tuple(opened), start)


class TestKilled:
    """R15: a browser that is killed while it rings gives the call up to the deskphone at once."""

    @in_loop
    async def test_the_deskphone_rings_for_the_rest_of_the_ring_time(self) -> None:
        async with call_to_browser(DESKPHONE, user=evolve(USER, ring_seconds=4)) as call:
            await asyncio.sleep(2)
            gone = time.monotonic()
            await call.chromium.kill()
            assert await call.at.rings("alice", gone) < QUICK
            assert call.goes_on()
            end, seconds = await call.at.ends(call.start)
            assert end == planned(USER).no_answer
            assert 4 <= seconds < 5

    @in_loop
    async def test_the_deskphone_can_answer(self) -> None:
        async with call_to_browser(DESKPHONE) as call:
            await call.chromium.kill()
            await call.at.rings("alice", call.start)
            await call.at.phones["alice"].accept()
            await call.at.phones["bob"].event("CALL_ESTABLISHED", after=call.start)
            await call.at.pbx.ami.event("BridgeEnter", after=call.start, BridgeNumChannels="2")
            await call.at.phones["alice"].hang_up()
            assert await call.at.cause(call.start) == "16"

    @in_loop
    async def test_a_page_that_is_reloaded_has_gone_as_well(self) -> None:
        async with call_to_browser(DESKPHONE) as call:
            gone = time.monotonic()
            await call.tabs[0].register()
            assert await call.at.rings("alice", gone) < CONFIRMS_WITHIN
            assert call.goes_on()

    @in_loop
    async def test_without_a_deskphone_the_rule_for_unavailable_applies(self) -> None:
        async with call_to_browser() as call:
            gone = time.monotonic()
            await call.chromium.kill()
            end, seconds = await call.at.ends(gone)
            assert end == OUTSIDE
            assert seconds < QUICK

    @in_loop
    async def test_in_the_instant_of_a_call(self) -> None:
        async with planned_node(DESKPHONE, known=(BROWSER,)) as at:
            await at.install(planned(USER, IN))
            for delay in (0.0, 0.002, 0.005, 0.01, 0.02, 0.05):
                async with browser() as chromium:
                    await chromium.tab(at.pbx, BROWSER)
                    start = await at.dial("1001")
                    await asyncio.sleep(delay)
                    await chromium.kill()
                    assert await at.rings("alice", start) < 2
                    await at.phones["bob"].hang_up()
                    await at.cause(start)


class TestFrozen:
    """R15: a browser that does not confirm within 1.5 s that it rings has vanished."""

    @in_loop
    async def test_the_deskphone_rings_within_two_seconds(self) -> None:
        async with planned_node(DESKPHONE, known=(BROWSER,)) as at, browser() as chromium:
            await at.install(planned(USER, IN))
            await chromium.tab(at.pbx, BROWSER)
            chromium.freeze()
            start = await at.dial("1001")
            assert CONFIRMS_WITHIN <= await at.rings("alice", start) < 2
            await at.phones["alice"].accept()
            await at.phones["bob"].event("CALL_ESTABLISHED", after=start)
            chromium.thaw()

    @in_loop
    async def test_one_that_rings_already_is_left_alone(self) -> None:
        async with call_to_browser(DESKPHONE, user=evolve(USER, ring_seconds=3)) as call:
            await call.at.pbx.ami.event("DialState", after=call.start, DialStatus="RINGING")
            call.chromium.freeze()
            end, seconds = await call.at.ends(call.start)
            call.chromium.thaw()
            assert end == planned(USER).no_answer
            assert seconds >= 3
            assert not call.at.rang("alice", call.start)

    @in_loop
    async def test_one_of_two_that_rings_is_enough(self) -> None:
        async with (
            planned_node(DESKPHONE, known=(BROWSER,)) as at,
            browser() as frozen_one,
            browser() as other,
        ):
            await at.install(planned(evolve(USER, ring_seconds=3), IN))
            await frozen_one.tab(at.pbx, BROWSER)
            tab = await other.tab(at.pbx, BROWSER)
            frozen_one.freeze()
            start = await at.dial("1001")
            await tab.event("ringing", after=start)
            end, _ = await at.ends(start)
            frozen_one.thaw()
            assert end == planned(USER).no_answer
            assert not at.rang("alice", start)


class TestTabs:
    """R15, S4: the call is moved when the last tab goes, and not before."""

    @in_loop
    async def test_the_other_tab_rings_on_and_can_answer(self) -> None:
        async with call_to_browser(DESKPHONE, tabs=2) as call:
            gone = time.monotonic()
            await call.tabs[0].close()
            await call.at.pbx.ami.event("ContactStatus", after=gone, ContactStatus="Removed")
            await asyncio.sleep(0.5)
            assert call.goes_on()
            await call.tabs[1].answer()
            await call.at.phones["bob"].event("CALL_ESTABLISHED", after=call.start)
            assert not call.at.rang("alice", call.start)

    @in_loop
    async def test_the_deskphone_rings_when_the_last_one_goes(self) -> None:
        async with call_to_browser(DESKPHONE, tabs=2) as call:
            await call.tabs[0].close()
            await asyncio.sleep(0.3)
            gone = time.monotonic()
            await call.tabs[1].close()
            assert await call.at.rings("alice", gone) < QUICK


class TestNotAnswered:
    """R9: a browser that rings and is not answered, or refuses, has not vanished."""

    @in_loop
    async def test_no_answer(self) -> None:
        async with call_to_browser(DESKPHONE, user=evolve(USER, ring_seconds=2)) as call:
            end, seconds = await call.at.ends(call.start)
            assert end == planned(USER).no_answer
            assert seconds >= 2
            assert not call.at.rang("alice", call.start)

    @in_loop
    async def test_refused(self) -> None:
        async with call_to_browser(DESKPHONE) as call:
            await call.tabs[0].hang_up()
            end, seconds = await call.at.ends(call.start)
            assert end == planned(USER).busy
            assert seconds < CONFIRMS_WITHIN
            assert not call.at.rang("alice", call.start)

    @in_loop
    async def test_one_that_says_so_in_other_words(self) -> None:
        async with call_to_browser(DESKPHONE) as call:
            await call.tabs[0].terminate()
            end, seconds = await call.at.ends(call.start)
            assert end == planned(USER).no_answer
            assert seconds < CONFIRMS_WITHIN
            assert not call.at.rang("alice", call.start)


class TestToggled:
    """R7: a browser whose user toggles or logs out while it rings gives the call up."""

    @in_loop
    async def test_the_deskphone_rings(self) -> None:
        async with call_to_browser(DESKPHONE) as call:
            gone = time.monotonic()
            await call.tabs[0].unregister()
            await call.at.install(planned(USER, IN, DeviceSelected(Device.DESKPHONE)))
            assert await call.at.rings("alice", gone) < QUICK
            assert call.goes_on()

    @in_loop
    async def test_a_watcher_that_looks_late_leaves_the_deskphone_ringing(self) -> None:
        often, seldom = "${patience},0.05)", "${patience},0.4)"
        name = "unique_account.conf"
        assert FILES[name].count(often) == 1
        files = {**FILES, name: FILES[name].replace(often, seldom)}
        async with call_to_browser(DESKPHONE, files=files) as call:
            gone = time.monotonic()
            await call.tabs[0].unregister()
            await call.at.rings("alice", gone)
            await asyncio.sleep(1)
            assert call.goes_on()
            assert "CALL_CLOSED" not in call.at.phones["alice"].reported(after=call.start)


class TestAnsweredJustThen:
    """R15: if either device answers while the browser vanishes, the call is answered or rings on."""

    @in_loop
    async def test_by_a_tab_that_is_killed(self) -> None:
        async with planned_node(DESKPHONE, known=(BROWSER,)) as at:
            await at.install(planned(USER, IN))
            for delay in (0.0, 0.005, 0.01, 0.02):
                async with browser() as chromium:
                    tab = await chromium.tab(at.pbx, BROWSER)
                    start = await at.dial("1001")
                    await tab.event("ringing", after=start)
                    await tab.answer()
                    await asyncio.sleep(delay)
                    await chromium.kill()
                    answered = asyncio.create_task(at.phones["bob"].event("CALL_ESTABLISHED", after=start))
                    moved = asyncio.create_task(at.rings("alice", start))
                    done, _ = await asyncio.wait(
                        (answered, moved), timeout=2, return_when=asyncio.FIRST_COMPLETED
                    )
                    assert done
                    answered.cancel()
                    moved.cancel()
                    await at.phones["bob"].hang_up()
                    await at.cause(start)

    @in_loop
    async def test_the_watch_leaves_an_answered_call_alone(self) -> None:
        async with call_to_browser(DESKPHONE) as call:
            await call.tabs[0].answer()
            await call.at.phones["bob"].event("CALL_ESTABLISHED", after=call.start)
            gone = time.monotonic()
            await call.chromium.kill()
            await call.at.pbx.ami.event("ContactStatus", after=gone, ContactStatus="Removed")
            await asyncio.sleep(1)
            assert not call.at.rang("alice", call.start)


class TestInACall:
    """R15: a tab that is killed in a call frees the other party in seconds."""

    @in_loop
    async def test_the_call_ends_for_want_of_media(self) -> None:
        line = evolve(BROWSER, options={"rtp_timeout": "3"})
        async with call_to_browser(DESKPHONE, browser_line=line) as call:
            await call.tabs[0].answer()
            await call.at.phones["bob"].event("CALL_ESTABLISHED", after=call.start)
            await asyncio.sleep(0.5)
            gone = time.monotonic()
            await call.chromium.kill()
            closed = await call.at.phones["bob"].event("CALL_CLOSED", after=gone)
            assert closed.at - gone < 6
