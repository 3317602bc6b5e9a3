"""``unique-account serve`` over two nodes, and what happens when one of them dies (XDS)."""

from __future__ import annotations

import asyncio
import time

import pytest
from attrs import evolve

from lab.waiting import until
from lab.watcher import Package, watcher
from tests.e2e.drivers.agreement import held
from tests.e2e.fixtures.rendered_node import command
from tests.e2e.fixtures.two_nodes import LAMP, Nodes, rendered_nodes, served_nodes
from tests.event_loop import in_loop
from unique_account.adapters.asterisk import plans
from unique_account.adapters.asterisk.ami.connection import ANSWERS_WITHIN

pytestmark = pytest.mark.e2e

SOON = ANSWERS_WITHIN
"""In seconds: whatever waits for a node that does not answer takes longer."""


class TestReady:
    """A4: the nodes, configured by nothing but the rendered files, lack nothing."""

    @in_loop
    async def test_the_doctor_finds_nothing(self) -> None:
        async with served_nodes() as at:
            done = command("doctor", "--config", "unique_account.toml", folder=at.folder)
            assert (done.stdout, done.stderr) == (
                "default: ready for 2 users\nmds1: ready for 1 user\n",
                "",
            )


class TestCalls:
    """R6, H6: a call to a user of the other node rings there, and is one call in the history of both."""

    @in_loop
    async def test_it_enters_by_the_trunk_and_is_one_call(self) -> None:
        async with served_nodes() as at:
            start = time.monotonic()
            call = at.phones["alice"].dial("1003")
            assert await at.rings("carol", start) < SOON
            at.phones["carol"].answer()
            await at.phones["alice"].wait_for("answered", after=start)
            assert await entered(at, "mds1", start) == {"unique-account-trunk"}
            await at.phones["alice"].hang_up(call)
            caller, called = await at.record("alice"), await at.record("carol")
            assert caller.id == called.id
            assert (caller.status, called.status) == ("emitted", "answered")

    @in_loop
    async def test_forwards_are_counted_over_both_nodes(self) -> None:
        """R13: four of them, and the fifth is refused."""
        async with served_nodes() as at:
            await at.forwards("alice", "1003")
            await at.forwards("carol", "1001")
            start = time.monotonic()
            at.phones["bob"].dial("1001")
            await at.phones["bob"].wait_for("refused", after=start)

            async def counted_to_four() -> bool:
                counts = [
                    reported.what["Value"]
                    for pbx in at.pbxs.values()
                    for reported in pbx.ami.journal.reported
                    if reported.at >= start
                    and reported.what.event == "VarSet"
                    and reported.what["Variable"] == "__UNIQUE_ACCOUNT_FORWARDS"
                ]
                return max(map(int, filter(None, counts))) == 4

            await until(counted_to_four, "the fourth forward, which the managers report in their own time")


class TestPresence:
    """P1, P2: phones of both nodes are shown the same of users of both."""

    @in_loop
    async def test_a_call_is_shown_on_both_nodes(self) -> None:
        async with (
            served_nodes() as at,
            watcher(at.pbxs["default"], LAMP, "1003", Package.PRESENCE) as carol_far,
            watcher(at.pbxs["mds1"], LAMP, "1003", Package.PRESENCE) as carol_near,
            watcher(at.pbxs["mds1"], LAMP, "1001", Package.PRESENCE) as alice_far,
        ):
            await at.trunks()
            for lamp in (carol_far, carol_near, alice_far):
                await lamp.shows("Ready")
            start = time.monotonic()
            call = at.phones["alice"].dial("1003")
            for lamp in (carol_far, carol_near):
                await lamp.shows("Ringing", after=start)
            at.phones["carol"].answer()
            for lamp in (carol_far, carol_near, alice_far):
                await lamp.shows("On the phone", after=start)
            await at.phones["alice"].wait_for("answered", after=start)
            start = time.monotonic()
            await at.phones["alice"].hang_up(call)
            for lamp in (carol_far, carol_near, alice_far):
                await lamp.shows("Ready", after=start)


async def entered(at: Nodes, name: str, start: float) -> set[str]:
    """In which contexts calls came in over the trunk of a node."""
    pbx = at.pbxs[name]
    reported = await pbx.ami.event("Newchannel", after=start)
    assert reported.what["Channel"].startswith("PJSIP/unique-account-")
    return {
        one.what["Context"]
        for one in pbx.ami.journal.reported
        if one.at >= start
        and one.what.event == "Newchannel"
        and one.what["Channel"].startswith("PJSIP/unique-account-")
    }


def told_once(at: Nodes) -> None:
    """The log reports that the other node was lost and is back, once each, and no more."""
    reported = [line for line in at.log.splitlines() if "mds1" in line]
    assert [line.partition(" ERROR ")[1] for line in reported] == [" ERROR ", ""], reported
    assert "pbx mds1: connection failed" in reported[0]
    assert "pbx mds1: connection works again" in reported[1]
    assert at.log.count(" ERROR ") == 1


