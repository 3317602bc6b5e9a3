"""The user: whose account it is and how it is wired, the administrator's part (A1)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from attrs import field, frozen

from unique_account.core.errors import InvalidUser
from unique_account.core.forwarding import (
    NO_FALLBACKS,
    Destination,
    Extension,
    Fallbacks,
    Mailbox,
    Outcome,
    Refusal,
)
from unique_account.core.machine import Device
from unique_account.core.number import IN_WORDS, Number, by_number, numbers

VOICEMAIL_CODE: Final = Number("*98")
"""The code for one's mailbox, where the administrator sets no other."""


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
    extension: Number = field(converter=Number)
    deskphone: str
    webrtc: str
    dids: tuple[Number, ...] = field(default=(), converter=numbers)
    mailbox: str | None = None
    media_server: str = "default"
    context: str = "default"
    ring_seconds: int = 30
    did_ring_seconds: tuple[tuple[Number, int], ...] = field(default=(), converter=by_number)
    simultaneous_calls: int = 5
    fallbacks: Fallbacks = NO_FALLBACKS
    voicemail_code: Number = field(default=VOICEMAIL_CODE, converter=Number)
    max_forwards: int = 10

    def __attrs_post_init__(self) -> None:
        problems = _problems(self)
        if problems:
            raise InvalidUser(problems)

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The extension and every DID."""
        return (self.extension, *self.dids)

    def interface(self, device: Device) -> str:
        """The PBX interface of one of the user's devices."""
        return self.webrtc if device is Device.WEBRTC else self.deskphone


NAME: Final = r"[0-9A-Za-z_.+-]{1,60}"
"""The name of a context, an endpoint or a mailbox."""

LONGEST_RING: Final = 99_999
"""A call rings at most so many seconds."""

MOST_FORWARDS: Final = 99_999
"""A call is forwarded at most so often, whatever is set (R13)."""

FEATURE_CODES: Final = frozenset({"*20", "*21", "*22", "*23", "*25", "*987"})
"""What users dial to set something, and what no number can be (R10, S6)."""

LONGEST_NAMES: Final = 600
"""So many characters of names fit into a plan, which says some of them several times."""

_MAILBOX: Final = re.compile(f"{NAME}(@{NAME})?").fullmatch
_INTERFACE: Final = re.compile(f"[0-9A-Za-z_.+-]{{1,20}}/{NAME}").fullmatch
_NAME: Final = re.compile(NAME).fullmatch
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]").search


def _problems(user: User) -> list[str]:
    """All that is wrong with a user: first each field by itself, then all together.

    Names and numbers end up in a dialplan, so they keep to characters that mean nothing there, and to
    lengths and times that it takes.
    """
    problems = _problems_of_names(user) + _problems_of_numbers(user) + _problems_of_limits(user)
    problems += _problems_of_destinations(user)
    if not problems and (length := _length_of_names(user)) > LONGEST_NAMES:
        problems.append(
            f"id: the names of user, devices, mailbox and destinations take {length} characters in a plan; "
            f"at most {LONGEST_NAMES}"
        )
    return problems


def _problems_of_names(user: User) -> list[str]:
    problems = []
    if not user.id.strip() or _CONTROL(user.id):
        problems.append("id: is empty, or has control characters")
    if not user.extension.is_dialable:
        problems.append(f"extension: is not a number: use {IN_WORDS}")
    for name, interface in (("deskphone", user.deskphone), ("webrtc", user.webrtc)):
        if not _INTERFACE(interface):
            problems.append(f"{name}: is not the interface of a phone, such as PJSIP/alice")
    for name, value in (("media_server", user.media_server), ("context", user.context)):
        if not _NAME(value):
            problems.append(
                f"{name}: is empty, or has other characters than letters, digits and _ . + -, or over 60"
            )
    if user.mailbox is not None and not _MAILBOX(user.mailbox):
        problems.append("mailbox: is not a voicemail box, such as 1001@default; leave it out for none")
    if user.deskphone and user.deskphone == user.webrtc:
        problems.append(f"webrtc: is {user.webrtc}, which is the deskphone; two devices need two endpoints")
    return problems


