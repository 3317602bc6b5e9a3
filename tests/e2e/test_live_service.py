"""The live adapter with a real service: presence on watching phones, messages, commands, and faults."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import pytest
from attrs import evolve

from lab.asterisk import Node, node
from lab.config import Endpoint
from lab.mailboxes import message
from lab.parties import Party, party
from lab.phones import phone
from lab.ports import LOOPBACK, port
from lab.sound import read_tone
from lab.waiting import until
from lab.watcher import Package, watcher
from tests.e2e.fixtures.live_service import (
    ALICE,
    BOB,
    DESKPHONE,
    EXTENSIONS,
    THIRD,
    WATCHER,
    LiveService,
    files,
    live_service,
    manager_login,
)
from tests.event_loop import in_loop
from unique_account import DeviceSelected, FactsReplaced, LoggedIn, User
from unique_account.adapters.asterisk import AsteriskPbx
from unique_account.adapters.asterisk.astdb_row import FAMILY
from unique_account.adapters.memory import MemoryAccounts, MemoryObserver
from unique_account.bootstrap import bootstrap
from unique_account.core.account import Call, CallStatus, Messages
from unique_account.core.machine import Device
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.ports.inbound.commands import Dial
from unique_account.ports.observer import PortRequest
from unique_account.ports.pbx import CommandFailed

pytestmark = pytest.mark.e2e


async def has_call(at: LiveService, status: CallStatus, number: int = 1) -> Call:
    """Wait until Alice's account has so many calls, the last of them so far; the last."""

    async def so() -> bool:
        calls = at.account().calls
        return len(calls) == number and calls[-1].status is status

    await until(so, f"a call of Alice that is {status}")
    return at.account().calls[-1]


async def shows(pbx: Node, number: str, presence: Presence | None) -> None:
    """Wait until a number's hint shows a presence."""

    async def so() -> bool:
        reported = await pbx.ami.act("ExtensionState", ("Context", "default"), ("Exten", number))
        return (Presence(int(reported["Status"])) if reported.get("Hint") else None) is presence

    await until(so, f"{number} as {presence}")


async def talks(at: LiveService, name: str) -> None:
    """Wait until a phone is in use and not on hold."""

    async def so() -> bool:
        reported = await at.pbx.ami.act("Getvar", ("Variable", f"DEVICE_STATE(PJSIP/{name})"))
        return reported["Value"] == "INUSE"

    await until(so, f"that {name} talks")


async def answered(at: LiveService) -> Call:
    """Bob calls Alice, whose deskphone answers."""
    at.bob.dial("1001")
    await has_call(at, CallStatus.RINGING)
    at.alice.answer()
    return await has_call(at, CallStatus.TALKING)


async def lost(at: LiveService) -> None:
    """The connection to the node is cut, and everything is reported again."""
    at.observer.recoveries.clear()
    at.ami_proxy.cut()

    async def again() -> bool:
        return PortRequest("pbx", "connection", "default") in at.observer.recoveries

    await until(again, "a new connection")
    await at.service.handle("alice", FactsReplaced("elsewhere"))  # comes after everything reported again


