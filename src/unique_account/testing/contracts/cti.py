"""What every CTI must do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import reduce
from typing import Protocol

import pytest
from attrs import evolve

from unique_account.core.account import Account, Call, CallStatus, Direction
from unique_account.core.cursors import encode_cursor
from unique_account.core.errors import Refused
from unique_account.core.events import CallChanged, DeviceSelected, Event, LoggedIn, apply
from unique_account.core.history import DEFAULT_SIZE, CallRecord, HistoryStatus, Page
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.core.view import View, view
from unique_account.ports.commands import (
    Answer,
    Command,
    Dial,
    HangUp,
    Hold,
    Join,
    NoSuchCall,
    Obey,
    Resume,
    Transfer,
)
from unique_account.ports.cti import Cti
from unique_account.ports.hearing import Hear
from unique_account.ports.histories import Histories
from unique_account.ports.pbx import CommandFailed
from unique_account.testing.contracts.accounts import ALICE, BOB
from unique_account.testing.contracts.scenario import Contract, scenario

OUT = Account(ALICE)
ACTIVE = apply(OUT, LoggedIn("tab-1"))

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


class Assistants(Protocol):
    """What the users of UC Assistants do and see; all that the contract needs beside the CTI itself."""

    async def act(self, user: str, event: Event) -> None:
        """Let one of a user's sessions do what this event tells of; logs one in where it needs one.

        Raises:
            Exception: What the CTI answered, if it was not done; a refusal as `Refused`.
        """
        ...

    async def command(self, user: str, command: Command) -> bool:
        """Let one of a user's sessions give this command; logs one in where it needs one.

        Returns:
            Whether it was done; False if the session was told that its browser has to do it.

        Raises:
            Exception: What the CTI answered, if it was not done; what failed as `CommandFailed`.
        """
        ...

    async def history(self, user: str, size: int, cursor: str | None = None) -> Page:
        """A page of a user's calls as a session of this user gets it; logs one in where it needs one."""
        ...

    async def shown(self, user: str) -> View | None:
        """The account that a session of this user shows now, the user logging in if need be; None: none."""
        ...

    async def presence(self, number: str) -> Presence | None:
        """The presence that a session shows of a number that it watches; None: none."""
        ...


class _Histories:
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


async def _obey(user: str, command: Command) -> bool:
    """Carry nothing out."""
    return True


