"""The values: a user, the lines, calls and sessions, and the account that holds them all.

An account has a *kept* part, which is versioned and stored, and an *observed* part, which is what the
PBX last said and is built again from it at any time. All values are immutable; `unique_account.core.events`
makes the next one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final

from attrs import field, frozen
from attrs.converters import optional

from unique_account.core.errors import InvalidUser
from unique_account.core.forwarding import (
    NO_FALLBACKS,
    NO_FORWARDING,
    Extension,
    Fallbacks,
    Forwarding,
    Mailbox,
    Outcome,
    dialable,
)
from unique_account.core.machine import Device, State

DEFAULT_LEASE: Final = timedelta(seconds=10)


def utc(instant: datetime) -> datetime:
    """The same instant in UTC.

    Raises:
        ValueError: The datetime names no time zone, so it is not an instant.
    """
    if instant.tzinfo is UTC:
        return instant
    if instant.utcoffset() is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; instants are aware datetimes")
    return instant.astimezone(UTC)


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
        known: Something was heard of this line at all (P5, R12).
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
    """

    id: str
    connection: str = ""
    last_seen: datetime | None = field(default=None, converter=optional(utc))


def _numbers(numbers: Iterable[str]) -> tuple[str, ...]:
    return tuple(numbers)


def _pairs(seconds: Mapping[str, int] | Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    pairs = seconds.items() if isinstance(seconds, Mapping) else seconds
    return tuple(sorted(pairs))


@frozen(weakref_slot=False, kw_only=True)
class User:
    """Who the account belongs to and how it is wired: the administrator's part (A1).

    Attributes:
        id: The user's name in the CTI and in every store.
        extension: The one internal number.
        deskphone: The PBX interface of the deskphone, e.g. ``PJSIP/alice``.
        webrtc: The PBX interface of the WebRTC line, e.g. ``PJSIP/alice_w``; on the same media server.
        dids: Public numbers that route like the extension (R6).
        mailbox: The voicemail box, or None.
        media_server: The PBX node that carries both endpoints.
        context: The dialplan context in which the user's numbers live and forwards are dialled.
        ring_seconds: How long a call rings (R11).
        did_ring_seconds: Ring times of their own for some of the DIDs (R6).
        simultaneous_calls: The limit of R8, 1 to 20.
        fallbacks: The administrator's destination for each outcome (R10).
        voicemail_code: The code that users dial for their mailbox; forwarding to it means the mailbox (R10).
        max_forwards: How often one call may be forwarded before it is refused (R13).

    Raises:
        InvalidUser: With every problem of the fields at once.
    """

    id: str
    extension: str
    deskphone: str
    webrtc: str
    dids: tuple[str, ...] = field(default=(), converter=_numbers)
    mailbox: str | None = None
    media_server: str = "default"
    context: str = "default"
    ring_seconds: int = 30
    did_ring_seconds: tuple[tuple[str, int], ...] = field(default=(), converter=_pairs)
    simultaneous_calls: int = 5
    fallbacks: Fallbacks = NO_FALLBACKS
    voicemail_code: str = "*98"
    max_forwards: int = 10

    def __attrs_post_init__(self) -> None:
        problems = _problems(self)
        if problems:
            raise InvalidUser(problems)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The extension and every DID."""
        return (self.extension, *self.dids)

    def interface(self, device: Device) -> str:
        """The PBX interface of one of the user's devices."""
        return self.webrtc if device is Device.WEBRTC else self.deskphone


_NAME: Final = re.compile(r"[0-9A-Za-z_.+-]+")
_INTERFACE: Final = re.compile(r"[0-9A-Za-z_.+-]+/[0-9A-Za-z_.@+-]+")
_MAILBOX: Final = re.compile(r"[0-9A-Za-z_.+-]+(@[0-9A-Za-z_.+-]+)?")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def _problems(user: User) -> list[str]:
    """All that is wrong with a user: first each field by itself, then what they come to together.

    Names and numbers end up in a dialplan, so they keep to characters that mean nothing there.
    """
    problems = []
    if not user.id or _CONTROL.search(user.id):
        problems.append("id: is empty, or has control characters")
    if not dialable(user.extension):
        problems.append("extension: is not a number that can be dialled")
    for name, interface in (("deskphone", user.deskphone), ("webrtc", user.webrtc)):
        if not _INTERFACE.fullmatch(interface):
            problems.append(f"{name}: is not the interface of a phone, such as PJSIP/alice")
    for name, value in (("media_server", user.media_server), ("context", user.context)):
        if not _NAME.fullmatch(value):
            problems.append(f"{name}: is empty, or has other characters than letters, digits and _ . + -")
    if user.mailbox is not None and not _MAILBOX.fullmatch(user.mailbox):
        problems.append("mailbox: is not a voicemail box, such as 1001@default; leave it out for none")
    if user.deskphone and user.deskphone == user.webrtc:
        problems.append(f"webrtc: is {user.webrtc}, which is the deskphone; two devices need two endpoints")
    return problems + _problems_of_numbers(user) + _problems_of_destinations(user)


def _problems_of_numbers(user: User) -> list[str]:
    problems = [
        f"dids: {did!r} is not a number that can be dialled" for did in user.dids if not dialable(did)
    ]
    if len(set(user.numbers)) != len(user.numbers):
        problems.append("dids: name a number twice, or the extension")
    if user.ring_seconds < 1:
        problems.append(f"ring_seconds: is {user.ring_seconds}; at least 1 second")
    for did, seconds in user.did_ring_seconds:
        if did not in user.dids:
            problems.append(f"did_ring_seconds: {did} is not one of the dids")
        if seconds < 1:
            problems.append(f"did_ring_seconds: is {seconds} for {did}; at least 1 second")
    if not 1 <= user.simultaneous_calls <= 20:
        problems.append(f"simultaneous_calls: is {user.simultaneous_calls}; from 1 to 20")
    if user.max_forwards < 0:
        problems.append(f"max_forwards: is {user.max_forwards}; 0 or more")
    if not dialable(user.voicemail_code):
        problems.append("voicemail_code: is not a code that can be dialled")
    return problems


def _problems_of_destinations(user: User) -> list[str]:
    problems = []
    for outcome in Outcome:
        destination = user.fallbacks.of(outcome)
        if isinstance(destination, Extension) and not dialable(destination.number):
            problems.append(f"fallbacks.{outcome}: is not a number that can be dialled")
        elif isinstance(destination, Extension) and destination.number in user.numbers:
            problems.append(f"fallbacks.{outcome}: is the user's own number (R13)")
        elif isinstance(destination, Mailbox) and not _MAILBOX.fullmatch(destination.address):
            problems.append(f"fallbacks.{outcome}: is not a voicemail box, such as 1001@default")
    return problems


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
    """The part of an account that the PBX tells: never stored, dropped with its node, built by its resync.

    Attributes:
        deskphone: The deskphone's line.
        webrtc: The WebRTC line.
        calls: The live calls over both devices, in the order in which they were heard of.
        ended: The ids of the last few calls that ended, so that a late word on one does not revive it.
        messages: The mailbox's counts; None until told.
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
