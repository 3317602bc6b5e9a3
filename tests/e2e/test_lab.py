"""The lab itself: its Asterisk, deskphones and browser do what the other end-to-end tests rely on.

The times are those of real programs, so bounds are the rules' own or far from what is usual.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from contextlib import ExitStack
from shutil import rmtree

import pytest
from attrs import evolve

from lab.asterisk import node
from lab.parties import Party
from lab.ports import LOOPBACK
from lab.sound import NEAR
from lab.waiting import delays
from lab.watcher import Package, SubscriptionRefused, watcher
from tests.e2e.fixtures.deskphones import (
    ENDPOINTS,
    EXTENSIONS,
    WATCHER,
    WEBRTC,
    deskphones,
    phones_and_browser,
    start_call,
)
from tests.event_loop import in_loop

pytestmark = pytest.mark.e2e


def near(tone: int) -> object:
    """A tone, as exactly as a recording of a telephone call shows it."""
    return pytest.approx(tone, abs=NEAR)


class Forgetful(asyncio.DatagramTransport):
    """A way to a node on which the first datagram is lost."""

    def __init__(self, transport: asyncio.DatagramTransport) -> None:
        super().__init__()
        self._transport = transport
        self._lost = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self._transport.get_extra_info(name, default)

    def sendto(self, data: bytes, addr: object = None) -> None:  # type: ignore[override]
        if self._lost:
            self._transport.sendto(data, addr)  # type: ignore[arg-type]
        self._lost = True

    def close(self) -> None:
        self._transport.close()


class TestNode:
    """A node is ready when its context opens, and leaves nothing when it closes."""

    @in_loop
    async def test_answers_on_its_console_and_its_manager_interface(self) -> None:
        async with node() as pbx:
            assert "Asterisk 22" in await pbx.cli("core show version")
            assert (await pbx.ami.act("Ping")).get("Ping") == "Pong"

    @in_loop
    async def test_logs_no_error(self) -> None:
        async with node(ENDPOINTS, EXTENSIONS) as pbx:
            assert [line for line in pbx.log.splitlines() if "ERROR" in line] == []

    @in_loop
    async def test_is_gone_when_the_context_closes(self) -> None:
        async with node() as pbx:
            pass
        assert not pbx.folder.exists()
        with pytest.raises(ConnectionError):
            await pbx.another_ami()

    @in_loop
    async def test_several_run_at_once(self) -> None:
        async with node(name="main") as main, node(name="branch") as branch:
            systems = [await pbx.cli("core show settings") for pbx in (main, branch)]
            assert systems[0] != systems[1]

    @in_loop
    async def test_killed_it_can_be_started_again(self) -> None:
        async with node() as pbx:
            await pbx.kill()
            with pytest.raises(ConnectionError):
                await pbx.another_ami()
            await pbx.start()
            await pbx.ami.event("FullyBooted")

    @in_loop
    async def test_started_again_it_still_knows_its_deskphones(self) -> None:
        async with deskphones() as at:
            await at.pbx.stop()
            await at.pbx.start()
            await at.bob.dial("1001")
            await at.alice.event("CALL_INCOMING")

    @in_loop
    async def test_a_party_sends_a_lost_request_again(self) -> None:
        async with node(ENDPOINTS, EXTENSIONS) as pbx:
            loop = asyncio.get_running_loop()
            transport, alice = await loop.create_datagram_endpoint(
                lambda: Party(pbx, ENDPOINTS[0], controllable=False, rings=True), local_addr=(LOOPBACK, 0)
            )
            alice.use(Forgetful(transport))
            await alice.register()
            await alice.aclose()

    @in_loop
    async def test_logs_are_kept_and_named_if_a_test_fails(self) -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            async with node() as pbx:
                raise ZeroDivisionError
        assert str(pbx.folder) in caught.value.__notes__[0]
        assert "modules will be loaded" in pbx.log
        rmtree(pbx.folder)


class TestPorts:
    """Several processes may run what the lab has side by side."""

    def test_two_processes_never_get_the_same(self) -> None:
        program = "from lab.ports import port; print([port() for _ in range(20)], flush=True); input()"
        command = (sys.executable, "-c", program)
        with (
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one,
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other,
        ):
            assert one.stdout is not None
            assert other.stdout is not None
            given = json.loads(one.stdout.readline()) + json.loads(other.stdout.readline())
            one.communicate("\n")
            other.communicate("\n")
        assert len(set(given)) == 40

    def test_in_networks_of_their_own_any_number_runs(self) -> None:
        program = (
            "from lab.network import own_network; from lab.ports import port\n"
            "with own_network(): print(port(), flush=True); input()"
        )
        command = (sys.executable, "-c", program)
        with ExitStack() as stack:
            for _ in range(6):
                one = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                stack.enter_context(one)
                stack.callback(one.communicate, "\n")
                assert one.stdout is not None
                assert one.stdout.readline().strip().isdigit()


class TestDeskphones:
    """Deskphones register, call each other, and hear each other."""

    @in_loop
    async def test_each_hears_the_other(self) -> None:
        async with deskphones() as at:
            start = time.monotonic()
            await start_call(at.pbx, at.bob, at.alice, "1001")
            await at.alice.receives(at.bob.tone)
            await at.bob.receives(at.alice.tone)
            await at.alice.hang_up()
            await at.bob.event("CALL_CLOSED", after=start)
            assert at.alice.received() == (near(at.bob.tone),)
            assert at.bob.received() == (near(at.alice.tone),)

    @in_loop
    async def test_a_phone_holds_and_resumes_its_call(self) -> None:
        async with deskphones() as at:
            await start_call(at.pbx, at.bob, at.alice, "1001")
            await at.alice.hold()
            await at.pbx.ami.event("DeviceStateChange", Device="PJSIP/bob", State="ONHOLD")
            resumed = time.monotonic()
            await at.alice.resume()
            await at.pbx.ami.event("DeviceStateChange", after=resumed, Device="PJSIP/bob", State="INUSE")

    @in_loop
    async def test_a_call_that_is_refused_ends(self) -> None:
        async with deskphones() as at:
            await at.alice.dial("1002")
            await at.bob.event("CALL_INCOMING")
            await at.bob.hang_up()
            await at.alice.event("CALL_CLOSED")


class TestBrowser:
    """The browser registers its line, is called, and vanishes in every way that a browser does."""

    @in_loop
    async def test_talks_with_a_deskphone(self) -> None:
        async with phones_and_browser() as at:
            start = time.monotonic()
            await at.bob.dial("1001")
            assert (await at.tab.event("ringing", after=start)).what.detail == "1002"
            await at.tab.answer()
            await at.bob.event("CALL_ESTABLISHED", after=start)
            await at.tab.event("confirmed")
            await at.bob.receives(at.chromium.tone)
            assert await at.tab.received() > 0
            await at.tab.hang_up()
            await at.bob.event("CALL_CLOSED", after=start)
            assert at.bob.received() == (near(at.chromium.tone),)

    @in_loop
    async def test_killed_it_loses_its_contact_within_a_second(self) -> None:
        async with phones_and_browser() as at:
            killed = time.monotonic()
            await at.chromium.kill()
            gone = {"EndpointName": "alice_w", "ContactStatus": "Removed"}
            assert (await at.pbx.ami.event("ContactStatus", after=killed, **gone)).at - killed < 1

    @in_loop
    async def test_killed_it_leaves_the_next_call_to_the_deskphone(self) -> None:
        async with phones_and_browser() as at:
            killed = time.monotonic()
            await at.chromium.kill()
            await at.pbx.ami.event("ContactStatus", after=killed, ContactStatus="Removed")
            dialled = time.monotonic()
            await at.bob.dial("1001")
            assert (await at.alice.event("CALL_INCOMING", after=dialled)).at - dialled < 1

    @in_loop
    async def test_frozen_it_keeps_its_contact_and_rings_into_nothing(self) -> None:
        async with phones_and_browser() as at:
            at.chromium.freeze()
            await at.bob.dial("1001")
            await at.pbx.ami.event("DialBegin", CallerIDNum="1002")
            assert "alice_w/" in await at.pbx.cli("pjsip show contacts")
            thawed = time.monotonic()
            at.chromium.thaw()
            await at.tab.event("ringing", after=thawed)

    @in_loop
    async def test_a_closed_tab_leaves_the_other_one_registered(self) -> None:
        async with phones_and_browser() as at:
            second = await at.chromium.tab(at.pbx, WEBRTC)
            closed = time.monotonic()
            await second.close()
            await at.pbx.ami.event("ContactStatus", after=closed, ContactStatus="Removed")
            await at.bob.dial("1001")
            await at.tab.event("ringing", after=closed)


class TestWatcher:
    """P5: a watcher is shown what a hint says, at once and at every change."""

    @in_loop
    async def test_receives_every_change_of_a_hint(self) -> None:
        hint = "[default]\nexten = 1001,hint,Custom:alice\n"
        async with node([WATCHER], hint) as pbx, watcher(pbx, WATCHER, "1001") as lamp:
            await lamp.shows("Ready")
            for state, word in (
                ("RINGING", "Ringing"),
                ("INUSE", "On the phone"),
                ("UNAVAILABLE", "Unavailable"),
            ):
                changed = time.monotonic()
                await pbx.ami.act("Setvar", ("Variable", "DEVICE_STATE(Custom:alice)"), ("Value", state))
                await lamp.shows(word, after=changed)

    @in_loop
    async def test_shows_ringing_while_in_use_if_its_endpoint_asks_for_it(self) -> None:
        lit = evolve(WATCHER, options={"notify_early_inuse_ringing": "yes"})
        hint = "[default]\nexten = 1001,hint,Custom:alice\n"
        async with node([lit], hint) as pbx, watcher(pbx, lit, "1001", Package.DIALOG) as lamp:
            await lamp.shows("terminated")
            await pbx.ami.act("Setvar", ("Variable", "DEVICE_STATE(Custom:alice)"), ("Value", "RINGINUSE"))
            await lamp.shows("early")

    @in_loop
    async def test_is_refused_where_there_is_no_hint(self) -> None:
        async with node([WATCHER], "[default]\n") as pbx:
            with pytest.raises(SubscriptionRefused, match="404"):
                async with watcher(pbx, WATCHER, "1001"):
                    pass


class TestDelays:
    """Whether the machine stood still is known, so that nothing is taken for proof that is none."""

    @in_loop
    async def test_a_process_that_stood_still_is_noticed(self) -> None:
        async with delays() as watched:
            await asyncio.sleep(0.1)
            began = time.monotonic()
            time.sleep(0.4)  # noqa: ASYNC251
            await asyncio.sleep(0.1)
            assert watched.worst(began) > 0.3
            assert watched.worst(time.monotonic()) == 0.0