class CtiContract(Contract[tuple[Cti, Assistants]]):
    """The contract of `unique_account.ports.cti.Cti`; ``open`` gives a CTI and what drives it."""

    @asynccontextmanager
    async def listening(
        self, cti: Cti, hear: Hear, obey: Obey = _obey, histories: Histories | None = None
    ) -> AsyncIterator[None]:
        """Listen to a CTI."""
        listener = asyncio.create_task(cti.listen(hear, obey, histories or _Histories()))
        await asyncio.sleep(0)
        try:
            yield
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    # -- listen --------------------------------------------------------------------------------------

    @scenario
    async def test_what_users_do_is_told_in_order(self, opened: tuple[Cti, Assistants]) -> None:
        """Tell what users do, as events."""
        cti, assistants = opened
        heard: list[tuple[str, Event]] = []

        async def hear(user: str, event: Event) -> None:
            if isinstance(event, DeviceSelected):
                heard.append((user, event))

        deeds = [("alice", DeviceSelected(device)) for device in (*Device, *Device)]
        async with self.listening(cti, hear):
            for user, event in (*deeds, ("bob", DeviceSelected(Device.WEBRTC))):
                await assistants.act(user, event)
        assert heard == [*deeds, ("bob", DeviceSelected(Device.WEBRTC))]

    @scenario
    async def test_a_refusal_is_the_answer_to_that_session(self, opened: tuple[Cti, Assistants]) -> None:
        """What ``hear`` raises is the answer to that user's session, and to no other."""
        cti, assistants = opened
        refusal = Refused("logged_out", "select_webrtc", "it is a test", "leave it")
        heard = []

        async def hear(user: str, event: Event) -> None:
            if isinstance(event, DeviceSelected):
                if user == "alice":
                    raise refusal
                heard.append(user)

        async with self.listening(cti, hear):
            with pytest.raises(Refused) as answer:
                await assistants.act("alice", DeviceSelected(Device.WEBRTC))
            await assistants.act("bob", DeviceSelected(Device.WEBRTC))
        assert str(answer.value) == str(refusal)
        assert heard == ["bob"]

    @scenario
    async def test_listening_outlives_what_goes_wrong(self, opened: tuple[Cti, Assistants]) -> None:
        """What ``hear`` raises ends nothing: whoever tells goes on telling."""
        cti, assistants = opened
        heard = []

        async def hear(_: str, event: Event) -> None:
            if isinstance(event, DeviceSelected):
                heard.append(event.device)
                if event.device is Device.WEBRTC:
                    raise LookupError("the store is down")

        async with self.listening(cti, hear):
            with pytest.raises(Exception):  # noqa: B017, PT011 - how a CTI words it is its own
                await assistants.act("alice", DeviceSelected(Device.WEBRTC))
            await assistants.act("alice", DeviceSelected(Device.DESKPHONE))
        assert heard == [Device.WEBRTC, Device.DESKPHONE]

    @scenario
    async def test_a_view_is_shown_while_a_deed_is_heard(self, opened: tuple[Cti, Assistants]) -> None:
        """While a call of ``hear`` is awaited, every method of the port still returns."""
        cti, assistants = opened

        async def hear(user: str, event: Event) -> None:
            async with asyncio.timeout(self.patience):
                await cti.show(view(ACTIVE))
                await cti.publish("1001", Presence.IN_USE)

        async with self.listening(cti, hear):
            await assistants.act("alice", DeviceSelected(Device.WEBRTC))
            await self._shows(assistants, view(ACTIVE))

    # -- commands and history ------------------------------------------------------------------------

    @scenario
    async def test_commands_are_given(self, opened: tuple[Cti, Assistants]) -> None:
        """Give their commands (C1)."""
        cti, assistants = opened
        obeyed = []

        async def obey(user: str, command: Command) -> bool:
            obeyed.append((user, command))
            return True

        async with self.listening(cti, self._hear, obey):
            await cti.show(view(BUSY))
            for command in COMMANDS:
                assert await assistants.command("alice", command)
        assert obeyed == [("alice", command) for command in COMMANDS]

    @scenario
    async def test_what_the_browser_has_to_do_goes_back_to_it(self, opened: tuple[Cti, Assistants]) -> None:
        """A command that it leaves to the browser goes back to the session that gave it (C2)."""
        cti, assistants = opened

        async def obey(_: str, command: Command) -> bool:
            return not isinstance(command, (Dial, Answer, Hold, Resume))

        async with self.listening(cti, self._hear, obey):
            await cti.show(view(BUSY))
            for command in COMMANDS:
                assert await assistants.command("alice", command) is await obey("alice", command)

    @scenario
    async def test_what_failed_is_the_answer_to_that_session(self, opened: tuple[Cti, Assistants]) -> None:
        """Likewise what ``obey`` raises, and whoever tells goes on."""
        cti, assistants = opened
        failures = [CommandFailed("the phone cannot be told to hold"), NoSuchCall()]

        async def obey(_: str, command: Command) -> bool:
            if failures:
                raise failures.pop(0)
            return True

        async with self.listening(cti, self._hear, obey):
            await cti.show(view(BUSY))
            with pytest.raises(CommandFailed, match="the phone cannot be told to hold"):
                await assistants.command("alice", Hold(TALKS.id))
            with pytest.raises(CommandFailed, match="there is no such call"):
                await assistants.command("alice", Hold(TALKS.id))
            assert await assistants.command("alice", Hold(TALKS.id))

    @scenario
    async def test_who_asks_for_calls_is_answered(self, opened: tuple[Cti, Assistants]) -> None:
        """``histories`` answers those who ask for their calls (H5)."""
        cti, assistants = opened
        histories = _Histories()
        async with self.listening(cti, self._hear, histories=histories):
            await cti.show(view(ACTIVE))
            assert await assistants.history("alice", 20) == PAGE
            assert await assistants.history("alice", 30, PAGE.next) == PAGE
        assert histories.asked == [("alice", 20, None), ("alice", 30, PAGE.next)]

    # -- show ----------------------------------------------------------------------------------------

    async def _shows(self, assistants: Assistants, shown: View) -> None:
        async def so() -> bool:
            return await assistants.shown(shown.user) == shown

        await self.until(so)

    async def _hear(self, user: str, event: Event) -> None:
        """Nothing is to be done about what users do here."""

    @scenario
    async def test_the_last_view_is_shown(self, opened: tuple[Cti, Assistants]) -> None:
        """Show a user's account in every session of that user, and in those that connect later (S4)."""
        cti, assistants = opened
        async with self.listening(cti, self._hear):
            await cti.show(view(OUT))
            await cti.show(view(ACTIVE))
            await cti.show(view(Account(BOB)))
            await self._shows(assistants, view(ACTIVE))
            await self._shows(assistants, view(Account(BOB)))

    @scenario
    async def test_a_view_of_an_older_version_is_dropped(self, opened: tuple[Cti, Assistants]) -> None:
        """A view of an older version than the last one shown is dropped."""
        cti, assistants = opened
        async with self.listening(cti, self._hear):
            await cti.show(view(ACTIVE))
            await cti.show(view(OUT))
            await self._shows(assistants, view(ACTIVE))

    @scenario
    async def test_a_view_of_the_same_version_is_shown(self, opened: tuple[Cti, Assistants]) -> None:
        """What the PBX tells makes no new version, and is shown all the same."""
        cti, assistants = opened
        changed = evolve(view(ACTIVE), presence=Presence.RINGING)
        async with self.listening(cti, self._hear):
            await cti.show(view(ACTIVE))
            await cti.show(changed)
            await self._shows(assistants, changed)

    # -- publish -------------------------------------------------------------------------------------

    @scenario
    async def test_the_last_presence_is_shown(self, opened: tuple[Cti, Assistants]) -> None:
        """Show a number's presence to every session that watches it and may see it (P5)."""
        cti, assistants = opened

        async def so() -> bool:
            return await assistants.presence("1001") is presence

        async with self.listening(cti, self._hear):
            for presence in (Presence.AVAILABLE, Presence.IN_USE, Presence.UNEXISTING):
                await cti.publish("1001", presence)
                await self.until(so)

    # -- forget --------------------------------------------------------------------------------------

    @scenario
    async def test_a_forgotten_user_is_shown_nothing(self, opened: tuple[Cti, Assistants]) -> None:
        """The user has no account any more; a new one of the user's begins with version 0."""
        cti, assistants = opened

        async def gone() -> bool:
            return await assistants.shown("alice") is None

        async with self.listening(cti, self._hear):
            await cti.show(view(ACTIVE))
            await cti.forget("alice")
            await self.until(gone)
            await cti.show(view(OUT))
            await self._shows(assistants, view(OUT))

    @scenario
    async def test_forgetting_a_stranger_is_no_error(self, opened: tuple[Cti, Assistants]) -> None:
        """Unknown users are no error."""
        cti, _ = opened
        async with self.listening(cti, self._hear):
            await cti.forget("nobody")
