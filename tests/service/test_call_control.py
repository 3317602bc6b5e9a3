"""What users tell their calls to do goes to the phone that has the call, and touches nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.event_loop import in_loop
from tests.service.installation import ALICE, BOB, Installation
from unique_account.core.account import Call, CallStatus, Direction
from unique_account.core.events import LoggedIn
from unique_account.core.machine import Device
from unique_account.ports.inbound.commands import (
    Answer,
    Command,
    Dial,
    HangUp,
    Hold,
    Join,
    NoSuchCall,
    Resume,
    Transfer,
)
from unique_account.ports.inbound.events import UnknownUser
from unique_account.ports.pbx import CommandFailed
from unique_account.service.service import Service

IN = LoggedIn("tab-1")


@asynccontextmanager
async def office() -> AsyncIterator[tuple[Installation, Service]]:
    """Alice and Bob, both deskphones registered."""
    at = Installation()
    async with at.running(ALICE, BOB) as service:
        for interface in (ALICE.deskphone, BOB.deskphone):
            await at.pbx.register(interface)
        yield at, service


async def on_webrtc(at: Installation, service: Service) -> None:
    """Alice logs in, and her browser registers."""
    await at.pbx.register("PJSIP/alice_w")
    await service.handle("alice", IN)


def only(service: Service, user: str = "alice") -> Call:
    """The one call that a user has."""
    (call,) = service.account(user).calls
    return call


class TestDialling:
    """R14: dialling goes out by the device in use."""

    @in_loop
    async def test_the_deskphone_is_rung_and_then_dials(self) -> None:
        async with office() as (at, service):
            assert await service.commands.on_command("alice", Dial("10 02"))
            (call,) = at.pbx.calls
            assert call.rung == []
            await at.pbx.pick_up(call)
            assert call.rung == [("bob", Device.DESKPHONE)]

    @in_loop
    async def test_the_browser_dials_by_itself(self) -> None:
        async with office() as (at, service):
            await on_webrtc(at, service)
            assert await service.commands.on_command("alice", Dial("1002")) is False
            assert at.pbx.calls == ()

    @in_loop
    async def test_the_pbx_dials_for_a_browser_whose_client_cannot(self) -> None:
        async with office() as (at, service):
            await on_webrtc(at, service)
            assert await service.commands.on_command("alice", Dial("1002", by_pbx=True))
            (placed,) = at.pbx.calls
            call = only(service)
            assert (placed.answers_itself, placed.rung) == (True, [])
            assert (call.device, call.direction, call.peer) == (Device.WEBRTC, Direction.OUTGOING, "1002")
            await at.pbx.pick_up(placed)
            assert (only(service).status, only(service).answered) == (CallStatus.DIALLING, None)
            assert placed.rung == [("bob", Device.DESKPHONE)]

    @in_loop
    async def test_a_deskphone_that_cannot_be_rung_is_an_answer(self) -> None:
        async with office() as (at, service):
            await at.pbx.unregister("PJSIP/alice")
            with pytest.raises(CommandFailed, match="PJSIP/alice is not registered"):
                await service.commands.on_command("alice", Dial("1002"))

    @in_loop
    async def test_what_means_more_than_a_number_is_not_dialled(self) -> None:
        async with office() as (at, service):
            for device in ("deskphone", "browser"):
                for number in ("", "1002&1003", "1002,1", "s@default", "a" * 41):
                    with pytest.raises(CommandFailed, match="cannot be dialled"):
                        await service.commands.on_command("alice", Dial(number))
                assert at.pbx.calls == (), device
                await on_webrtc(at, service)


class TestTheDeskphone:
    """C1: the deskphone's calls are answered, held, resumed, transferred, joined and hung up from afar."""

    @in_loop
    async def test_a_call_obeys(self) -> None:
        async with office() as (at, service):
            await at.pbx.call("1001", caller="3000")
            call = only(service)
            seen = []
            for command in (Answer(call.id), Hold(call.id), Resume(call.id)):
                assert await service.commands.on_command("alice", command)
                seen.append(only(service).status)
            assert seen == [CallStatus.TALKING, CallStatus.HELD, CallStatus.TALKING]
            assert await service.commands.on_command("alice", HangUp(call.id))
            assert service.account("alice").calls == ()

    @in_loop
    async def test_the_other_party_is_transferred(self) -> None:
        async with office() as (at, service):
            call = await at.pbx.call("1001", caller="3000")
            await at.pbx.pick_up(call)
            assert await service.commands.on_command("alice", Transfer(only(service).id, "10-02"))
            assert call.rung[-1] == ("bob", Device.DESKPHONE)
            assert service.account("alice").calls == ()

    @in_loop
    async def test_an_attended_transfer_is_hold_dial_and_join(self) -> None:
        async with office() as (at, service):
            first = await at.pbx.call("1001", caller="3000")
            await at.pbx.pick_up(first)
            held = only(service)
            await service.commands.on_command("alice", Hold(held.id))
            await service.commands.on_command("alice", Dial("1002"))
            second = at.pbx.calls[-1]
            await at.pbx.pick_up(second)  # Alice
            await at.pbx.pick_up(second)  # Bob
            (asked,) = [call for call in service.account("alice").calls if call.id != held.id]
            assert await service.commands.on_command("alice", Join(held.id, asked.id))
            assert service.account("alice").calls == ()
            assert only(service, "bob").status is CallStatus.TALKING
            assert len(at.pbx.calls) == 2


