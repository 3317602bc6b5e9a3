"""XiVO's own client, by a model of it, through a user's day at the server."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from tests.adapters.xuc.assistants import ALICE, installation
from tests.adapters.xuc.assistants import BOB as BOBS
from tests.adapters.xuc.xivo_client import XivoClient
from tests.adapters.xuc.xivo_clients import memory_office, workplace, xivo_office
from tests.adapters.xuc.xivo_scenes import SCENES, Scene, talks
from tests.adapters.xuc.xivo_workplace import BOB, CAROL
from tests.event_loop import in_loop
from unique_account.core.machine import Device


class TestScenes:
    """C1, C2, S6: a user's day; the same scenes as on real SIP."""

    @pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
    def test_on_the_double(self, scene: Scene) -> None:
        @in_loop
        async def plays(_: TestScenes) -> None:
            async with memory_office() as office:
                await scene(office)

        plays(self)


class TestLogIn:
    """C2: the client registers as `LineConfig` says, and only if it asks."""

    @in_loop
    async def test_a_program_that_only_steers_takes_no_place(self) -> None:
        async with (
            installation(ringing_tabs=1) as at,
            workplace(at, registers=False) as program,
            workplace(at, "second") as client,
        ):
            await client.on_webrtc()
            await at.pbx.call("1001", caller=BOB)
            await program.until(lambda: program.client.notices == [BOB])
            assert program.client.line is None


class TestCalls:
    """C1, C2: calls in both directions look as they are, and one command does what it says."""

    @in_loop
    async def test_one_is_dialled_by_the_deskphone(self) -> None:
        async with xivo_office() as at:
            await at.client.toggle("phone")
            await at.until(lambda: not at.client.uses_webrtc)
            await at.client.command("dial", destination=BOB)
            await at.shows(("EventDialing", BOB))
            assert at.client.notices == []

    @in_loop
    async def test_dialling_counts_towards_the_limit(self) -> None:
        alice = evolve(ALICE, simultaneous_calls=1)
        async with installation(alice, BOBS) as office, workplace(office) as at:
            await at.on_webrtc()
            await at.client.command("dial", destination=BOB)
            await at.shows(("EventDialing", BOB))
            refused = await office.pbx.call("1001", caller="3000")
            assert (refused.rung, "R8" in [reason.rule for reason in refused.because]) == ([], True)
            assert at.client.notices == []


class TestTransfers:
    """C1, C2: the first call is held, the PBX dials the second by automatic answer."""

    @in_loop
    async def test_one_that_cannot_be_dialled_takes_the_call_back(self) -> None:
        async with xivo_office() as at:
            await talks(at, CAROL)
            await at.client.command("attendedTransfer", destination="nobody&nowhere")
            await at.until(lambda: at.client.errors)
            await at.shows(("EventEstablished", CAROL))


class TestToggle:
    """S6: the client never waits for a line in vain, whoever toggles."""

    @in_loop
    async def test_to_a_deskphone_that_answers_by_command(self) -> None:
        async with xivo_office() as at:
            await at.client.toggle("phone")
            await at.until(lambda: not at.client.uses_webrtc)
            call = await at.at.pbx.call("1001", caller=BOB)
            await at.shows(("EventRinging", BOB))
            await at.client.command("answer")
            await at.shows(("EventEstablished", BOB))
            assert call.candidate is not None
            assert call.candidate.device is Device.DESKPHONE

    @pytest.mark.parametrize("device", ["fax", "webrtc"])
    @in_loop
    async def test_one_that_changes_nothing_starts_the_stack_again(self, device: str) -> None:
        async with xivo_office() as at:
            await at.client.stop_stack()
            await at.client.command("toggleUniqueAccountDevice", deviceType=device)
            await at.until(lambda: at.client.stack_runs)


class TestPeople:
    """P5: a search ends, and favourites are stored."""

    @in_loop
    async def test_favourites_come_and_go(self) -> None:
        async with xivo_office() as at:
            for command, favorites in (("addFavorite", [BOB]), ("removeFavorite", [])):
                await at.client.command(command, contactId=BOB, source="internal")
                await at.client.command("getFavorites")
                await at.settled()
                assert at.client.favorites == favorites

    @in_loop
    async def test_nobody_is_a_favourite_whom_nobody_knows(self) -> None:
        async with xivo_office() as at:
            await at.client.command("addFavorite", contactId="666", source="internal")
            await at.client.command("displayNameLookup", username="mallory")
            await at.until(lambda: len(at.client.errors) == 2)