class TestKilledService:
    """R16: whichever process is killed, calls between nodes follow the last plans, and all agrees later."""

    @in_loop
    async def test_in_the_middle_of_a_toggle_storm(self) -> None:
        async with served_nodes() as at:
            for user in ("alice", "carol"):
                await at.report_action(user, "log_in", Session="tab-1")
                await at.planned(user, "webrtc")
            await at.forwards("bob", "1003")
            storm = asyncio.gather(toggles(at, "alice"), toggles(at, "carol"))
            await asyncio.sleep(0.2)
            await at.kill()
            await storm
            await at.trunks()  # a node that is busy may miss a question whether it is there
            start = time.monotonic()
            at.phones["alice"].dial("1002")  # no browser is there: whatever is installed, the deskphone rings
            assert await at.rings("carol", start) < SOON
            await at.phones["alice"].hang_up()
            await at.serve()
            await at.agree()


async def toggles(at: Nodes, user: str) -> None:
    """A user selects one device and the other, as fast as it goes, and the deskphone in the end."""
    for number in range(101):
        await at.report_action(user, "select", Device=("deskphone", "webrtc")[number % 2])


class TestMoved:
    """S2: the selection goes with a user who moves to another node."""

    @in_loop
    async def test_to_the_other_node(self) -> None:
        async with served_nodes() as at:
            await at.report_action("bob", "log_in", Session="tab-1")
            await at.planned("bob", "webrtc")
            await at.report_action("bob", "select", Device="deskphone")
            await at.planned("bob", "deskphone")
            plan = await at.installed("bob")
            assert plan is not None
            at.moves("bob", "mds1")
            await at.logs("users: 1 changed")
            there = plans(await held(at.pbxs["mds1"].ami))
            assert evolve(plan, media_server="mds1", version=there["bob"].version) == there["bob"]
            assert "bob" not in plans(await held(at.pbxs["default"].ami))


class TestDown:
    """R16: a node that is down is reported, holds nobody else up, and agrees again when it is back."""

    @in_loop
    async def test_it_is_reported_and_the_other_one_goes_on(self) -> None:
        async with (
            served_nodes() as at,
            watcher(at.pbxs["default"], LAMP, "1003", Package.PRESENCE) as carol,
        ):
            await at.report_action("carol", "log_in", Session="tab-1")
            await at.planned("carol", "webrtc")
            start = time.monotonic()
            at.phones["alice"].dial("1003")
            await at.rings("carol", start)
            at.phones["carol"].answer()
            await carol.shows("On the phone", after=start)
            start = time.monotonic()
            await at.pbxs["mds1"].kill()
            await at.connected(default="connected", mds1="disconnected")
            await at.logs("pbx mds1: connection failed")
            await carol.shows("Unavailable", after=start)

            start = time.monotonic()
            at.phones["bob"].dial("1001")
            assert await at.rings("alice", start) < SOON
            at.phones["alice"].reject()
            start = time.monotonic()
            await at.report_action("alice", "log_in", Session="tab-2")
            await at.planned("alice", "webrtc")
            assert time.monotonic() - start < SOON

            assert "works again" not in at.log
            await at.no_trunk("default")
            back = time.monotonic()
            await at.pbxs["mds1"].start()
            await at.connected(default="connected", mds1="connected")
            told_once(at)
            await at.phones["carol"].register()
            await carol.shows("Ready", after=back)
            await at.trunks()
            start = time.monotonic()
            at.phones["bob"].dial("1003")
            assert await at.rings("carol", start) < SOON

    @in_loop
    async def test_the_service_starts_without_it(self) -> None:
        async with rendered_nodes() as at:
            await at.pbxs["mds1"].kill()
            await at.serve()
            await at.connected(default="connected", mds1="disconnected")
            await at.report_action("alice", "log_in", Session="tab-1")
            await at.planned("alice", "webrtc")
            await at.pbxs["mds1"].start()
            await at.connected(default="connected", mds1="connected")
            await at.planned("carol", "deskphone")

    @in_loop
    async def test_one_that_hangs(self) -> None:
        async with served_nodes() as at:
            await at.report_action("alice", "log_in", Session="tab-1")
            at.pbxs["mds1"].freeze()
            try:
                for device in ("webrtc", "deskphone", "webrtc"):
                    start = time.monotonic()
                    await at.report_action("alice", "select", Device=device)
                    await at.planned("alice", device)
                    assert time.monotonic() - start < SOON
                    start = time.monotonic()
                    at.phones["bob"].dial("1001")
                    assert await at.rings("alice", start) < SOON
                    at.phones["alice"].reject()
                await at.connected(default="connected", mds1="disconnected")
            finally:
                at.pbxs["mds1"].thaw()
            await at.connected(default="connected", mds1="connected")
            await at.agree()
            told_once(at)