class TestWatchers:
    """P1 to P5: what phones that watch the number show, in both event packages."""

    @in_loop
    async def test_both_packages_follow_a_call(self) -> None:
        async with (
            live_service() as at,
            watcher(at.pbx, WATCHER, "1001", Package.DIALOG) as lamp,
            watcher(at.pbx, WATCHER, "1001", Package.PRESENCE) as note,
        ):
            await note.shows("Ready")
            start = time.monotonic()
            at.bob.dial("1001")
            await lamp.shows("early", after=start)
            await note.shows("Ringing", after=start)
            await has_call(at, CallStatus.RINGING)
            start = time.monotonic()
            at.alice.answer()
            await lamp.shows("confirmed", after=start)
            await note.shows("On the phone", after=start)
            start = time.monotonic()
            await at.alice.hang_up()
            await lamp.shows("terminated", after=start)
            await note.shows("Ready", after=start)

    @in_loop
    async def test_ringing_on_the_device_not_in_use_is_not_shown_and_talking_is(self) -> None:
        """P2, P3: as no hint on the devices themselves could have it."""
        async with live_service() as at, watcher(at.pbx, WATCHER, "1001", Package.PRESENCE) as note:
            await at.browser.register()
            await at.service.handle("alice", LoggedIn("tab-1"))
            start = time.monotonic()
            at.carol.dial("1099")  # straight to the deskphone
            await has_call(at, CallStatus.RINGING)
            await shows(at.pbx, "1001", Presence.AVAILABLE)
            at.alice.answer()
            await note.shows("On the phone", after=start)
            assert "Ringing" not in [
                reported.what for reported in note.journal.reported if reported.at >= start
            ]

    @in_loop
    async def test_every_presence_is_shown_as_its_integer(self) -> None:
        async with live_service() as at:
            for presence in Presence:
                if presence > Presence.DEACTIVATED:
                    await at.adapter.hint(Number("7777"), presence)
                    await shows(at.pbx, "7777", presence)
            await at.adapter.hint(Number("7777"), Presence.DEACTIVATED)
            await shows(at.pbx, "7777", Presence.UNAVAILABLE)

    @pytest.mark.parametrize("command", ["dialplan reload", "module reload pbx_config"])
    def test_a_reload_of_the_dialplan_does_not_last(self, command: str) -> None:
        @in_loop
        async def check(_: TestWatchers) -> None:
            async with live_service() as at, watcher(at.pbx, WATCHER, "1001", Package.PRESENCE) as note:
                await at.adapter.hint(Number("1001"), Presence.ON_HOLD)
                await note.shows("On hold")
                start = time.monotonic()
                await at.pbx.cli(command)
                await shows(at.pbx, "1001", Presence.ON_HOLD)
                await at.adapter.hint(Number("1001"), Presence.BUSY)
                await note.shows("On the phone", after=start)

        check(self)


