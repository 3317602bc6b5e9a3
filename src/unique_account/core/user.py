"""The user: whose account it is and how it is wired, the administrator's part (A1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from attrs import field, frozen

from unique_account.core.errors import InvalidUser
from unique_account.core.forwarding import (
    NO_FALLBACKS,
    Extension,
    Fallbacks,
    Mailbox,
    Outcome,
    dialable,
    digits,
)
from unique_account.core.machine import Device


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

    @property
    def claims(self) -> tuple[str, ...]:
        """What is this user's alone: the id, both devices, and the numbers in their context (A1)."""
        devices = (f"device {self.deskphone}", f"device {self.webrtc}")
        numbers = (f"number {digits(number)} in {self.context}" for number in self.numbers)
        return (f"id {self.id}", *devices, *numbers)

    def interface(self, device: Device) -> str:
        """The PBX interface of one of the user's devices."""
        return self.webrtc if device is Device.WEBRTC else self.deskphone


def shared(users: Iterable[User]) -> Iterator[tuple[str, int, int]]:
    """What two users claim that only one can have: the claim, who claims it again, and who did first."""
    owners: dict[str, int] = {}
    for index, user in enumerate(users):
        for claim in user.claims:
            first = owners.setdefault(claim, index)
            if first != index:
                yield claim, index, first


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
