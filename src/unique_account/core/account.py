"""The values: a user, the lines, calls and sessions, and the account that holds them all.

An account has a *kept* part, which is versioned and stored, and an *observed* part, which is what the
PBX last said and is built again from it at any time. All values are immutable; `unique_account.core.events`
makes the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final

from attrs import field, frozen
from attrs.converters import optional

from unique_account.core.forwarding import (
    NO_FORWARDING,
    Forwarding,
)
from unique_account.core.machine import Device, State
from unique_account.core.user import User
from unique_account.core.validators import check_texts

DEFAULT_LEASE: Final = timedelta(seconds=10)


FIRST_INSTANT: Final = datetime(2, 1, 1, tzinfo=UTC)
"""No instant is earlier: each has a time of day in every time zone, and a lease before and after it."""

LAST_INSTANT: Final = datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
"""No instant is later."""


def utc(instant: datetime) -> datetime:
    """The same instant in UTC.

    Raises:
        ValueError: The datetime names no time zone, so it is not an instant, or is of the year 1 or 9999.
    """
    instant = in_utc(instant)
    if not FIRST_INSTANT <= instant <= LAST_INSTANT:
        raise ValueError(_far(instant))
    return instant


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC, which may be before or after all others.

    Raises:
        ValueError: The datetime names no time zone, or UTC has no datetime for it.
    """
    if instant.tzinfo is UTC:
        return instant
    try:
        if instant.utcoffset() is None:
            raise ValueError(f"{instant.isoformat()} has no time zone; instants are aware datetimes")
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError(_far(instant)) from None


def _far(instant: datetime) -> str:
    return f"{instant.replace(tzinfo=None).isoformat()} is too far away; instants are of the years 2 to 9998"


class LineStatus(IntEnum):
    """The status of one line, in the order in which Asterisk ranks them (P4): the highest wins a join."""

    INVALID = 0
    UNKNOWN = 1
    UNAVAILABLE = 2
    NOT_IN_USE = 3
    ON_HOLD = 4
    RINGING = 5
    IN_USE = 6
    BUSY = 7
    RINGING_IN_USE = 8


_IN_CALL: Final = frozenset(
    {LineStatus.ON_HOLD, LineStatus.IN_USE, LineStatus.BUSY, LineStatus.RINGING_IN_USE}
)


@frozen(weakref_slot=False)
class Line:
    """What the PBX last said of one device's line.

    Attributes:
        status: The line's status.
        reachable: Whether the line has at least one usable contact; None until a first contact fact (R4).
        in_call: Dialling out, talking or holding; a line that only rings is not in a call (M2).
        registered: A usable contact is known, or, before any contact fact, a status that implies one (R4).
        known: The PBX has reported something of this line (P5, R12).
    """

    status: LineStatus = LineStatus.UNKNOWN
    reachable: bool | None = None
    # What follows from these two is worked out once: there are 27 lines, and each is asked all the time.
    in_call: bool = field(init=False, eq=False, repr=False)
    registered: bool = field(init=False, eq=False, repr=False)
    known: bool = field(init=False, eq=False, repr=False)

    @in_call.default
    def _in_call(self) -> bool:
        return self.status in _IN_CALL

    @registered.default
    def _registered(self) -> bool:
        return self.status > LineStatus.UNAVAILABLE if self.reachable is None else self.reachable

    @known.default
    def _known(self) -> bool:
        return self.reachable is not None or self.status is not LineStatus.UNKNOWN


LINES: Final[Mapping[tuple[LineStatus, bool | None], Line]] = {
    (status, reachable): Line(status, reachable) for status in LineStatus for reachable in (None, False, True)
}
"""Every line there can be, so that accounts share 27 values instead of holding two each."""

UNKNOWN_LINE: Final = LINES[LineStatus.UNKNOWN, None]