HINTS_AND_WAITS = """
import asyncio, sys
from unique_account.adapters.asterisk import AsteriskPbx, ManagerLogin
from unique_account.adapters.memory import MemoryObserver
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.core.user import User

async def hear(user, event): pass

async def main(port, secret):
    pbx = AsteriskPbx(ManagerLogin(username="lab", secret=secret, port=int(port)), MemoryObserver())
    listener = asyncio.create_task(pbx.listen(hear, lambda: None))
    await asyncio.sleep(0)
    await pbx.watch(User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w"))
    for number in ("1001", "7777"):
        await pbx.hint(Number(number), Presence.ON_HOLD)
    await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""
"""A service, as far as hints are concerned; killed, it leaves them to its guard."""


class TestGuard:
    """P1: when the service dies, hints do not freeze on a lie."""

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_hints_follow_the_devices_when_the_service_is_gone(self, number: signal.Signals) -> None:
        @in_loop
        async def check(_: TestGuard) -> None:
            async with (
                node((DESKPHONE, WATCHER), EXTENSIONS, more_files=files([ALICE])) as pbx,
                party(pbx, DESKPHONE) as alice,
                watcher(pbx, WATCHER, "1001", Package.PRESENCE) as note,
            ):
                await alice.register()
                command = (sys.executable, "-c", HINTS_AND_WAITS, str(pbx.ports.ami), pbx.secret)
                service = await asyncio.create_subprocess_exec(*command)
                await note.shows("On hold")
                await shows(pbx, "7777", Presence.ON_HOLD)
                start = time.monotonic()
                service.send_signal(number)
                await note.shows("Ready", after=start)
                await shows(pbx, "7777", Presence.UNAVAILABLE)
                await pbx.ami.act(
                    "Originate",
                    *(("Channel", "PJSIP/alice"), ("Application", "Wait"), ("Data", "9"), ("Async", "true")),
                )
                await note.shows("Ringing", after=start)
                await service.wait()

        check(self)


class TestMessageWaiting:
    """V2: notice of new messages goes to both devices, and into the account."""

    @in_loop
    async def test_a_message_is_reported_to_both_devices(self) -> None:
        async with live_service() as at, phone(at.pbx, THIRD) as carol:
            await at.browser.register()
            await carol.dial("1098")
            await carol.event("CALL_ESTABLISHED")
            await asyncio.sleep(2)  # the message
            start = time.monotonic()
            await carol.hang_up()
            for device in (at.alice, at.browser):
                reported = await device.journal.wait(
                    lambda seen: seen == ("messages", "1/0"), "1/0", after=start
                )
                assert reported.at - start < 5

            async def known() -> bool:
                return at.account().observed.messages == Messages(1, 0)

            await until(known, "a new message in the account")
            await at.service.resync("alice")
            await until(known, "the same after a resync")

    @in_loop
    async def test_an_urgent_message_counts_as_a_new_one_before_and_after_a_loss(self) -> None:
        urgent = EXTENSIONS + "exten = 1097,1,VoiceMail(1001@default,sU)\n"
        async with live_service(extensions=urgent) as at, phone(at.pbx, THIRD) as carol:
            await carol.dial("1097")
            await carol.event("CALL_ESTABLISHED")
            await asyncio.sleep(2)  # the message
            await carol.hang_up()
            await message(at.pbx.folder, "1001@default", "Urgent")

            async def known() -> bool:
                return at.account().observed.messages == Messages(1, 0)

            await until(known, "a new message in the account")
            await lost(at)
            await until(known, "the same on a new connection")

    @in_loop
    async def test_an_unanswered_caller_leaves_a_message(self) -> None:
        """R10, V2: after the ring time the mailbox greets, and what it keeps is what the caller said."""
        async with live_service() as at, phone(at.pbx, THIRD) as carol:
            await at.browser.register()
            start = time.monotonic()
            await carol.dial("1001")
            await at.alice.wait_for("ringing", after=start)
            await carol.event("CALL_ESTABLISHED")
            await message(at.pbx.folder, "1001@default", "tmp")
            await asyncio.sleep(1)  # the message
            await carol.hang_up()
            kept = await message(at.pbx.folder, "1001@default", "INBOX")
            for device in (at.alice, at.browser):
                await device.journal.wait(lambda seen: seen == ("messages", "1/0"), "1/0", after=start)

            async def known() -> bool:
                return at.account().observed.messages == Messages(1, 0)

            await until(known, "a new message in the account")
            assert abs(read_tone(kept) - carol.tone) <= 5


FIXED: Final = User(id="fay", extension="1005", deskphone="PJSIP/fixed", webrtc="PJSIP/fixed_w")


class TestFixedAddress:
    """R12: a deskphone with a fixed address registers nothing; it is rung, and is not shown unreachable."""

    @pytest.mark.parametrize("qualify", [{}, {"qualify_frequency": "1", "qualify_timeout": "0.5"}])
    def test_it_is_rung_by_calls_and_by_its_user(self, qualify: dict[str, str]) -> None:
        @in_loop
        async def check(_: TestFixedAddress) -> None:
            async with fixed_phone(qualify) as (at, fay):
                await until(reaches(at, reachable=True), "that the phone is reachable")
                at.bob.dial("1005")
                await fay.wait_for("ringing")
                start = time.monotonic()
                await at.bob.hang_up()
                await fay.wait_for("over", after=start)
                start = time.monotonic()
                assert await at.service.commands.on_command("fay", Dial("1002"))
                await fay.wait_for("ringing", after=start)
                await lost(at)
                assert at.account("fay").line(Device.DESKPHONE).reachable

        check(self)

    @in_loop
    async def test_one_that_does_not_answer_is_unreachable_until_it_does(self) -> None:
        qualify = {"qualify_frequency": "1", "qualify_timeout": "0.5"}
        async with fixed_phone(qualify, plugged=False) as (at, _):
            await until(reaches(at, reachable=False), "that the phone is unreachable")
            await lost(at)
            assert not at.account("fay").line(Device.DESKPHONE).reachable
            async with party(at.pbx, Endpoint(name="fixed"), port=_port_of(at)):
                await until(reaches(at, reachable=True), "that the phone is reachable")


@asynccontextmanager
async def fixed_phone(
    qualify: Mapping[str, str], *, plugged: bool = True
) -> AsyncIterator[tuple[LiveService, Party]]:
    """A service with a user whose deskphone has a fixed address, and that phone."""
    where = port()
    fixed = Endpoint(name="fixed", aor_options={"contact": f"sip:fixed@{LOOPBACK}:{where}", **qualify})
    async with (
        live_service(ALICE, BOB, FIXED, more=(fixed, Endpoint(name="fixed_w"))) as at,
        party(at.pbx, fixed, port=where if plugged else 0) as fay,
    ):
        yield at, fay


def _port_of(at: LiveService) -> int:
    (found,) = re.findall(
        r"^contact = sip:fixed@.*:(\d+)$", (at.pbx.folder / "etc/pjsip.conf").read_text(), re.M
    )
    return int(found)


def reaches(at: LiveService, *, reachable: bool) -> Callable[[], Awaitable[bool]]:
    """Whether the account says so of the phone with the fixed address."""

    async def so() -> bool:
        return at.account("fay").line(Device.DESKPHONE).reachable is reachable

    return so


Reaches = Callable[[LiveService, Party, int], Awaitable[Call]]
"""How a call with somebody comes to be, as Alice's call of this number."""


