"""What every CTI does with commands, and with those who ask for their calls."""

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


class OneCall:
    """A history of one call, which remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, str | None]] = []

    async def page(
        self,
        user: str,
        size: int = DEFAULT_SIZE,
        cursor: str | None = None,
        since: datetime | None = None,
        matching: str = "",
    ) -> Page:
        """The one page."""
        self.asked.append((user, size, cursor))
        return PAGE


class CtiCommandsContract(AssistantsContract):
    """Commands and questions are the service's, and the answers the session's that gave them."""

    @scenario
    async def test_commands_are_given(self, opened: Opened) -> None:
        """Give their commands (C1)."""
        cti, assistants = opened
        obeyed = []

        async def on_command(user: str, command: Command) -> bool:
            obeyed.append((user, command))
            return True

        async with self.listening(cti, self.on_event, on_command):
            await cti.show(view(BUSY))
            for command in COMMANDS:
                assert await assistants.command("alice", command)
        assert obeyed == [("alice", command) for command in COMMANDS]

    @scenario
    async def test_what_the_browser_has_to_do_goes_back_to_it(self, opened: Opened) -> None:
        """A command that it leaves to the browser goes back to the session that gave it (C2)."""
        cti, assistants = opened

        async def on_command(_: str, command: Command) -> bool:
            return not isinstance(command, (Dial, Answer, Hold, Resume))

        async with self.listening(cti, self.on_event, on_command):
            await cti.show(view(BUSY))
            for command in COMMANDS:
                assert await assistants.command("alice", command) is await on_command("alice", command)

    @scenario
    async def test_what_failed_is_the_answer_to_that_session(self, opened: Opened) -> None:
        """Likewise what ``on_command`` raises, and whoever tells goes on."""
        cti, assistants = opened
        failures = [CommandFailed("the phone cannot be told to hold"), NoSuchCall()]

        async def on_command(_: str, command: Command) -> bool:
            if failures:
                raise failures.pop(0)
            return True

        async with self.listening(cti, self.on_event, on_command):
            await cti.show(view(BUSY))
            with pytest.raises(CommandFailed, match="the phone cannot be told to hold"):
                await assistants.command("alice", Hold(TALKS.id))
            with pytest.raises(CommandFailed, match="there is no such call"):
                await assistants.command("alice", Hold(TALKS.id))
            assert await assistants.command("alice", Hold(TALKS.id))

    @scenario
    async def test_who_asks_for_calls_is_answered(self, opened: Opened) -> None:
        """``histories`` answers those who ask for their calls (H5)."""
        cti, assistants = opened
        histories = OneCall()
        async with self.listening(cti, self.on_event, histories=histories):
            await cti.show(view(ACTIVE))
            assert await assistants.history("alice", 20) == PAGE
            assert await assistants.history("alice", 30, PAGE.next) == PAGE
        assert histories.asked == [("alice", 20, None), ("alice", 30, PAGE.next)]