class Direction(StrEnum):
    """Which way a call goes, seen from the account."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"


class CallStatus(StrEnum):
    """How far a live call is."""

    DIALLING = "dialling"
    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"


@frozen(weakref_slot=False, kw_only=True)
class Call:
    """One live call of the account, on one of its devices.

    Attributes:
        id: The PBX's own id of this leg, unique for ever (Asterisk: ``Uniqueid``).
        device: The device that carries it.
        direction: Incoming or outgoing, seen from the account.
        status: How far it is.
        linked_id: What all legs of one call share (Asterisk: ``Linkedid``); the call id of its history entry.
        peer: The other party's number, empty while unknown.
        peer_name: The other party's name, empty while unknown.
        started: When the call began, in UTC; what all its legs share, so that history can join them (H6).
        answered: When it was answered, in UTC; None before.
        sip_call_id: The ``Call-ID`` of the SIP dialog with the device, which is the device's own name for the
            call; empty while unknown.

    Raises:
        InvalidFields: It has no id, or a text has half a character.
    """

    id: str
    device: Device
    direction: Direction
    status: CallStatus
    started: datetime = field(converter=utc)
    answered: datetime | None = field(default=None, converter=optional(utc))
    linked_id: str = ""
    peer: str = ""
    peer_name: str = ""
    sip_call_id: str = ""

    def __attrs_post_init__(self) -> None:
        texts = (self.id, self.linked_id, self.peer, self.peer_name, self.sip_call_id)
        if not self.id.strip() or not all(map(str.isascii, texts)):
            names = ("linked_id", "peer", "peer_name", "sip_call_id")
            check_texts({"id": self.id}, dict(zip(names, texts[1:], strict=True)))


@frozen(weakref_slot=False)
class Messages:
    """How many voicemail messages wait, new and old (V2)."""

    new: int = 0
    old: int = 0


@frozen(weakref_slot=False)
class Session:
    """One logged-in UC Assistant: a tab, or a second computer (S4).

    Attributes:
        id: The session's name.
        connection: The connection it lives on; a loss of an older one does not concern it (S7).
        last_seen: None while connected; else its last sign of life, from which its lease counts (S5).

    Raises:
        InvalidFields: It has no id, or a text has half a character.
    """

    id: str
    connection: str = ""
    last_seen: datetime | None = field(default=None, converter=optional(utc))

    def __attrs_post_init__(self) -> None:
        check_texts({"id": self.id}, {"connection": self.connection})


@frozen(weakref_slot=False)
class Kept:
    """The part of an account that is versioned and stored, the user apart: what the user did (S2).

    Attributes:
        version: Counts the changes of this part and of the user; stores compare it.
        selection: The saved device selection; a first login finds WebRTC (S1).
        sessions: The sessions held, in the order in which they came, lost ones within their lease included.
        forwarding: Do-not-disturb and the user's own forwards.
    """

    version: int = 0
    selection: Device = Device.WEBRTC
    sessions: tuple[Session, ...] = ()
    forwarding: Forwarding = NO_FORWARDING


@frozen(weakref_slot=False)
class Observed:
    """The part of an account that the PBX reports: never stored, dropped with its node, built by its resync.

    Attributes:
        deskphone: The deskphone's line.
        webrtc: The WebRTC line.
        calls: The live calls over both devices, in the order in which they were first reported.
        ended: The ids of the last few calls that ended, so that a late report of one does not revive it.
        messages: The mailbox's counts; None until reported.
    """

    deskphone: Line = UNKNOWN_LINE
    webrtc: Line = UNKNOWN_LINE
    calls: tuple[Call, ...] = ()
    ended: tuple[str, ...] = ()
    messages: Messages | None = None


NOTHING_KEPT: Final = Kept()
NOTHING_OBSERVED: Final = Observed()


@frozen(weakref_slot=False)
class Account:
    """A user's Unique Account: one immutable value, from which all that is seen outside is projected.

    ``Account(user)`` is a new account: logged out, WebRTC saved, nothing known of its lines.

    Attributes:
        user: Whose it is.
        kept: What is stored.
        observed: What the PBX last said.
        state: Where the machine stands (M).
        lease: How long a session that vanished holds the account (S5).
    """

    user: User
    kept: Kept = NOTHING_KEPT
    observed: Observed = NOTHING_OBSERVED
    state: State = State.LOGGED_OUT
    lease: timedelta = DEFAULT_LEASE

    @property
    def version(self) -> int:
        """The version of the kept part."""
        return self.kept.version

    @property
    def selection(self) -> Device:
        """The saved device selection."""
        return self.kept.selection

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The sessions held."""
        return self.kept.sessions

    @property
    def forwarding(self) -> Forwarding:
        """Do-not-disturb and the user's own forwards."""
        return self.kept.forwarding

    @property
    def calls(self) -> tuple[Call, ...]:
        """The live calls over both devices."""
        return self.observed.calls

    def line(self, device: Device) -> Line:
        """The line of one of the account's devices."""
        return self.observed.webrtc if device == Device.WEBRTC else self.observed.deskphone
