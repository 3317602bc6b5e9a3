"""Who may have a Unique Account, what its user may be part of, and what its media server needs (A2 to A4).

Each question is answered with one sentence for each thing in the way, all at once; none: nothing is.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from attrs import frozen

MAIN_MEDIA_SERVER: Final = "default"


class LineType(StrEnum):
    """What kind of line a user has."""

    PHONE = "phone"
    WEBRTC = "webrtc"
    UNIQUE_ACCOUNT = "unique_account"
    SCCP = "sccp"
    CUSTOM = "custom"


class Feature(StrEnum):
    """What a user may be part of, beyond having a line (A3)."""

    PAGING = "paging"
    AGENT = "agent"
    SWITCHBOARD = "switchboard"
    CALL_GROUP = "call_group"
    GROUP_PICKUP = "group_pickup"
    BOSS_SECRETARY = "boss_secretary"


_CONVERTIBLE: Final = frozenset({LineType.PHONE, LineType.WEBRTC, LineType.UNIQUE_ACCOUNT})

_REFUSED: Final = {
    Feature.PAGING: "a paging group",
    Feature.AGENT: "the contact centre's agents",
    Feature.SWITCHBOARD: "a switchboard",
}


@frozen(weakref_slot=False, kw_only=True)
class MediaServer:
    """What a media server has of that which the UC Assistant's WebRTC line needs (A4).

    Attributes:
        name: The media server's name; ``default`` is the main one.
        webrtc_transport: Whether it has a SIP transport over secure WebSocket.
        certificate: Whether it has a certificate that browsers accept.
        ice: Whether ICE is configured, so that browsers and the server find a way for the media.
        proxy_path: The path of its own under which browsers reach it through the web proxy; the main one
            needs none.
    """

    name: str
    webrtc_transport: bool
    certificate: bool
    ice: bool
    proxy_path: str = ""


def conversion_problems(
    line: LineType, wanted: LineType, features: Iterable[Feature] = ()
) -> tuple[str, ...]:
    """What is in the way of making a line one of another type, for a user with these features (A2, A3)."""
    problems = []
    if line is not wanted and not _CONVERTIBLE.issuperset((line, wanted)):
        problems.append(
            f"a line of type {line} cannot become one of type {wanted}, only phone, webrtc and "
            f"unique_account convert into each other; give the user a new line of type {wanted}"
        )
    if wanted is LineType.UNIQUE_ACCOUNT:
        held = frozenset(features)
        problems += [
            f"the user is in {place}, where a Unique Account does not work; take the user out of it first"
            for feature, place in _REFUSED.items()
            if feature in held
        ]
    return tuple(problems)


def feature_problems(line: LineType, feature: Feature) -> tuple[str, ...]:
    """What is in the way of adding a user with a line of this type to a feature (A3)."""
    if line is not LineType.UNIQUE_ACCOUNT or feature not in _REFUSED:
        return ()
    place = _REFUSED[feature]
    return (f"a Unique Account does not work in {place}; convert the line to type phone or webrtc first",)


def prerequisite_problems(server: MediaServer, others: Iterable[MediaServer] = ()) -> tuple[str, ...]:
    """What a media server lacks for a Unique Account to go live on it (A4).

    Args:
        server: The one that carries the user's line.
        others: The other media servers, so that a proxy path that two share is found.
    """
    name = server.name
    checks = (
        (server.webrtc_transport, "has no WebRTC transport; configure SIP over secure WebSocket on it"),
        (server.certificate, "has no certificate; install one that browsers accept"),
        (server.ice, "has no ICE; switch it on, with a STUN or TURN server where browsers need one"),
    )
    problems = [f"media server {name} {lack}" for present, lack in checks if not present]
    path = server.proxy_path
    if not path and name != MAIN_MEDIA_SERVER:
        problems.append(f"media server {name} has no proxy path; give it one of its own")
    problems += [
        f"media server {name} shares the proxy path {path} with {other.name}; give each its own"
        for other in others
        if path and other.name != name and other.proxy_path == path
    ]
    return tuple(problems)


def candidate_problems(
    line: LineType,
    server: MediaServer,
    features: Iterable[Feature] = (),
    others: Iterable[MediaServer] = (),
) -> tuple[str, ...]:
    """All that is in the way of a Unique Account for a user, before it goes live (A2 to A4)."""
    conversion = conversion_problems(line, LineType.UNIQUE_ACCOUNT, features)
    return conversion + prerequisite_problems(server, others)
