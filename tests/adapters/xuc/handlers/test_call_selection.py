"""Which call a command means that names none."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import reduce

import pytest

from unique_account.adapters.xuc.handlers import call_selection
from unique_account.core.account import Account, Call, CallStatus, Direction
from unique_account.core.events import CallChanged, LoggedIn, apply
from unique_account.core.machine import Device
from unique_account.core.user import User
from unique_account.core.view import View, view
from unique_account.ports.inbound.commands import NoSuchCall
from unique_account.ports.pbx import CommandFailed

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")

RINGING, DIALLING, TALKING, HELD = (
    CallStatus.RINGING,
    CallStatus.DIALLING,
    CallStatus.TALKING,
    CallStatus.HELD,
)
IN, OUT = Direction.INCOMING, Direction.OUTGOING


def seen(*calls: tuple[CallStatus, Direction] | tuple[CallStatus, Direction, Device]) -> View:
    """Alice's account with calls 1, 2, 3 ..., of the deskphone if nothing else is said."""
    account = apply(Account(ALICE), LoggedIn("tab-1"))
    events = (
        CallChanged(
            Call(
                id=str(number),
                device=device[0] if device else Device.DESKPHONE,
                direction=direction,
                status=status,
                started=NOON,
            )
        )
        for number, (status, direction, *device) in enumerate(calls, 1)
    )
    return view(reduce(apply, events, account))


class TestCallSelection:
    """C1: a command that names no call means the one call that it can mean."""

    def test_the_call_that_rings_is_answered(self) -> None:
        assert call_selection.to_answer(seen((TALKING, IN), (RINGING, IN), (RINGING, OUT))).id == "2"
        with pytest.raises(CommandFailed, match="no call rings"):
            call_selection.to_answer(seen((TALKING, IN), (RINGING, OUT)))
        with pytest.raises(CommandFailed, match="more than one call rings"):
            call_selection.to_answer(seen((RINGING, IN), (RINGING, IN)))

    def test_the_call_that_keeps_the_user_busy_is_hung_up(self) -> None:
        calls = [(HELD, IN), (RINGING, IN), (DIALLING, OUT), (TALKING, IN)]
        for most_busy in ("4", "3", "2", "1"):
            assert call_selection.to_hang_up(seen(*calls)).id == most_busy
            calls.pop()
        with pytest.raises(CommandFailed, match="there is no call for this"):
            call_selection.to_hang_up(seen())

    def test_the_call_that_is_talked_on_is_held_and_the_held_one_taken_back(self) -> None:
        assert call_selection.to_hold(seen((HELD, IN), (TALKING, IN))).id == "2"
        assert call_selection.to_hold(seen((HELD, IN), (RINGING, IN))).id == "1"
        with pytest.raises(CommandFailed, match="there is no call for this"):
            call_selection.to_hold(seen((RINGING, IN)))

    def test_a_named_call_has_to_be_there(self) -> None:
        assert call_selection.named(seen((HELD, IN)), "1").id == "1"
        with pytest.raises(NoSuchCall):
            call_selection.named(seen((HELD, IN)), "2")

    def test_a_consultation_is_one_held_and_one_dialled_of_one_device(self) -> None:
        pair = call_selection.consultation(seen((HELD, IN), (TALKING, OUT), (RINGING, IN)))
        assert (pair.held.id, pair.consulted.id) == ("1", "2")
        for calls in (
            [(HELD, IN), (TALKING, IN)],
            [(TALKING, OUT)],
            [(HELD, IN), (HELD, IN), (TALKING, OUT)],
            [(HELD, IN), (TALKING, OUT, Device.WEBRTC)],
        ):
            with pytest.raises(CommandFailed, match="no transfer is under way"):
                call_selection.consultation(seen(*calls))
