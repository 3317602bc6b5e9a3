"""Calls that are over reach the call log, be it later."""

from __future__ import annotations

import asyncio

import pytest

from tests.event_loop import in_loop
from tests.service.installation import ALICE, BOB, Installation, settle
from unique_account.adapters.memory import MemoryCti
from unique_account.core.errors import Unreachable
from unique_account.core.events import DoNotDisturbSet, ForwardingChanged
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.history import HistoryStatus
from unique_account.core.machine import Device
from unique_account.ports.observer import PortRequest
from unique_account.service import call_log_writer

GONE = Unreachable("the database is gone")


async def calls(at: Installation, *numbers: str) -> None:
    """Calls that ring and are given up, one after the other."""
    for number in numbers:
        await at.pbx.register(f"PJSIP/{'alice' if number == ALICE.extension else 'bob'}")
        await at.pbx.end(await at.pbx.call(number))


async def recorded(at: Installation) -> list[str]:
    """Whose calls are in the call log."""
    return [user for user in ("alice", "bob") for _ in await at.call_log.before(user, None, 10)]


class TestReports:
    """H4: a user's sessions are notified of a new entry, also where the account stays the same."""

    @in_loop
    async def test_a_call_that_was_sent_elsewhere(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            await service.handle(ALICE.id, DoNotDisturbSet(on=True))
            await at.pbx.end(await at.pbx.call(ALICE.extension))
            assert at.cti.history_changes == ["alice"]

    @in_loop
    async def test_once_it_is_recorded(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB):
            at.call_log.fail("add", error=GONE)
            await calls(at, "1001")
            assert at.cti.history_changes == []
            at.call_log.heal()
            await at.advance(5)
            assert at.cti.history_changes == ["alice"]

    @in_loop
    async def test_a_report_that_fails_loses_no_record(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def fails(user: str) -> None:
            raise GONE

        monkeypatch.setattr(MemoryCti, "history_changed", lambda self, user: fails(user))
        at = Installation()
        async with at.running(ALICE, BOB):
            await calls(at, "1001")
            assert await recorded(at) == ["alice"]
            assert at.failures == ["cti: history_changed for alice"]


class TestUnreachable:
    """H3: a call that is over while the call log cannot be reached is recorded once it can."""

    @in_loop
    async def test_what_waits_is_recorded_and_told_once(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB):
            at.call_log.fail("add", error=GONE)
            await calls(at, "1001", "1002", "1001")
            await at.advance(60)
            assert await recorded(at) == []
            assert at.failures == ["call log: add for alice"]
            assert at.observer.recoveries == []
            at.call_log.heal()
            await calls(at, "1002")  # after those before it
            assert await recorded(at) == []
            await at.advance(5)
            assert await recorded(at) == ["alice", "alice", "bob", "bob"]
            assert at.observer.recoveries == [PortRequest("call log", "add")]
            await calls(at, "1001")
            assert await recorded(at) == ["alice", "alice", "alice", "bob", "bob"]

    @in_loop
    async def test_one_that_is_cancelled_while_it_is_recorded_is_recorded_later(self) -> None:
        at = Installation()
        async with at.running(ALICE):
            await at.pbx.register("PJSIP/alice")
            call = await at.pbx.call("1001")
            at.call_log.hang("add")
            ending = asyncio.create_task(at.pbx.end(call))
            await settle()
            ending.cancel()
            await asyncio.wait([ending])
            at.call_log.heal()
            await at.advance(5)
            assert await recorded(at) == ["alice"]

    @in_loop
    async def test_a_service_that_stops_tries_once_more(self) -> None:
        at = Installation()
        async with at.running(ALICE):
            at.call_log.fail("add", error=GONE)
            await calls(at, "1001")
            at.call_log.heal()
        assert await recorded(at) == ["alice"]

    @in_loop
    async def test_what_is_refused_holds_nothing_else_up(self) -> None:
        at = Installation()
        async with at.running(ALICE):
            at.call_log.fail("add", error=GONE)
            await calls(at, "1001")
            at.call_log.fail("add", error=ValueError("not like this"))
            await at.advance(5)
            at.call_log.heal()
            await calls(at, "1001")
            assert await recorded(at) == ["alice"]
            assert at.failures == ["call log: add for alice"] * 2

    @in_loop
    async def test_not_more_waits_than_can_be_held(self) -> None:
        at = Installation()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(call_log_writer, "MOST_OWED", 2)
            async with at.running(ALICE, BOB):
                at.call_log.fail("add", error=GONE)
                await calls(at, "1001", "1002", "1002")
                assert at.failures == ["call log: add for alice"] * 2
                at.call_log.heal()
                await at.advance(5)
                assert await recorded(at) == ["bob", "bob"]


class TestDiverted:
    """H4: a call that rings no device is in the history of the user whose number was called."""

    @pytest.mark.parametrize(
        "forwarding", [Forwarding(do_not_disturb=True), Forwarding(unconditional=Forward("1002"))]
    )
    def test_it_is_missed_on_no_device(self, forwarding: Forwarding) -> None:
        @in_loop
        async def check(_: TestDiverted) -> None:
            at = Installation()
            async with at.running(ALICE) as service:
                await at.pbx.register("PJSIP/alice")
                await service.handle("alice", ForwardingChanged(forwarding))
                call = await at.pbx.call("1001", caller="3000")
                (record,) = await at.call_log.before("alice", None, 10)
                assert (record.key, record.peer) == ((call.started, call.id), "3000")
                assert (record.status, record.device) == (HistoryStatus.MISSED, None)

        check(self)

    @in_loop
    async def test_one_that_rang_before_is_one_entry_with_its_device(self) -> None:
        at = Installation()
        async with at.running(ALICE):
            await at.pbx.register("PJSIP/alice")
            await at.pbx.call("1001", caller="3000")
            await at.advance(60)
            (record,) = await at.call_log.before("alice", None, 10)
            assert (record.status, record.device) == (HistoryStatus.MISSED, Device.DESKPHONE)
