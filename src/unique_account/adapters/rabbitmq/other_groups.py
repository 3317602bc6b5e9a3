"""What is known of other groups' presences: frames in, changes out, without any I/O.

A group's frames count in the order of their stamps, whatever the order in which they come. A frame of an
earlier epoch, or one that a later snapshot covers, changes nothing: neither a presence nor that a number is
gone. A gap in a group's sequence, or a process that was not known, makes a snapshot needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import define, field

from unique_account.adapters.rabbitmq.presence_frames import PresenceFrame
from unique_account.core.presence import Presence

MOST_GROUPS: Final = 1000
"""How many groups there may be; frames of more are dropped."""

MOST_NUMBERS: Final = 1_000_000
"""How many numbers a group may have; frames with more are dropped."""


@define(weakref_slot=False)
class _Parts:
    """A snapshot of which not all parts have come yet."""

    sequence: int
    parts: int
    presences: dict[str, Presence | None] = field(factory=dict)
    come: set[int] = field(factory=set)


@define(weakref_slot=False)
class _Group:
    """What is known of one group.

    Attributes:
        epoch: Of its latest owner.
        instance: Of its latest process that sent a snapshot.
        last: The highest sequence that came from that process.
        floor: The sequence of its last whole snapshot; nothing up to it counts any more.
        sequences: That of each number's presence, if it is above the floor.
        presences: Those of its numbers that exist.
    """

    epoch: int = -1
    instance: str = ""
    last: int = -1
    floor: int = -1
    sequences: dict[str, int] = field(factory=dict)
    presences: dict[str, Presence] = field(factory=dict)
    unfinished: _Parts | None = None


class OtherGroups:
    """The presences of all groups but one's own.

    Attributes:
        late: How many frames were dropped since newer ones had come before.
        incomplete: The groups of which a snapshot is needed.

    Args:
        own: One's own group, whose frames are left out.
    """

    def __init__(self, own: str) -> None:
        self._own = own
        self._groups: dict[str, _Group] = {}
        self.late = 0
        self.incomplete: set[str] = set()

    def presences(self) -> dict[str, Presence]:
        """The presence of each number that another group has."""
        joined: dict[str, Presence] = {}
        for group in self._groups.values():
            joined = group.presences | joined
        return joined

    def receive(self, frame: PresenceFrame) -> dict[str, Presence]:
        """Take a frame in; returns the numbers whose presence is another one now."""
        group = self._group(frame)
        if group is None:
            return {}
        if frame.stamp.epoch < group.epoch:
            self.late += 1
            return {}
        before = self._part(group, frame) if frame.parts else self._change(group, frame)
        return {
            number: self._shown(number)
            for number, was in before.items()
            if group.presences.get(number) is not was
        }

    def _group(self, frame: PresenceFrame) -> _Group | None:
        if frame.group == self._own or (frame.group not in self._groups and len(self._groups) >= MOST_GROUPS):
            return None
        return self._groups.setdefault(frame.group, _Group())

    def _change(self, group: _Group, frame: PresenceFrame) -> Mapping[str, Presence | None]:
        """Take a change in; returns what was shown before of the numbers that it may have changed."""
        sequence = frame.stamp.sequence
        if frame.stamp.epoch > group.epoch:
            _begin(group, frame)
            self.incomplete.add(frame.group)
        elif frame.instance != group.instance:
            self.incomplete.add(frame.group)  # a process without epochs of its own; its snapshot decides
            return {}
        elif sequence > group.last + 1:
            self.incomplete.add(frame.group)
        group.last = max(group.last, sequence)
        before = {number: group.presences.get(number) for number in frame.presences}
        for number, presence in frame.presences.items():
            if sequence <= group.sequences.get(number, group.floor):
                self.late += 1
            elif presence is not None:
                _set(group, number, presence, sequence)
        return before

    def _part(self, group: _Group, frame: PresenceFrame) -> Mapping[str, Presence | None]:
        """Take a part of a snapshot in; returns what was shown before, once the snapshot is whole."""
        sequence = frame.stamp.sequence
        if frame.stamp.epoch > group.epoch or frame.instance != group.instance:
            _begin(group, frame)
        if sequence <= group.floor:
            self.late += 1
            return {}
        unfinished = group.unfinished
        if unfinished is None or (unfinished.sequence, unfinished.parts) != (sequence, frame.parts):
            group.unfinished = unfinished = _Parts(sequence, frame.parts)
        unfinished.come.add(frame.part)
        unfinished.presences |= frame.presences
        if len(unfinished.come) < unfinished.parts:
            return {}
        self.incomplete.discard(frame.group)
        shown = group.presences
        _finish(group, unfinished)
        return {number: shown.get(number) for number in shown | group.presences}

    def _shown(self, number: str) -> Presence:
        """The presence of a number; one that a group lost and another has is not gone."""
        for group in self._groups.values():
            if number in group.presences:
                return group.presences[number]
        return Presence.UNEXISTING


def _begin(group: _Group, frame: PresenceFrame) -> None:
    """Follow another process; what the former one said is shown until its snapshot is whole."""
    group.epoch, group.instance = frame.stamp.epoch, frame.instance
    group.last = group.floor = -1
    group.sequences = {}
    group.unfinished = None


def _set(group: _Group, number: str, presence: Presence, sequence: int) -> None:
    if number not in group.sequences and len(group.sequences) >= MOST_NUMBERS:
        return
    group.sequences[number] = sequence
    if presence is Presence.UNEXISTING:
        group.presences.pop(number, None)
    else:
        group.presences[number] = presence


def _finish(group: _Group, snapshot: _Parts) -> None:
    """Replace what is older than a whole snapshot by it; what changed since stays."""
    newer = {number: at for number, at in group.sequences.items() if at > snapshot.sequence}
    kept = {number: group.presences[number] for number in newer if number in group.presences}
    gone = newer.keys() - kept.keys()
    said = {n: group.presences.get(n) if p is None else p for n, p in snapshot.presences.items()}
    exist = {n: p for n, p in said.items() if p not in (None, Presence.UNEXISTING) and n not in gone}
    group.presences = exist | kept
    group.sequences, group.floor = newer, snapshot.sequence
    group.last = max(group.last, snapshot.sequence)
    group.unfinished = None
