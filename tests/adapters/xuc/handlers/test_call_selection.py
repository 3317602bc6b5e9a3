"""Which call a command means that names none."""

from __future__ import annotations

import pytest

from tests.adapters.xuc.views import DIALLING, HELD, IN, OUT, RINGING, TALKING, seen
from unique_account.adapters.xuc.handlers import call_selection
from unique_account.core.machine import Device
from unique_account.ports.inbound.commands import NoSuchCall
from unique_account.ports.pbx import CommandFailed


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
