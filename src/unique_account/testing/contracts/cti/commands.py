"""What every CTI does with commands and with queries for calls."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import reduce

import pytest

from unique_account.core.account import Call, CallStatus, Direction
from unique_account.core.cursors import encode_cursor
from unique_account.core.events import CallChanged, apply
from unique_account.core.history import DEFAULT_SIZE, CallRecord, HistoryStatus, Page
from unique_account.core.machine import Device
from unique_account.core.view import view
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
from unique_account.ports.pbx import CommandFailed
from unique_account.testing.contracts.cti.fixtures import ACTIVE, AssistantsContract, Opened
from unique_account.testing.contracts.scenario import scenario

SINCE = datetime(2026, 1, 5, 9, tzinfo=UTC)
RINGS, TALKS, WAITS = (
    Call(id=f"1767603600.{n}", device=Device.DESKPHONE, direction=direction, status=status, started=SINCE)
    for n, direction, status in (
        (1, Direction.INCOMING, CallStatus.RINGING),
        (2, Direction.OUTGOING, CallStatus.TALKING),
        (3, Direction.INCOMING, CallStatus.HELD),
    )
)
BUSY = reduce(apply, map(CallChanged, (RINGS, TALKS, WAITS)), ACTIVE)
"""An account with a call for every command."""

COMMANDS: tuple[Command, ...] = (
    Dial("1002"),
    Answer(RINGS.id),
    Hold(TALKS.id),
    Resume(WAITS.id),
    Transfer(TALKS.id, "1002"),
    Join(WAITS.id, TALKS.id),
    HangUp(TALKS.id),
)

CALL = CallRecord(
    id="1767600000.1",
    user="alice",
    start=SINCE,
    status=HistoryStatus.EMITTED,
    direction=Direction.OUTGOING,
    device=Device.DESKPHONE,
    peer="1002",
    peer_name="Bob",
    answered=SINCE,
    ended=SINCE,
)
PAGE = Page((CALL,), encode_cursor("alice", CALL.key))


class OneCallHistory:
    """A history of one call, which records the queries."""

    def __init__(self) -> None:
        self.queries: list[tuple[str, int, str | None]] = []

    async def page(
        self,
        user: str,
        size: int = DEFAULT_SIZE,
        cursor: str | None = None,
        since: datetime | None = None,
        matching: str = "",
    ) -> Page:
        """The one page."""
        self.queries.append((user, size, cursor))
        return PAGE


class CtiCommandsContract(AssistantsContract):
    """The service carries out commands and queries; the session that sent one gets the answer."""

    @scenario
    async def test_commands_reach_the_service(self, opened: Opened) -> None:
        """Pass users' commands to the service (C1)."""
        cti, assistants = opened
        received = []

        async def on_command(user: str, command: Command) -> bool:
            received.append((user, command))
            return True

        async with self.listening(cti, self.on_event, on_command):
            await cti.show(view(BUSY))
            for command in COMMANDS:
                assert await assistants.command("alice", command)
        assert received == [("alice", command) for command in COMMANDS]

    @scenario
    async def test_a_command_left_to_the_browser_goes_back_to_it(self, opened: Opened) -> None:
        """A command that is left to the browser goes back to the session that gave it (C2)."""
        cti, assistants = opened

        async def on_command(_: str, command: Command) -> bool:
            return not isinstance(command, (Dial, Answer, Hold, Resume))

        async with self.listening(cti, self.on_event, on_command):
            await cti.show(view(BUSY))
            for command in COMMANDS:
                assert await assistants.command("alice", command) is await on_command("alice", command)

    @scenario
    async def test_a_failure_is_the_answer_to_that_session(self, opened: Opened) -> None:
        """What ``on_command`` raises is the answer to that session, and ends nothing."""
        cti, assistants = opened
        failures = [CommandFailed("the phone cannot hold calls"), NoSuchCall()]

        async def on_command(_: str, command: Command) -> bool:
            if failures:
                raise failures.pop(0)
            return True

        async with self.listening(cti, self.on_event, on_command):
            await cti.show(view(BUSY))
            with pytest.raises(CommandFailed, match="the phone cannot hold calls"):
                await assistants.command("alice", Hold(TALKS.id))
            with pytest.raises(CommandFailed, match="there is no such call"):
                await assistants.command("alice", Hold(TALKS.id))
            assert await assistants.command("alice", Hold(TALKS.id))

    @scenario
    async def test_a_query_for_calls_is_answered(self, opened: Opened) -> None:
        """``histories`` answers queries for calls (H5)."""
        cti, assistants = opened
        histories = OneCallHistory()
        async with self.listening(cti, self.on_event, histories=histories):
            await cti.show(view(ACTIVE))
            assert await assistants.history("alice", 20) == PAGE
            assert await assistants.history("alice", 30, PAGE.next) == PAGE
        assert histories.queries == [("alice", 20, None), ("alice", 30, PAGE.next)]