class TestCommands:
    """C1: what the UC Assistant makes the deskphone do."""

    @in_loop
    async def test_a_phone_that_obeys_answers_holds_resumes_and_hangs_up(self) -> None:
        async with live_service() as at:
            start = time.monotonic()
            at.bob.dial("1001")
            call = await has_call(at, CallStatus.RINGING)
            await at.adapter.answer(call.id)
            await at.bob.wait_for("answered", after=start)
            await has_call(at, CallStatus.TALKING)
            await at.adapter.hold(call.id)
            await has_call(at, CallStatus.HELD)
            await at.adapter.resume(call.id)
            await has_call(at, CallStatus.TALKING)
            await at.adapter.hang_up(call.id)
            await at.bob.wait_for("over", after=start)
            await at.agrees()

    @in_loop
    async def test_a_phone_that_does_not_obey_is_a_refusal_with_a_reason(self) -> None:
        """On baresip, which has no such event package; the notification would end its call."""
        async with (
            node(
                (DESKPHONE, Endpoint(name="bob", caller_id="1002")), EXTENSIONS, more_files=files([ALICE])
            ) as pbx,
            phone(pbx, DESKPHONE) as alice,
        ):
            received = MemoryObserver()
            adapter = AsteriskPbx(manager_login(pbx), received)
            accounts = MemoryAccounts()
            await accounts.add([evolve(ALICE, ring_seconds=30)])
            async with bootstrap(accounts=accounts, pbxs=(adapter,), observer=received) as service:

                async def has_one(status: str) -> bool:
                    return [call.status for call in service.account("alice").calls] == [status]

                await pbx.ami.act(
                    "Originate",
                    *(("Channel", "Local/1001@default"), ("Application", "Wait"), ("Data", "30")),
                    ("Async", "true"),
                )
                await alice.event("CALL_INCOMING")
                await until(lambda: has_one("ringing"), "a call of Alice")
                (call,) = service.account("alice").calls
                with pytest.raises(CommandFailed, match=r"PJSIP/alice is baresip .*, not known to answer"):
                    await adapter.answer(call.id)
                await alice.accept()
                await until(lambda: has_one("talking"), "that Alice talks")
                with pytest.raises(CommandFailed, match=r"PJSIP/alice is baresip .*, not known to hold"):
                    await adapter.hold(call.id)
                await asyncio.sleep(0.5)
                assert await has_one("talking")

    @in_loop
    async def test_the_deskphone_is_rung_and_dials(self) -> None:
        """R14: the callee sees who calls, and the account an outgoing call."""
        async with live_service() as at:
            assert await at.service.commands.on_command("alice", Dial("1002"))
            await at.alice.wait_for("ringing")
            call = await has_call(at, CallStatus.RINGING)
            assert (call.direction, call.peer) == ("outgoing", "1002")
            at.alice.answer()
            await at.bob.wait_for("ringing")
            assert at.bob.ringing is not None
            assert at.bob.ringing.number == "1001"
            at.bob.answer()
            await has_call(at, CallStatus.TALKING)

    @pytest.mark.parametrize("held", [False, True])
    def test_the_other_party_is_transferred(self, held: bool) -> None:
        @in_loop
        async def check(_: TestCommands) -> None:
            async with live_service() as at:
                call = await answered(at)
                if held:
                    await at.adapter.hold(call.id)
                    await has_call(at, CallStatus.HELD)
                start = time.monotonic()
                await at.adapter.transfer(call.id, "1003")
                await at.carol.wait_for("ringing", after=start)
                await at.alice.wait_for("over", after=start)
                at.carol.answer()
                await at.agrees()
                assert [call.answered for call in (*at.bob.calls, *at.carol.calls)] == [True, True]
                assert at.account().calls == ()
                await talks(at, "bob")
                start = time.monotonic()
                await at.bob.hang_up()
                await at.carol.wait_for("over", after=start)

        check(self)

    @in_loop
    async def test_a_consultation_ends_with_the_others_connected(self) -> None:
        """Attended transfer: hold, dial, talk, join."""
        async with live_service() as at:
            first = await answered(at)
            await at.adapter.hold(first.id)
            await has_call(at, CallStatus.HELD)
            start = time.monotonic()
            await at.adapter.dial(ALICE.deskphone, "1003")
            await at.alice.wait_for("ringing", after=start)
            at.alice.answer()
            await at.carol.wait_for("ringing", after=start)
            at.carol.answer()
            second = await has_call(at, CallStatus.TALKING, 2)
            await at.pbx.ami.event("BridgeEnter", after=start, BridgeNumChannels="2")
            await at.adapter.join(first.id, second.id)
            await at.agrees()
            assert at.account().calls == ()
            assert [call.answered for call in (*at.bob.calls, *at.carol.calls)] == [True, True]
            await talks(at, "bob")
            start = time.monotonic()
            await at.carol.hang_up()
            await at.bob.wait_for("over", after=start)


