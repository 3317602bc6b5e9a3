"""``unique-account serve`` on a real Asterisk, and what happens when one of them dies."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Final

import pytest
from websockets.asyncio.client import ClientConnection, connect

from lab.mailboxes import message
from tests.adapters.xuc.schema import check_event
from tests.e2e.fixtures.serve_process import ServeProcess, serve_process
from tests.event_loop import in_loop
from unique_account.core.machine import Device
from unique_account.core.presence import Presence

pytestmark = pytest.mark.e2e

HELD_FOR: Final = 4
"""How many seconds a lost session holds the account where a test waits for its end."""


class TestServe:
    """R2, R3: calls go to the device in use, as the service installs it."""

    @in_loop
    async def test_calls_follow_the_selection(self) -> None:
        async with serve_process() as at:
            assert await at.health() == (200, "connected", "connected")
            await at.call_rings("deskphone")
            await at.logs_in()
            await at.call_rings("webrtc")
            await at.selects("deskphone")
            await at.call_rings("deskphone")
            await at.agree()
            assert "ERROR" not in at.log


class TestResync:
    """R16: differences on a PBX are repaired and reported: at the start, on demand, when it is back."""

    @in_loop
    async def test_it_says_what_differed(self) -> None:
        async with serve_process() as at:
            await at.logs_in()
            await at.spoil()
            await at.call_rings("deskphone")  # a number without a plan
            at.asks_for_resync()
            await at.logs("resync: PBX and accounts agree", 1)
            await at.agree()
            await at.call_rings("webrtc")
            await at.stop()
            await at.spoil()
            await at.start()
            await at.agree()
            assert at.log.count("resync: alice: no plan was installed\n") == 2
            assert at.log.count("resync: mallory: a plan without an account\n") == 2
            assert at.log.count("resync: ") == 5

    @in_loop
    async def test_it_says_so_of_a_node_that_is_back(self) -> None:
        async with serve_process() as at:
            await at.logs_in()
            at.ami_proxy.cut()
            await at.disconnected()
            await at.spoil()
            at.ami_proxy.mend()
            await at.connected()
            await at.agree()
            await at.logs("resync: alice: no plan was installed\n", 1)
            assert at.log.count("resync: mallory: a plan without an account\n") == 1
            await at.call_rings("webrtc")


class TestAssistant:
    """R2, S5: who logs in to the served CTI server is called in the browser, and no more after a logout."""

    @in_loop
    async def test_a_login_a_selection_and_a_logout(self) -> None:
        async with serve_process() as at:
            page, policy = await at.page()
            assert "<html" in page
            assert f"connect-src 'self' {at.at.pbx.websocket.removesuffix('/ws')};" in policy
            async with _page(at) as socket:
                line = await _reported(socket, "SipLine")
                assert line["password"] == at.at.passwords["alice_w"]
                await at.call_rings("webrtc")
                await _select(socket, "deskphone")
                await at.planned("deskphone")
                await at.call_rings("deskphone")
            assert (await at.stored()).selection is Device.DESKPHONE

    @in_loop
    async def test_a_new_message_is_sent_to_every_session(self) -> None:
        """V2, R8: do-not-disturb leads a call to the mailbox."""
        async with serve_process() as at, _page(at) as one, _page(at) as other:
            await one.send(json.dumps({"claz": "web", "command": "dnd", "state": True}))
            await at.silenced()
            start = time.monotonic()
            await at.bob.dial("1001")
            await at.bob.event("CALL_ESTABLISHED", after=start)
            await message(at.at.pbx.folder, "1001@default", "tmp")
            await asyncio.sleep(1)  # the message
            await at.bob.hang_up()
            for socket in (one, other):
                while (await _reported(socket, "VoiceMailStatusUpdate"))["newMessages"] != 1:
                    pass


class TestLease:
    """S5, S7: a session that is lost holds the account for its lease, whatever older connections do."""

    @in_loop
    async def test_after_a_restart_every_session_was_seen_just_now(self) -> None:
        async with serve_process(lease=HELD_FOR) as at:
            async with _page(at):
                await at.kill()
            await asyncio.sleep(HELD_FOR)
            await at.call_rings("webrtc")  # the PBX knows no newer plan
            started = time.monotonic()
            await at.start()
            await at.agree()
            await at.call_rings("webrtc")
            await at.planned("deskphone")
            assert time.monotonic() - started > HELD_FOR
            await at.call_rings("deskphone")

    @in_loop
    async def test_an_older_connection_that_is_lost_changes_nothing(self) -> None:
        async with serve_process(lease=HELD_FOR) as at:
            address = f"{at.assistant('ws')}/cti?token={await at.token('alice', 'secret of alice')}"
            async with connect(address, max_queue=None) as older, connect(address, max_queue=None) as newer:
                await at.planned("webrtc")
                older.transport.abort()
                await asyncio.sleep(HELD_FOR + 1)
                await at.call_rings("webrtc")
                newer.transport.abort()
                lost = time.monotonic()
                await at.planned("deskphone")
                assert HELD_FOR - 1 < time.monotonic() - lost < HELD_FOR + 2
                await at.call_rings("deskphone")


class TestKilledService:
    """R16, S2: a service that is killed misroutes no call, and what was chosen is there when it is back."""

    @in_loop
    async def test_in_the_middle_of_a_toggle_storm(self) -> None:
        async with serve_process() as at:
            await at.logs_in()
            draw, behind = Random(16), 0
            for _ in range(3):
                storm = asyncio.create_task(_toggle(at, 200))
                await asyncio.sleep(draw.uniform(0.05, 0.3))
                await at.kill()
                await storm
                held, stored = await at.installed(), await at.stored()
                assert held is not None
                # The last change may not be told, and before the first one is, the plan is that of the start.
                assert stored.version - held.version in {0, 1, behind, behind + 1}
                await at.call_rings(str(held.candidates[0].device))
                await at.shows(Presence.AVAILABLE)
                await at.start()
                await at.agree()
                stored, held = await at.stored(), await at.installed()
                assert held is not None
                behind = stored.version - held.version  # a plan that says the same is not written again
                await at.call_rings("webrtc" if stored.selection is Device.WEBRTC else "deskphone")

    @in_loop
    async def test_a_new_start_finds_the_selection_and_the_session(self) -> None:
        async with serve_process() as at:
            await at.logs_in()
            await at.selects("deskphone")
            await at.kill()
            await at.start()
            assert (await at.stored()).selection is Device.DESKPHONE
            await at.selects("webrtc")
            await at.call_rings("webrtc")


class TestRestartedAsterisk:
    """R16: a PBX that was killed has the plans again, the last second's too."""

    @in_loop
    async def test_what_was_chosen_just_before_is_there_again(self) -> None:
        async with serve_process() as at:
            await at.logs_in()
            await at.selects("deskphone")
            await at.at.pbx.kill()
            await at.disconnected()
            await at.at.pbx.start()
            await at.connected()
            await at.agree()
            await at.alice.registered()
            await at.call_rings("deskphone")
            await at.selects("webrtc")
            await at.agree()

    @in_loop
    async def test_what_is_chosen_while_it_is_gone_counts_once_it_is_back(self) -> None:
        async with serve_process() as at, _page(at) as socket:
            storm = asyncio.create_task(_select(socket, *["deskphone", "webrtc"] * 10, "deskphone"))
            await asyncio.sleep(0.1)
            await at.at.pbx.kill()
            await storm
            await at.chose(Device.DESKPHONE)
            await at.at.pbx.start()
            await at.connected()
            await at.agree()
            await at.alice.registered()
            await at.call_rings("deskphone")


