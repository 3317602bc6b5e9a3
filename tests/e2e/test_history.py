"""A service on real nodes: its live history of a call gives way to the nodes' channel events."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from attrs import frozen

from lab.parties import Party
from lab.waiting import until
from tests.adapters.asterisk.cel.event_rows import row_of
from tests.e2e.fixtures.recording_stage import Stage, stage, two_nodes
from tests.e2e.scenes.calls import ended, speak, taken
from tests.e2e.scenes.people import ALICE, BOB, CAROL, DAVE, ERIN, EVERYBODY, USERS
from tests.event_loop import in_loop
from unique_account.adapters.asterisk import AsteriskPbx, ManagerLogin
from unique_account.adapters.asterisk.cel.records import CallHistory
from unique_account.adapters.memory import MemoryCallLog, MemoryObserver
from unique_account.bootstrap import bootstrap
from unique_account.core.account import Call, Direction
from unique_account.core.events import ForwardingChanged
from unique_account.core.forwarding import Forwarding
from unique_account.core.history import CallRecord, HistoryStatus, merge, ongoing
from unique_account.core.user import User
from unique_account.ports.inbound.commands import Join
from unique_account.service.service import Service

pytestmark = pytest.mark.e2e


@frozen(weakref_slot=False)
class Served:
    """A stage, the service on its nodes, and the call log."""

    at: Stage
    service: Service
    log: MemoryCallLog

    async def history(self, user: User) -> list[CallRecord]:
        """What the user sees."""
        return list(merge(ongoing(self.service.account(user.id)), await self.log.before(user.id, None, 10)))

    async def wait_for(self, user: User, *statuses: HistoryStatus) -> list[CallRecord]:
        """Wait until the user sees so many entries with these statuses, newest first."""

        async def seen() -> bool:
            return tuple(record.status for record in await self.history(user)) == statuses

        await until(seen, f"the history of {user.id}")
        return await self.history(user)

    async def read(self) -> None:
        """Read the nodes' channel events, and record the calls."""
        await self.at.quiet()
        made = CallHistory(EVERYBODY)
        for pbx in self.at.nodes.values():
            rows = map(row_of, pbx.ami.messages)
            made.feed(row for row in rows if row is not None)
        await self.log.add(made.rest())


@asynccontextmanager
async def served(at: Stage, *users: User) -> AsyncIterator[Served]:
    pbxs = tuple(
        AsteriskPbx(
            ManagerLogin(username="lab", secret=pbx.secret, port=pbx.ports.ami),
            MemoryObserver(),
            media_server=name,
        )
        for name, pbx in at.nodes.items()
    )
    log = MemoryCallLog()
    async with bootstrap(pbxs=pbxs, call_log=log) as service:
        for user in users:
            await service.add(user)
        for user in users:
            await until(partial(_changed, at, user, ""), f"the plan of {user.id}")
        yield Served(at, service, log)


async def _changed(at: Stage, user: User, before: str) -> bool:
    """Whether another plan of a user is installed than the one that was there before, empty for none."""
    return await _plan(at, user) not in ("", before)


async def _plan(at: Stage, user: User) -> str:
    reported = await at.nodes[user.media_server].cli(f"database showkey {user.extension}@{user.context}")
    return reported if "1 results found" in reported else ""


async def _both_answered(service: Service) -> bool:
    return [call.answered is not None for call in service.account("carol").calls] == [True, True]


def outgoing(call: Call) -> bool:
    return call.direction is Direction.OUTGOING


class TestLiveAndWritten:
    """H2, H3, H6: one entry, ongoing, then over, then as it was written down, under one key."""

    @in_loop
    async def test_a_call_between_two_deskphones(self) -> None:
        async with stage() as at, served(at, *USERS) as here:
            await taken(at, "bob", "1001", "alice")
            (talking,) = await here.wait_for(ALICE, HistoryStatus.ONGOING)
            await here.wait_for(BOB, HistoryStatus.ONGOING)
            await ended(at, "bob", "alice")
            (reported,) = await here.wait_for(ALICE, HistoryStatus.ANSWERED)
            await here.wait_for(BOB, HistoryStatus.EMITTED)
            await here.read()
            (written,) = await here.wait_for(ALICE, HistoryStatus.ANSWERED)
            assert [one.settled for one in (talking, reported, written)] == [False, False, True]
            assert talking.key == reported.key == written.key

    @in_loop
    async def test_a_call_that_rings_no_device_is_there_before_it_is_written_down(self) -> None:
        async with stage() as at, served(at, *USERS) as here:
            before = await _plan(at, DAVE)
            await here.service.handle("dave", ForwardingChanged(Forwarding(do_not_disturb=True)))
            await until(partial(_changed, at, DAVE, before), "the plan with do-not-disturb")
            await at.call("bob", "1004")
            await at["bob"].wait_for("over")
            await here.wait_for(BOB, HistoryStatus.EMITTED)
            (reported,) = await here.wait_for(DAVE, HistoryStatus.MISSED)
            await here.read()
            (written,) = await here.wait_for(DAVE, HistoryStatus.MISSED)
            assert [one.settled for one in (reported, written)] == [False, True]
            assert reported.key == written.key
            for missed in (reported, written):
                assert missed.device is None
                assert missed.peer == "1002"
            await here.wait_for(BOB, HistoryStatus.EMITTED)

    @in_loop
    async def test_a_call_from_another_node_has_one_key_there_and_here(self) -> None:
        async with two_nodes() as at, served(at, *EVERYBODY) as here:
            await taken(at, "bob", "1005", "erin")
            (caller,) = await here.wait_for(BOB, HistoryStatus.ONGOING)
            (talking,) = await here.wait_for(ERIN, HistoryStatus.ONGOING)
            assert talking.key == caller.key
            await speak()
            await ended(at, "bob", "erin")
            (reported,) = await here.wait_for(ERIN, HistoryStatus.ANSWERED)
            await here.read()
            (written,) = await here.wait_for(ERIN, HistoryStatus.ANSWERED)
            assert written.settled
            assert reported.key == written.key == caller.key

    @in_loop
    async def test_two_calls_that_a_command_joins_are_one(self) -> None:
        async with stage() as at, served(at, *USERS) as here:
            await taken(at, "bob", "1003", "carol")
            carol = at["carol"].phone
            assert isinstance(carol, Party)
            await carol.hold(carol.calls[0])
            carol.dial("1004")
            await at["dave"].wait_for("rings")
            await at["dave"].answer()
            await until(partial(_both_answered, here.service), "that carol has two calls")
            at["carol"].since = time.monotonic()
            # The later one first: its legs must be counted as the earlier call's before they end.
            later, earlier = sorted(here.service.account("carol").calls, key=outgoing, reverse=True)
            await here.service.commands.on_command("carol", Join(later.id, earlier.id))
            await at["carol"].wait_for("over")
            await ended(at, "bob", "dave")
            (reported,) = await here.wait_for(CAROL, HistoryStatus.ANSWERED)
            await here.read()
            (written,) = await here.wait_for(CAROL, HistoryStatus.ANSWERED)
            assert (reported.key, reported.transferred_to) == (written.key, "")
            assert (written.settled, written.transferred_to) == (True, "1004")