async def _called(at: LiveService, who: Party, number: int) -> Call:
    """Somebody calls Alice, whose deskphone answers."""
    who.dial("1001")
    await has_call(at, CallStatus.RINGING, number)
    at.alice.answer()
    return await has_call(at, CallStatus.TALKING, number)


async def _calls(at: LiveService, who: Party, number: int) -> Call:
    """Alice calls somebody from her deskphone, who answers."""
    start = time.monotonic()
    at.alice.dial("1002" if who is at.bob else "1003")
    await who.wait_for("ringing", after=start)
    who.answer()
    return await has_call(at, CallStatus.TALKING, number)


class TestJoined:
    """C1: after a join the parties have each other, and no dialplan of either call goes on."""

    @pytest.mark.parametrize("first", [_called, _calls])
    @pytest.mark.parametrize("second", [_called, _calls])
    @pytest.mark.parametrize("leaves", ["bob", "carol"])
    @pytest.mark.parametrize("held", [False, True])
    def test_the_other_ends_with_cause_16_and_nothing_rings_again(
        self, first: Reaches, second: Reaches, leaves: str, held: bool
    ) -> None:
        @in_loop
        async def check(_: TestJoined) -> None:
            async with live_service() as at:
                one = await first(at, at.bob, 1)
                if held:
                    await at.adapter.hold(one.id)
                    await has_call(at, CallStatus.HELD)
                two = await second(at, at.carol, 2)
                (of_bob,), (of_carol,) = at.bob.calls, at.carol.calls
                start = time.monotonic()
                await at.adapter.join(one.id, two.id)
                await at.agrees()
                assert at.account().calls == ()
                assert [call.over for call in (of_bob, of_carol)] == [False, False]
                await talks(at, "bob")
                leaving, left = (at.bob, at.carol) if leaves == "bob" else (at.carol, at.bob)
                (other,) = left.calls
                gone = time.monotonic()
                await leaving.hang_up()
                await left.wait_for("over", after=gone)
                assert other.cause == "16"
                await asyncio.sleep(0.5)  # a dialplan that goes on rings within 10 ms
                for phone in (at.alice, at.bob, at.carol):
                    assert not phone.calls
                    assert not [
                        seen
                        for seen in phone.journal.reported
                        if seen.at > start and seen.what[0] == "ringing"
                    ]
                went_on = [
                    entry.what["Application"]
                    for entry in at.pbx.ami.journal.reported
                    if entry.at > gone
                    and entry.what.event == "Newexten"
                    and entry.what["Application"] != "Hangup"
                ]
                assert went_on == []
                assert (await at.pbx.cli("core show channels count")).startswith("0 active channels")

        check(self)