class TestCutWire:
    """A connection that is cut, or that carries garbage, is made again, and everything agrees."""

    @in_loop
    async def test_what_is_chosen_after_the_cut_counts(self) -> None:
        async with serve_process() as at:
            await at.logs_in()
            at.ami_proxy.cut()
            await at.disconnected()
            await at.call_rings("webrtc")
            at.ami_proxy.mend()
            await at.connected()
            await at.agree()
            await at.selects("deskphone")
            await at.call_rings("deskphone")

    @in_loop
    async def test_what_is_chosen_while_it_is_cut_counts_once_it_is_mended(self) -> None:
        """Until then calls go where they went: the PBX cannot know what only the service knows."""
        async with serve_process() as at, _page(at) as socket:
            at.ami_proxy.cut()
            await at.disconnected()
            await _select(socket, "deskphone")
            await at.chose(Device.DESKPHONE)
            await at.call_rings("webrtc")
            at.ami_proxy.mend()
            await at.connected()
            await at.agree()
            await at.call_rings("deskphone")

    @in_loop
    async def test_garbage_harms_nothing(self) -> None:
        async with serve_process() as at:
            await at.logs_in()
            draw = Random(4)
            for number, size in enumerate((10, 1000, 200_000), 1):
                at.ami_proxy.speak(draw.randbytes(size) + b"\r\n\r\n")
                await at.call_rings("webrtc")
                await at.logs("malformed message", number)
                await at.connected()
                await at.selects("deskphone")
                await at.selects("webrtc")
            at.ami_proxy.speak(b"Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: NONSENSE\r\n\r\n")
            await at.logs("pbx default: message failed", 1)
            await at.agree()
            await at.call_rings("webrtc")


_TOGGLE = {"claz": "web", "command": "toggleUniqueAccountDevice"}


@asynccontextmanager
async def _page(at: ServeProcess) -> AsyncIterator[ClientConnection]:
    """Alice's UC Assistant, which is logged in; her calls go to the browser."""
    token = await at.token("alice", "secret of alice")
    # Unread messages must not keep the answer to the close from being read.
    async with connect(f"{at.assistant('ws')}/cti?token={token}", max_queue=None) as socket:
        await socket.send(json.dumps({"claz": "web", "command": "getConfig", "objectType": "line"}))
        await at.planned("webrtc")
        yield socket


async def _select(socket: ClientConnection, *devices: str) -> None:
    """Select devices in the page, one after the other."""
    for device in devices:
        await socket.send(json.dumps({**_TOGGLE, "deviceType": device}))


async def _reported(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a kind from the server."""
    while True:
        message = json.loads(await socket.recv())
        check_event(message)
        if message["msgType"] == kind:
            reported: dict[str, Any] = message["ctiMessage"]
            return reported


async def _toggle(at: ServeProcess, times: int) -> None:
    """Select one device and the other, as fast as it goes."""
    for number in range(times):
        await at.report_action("select", Device=("deskphone", "webrtc")[number % 2])
