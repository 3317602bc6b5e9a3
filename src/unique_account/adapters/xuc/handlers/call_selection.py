"""Which of a user's calls a command means if it names none."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from unique_account.core.account import Call, CallStatus, Direction
from unique_account.core.view import View
from unique_account.ports.inbound.commands import NoSuchCall
from unique_account.ports.pbx import CommandFailed, Failure

_TO_HANG_UP: Final = (CallStatus.TALKING, CallStatus.DIALLING, CallStatus.RINGING, CallStatus.HELD)
_TO_HOLD: Final = (CallStatus.TALKING, CallStatus.HELD)


def to_answer(view: View) -> Call:
    """The only incoming call that rings.

    Raises:
        CommandFailed: None rings, or several.
    """
    ringing = [
        call
        for call in view.calls
        if call.status is CallStatus.RINGING and call.direction is Direction.INCOMING
    ]
    return _only(ringing, "rings")


def to_hang_up(view: View) -> Call:
    """The call that is being talked on, else the dialled, else the ringing, else the held one.

    Raises:
        CommandFailed: There is none, or more than one of the same status.
    """
    return _first(view, _TO_HANG_UP)


def to_hold(view: View) -> Call:
    """The call that is being talked on, else the one on hold.

    Raises:
        CommandFailed: There is none, or more than one of the same status.
    """
    return _first(view, _TO_HOLD)


def named(view: View, call_id: str) -> Call:
    """The user's own call of this id.

    Raises:
        NoSuchCall: The user has none.
    """
    for call in view.calls:
        if call.id == call_id:
            return call
    raise NoSuchCall


@frozen(weakref_slot=False)
class Consultation:
    """An attended transfer under way: the call on hold, and the call with the future party."""

    held: Call
    consulted: Call


def consultation(view: View) -> Consultation:
    """The attended transfer under way: one call on hold, and one dialled by the same device.

    Raises:
        CommandFailed: There is no such pair, or more than one.
    """
    held = [call for call in view.calls if call.status is CallStatus.HELD]
    pairs = [
        Consultation(on_hold, call)
        for on_hold in held
        for call in view.calls
        if call.status is not CallStatus.HELD
        and call.device is on_hold.device
        and call.direction is Direction.OUTGOING
    ]
    if len(pairs) != 1:
        raise CommandFailed(
            "no transfer is under way: that is one call on hold, and another that was dialled",
            Failure.NO_TRANSFER,
        )
    return pairs[0]


def _first(view: View, statuses: tuple[CallStatus, ...]) -> Call:
    for status in statuses:
        if found := [call for call in view.calls if call.status is status]:
            return _only(found, f"is {status}")
    raise CommandFailed("there is no call for this", Failure.NO_CALL)


def _only(calls: list[Call], what: str) -> Call:
    if not calls:
        raise CommandFailed(f"no call {what}", Failure.NO_CALL)
    if len(calls) > 1:
        raise CommandFailed(f"more than one call {what}: say which, by its uniqueId", Failure.WHICH_CALL)
    return calls[0]