class TestFaults:
    """R16, S2: whatever happens to the connection or the node, accounts and PBX agree afterwards."""

    @pytest.mark.parametrize("garbage", [b"", b"\x00\xff no message at all\r\n\r\n"])
    def test_a_cut_or_garbled_connection_heals(self, garbage: bytes) -> None:
        @in_loop
        async def check(_: TestFaults) -> None:
            async with live_service() as at:
                await answered(at)
                await at.agrees()
                if garbage:
                    at.ami_proxy.garble(garbage)
                else:
                    at.ami_proxy.cut()
                at.carol.dial("1002")  # perhaps not received
                await at.browser.register()
                await at.alice.hang_up()
                await at.service.handle("alice", LoggedIn("tab-1"))
                await at.agrees()
                await shows(at.pbx, "1001", Presence.AVAILABLE)
                await shows(at.pbx, "1002", Presence.RINGING)

        check(self)

    @in_loop
    async def test_no_lamp_flickers_when_a_connection_is_lost(self) -> None:
        """P5: somebody talks all the while, so a lamp that was lit stays lit."""
        async with live_service() as at, watcher(at.pbx, WATCHER, "1001", Package.DIALOG) as lamp:
            await answered(at)
            await lamp.shows("confirmed")
            start = time.monotonic()
            for _ in range(3):
                await lost(at)
            await at.agrees()
            await at.alice.hang_up()
            await lamp.shows("terminated", after=start)
            *before, end = [reported.what for reported in lamp.journal.reported if reported.at >= start]
            assert (set(before) <= {"confirmed"}, end) == (True, "terminated")

    @in_loop
    async def test_a_call_was_answered_when_it_was_whatever_was_lost_since(self) -> None:
        """H6: twice, as what was recalled once has to be recalled again."""
        async with live_service() as at:
            call = await answered(at)
            for _ in range(2):
                await lost(at)
                assert (await has_call(at, CallStatus.TALKING)).answered == call.answered

    @in_loop
    async def test_a_service_that_begins_during_a_call_knows_when_it_was_answered(self) -> None:
        """H6: to the second, the precision with which Asterisk reports the age of a bridge."""
        async with live_service() as at:
            call = await answered(at)
            await asyncio.sleep(4)
            store = MemoryAccounts()
            await store.add([ALICE])
            adapter = AsteriskPbx(manager_login(at.pbx), MemoryObserver())
            async with bootstrap(accounts=store, pbxs=(adapter,), owner="another") as another:
                (found,) = another.account("alice").calls
            assert found.answered is not None
            assert call.answered is not None
            assert abs((found.answered - call.answered).total_seconds()) < 3

    @in_loop
    async def test_a_call_on_hold_is_so_after_a_loss(self) -> None:
        async with live_service() as at:
            call = await answered(at)
            await at.adapter.hold(call.id)
            await has_call(at, CallStatus.HELD)
            await lost(at)
            await has_call(at, CallStatus.HELD)
            await at.adapter.resume(call.id)
            await has_call(at, CallStatus.TALKING)

    @in_loop
    async def test_a_restarted_node_gets_everything_again(self) -> None:
        async with live_service() as at:
            await at.service.handle("alice", LoggedIn("tab-1"))
            await at.service.handle("alice", DeviceSelected(Device.DESKPHONE))
            await answered(at)
            await at.pbx.kill()
            await at.service.handle("alice", DeviceSelected(Device.WEBRTC))
            await at.pbx.start()
            for phone_ in (at.alice, at.browser, at.bob):
                await phone_.register()
            await at.agrees()
            assert at.account().calls == ()
            await shows(at.pbx, "1001", Presence.AVAILABLE)
            start = time.monotonic()
            at.carol.dial("1001")
            await at.browser.wait_for("ringing", after=start)

    @in_loop
    async def test_a_resync_says_what_differed_and_mends_it(self) -> None:
        async with live_service() as at:
            assert await at.service.resync() == ()
            await at.pbx.ami.act("DBDel", ("Family", FAMILY), ("Key", "1001@default"))
            bobs = (await at.adapter.installed("unique_account"))["bob"]
            await at.adapter.install(evolve(bobs, max_forwards=3))
            await at.adapter.install(evolve(bobs, user="mallory", numbers=("6666",)))
            assert sorted(await at.service.resync()) == [
                "alice: no plan was installed",
                "bob: another plan was installed, of version 0 instead of 0",
                "mallory: a plan without an account",
            ]
            assert await at.service.resync() == ()
            await at.agrees()


