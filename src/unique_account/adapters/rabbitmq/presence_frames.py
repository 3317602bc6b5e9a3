"""Frames by which the owners of groups exchange presences: made and read, without any I/O.

Each frame has a stamp: the epoch of its group's ownership, the instance of the process, and a sequence that
grows by one from frame to frame. All parts of one snapshot have the same sequence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import frozen

from unique_account.adapters.rabbitmq.errors import InvalidMessage
from unique_account.adapters.rabbitmq.reading import document, table, text, whole
from unique_account.core.number import Number
from unique_account.core.presence import Presence

MOST: Final = 500
"""How many numbers one frame has at most."""

MOST_PARTS: Final = 2000
"""How many parts a snapshot has at most."""

_GROUP: Final = re.compile(r"[0-9A-Za-z_.+-]{1,60}").fullmatch
_PRESENCES: Final = {presence.value: presence for presence in Presence}


@frozen(weakref_slot=False, order=True)
class Stamp:
    """When a frame was made, as its own group counts.

    Attributes:
        epoch: The number of the ownership under which it was made.
        sequence: The number of the frame.
    """

    epoch: int
    sequence: int


@frozen(weakref_slot=False, kw_only=True)
class PresenceFrame:
    """Presences of some of a group's numbers.

    Attributes:
        group: Whose numbers these are.
        instance: Which process made it; another one counts its frames from the beginning.
        stamp: When.
        presences: By number; a number that exists no more is ``UNEXISTING``. None, in a snapshot: the number
            exists, and its node has not reported yet, so that what was said of it before still counts.
        part: Which part of a snapshot it is, from 1; 0 where it is a change.
        parts: How many parts the snapshot has; 0 where it is a change.
    """

    group: str
    instance: str
    stamp: Stamp
    presences: Mapping[str, Presence | None]
    part: int = 0
    parts: int = 0

    def encode(self) -> bytes:
        """The frame as a message."""
        fields: dict[str, Any] = {
            "group": self.group,
            "instance": self.instance,
            "epoch": self.stamp.epoch,
            "sequence": self.stamp.sequence,
            "presences": {
                number: None if presence is None else presence.value
                for number, presence in self.presences.items()
            },
        }
        if self.parts:
            fields |= {"part": self.part, "parts": self.parts}
        return json.dumps(fields, separators=(",", ":")).encode()


def snapshot(
    group: str, instance: str, stamp: Stamp, presences: Mapping[str, Presence | None]
) -> Iterator[PresenceFrame]:
    """All presences of a group, in as many parts as it takes; one empty part where there are none."""
    rows = list(presences.items())
    parts = max(1, -(-len(rows) // MOST))
    for part in range(parts):
        some = dict(rows[part * MOST : (part + 1) * MOST])
        yield PresenceFrame(
            group=group, instance=instance, stamp=stamp, presences=some, part=part + 1, parts=parts
        )


def encode_request(group: str) -> bytes:
    """A message by which a group asks all others for a snapshot."""
    return json.dumps({"group": group}).encode()


def decode_request(body: bytes) -> str:
    """The group that asks for a snapshot.

    Raises:
        InvalidMessage: The message is no request.
    """
    return _group(document(body))


def decode_frame(body: bytes) -> PresenceFrame:
    """The frame that a message holds.

    Raises:
        InvalidMessage: It holds none.
    """
    fields = document(body)
    part, parts = (whole(fields, name, 1) if name in fields else 0 for name in ("part", "parts"))
    if part > parts or (parts and not part) or parts > MOST_PARTS:
        raise InvalidMessage("has a part that is not one of its parts")
    return PresenceFrame(
        group=_group(fields),
        instance=text(fields, "instance", 60),
        stamp=Stamp(whole(fields, "epoch"), whole(fields, "sequence")),
        presences=_presences(table(fields, "presences"), unknown=parts > 0),
        part=part,
        parts=parts,
    )


def _group(fields: Mapping[str, Any]) -> str:
    group = text(fields, "group", 60)
    if not _GROUP(group):
        raise InvalidMessage("has a group that is no name")
    return group


def _presences(given: Mapping[str, Any], *, unknown: bool) -> dict[str, Presence | None]:
    if len(given) > MOST:
        raise InvalidMessage(f"has more than {MOST} numbers")
    if not all(Number(number).is_dialable and Number(number) == number for number in given):
        raise InvalidMessage("has a number that cannot be dialled")
    presences: dict[str, Presence | None] = {}
    for number, value in given.items():
        if not (unknown if value is None else type(value) is int and value in _PRESENCES):
            raise InvalidMessage("has a presence that is none")
        presences[number] = None if value is None else _PRESENCES[value]
    return presences
