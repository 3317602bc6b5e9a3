"""The one status that colleagues see for the number (P)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from unique_account.core.account import Account, LineStatus
from unique_account.core.device_in_use import device_in_use
from unique_account.core.machine import Device


class Presence(IntEnum):
    """The published integers, those of XiVO and of Asterisk's extension states (P5).

    The two negative ones belong to numbers, never to an account.
    """

    AVAILABLE = 0
    IN_USE = 1
    BUSY = 2
    UNAVAILABLE = 4
    RINGING = 8
    RINGING_IN_USE = 9
    ON_HOLD = 16
    DEACTIVATED = -1
    UNEXISTING = -2


_PUBLISHED: Final = {
    LineStatus.INVALID: Presence.UNAVAILABLE,
    LineStatus.UNKNOWN: Presence.AVAILABLE,
    LineStatus.UNAVAILABLE: Presence.UNAVAILABLE,
    LineStatus.NOT_IN_USE: Presence.AVAILABLE,
    LineStatus.ON_HOLD: Presence.ON_HOLD,
    LineStatus.RINGING: Presence.RINGING,
    LineStatus.IN_USE: Presence.IN_USE,
    LineStatus.BUSY: Presence.BUSY,
    LineStatus.RINGING_IN_USE: Presence.RINGING_IN_USE,
}

_OCCUPIED: Final = frozenset({LineStatus.ON_HOLD, LineStatus.IN_USE, LineStatus.BUSY})


def join(one: LineStatus, other: LineStatus) -> LineStatus:
    """The joint status of two lines behind one number, as Asterisk computes it (P4, P6).

    The higher rank wins, but ringing with in use, on hold or busy is ringing in use. Commutative,
    associative and idempotent, so any number of lines may be joined in any order.
    """
    low, high = (one, other) if one <= other else (other, one)
    if (high is LineStatus.RINGING and low in _OCCUPIED) or (low is LineStatus.RINGING and high in _OCCUPIED):
        return LineStatus.RINGING_IN_USE
    return high


def published(status: LineStatus) -> Presence:
    """The integer under which a line's status is published (P5)."""
    return _PUBLISHED[status]


def presence(account: Account) -> Presence:
    """The account's presence: the device in use, and *in use* if the other device is in a call (P1 to P3)."""
    shown, other = account.observed.deskphone, account.observed.webrtc
    if device_in_use(account) is Device.WEBRTC:
        shown, other = other, shown
    return _PUBLISHED[join(shown.status, LineStatus.IN_USE) if other.in_call else shown.status]


def known(account: Account) -> bool:
    """Whether the PBX has reported anything yet; before that no presence is published (P5)."""
    return account.observed.deskphone.known or account.observed.webrtc.known
