"""Codes dialled on real phones, with a service that decides, and without one."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from attrs import evolve, frozen

from lab.config import Endpoint
from lab.journal import JournalEntry
from tests.e2e.fixtures.planned_node import ALICE, DESKPHONE, IN_ITS_PLACE, MAILBOX, PlannedNode, planned_node
from tests.event_loop import in_loop
from unique_account import User
from unique_account.adapters.asterisk import AsteriskPbx, ManagerLogin
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.plans.decode import plans
from unique_account.adapters.memory import MemoryObserver
from unique_account.bootstrap import bootstrap
from unique_account.core.events import LoggedIn
from unique_account.core.forwarding import Forward, Forwarding, Refusal
from unique_account.core.machine import Device
from unique_account.core.routing import plan
from unique_account.service.service import Service

pytestmark = pytest.mark.e2e

USER: Final = evolve(ALICE, mailbox=MAILBOX)
SOON: Final = 2.0
SORRY: Final = "im-sorry&feature-not-avail-line"


@frozen(weakref_slot=False)
class Served:
    """A node whose user a service decides for."""

    at: PlannedNode
    service: Service

    async def dial(self, code: str, phone: str = "alice") -> str:
        """Dial a code; what is announced."""
        start = time.monotonic()
        said = await announced(self.at, code, phone)
        await self.at.phones[phone].event("CALL_CLOSED", after=start)
        return said.what["AppData"]

    @property
    def forwarding(self) -> Forwarding:
        return self.service.account("alice").forwarding

    async def agrees(self) -> bool:
        """Whether the plan on the node is the one that is due."""
        held = plans(await self.at.installed())
        return held["alice"] == plan(self.service.account("alice"))


async def announced(at: PlannedNode, code: str, phone: str) -> JournalEntry[Message]:
    """Dial a code; when what was announced."""
    start = await at.dial(code, phone)

    def plays(message: Message) -> bool:
        return message.event == "Newexten" and message["Application"] == "Playback"

    return await at.pbx.ami.journal.wait(plays, f"what {code} comes to", after=start)


@asynccontextmanager
async def served(user: User = USER) -> AsyncIterator[Served]:
    async with planned_node(DESKPHONE, IN_ITS_PLACE) as at:
        login = ManagerLogin(username="lab", secret=at.pbx.secret, port=at.pbx.ports.ami)
        async with bootstrap(pbxs=(AsteriskPbx(login, MemoryObserver()),)) as service:
            await service.add(user)
            yield Served(at, service)


class TestSelection:
    """S6: the code switches the selection over, and is refused with an announcement without a session."""

    @in_loop
    async def test_the_next_call_rings_the_other_device(self) -> None:
        async with served() as here:
            await here.service.handle("alice", LoggedIn("tab-1"))
            for said, selected, rings, silent in (
                ("silence/1&de-activated", Device.DESKPHONE, "alice", "alice_w"),
                ("silence/1&activated", Device.WEBRTC, "alice_w", "alice"),
            ):
                assert await here.dial("*987") == said
                assert here.service.account("alice").selection is selected
                assert await here.agrees()
                start = await here.at.dial("1001")
                assert await here.at.rings(rings, start) < SOON
                assert not here.at.rang(silent, start)
                await here.at.phones["bob"].hang_up()
                await here.at.cause(start)

    @in_loop
    async def test_nobody_is_logged_in(self) -> None:
        async with served() as here:
            assert await here.dial("*987") == SORRY
            assert here.service.account("alice").selection is Device.WEBRTC


class TestForwarding:
    """R10, R11: the codes set what the account holds, from either device."""

    @in_loop
    async def test_do_not_disturb_is_switched_over(self) -> None:
        async with served(evolve(USER, mailbox=None)) as here:
            assert await here.dial("*25") == "do-not-disturb&activated"
            assert here.forwarding == Forwarding(do_not_disturb=True)
            start = await here.at.dial("1001")
            assert (await here.at.ends(start))[0] == Refusal(20)
            assert await here.dial("*25", "alice_w") == "do-not-disturb&de-activated"
            assert here.forwarding == Forwarding()
            assert await here.agrees()

    @in_loop
    async def test_forwards_are_on_with_a_number_off_without_and_all_off_at_once(self) -> None:
        async with served() as here:
            for code, name, said in (
                ("*21", "unconditional", "call-fwd-unconditional"),
                ("*22", "no_answer", "call-fwd-no-ans"),
                ("*23", "busy", "call-fwd-on-busy"),
            ):
                assert await here.dial(f"{code}2000") == f"{said}&activated"
                assert dict(here.forwarding.forwards)[name] == Forward("2000")
                assert await here.dial(code) == f"{said}&de-activated"
                assert dict(here.forwarding.forwards)[name] == Forward("2000", enabled=False)
            assert await here.dial("*222001") == "call-fwd-no-ans&activated"
            assert await here.dial("*20") == "call-forwarding&de-activated"
            assert not any(forward.enabled for _, forward in here.forwarding.forwards)
            assert await here.agrees()

    @in_loop
    async def test_a_forward_to_oneself_is_refused(self) -> None:
        async with served() as here:
            assert await here.dial("*211001") == SORRY
            assert here.forwarding == Forwarding()

    @in_loop
    async def test_what_is_no_number_is_no_code(self) -> None:
        async with served() as here:
            for text in ("%24%7BSHELL(id)%7D", "2000%2C1", "2000%0D%0AAsks:all", "e", "1" * 25):
                start = await here.at.dial(f"*21{text}", "alice")
                closed = await here.at.phones["alice"].event("CALL_CLOSED", after=start)
                assert closed.what["param"].startswith("404"), text
            assert here.forwarding == Forwarding()
            assert await here.dial("*21+33*1#") == "call-fwd-unconditional&activated"


class TestOthers:
    """S6: a code is the command of who dials it on a phone of one's own, and of nobody else."""

    @in_loop
    async def test_a_phone_of_another_user_changes_nothing_here(self) -> None:
        async with served() as here:
            start = await here.at.dial("*25", "bob")
            assert await here.at.cause(start) == "34"
            assert here.forwarding == Forwarding()

    @in_loop
    async def test_a_phone_of_nobody_is_refused(self) -> None:
        nobody = Endpoint(name="lobby", password="")
        async with planned_node(nobody) as at:
            start = await at.dial("*25", "lobby")
            closed = await at.phones["lobby"].event("CALL_CLOSED", after=start)
            assert closed.what["param"].startswith("403")


class TestVoicemail:
    """V1: both devices reach the mailbox by the same code, without naming it."""

    @in_loop
    async def test_from_both_devices(self) -> None:
        async with planned_node(DESKPHONE, IN_ITS_PLACE) as at:
            for phone in ("alice", "alice_w"):
                start = await at.dial("*98", phone)
                reported = await at.pbx.ami.event("Newexten", after=start, Application="TryExec")
                assert reported.what["AppData"] == f"VoiceMailMain({MAILBOX})"
                await at.phones[phone].event("CALL_ESTABLISHED", after=start)
                await at.phones[phone].hang_up()


class TestWithoutUs:
    """R16: without anybody who decides, nothing is claimed to have been decided."""

    @in_loop
    async def test_the_caller_hears_congestion_within_two_seconds(self) -> None:
        async with planned_node(DESKPHONE) as at:
            for code in ("*987", "*25", "*212000"):
                start = await at.dial(code, "alice")
                closed = await at.phones["alice"].event("CALL_CLOSED", after=start)
                assert closed.at - start < SOON
                assert closed.what["param"].startswith("503")