class TestTheBrowser:
    """C2: the browser answers, holds and resumes by itself; the PBX moves and ends its calls."""

    @in_loop
    async def test_a_call_of_the_browser_is_left_to_it(self) -> None:
        async with office() as (at, service):
            await on_webrtc(at, service)
            call = await at.pbx.call("1001", caller="3000")
            for command in (Answer, Hold, Resume):
                assert await service.commands.on_command("alice", command(only(service).id)) is False
            assert only(service).status is CallStatus.RINGING
            await at.pbx.pick_up(call)
            assert await service.commands.on_command("alice", Transfer(only(service).id, "1002"))
            assert call.rung[-1] == ("bob", Device.DESKPHONE)

    @in_loop
    async def test_the_pbx_hangs_up_for_it(self) -> None:
        async with office() as (at, service):
            await on_webrtc(at, service)
            await at.pbx.call("1001", caller="3000")
            assert await service.commands.on_command("alice", HangUp(only(service).id))
            assert at.pbx.calls == ()


class TestOwnCallsOnly:
    """C1: a call that is not the user's own is refused as if it did not exist."""

    @in_loop
    async def test_another_users_call_is_no_call(self) -> None:
        async with office() as (at, service):
            call = await at.pbx.call("1001", caller="3000")
            await at.pbx.pick_up(call)
            own = only(service).id
            refusals = set()
            for leg in (own, "1767600000.99"):
                commands: tuple[Command, ...] = (
                    Answer(leg), Hold(leg), Resume(leg), Transfer(leg, "1002"), Join(leg, leg), HangUp(leg)
                )  # fmt: skip
                for command in commands:
                    with pytest.raises(NoSuchCall) as refused:
                        await service.commands.on_command("bob", command)
                    refusals.add(str(refused.value))
            assert refusals == {"there is no such call"}
            assert only(service).status is CallStatus.TALKING

    @in_loop
    async def test_a_join_needs_both_calls_to_be_ones_own(self) -> None:
        async with office() as (at, service):
            for number in ("1001", "1002"):
                await at.pbx.pick_up(await at.pbx.call(number, caller="3000"))
            with pytest.raises(NoSuchCall):
                await service.commands.on_command("alice", Join(only(service).id, only(service, "bob").id))
            assert len(at.pbx.calls) == 2

    @in_loop
    async def test_strangers_have_no_calls(self) -> None:
        async with office() as (_, service):
            with pytest.raises(UnknownUser):
                await service.commands.on_command("carol", Dial("1002"))