class TestSettings:
    """R10: a setting is shown as it is, also if a command changes nothing or is refused."""

    @in_loop
    async def test_an_empty_destination_turns_no_old_forward_on(self) -> None:
        async with xivo_office() as at:
            await at.client.command("naFwd", state=False, destination="3000")
            await at.settled()
            before = len(at.tab.reported("UserConfigUpdate"))
            await at.client.command("naFwd", state=True, destination="")
            await at.until(lambda: len(at.tab.reported("UserConfigUpdate")) > before)
            assert (at.client.config["naFwdEnabled"], len(at.client.errors)) == (False, 1)

    @in_loop
    async def test_a_command_that_changes_nothing_is_confirmed(self) -> None:
        async with xivo_office() as at:
            for command, fields in (("dnd", {}), ("busyFwd", {"destination": ""})):
                before = len(at.tab.reported("UserConfigUpdate"))
                await at.client.command(command, state=False, **fields)
                await at.settled()
                assert len(at.tab.reported("UserConfigUpdate")) == before + 1

    @in_loop
    async def test_a_status_is_confirmed(self) -> None:
        async with xivo_office() as at:
            await at.client.command("changeUserStatus", status="away")
            await at.until(lambda: at.tab.last("UserStatusUpdate") == {"status": "away"})


LINE = {"id": "7", "password": "x", "sipProxyName": "default", "webRtc": True, "hasDevice": False}
EVENT = {"uniqueId": "1", "otherDN": BOB, "otherDName": "", "callDirection": "Incoming"}


class Idle:
    """A SIP stack that does nothing."""

    async def start(self, line: dict[str, Any]) -> None: ...

    async def stop(self) -> None: ...

    async def answer(self, call_id: str) -> None: ...

    async def hold(self, call_id: str, on: bool) -> None: ...

    async def mute(self, call_id: str, on: bool) -> None: ...

    async def press(self, call_id: str, key: str) -> None: ...


class TestTheModel:
    """C2: the model complains of what a person would see."""

    @pytest.mark.parametrize(
        ("kind", "content", "complaint"),
        [
            ("LineConfig", {**LINE, "id": "-"}, "logged out"),
            ("LineConfig", {**LINE, "password": None}, "no text"),
            ("LineConfig", {**LINE, "sipProxyName": ""}, "without a domain"),
            ("IceConfig", {"stunConfig": None}, "ICE servers"),
            ("PhoneEvent", {**EVENT, "eventType": "EventDialing"}, "begins with EventDialing"),
            (
                "PhoneEvent",
                {**EVENT, "eventType": "EventRinging", "callDirection": "Outgoing"},
                "begins with",
            ),
            ("PhoneEvent", {**EVENT, "eventType": "EventReleased"}, "never shown"),
            (
                "PhoneEvent",
                {**EVENT, "eventType": "EventDialing", "callDirection": "Outgoing", "otherDN": ""},
                "no number",
            ),
            ("WebRTCCmd", {"command": "Hold", "sipCallId": None}, "not there"),
            ("WebRTCCmd", {"command": "Hold"}, "none of several"),
            ("WebRTCCmd", {"command": "Dial", "sipCallId": "a"}, "not known"),
        ],
    )
    @in_loop
    async def test_complains(self, kind: str, content: dict[str, Any], complaint: str) -> None:
        async def send(_: dict[str, Any]) -> None:
            """Nobody is there."""

        client = XivoClient(send, Idle())
        client.stack_runs = kind != "LineConfig"
        for call_id in ("a", "b"):
            await client.on_invite(call_id, "")
        client.complaints.clear()
        await client.take({"msgType": kind, "ctiMessage": content})
        with pytest.raises(AssertionError, match=complaint):
            client.check()

    @in_loop
    async def test_complains_of_waiting_in_vain(self) -> None:
        sent = []

        async def send(frame: dict[str, Any]) -> None:
            sent.append(frame["command"])

        client = XivoClient(send, Idle())
        await client.take({"msgType": "LineConfig", "ctiMessage": LINE})
        await client.toggle("phone")
        await client.search("bob")
        with pytest.raises(AssertionError, match="stopped for ever"):
            client.check()
        assert sent == ["toggleUniqueAccountDevice", "directoryLookUp"]
        assert "the search turns for ever" in client.complaints
