"""The features, sentence by sentence: a service in a process of its own, a deskphone, a browser, a lamp.

Each test makes calls, and looks at who rings, who stays silent, what the phone of a watcher shows, and where
the call goes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from attrs import evolve, frozen

from lab.browser import Browser, Tab, browser
from lab.journal import JournalEntry
from lab.waiting import delays, until
from lab.watcher import Watcher, watcher
from tests.e2e.drivers.agreement import shown
from tests.e2e.fixtures.deskphones import WATCHER
from tests.e2e.fixtures.planned_node import (
    ALICE,
    BROWSER,
    DESKPHONE,
    DID,
    MAILBOX,
    OUTSIDE,
    PlannedNode,
    planned_node,
)
from tests.e2e.fixtures.service_process import ServiceProcess, service_process
from tests.event_loop import in_loop
from unique_account import Device, User
from unique_account.adapters.asterisk import Message
from unique_account.core.events import (
    DeviceSelected,
    ForwardingChanged,
    LoggedIn,
    LoggedOut,
    SessionLost,
)
from unique_account.core.forwarding import Extension, Fallbacks, Forward, Forwarding, Mailbox, Refusal
from unique_account.core.presence import Presence

pytestmark = pytest.mark.e2e

IN: Final = LoggedIn("tab-1")
OUT: Final = LoggedOut("tab-1")
AT_THE_DESK: Final = DeviceSelected(Device.DESKPHONE)
IN_THE_BROWSER: Final = DeviceSelected(Device.WEBRTC)
USER: Final = evolve(ALICE, mailbox=MAILBOX, fallbacks=Fallbacks(busy=OUTSIDE))
HANDED_ON: Final = 0.5
"""Within how many seconds the deskphone rings in place of a browser that is gone; it takes a tenth."""
SOON: Final = 1.4
"""Within how many seconds a phone rings that is rung at once; the other one would be after two."""


@frozen(weakref_slot=False)
class DeskphoneAndBrowser:
    """Alice's phones, a colleague who calls her, and a lamp that watches her number.

    Attributes:
        at: The node, and the deskphones on it.
        service: What keeps her account.
        chromium: Her browser.
        tab: A tab of it, whose line is registered.
        lamp: What the phone of a watcher shows.
    """

    at: PlannedNode
    service: ServiceProcess
    chromium: Browser
    tab: Tab
    lamp: Watcher

    async def happens(
        self, *events: LoggedIn | LoggedOut | SessionLost | DeviceSelected | ForwardingChanged
    ) -> None:
        """What her UC Assistant reports."""
        await self.service.handle("alice", events)

    async def call(self, number: str = "1001") -> float:
        """The colleague calls her; the instant before it."""
        return await self.at.dial(number)

    async def rings(self, device: Device, start: float) -> None:
        """Wait until one of her devices rings, which takes no time; the other is silent."""
        if device is Device.DESKPHONE:
            seconds = await self.at.rings("alice", start)
        else:
            seconds = (await self.tab.event("ringing", after=start)).at - start
        assert seconds < SOON
        assert not self.at.rang("alice" if device is Device.WEBRTC else "alice_w", start)

    async def gives_up(self, start: float) -> None:
        """The colleague hangs up."""
        await self.at.phones["bob"].hang_up()
        await self.at.cause(start)

    async def rings_next(self, device: Device) -> None:
        """The next call rings one device, and not the other."""
        start = await self.call()
        await self.rings(device, start)
        await self.gives_up(start)

    async def established(self, start: float) -> JournalEntry[Message]:
        """Wait until the colleague talks."""
        await self.at.phones["bob"].event("CALL_ESTABLISHED", after=start)
        return await self.at.pbx.ami.event("BridgeEnter", after=start, BridgeNumChannels="2")

    async def planned(self, line: str) -> None:
        """Wait until the node has the plan by which a line of hers rings first."""

        async def so() -> bool:
            return any(
                f"!{line}!" in value.partition("!deskphone!")[0] for *_, value in await self.at.installed()
            )

        await until(so, f"the plan that rings {line}")

    async def published(self, presence: Presence) -> None:
        """Wait until her number shows a presence, which not every phone that watches can tell from others."""

        async def so() -> bool:
            return await shown(self.at.pbx.ami, "1001") is presence

        await until(so, f"the presence {presence.name}")


@asynccontextmanager
async def deskphone_and_browser(
    user: User = USER, *, there: bool = True
) -> AsyncIterator[DeskphoneAndBrowser]:
    """A user who is not logged in; the deskphone is registered, or not."""
    phones, known = ((DESKPHONE,), (BROWSER, WATCHER)) if there else ((), (DESKPHONE, BROWSER, WATCHER))
    async with (
        planned_node(*phones, known=known) as at,
        service_process(at.pbx) as service,
        browser() as chromium,
    ):
        await service.add(user, ())
        tab = await chromium.tab(at.pbx, BROWSER)
        async with watcher(at.pbx, WATCHER, user.extension) as lamp:
            await lamp.shows("Ready" if there else "Unavailable")
            yield DeskphoneAndBrowser(at, service, chromium, tab, lamp)


class TestTheDeviceInUse:
    """R1 to R3, S1 to S3: the device that login and selection come to rings, and the other one is silent."""

    @in_loop
    async def test_it_follows_login_selection_and_logout_from_call_to_call(self) -> None:
        async with deskphone_and_browser() as at:
            for events, device in (
                ((), Device.DESKPHONE),
                ((IN,), Device.WEBRTC),
                ((AT_THE_DESK,), Device.DESKPHONE),
                ((IN_THE_BROWSER,), Device.WEBRTC),
                ((OUT,), Device.DESKPHONE),
                ((IN,), Device.WEBRTC),
                ((AT_THE_DESK, OUT, IN), Device.DESKPHONE),
            ):
                await at.happens(*events)
                await at.rings_next(device)

    @in_loop
    async def test_a_did_rings_it_as_the_extension_does(self) -> None:
        """R6"""
        async with deskphone_and_browser() as at:
            for events, device in (((IN,), Device.WEBRTC), ((AT_THE_DESK,), Device.DESKPHONE)):
                await at.happens(*events)
                start = await at.call(DID)
                await at.rings(device, start)
                await at.gives_up(start)

    @in_loop
    async def test_it_stays_what_it_is_while_the_deskphone_is_in_a_call(self) -> None:
        """R5, P2: the browser rings, and the lamp shows that she is talking."""
        async with deskphone_and_browser() as at:
            await at.happens(IN)
            start = await at.at.dial("2000", "alice")
            await at.at.phones["alice"].event("CALL_ESTABLISHED", after=start)
            await at.lamp.shows("On the phone", after=start)
            start = await at.call()
            await at.tab.event("ringing", after=start)
            assert "CALL_INCOMING" not in at.at.phones["alice"].reported(after=start)
            await at.published(Presence.RINGING_IN_USE)


class TestWhatRingsStays:
    """R7: a toggle counts for the next call; the one that rings stays where it is."""

    @in_loop
    async def test_a_toggle_while_the_browser_rings(self) -> None:
        async with deskphone_and_browser(evolve(USER, ring_seconds=6)) as at:
            await at.happens(IN)
            start = await at.call()
            await at.rings(Device.WEBRTC, start)
            await at.happens(AT_THE_DESK)
            await at.tab.answer()
            await at.established(start)
            assert not at.at.rang("alice", start)
            await at.gives_up(start)
            await at.rings_next(Device.DESKPHONE)

    @in_loop
    async def test_a_selection_while_the_deskphone_rings_and_a_logout_while_it_talks(self) -> None:
        async with deskphone_and_browser(evolve(USER, ring_seconds=6)) as at:
            await at.happens(IN, AT_THE_DESK)
            start = await at.call()
            await at.rings(Device.DESKPHONE, start)
            await at.happens(IN_THE_BROWSER)
            await at.at.phones["alice"].accept()
            await at.established(start)
            await at.happens(AT_THE_DESK, OUT)
            await asyncio.sleep(0.5)
            assert not at.at.rang("alice_w", start)
            assert "CALL_CLOSED" not in at.at.phones["bob"].reported(after=start)
            await at.gives_up(start)


class TestVanishing:
    """R15, P2: a browser that is killed while it rings hands the call on; the lamp shows that it rings on."""

    @in_loop
    async def test_it_is_killed_while_the_service_runs(self) -> None:
        async with deskphone_and_browser(evolve(USER, ring_seconds=6)) as at:
            await at.happens(IN)
            start = await at.call()
            await at.rings(Device.WEBRTC, start)
            await at.lamp.shows("Ringing", after=start)
            async with delays() as seen:
                gone = time.monotonic()
                await at.chromium.kill()
                assert await at.at.rings("alice", gone) < HANDED_ON + seen.worst(gone)
            await at.lamp.shows("Ringing", after=gone)
            await at.at.phones["alice"].accept()
            await at.established(start)
            await at.lamp.shows("On the phone", after=start)
            assert "Unavailable" not in [
                reported.what for reported in at.lamp.journal.reported if reported.at > start
            ]


class TestFallback:
    """R4, P2: a browser that is gone leaves calls to the deskphone, which the lamp then shows."""

    @in_loop
    async def test_after_its_tab_was_killed(self) -> None:
        async with deskphone_and_browser() as at:
            await at.happens(IN)
            await at.rings_next(Device.WEBRTC)
            killed = time.monotonic()
            await at.chromium.kill()
            await at.at.pbx.ami.event("ContactStatus", after=killed, ContactStatus="Removed")
            start = await at.call()
            await at.rings(Device.DESKPHONE, start)
            await at.lamp.shows("Ringing", after=start)
            assert "Unavailable" not in [
                reported.what for reported in at.lamp.journal.reported if reported.at > start
            ]
            await at.gives_up(start)
            async with browser() as another:  # S2: the fallback left the selection as it was
                tab = await another.tab(at.at.pbx, BROWSER)
                start = await at.call()
                await tab.event("ringing", after=start)
                assert not at.at.rang("alice", start)
                await at.gives_up(start)

    @in_loop
    async def test_a_selected_deskphone_that_is_gone_is_unavailable(self) -> None:
        """R4, R12, P1: it never spills to the browser, and the mailbox takes the call at once."""
        async with deskphone_and_browser(there=False) as at:
            await at.happens(IN, AT_THE_DESK)
            await at.lamp.shows("Unavailable")
            start = await at.call()
            end, seconds = await at.at.ends(start)
            assert end == Mailbox(MAILBOX)
            assert seconds < SOON
            assert not at.at.rang("alice_w", start)


class TestSessions:
    """S4, S5: an account is logged in as long as one session is, or its lease lasts."""

    @in_loop
    async def test_a_call_rings_in_every_tab_and_the_first_answer_takes_it(self) -> None:
        async with deskphone_and_browser() as at:
            other = await at.chromium.tab(at.at.pbx, BROWSER)
            await at.happens(IN, LoggedIn("tab-2"))
            start = await at.call()
            for tab in (at.tab, other):
                await tab.event("ringing", after=start)
            await other.answer()
            await at.established(start)
            await at.tab.event("closed", after=start)
            await at.gives_up(start)
            await at.happens(OUT)
            start = await at.call()
            await other.event("ringing", after=start)
            await at.gives_up(start)
            await at.happens(LoggedOut("tab-2"))
            await at.rings_next(Device.DESKPHONE)

    @in_loop
    async def test_a_lost_session_holds_it_for_its_lease_only(self) -> None:
        async with deskphone_and_browser() as at:
            await at.happens(IN, SessionLost("tab-1", datetime.now(UTC)))
            await at.rings_next(Device.WEBRTC)
            await at.happens(IN, SessionLost("tab-1", datetime.now(UTC) - timedelta(seconds=9)))
            await asyncio.sleep(1.5)
            await at.rings_next(Device.DESKPHONE)


class TestOutcomes:
    """R9 to R11: the rule of the outcome follows whichever device rang, and the other one never rings."""

    @in_loop
    async def test_an_unanswered_call_goes_to_the_mailbox_from_either_device(self) -> None:
        async with deskphone_and_browser() as at:
            for events, device in (((), Device.DESKPHONE), ((IN,), Device.WEBRTC)):
                await at.happens(*events)
                start = await at.call()
                await at.rings(device, start)
                end, seconds = await at.at.ends(start)
                assert end == Mailbox(MAILBOX)
                assert seconds >= USER.ring_seconds
                assert not at.at.rang("alice" if device is Device.WEBRTC else "alice_w", start)
                await at.at.phones["bob"].event("CALL_ESTABLISHED", after=start)
                await at.gives_up(start)

    @in_loop
    async def test_a_refused_call_goes_where_busy_calls_go_and_her_own_forward_comes_first(self) -> None:
        async with deskphone_and_browser() as at:
            await at.happens(IN)
            for choice, where in (
                (Forwarding(), OUTSIDE),
                (Forwarding(busy=Forward("2001")), Extension("2001")),
            ):
                await at.happens(ForwardingChanged(choice))
                start = await at.call()
                await at.rings(Device.WEBRTC, start)
                await at.tab.hang_up()
                assert (await at.at.ends(start))[0] == where
                await at.at.phones["bob"].event("CALL_ESTABLISHED", after=start)
                await at.gives_up(start)


class TestGate:
    """R8: do-not-disturb, a forward and the limit keep a call from ringing, whichever device is in use."""

    @in_loop
    async def test_do_not_disturb_and_an_unconditional_forward_on_and_off(self) -> None:
        async with deskphone_and_browser() as at:
            await at.happens(IN)
            for choice, where in (
                (Forwarding(do_not_disturb=True), Mailbox(MAILBOX)),
                (Forwarding(unconditional=Forward("2000")), Extension("2000")),
                (Forwarding(unconditional=Forward(USER.voicemail_code)), Mailbox(MAILBOX)),  # R10
            ):
                await at.happens(ForwardingChanged(choice))
                start = await at.call()
                assert (await at.at.ends(start))[0] == where
                assert not at.at.rang("alice", start)
                assert not at.at.rang("alice_w", start)
                await at.at.phones["bob"].event("CALL_ESTABLISHED", after=start)
                await at.gives_up(start)
            await at.happens(ForwardingChanged(Forwarding()))
            await at.rings_next(Device.WEBRTC)

    @in_loop
    async def test_at_the_limit_a_call_is_busy_and_she_can_still_dial(self) -> None:
        async with deskphone_and_browser(
            evolve(USER, simultaneous_calls=1, fallbacks=Fallbacks(busy=Refusal(17)))
        ) as at:
            await at.happens(IN)
            start = await at.at.dial("2000", "alice")
            await at.at.phones["alice"].event("CALL_ESTABLISHED", after=start)
            start = await at.call()
            assert await at.at.cause(start) == "17"
            assert not at.at.rang("alice_w", start)
            await at.tab.dial("2001")
            await at.tab.event("confirmed", after=start)


class TestLamp:
    """P1 to P3: the lamp shows the device in use, joined with a call on the other one."""

    @in_loop
    async def test_a_call_on_the_device_in_use_from_ringing_to_its_end(self) -> None:
        async with deskphone_and_browser() as at:
            for events, device in (((), Device.DESKPHONE), ((IN,), Device.WEBRTC)):
                await at.happens(*events)
                start = await at.call()
                await at.rings(device, start)
                await at.lamp.shows("Ringing", after=start)
                await (at.tab.answer() if device is Device.WEBRTC else at.at.phones["alice"].accept())
                await at.lamp.shows("On the phone", after=start)
                talking = (await at.established(start)).at
                await at.gives_up(start)
                await at.lamp.shows("Ready", after=talking)

    @in_loop
    async def test_a_call_that_stays_up_is_shown_after_a_logout(self) -> None:
        async with deskphone_and_browser() as at:
            await at.happens(IN)
            start = await at.call()
            await at.rings(Device.WEBRTC, start)
            await at.tab.answer()
            await at.established(start)
            await at.lamp.shows("On the phone", after=start)
            before = len(at.lamp.journal.reported)
            await at.happens(OUT)
            await asyncio.sleep(0.5)
            assert "Ready" not in [reported.what for reported in at.lamp.journal.reported[before:]]

    @in_loop
    async def test_a_held_call_is_on_hold_on_the_device_in_use_and_in_use_on_the_other(self) -> None:
        async with deskphone_and_browser() as at:
            start = await at.call()
            await at.rings(Device.DESKPHONE, start)
            await at.at.phones["alice"].accept()
            await at.established(start)
            await at.at.phones["bob"].hold()
            for events, shown in (((), "On hold"), ((IN,), "On the phone"), ((OUT,), "On hold")):
                before = time.monotonic()
                await at.happens(*events)
                await at.lamp.shows(shown, after=before if events else start)
            await at.gives_up(start)


class TestDeath:
    """R16, S2: decisions last, whichever process dies."""

    @in_loop
    async def test_calls_follow_the_last_plan_when_the_service_was_killed(self) -> None:
        async with deskphone_and_browser() as at:
            await at.happens(IN, ForwardingChanged(Forwarding(no_answer=Forward("2001"))))
            await at.service.kill()
            start = await at.call()
            await at.rings(Device.WEBRTC, start)
            assert (await at.at.ends(start))[0] == Extension("2001")
            await at.at.phones["bob"].event("CALL_ESTABLISHED", after=start)
            await at.gives_up(start)
            killed = time.monotonic()
            await at.chromium.kill()
            await at.at.pbx.ami.event("ContactStatus", after=killed, ContactStatus="Removed")
            start = await at.call()
            await at.rings(Device.DESKPHONE, start)

    @in_loop
    async def test_the_selection_is_there_when_the_service_comes_back(self) -> None:
        async with planned_node(DESKPHONE, known=(BROWSER,)) as at, browser() as chromium:
            await chromium.tab(at.pbx, BROWSER)
            store = at.pbx.folder / "accounts.db"
            async with service_process(at.pbx, store) as service:
                await service.add(USER, (IN, AT_THE_DESK))
                await service.kill()
            start = await at.dial("1001")
            assert await at.rings("alice", start) < SOON
            await at.phones["bob"].hang_up()
            await at.cause(start)
            async with service_process(at.pbx, store) as service:
                await service.handle("alice", (LoggedIn("tab-2"),))
                start = await at.dial("1001")
                assert await at.rings("alice", start) < SOON
                assert not at.rang("alice_w", start)

    @in_loop
    async def test_calls_and_lamps_are_right_after_a_restart_of_the_node(self) -> None:
        async with deskphone_and_browser() as at:
            await at.happens(IN, AT_THE_DESK)
            await asyncio.sleep(2)  # the database is written up to a second late
            await at.at.pbx.kill()
            await at.at.pbx.start()
            start = time.monotonic()
            await at.at.phones["bob"].dial("1001")
            await at.rings(Device.DESKPHONE, start)
            async with watcher(at.at.pbx, WATCHER, "1001") as lamp:
                await lamp.shows("Ringing")
                await at.gives_up(start)
                await at.happens(IN_THE_BROWSER)
                await at.tab.event("registered", after=start)
                await lamp.shows("Ready", after=start)
                await at.planned("alice_w")  # the service may still be on its way back
                await at.rings_next(Device.WEBRTC)