class TestTwoNodes:
    """Each node has an adapter of its own; one that is down is reported and stops nobody."""

    @in_loop
    async def test_the_other_node_goes_on(self) -> None:
        bob = evolve(BOB, media_server="branch")
        async with AsyncExitStack() as stack:
            nodes = [
                await stack.enter_async_context(
                    node((DESKPHONE, WATCHER), EXTENSIONS, name=name, more_files=files([user]))
                )
                for name, user in (("default", ALICE), ("branch", bob))
            ]
            main, branch = nodes
            observer, accounts = MemoryObserver(), MemoryAccounts()
            await accounts.add([ALICE, bob])
            adapters = tuple(
                AsteriskPbx(manager_login(pbx), observer, name)
                for pbx, name in zip(nodes, ("default", "branch"), strict=True)
            )
            await branch.kill()
            start = time.monotonic()
            service = await stack.enter_async_context(
                bootstrap(accounts=accounts, pbxs=adapters, observer=observer)
            )
            assert time.monotonic() - start < 10
            assert PortRequest("pbx", "connection", "branch") in dict(observer.failures)
            alice = await stack.enter_async_context(party(main, DESKPHONE))
            await alice.register()
            await service.handle("alice", LoggedIn("tab-1"))
            await shows(main, "1001", Presence.AVAILABLE)
            assert (await adapters[0].installed("unique_account")).keys() == {"alice"}
            await branch.start()
            await shows(branch, "1001", Presence.AVAILABLE)

            async def planned() -> bool:
                return adapters[1].connected and "bob" in await adapters[1].installed("unique_account")

            await until(planned, "Bob's plan on his node")