def _problems_of_numbers(user: User) -> list[str]:
    problems = [
        f"dids: {did.written!r} is not a number: use {IN_WORDS}" for did in user.dids if not did.is_dialable
    ]
    if len(set(user.numbers)) != len(user.numbers):
        problems.append("dids: name a number twice, or the extension")
    codes = FEATURE_CODES | {user.voicemail_code}
    problems += [
        f"extension: {number} is the code of something" for number in user.numbers[:1] if number in codes
    ]
    problems += [f"dids: {number} is the code of something" for number in user.numbers[1:] if number in codes]
    return problems


def _problems_of_limits(user: User) -> list[str]:
    problems = _problem_of_seconds("ring_seconds", user.ring_seconds)
    for did, seconds in user.did_ring_seconds:
        if did not in user.dids:
            problems.append(f"did_ring_seconds: {did} is not one of the dids")
        problems += _problem_of_seconds("did_ring_seconds", seconds, f" for {did}")
    if len(dict(user.did_ring_seconds)) < len(user.did_ring_seconds):
        problems.append("did_ring_seconds: name a number twice")
    if not 1 <= user.simultaneous_calls <= 20:
        problems.append(f"simultaneous_calls: is {_shown(user.simultaneous_calls)}; from 1 to 20")
    if not 0 <= user.max_forwards <= MOST_FORWARDS:
        bound = "0 or more" if user.max_forwards < 0 else f"at most {MOST_FORWARDS}"
        problems.append(f"max_forwards: is {_shown(user.max_forwards)}; {bound}")
    if not user.voicemail_code.is_dialable or user.voicemail_code in FEATURE_CODES:
        problems.append("voicemail_code: is not a code that can be dialled, or that of something else")
    return problems


def _problem_of_seconds(name: str, seconds: int, whose: str = "") -> list[str]:
    if 1 <= seconds <= LONGEST_RING:
        return []
    bound = "at least 1 second" if seconds < 1 else f"at most {LONGEST_RING} seconds"
    return [f"{name}: is {_shown(seconds)}{whose}; {bound}"]


def _shown(number: int) -> str:
    """A number as a sentence shows it; Python writes none of thousands of digits."""
    return str(number) if abs(number) < 10**18 else "a number of more than 18 digits"


def _problems_of_destinations(user: User) -> list[str]:
    problems = []
    for outcome in Outcome:
        match user.fallbacks.of(outcome):
            case Extension(number) if not number.is_dialable:
                problems.append(f"fallbacks.{outcome}: is not a number: use {IN_WORDS}")
            case Extension(number) if number in user.numbers:
                problems.append(f"fallbacks.{outcome}: is the user's own number (R13)")
            case Mailbox(address) if not _MAILBOX(address):
                problems.append(f"fallbacks.{outcome}: is not a voicemail box, such as 1001@default")
            case Refusal(cause) if not 1 <= cause <= 127:
                problems.append(f"fallbacks.{outcome}: is not a cause, from 1 to 127")
    return problems


# -- the length of a plan ----------------------------------------------------------------------------

_LONGEST_FORWARD: Final = len("extension:+") + 40


def _length_of_names(user: User) -> int:
    """How many characters names take at most in a plan, whatever the user forwards to."""
    by_outcome = {outcome: _length_of(user.fallbacks.of(outcome), user) for outcome in Outcome}
    silent = _length_of(None, user) if user.mailbox else by_outcome[Outcome.UNAVAILABLE]
    forward = max(_LONGEST_FORWARD, _length_of(None, user))
    forwarded = (Outcome.NO_ANSWER, Outcome.BUSY)
    by_outcome |= {outcome: max(forward, by_outcome[outcome]) for outcome in forwarded}
    destinations = max(silent, forward) + silent + forward + sum(by_outcome.values())
    names = len(quote(user.id, safe="")) + len(quote(user.media_server, safe=""))
    return names + destinations + sum(map(_length_of_phone, (user.deskphone, user.webrtc)))


def _length_of_phone(interface: str) -> int:
    """A phone is named as it is, and in a pattern in which a dot or a plus takes three characters."""
    return 2 * len(interface) + 2 * sum(interface.count(letter) for letter in ".+")


def _length_of(destination: Destination | None, user: User) -> int:
    match destination:
        case Extension(number):
            return len("extension:") + len(number)
        case Mailbox(address):
            return len("mailbox:") + len(address)
        case None if user.mailbox:
            return len("mailbox:") + len(user.mailbox)
        case _:
            return len("refusal:127")
