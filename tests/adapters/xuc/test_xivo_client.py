"""XiVO's own client, by a model of it, through a user's day at the server."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest
from attrs import evolve

from tests.adapters.xuc.assistants import ALICE, installation
from tests.adapters.xuc.assistants import BOB as BOBS
from tests.adapters.xuc.xivo_client import XivoClient
from tests.adapters.xuc.xivo_clients import Workplace, workplace, xivo_office
from tests.event_loop import in_loop
from unique_account.core.machine import Device

BOB = "1002"


async def rings(at: Workplace, caller: str = BOB) -> Any:
    """Somebody calls Alice."""
    call = await at.at.pbx.call("1001", caller=caller)
    await at.until(lambda: caller in at.client.notices)
    return call


async def talks(at: Workplace, caller: str = BOB) -> Any:
    """Somebody calls Alice, who answers in the client."""
    call = await rings(at, caller)
    await at.until(lambda: any(not one.answered for one in at.client.sip_calls.values()))
    ringing = next(known for known, one in at.client.calls.items() if one.event == "EventRinging")
    await at.client.command("answer", uniqueId=ringing)
    await at.until(lambda: at.client.calls[ringing].event == "EventEstablished")
    return call


class TestLogIn:
    """C2: the client registers as `LineConfig` says, and only if it asks."""

    @in_loop
    async def test_it_registers(self) -> None:
        async with xivo_office() as at:
            assert at.sip.registered is not None
            assert at.sip.registered["sipProxyName"] == "default"

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

    @in_loop
    async def test_one_without_a_place_steers_and_is_not_logged_out(self) -> None:
        async with AsyncExitStack() as stack:
            at = await stack.enter_async_context(installation(ringing_tabs=1))
            first = await stack.enter_async_context(workplace(at, "first"))
            await first.on_webrtc()
            second = await stack.enter_async_context(workplace(at, "second"))
            await second.until(lambda: second.client.line)
            assert not second.client.stack_runs
            await second.client.command("dial", destination=BOB)
            await second.shows(("EventDialing", BOB))
            await first.stop_and_leave()
            await second.until(lambda: second.client.stack_runs)

    @in_loop
    async def test_a_lost_connection_comes_back_with_a_renewed_token(self) -> None:
        async with xivo_office() as at:
            await talks(at)
            await at.renew()
            at.tab.socket.transport.abort()
            await at.tab.closed()
            await at.connect()
            await at.shows(("EventEstablished", BOB))
            await at.until(lambda: at.client.line)
            assert at.client.stack_runs


class TestCalls:
    """C1, C2: calls in both directions look as they are, and one command does what it says."""

    @in_loop
    async def test_one_comes_in(self) -> None:
        async with xivo_office() as at:
            call = await talks(at)
            assert at.client.notices == [BOB]
            await at.at.pbx.end(call)
            await at.shows()
            await at.client.command("getUserCallHistory", size=10)
            await at.until(lambda: at.client.history)
            assert [entry["status"] for entry in at.client.history] == ["answered"]

    @in_loop
    async def test_one_is_dialled_and_never_looks_like_one_that_comes_in(self) -> None:
        async with xivo_office() as at:
            await at.client.command("dial", destination=BOB, variables={})
            await at.until(lambda: at.client.sip_calls)
            (call,) = at.at.pbx.calls
            await at.until(lambda: call.rung == [("bob", Device.DESKPHONE)])
            await at.shows(("EventDialing", BOB))
            await at.at.pbx.pick_up(call)
            await at.shows(("EventEstablished", BOB))
            assert at.client.notices == []
            await at.client.command("hangup")
            await at.shows()
            await at.client.command("getUserCallHistory", size=10)
            await at.until(lambda: at.client.history)
            assert [entry["status"] for entry in at.client.history] == ["emitted"]

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

    @in_loop
    async def test_two_are_told_apart(self) -> None:
        async with xivo_office() as at:
            await talks(at, "3001")
            (first,) = at.client.sip_calls
            await at.client.command("hold")
            await at.shows(("EventOnHold", "3001"))
            await talks(at, "3002")
            (second,) = at.client.sip_calls.keys() - {first}
            talking = next(known for known, one in at.client.calls.items() if one.number == "3002")
            await at.client.command("toggleMicrophone", uniqueId=talking)
            await at.until(lambda: at.client.sip_calls[second].muted)
            assert not at.client.sip_calls[first].muted
            await at.client.command("hold", uniqueId=talking)
            await at.shows(("EventOnHold", "3001"), ("EventOnHold", "3002"))
            await at.client.command("sendDtmf", key="5")


class TestTransfers:
    """C1, C2: the first call is held, the PBX dials the second by automatic answer."""

    async def consulting(self, at: Workplace) -> tuple[Any, Any]:
        first = await talks(at, "3000")
        await at.client.command("attendedTransfer", destination=BOB)
        await at.until(lambda: len(at.client.sip_calls) == 2)
        await at.shows(("EventOnHold", "3000"), ("EventDialing", BOB))
        second = at.at.pbx.calls[-1]
        await at.at.pbx.pick_up(second)
        await at.shows(("EventOnHold", "3000"), ("EventEstablished", BOB))
        return first, second

    @in_loop
    async def test_one_is_completed(self) -> None:
        async with xivo_office() as at:
            first, second = await self.consulting(at)
            await at.client.command("completeTransfer")
            await at.shows()
            assert (first.over, second.over, first.joined) == (False, False, second)

    @in_loop
    async def test_one_is_cancelled(self) -> None:
        async with xivo_office() as at:
            first, second = await self.consulting(at)
            await at.client.command("cancelTransfer")
            await at.shows(("EventEstablished", "3000"))
            assert (first.over, second.over) == (False, True)

    @in_loop
    async def test_one_that_cannot_be_dialled_takes_the_call_back(self) -> None:
        async with xivo_office() as at:
            await talks(at, "3000")
            await at.client.command("attendedTransfer", destination="nobody&nowhere")
            await at.until(lambda: at.client.errors)
            await at.shows(("EventEstablished", "3000"))


class TestToggle:
    """S6: the client never waits for a line in vain, whoever toggles."""

    @in_loop
    async def test_there_and_back_with_its_stack_stopped(self) -> None:
        async with xivo_office() as at:
            await at.client.toggle("phone")
            await at.until(lambda: not at.client.uses_webrtc)
            assert at.sip.registered is None
            call = await rings(at)
            await at.client.command("answer")
            await at.shows(("EventEstablished", BOB))
            assert call.candidate.device is Device.DESKPHONE
            await at.client.toggle("webrtc")
            await at.until(lambda: at.sip.registered)

    @in_loop
    async def test_there_and_back_by_another_program_with_its_stack_running(self) -> None:
        async with xivo_office() as at, workplace(at.at, registers=False) as program:
            await program.client.command("toggleUniqueAccountDevice", deviceType="phone")
            await at.until(lambda: not at.client.uses_webrtc)
            call = await rings(at)
            await at.client.command("answer")
            await at.shows(("EventEstablished", BOB))
            assert call.candidate.device is Device.DESKPHONE
            await at.at.pbx.end(call)
            await program.client.command("toggleUniqueAccountDevice", deviceType="webrtc")
            await at.until(lambda: at.client.uses_webrtc)
            await talks(at)

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
    async def test_a_search_ends(self) -> None:
        async with xivo_office() as at:
            for term, found in (("bob", [BOB]), ("zoe", []), ("", [BOB])):
                await at.client.search(term)
                await at.until(lambda: not at.client.searching)
                assert at.client.found == found

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
