"""Which rows of CEL belong to one call: union-find over channels, linkedids and bridges.

A channel may change its linkedid, as a transferred one does, and then both are one call; channels that
share a bridge are one call. A conference and a parking lot are bridges in which strangers meet, and join
nothing; a party that leaves a lot for another one shares a further bridge with it.

Joining asks neither in which order nor how often it was reported, and neither do the groups.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from attrs import define, field

from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.adapters.asterisk.translation.call_ids import id_order
from unique_account.adapters.asterisk.wire_names import CALL_ID_EVENT

_STRANGERS: Final = ("holding_bridge", "softmix")
_WATCHED: Final = re.compile("@unique-account-(?:away-)?watch-")
"""In the names of channels that our dialplan has beside a call, which are no part of any."""


@define(eq=False, weakref_slot=False)
class Group:
    """The rows of one call.

    Attributes:
        rows: All of them, each once.
        linkedids: Every linkedid that they name.
        elsewhere: The ids that the call has on the node that it came from.
        lasts: The instant of the last of them of each node, by the clock of that node.
        quiet_since: When it was first seen as it is now, by the reader's clock; None if not yet.
    """

    lasts: dict[str, datetime] = field(factory=dict)
    quiet_since: datetime | None = None
    rows: set[CelRow] = field(factory=set)
    linkedids: set[str] = field(factory=set)
    elsewhere: set[str] = field(factory=set)
    names: set[str] = field(factory=set)

    @property
    def id(self) -> str:
        """The id of the call: that on the node where it began, and of several the smallest."""
        return min(self.elsewhere or self.linkedids, key=id_order)

    @property
    def last(self) -> datetime:
        """The instant of the last row of all nodes."""
        return max(self.lasts.values())

    @property
    def complete(self) -> bool:
        """Every channel was reported from its start to its end, and every linkedid as over."""
        seen = {(row.kind, row.uniqueid) for row in self.rows}
        channels = {uniqueid for _, uniqueid in seen}
        over = {row.linkedid for row in self.rows if row.kind == "LINKEDID_END"}
        reported = all(("CHAN_START", one) in seen and ("CHAN_END", one) in seen for one in channels)
        return reported and self.linkedids - self.elsewhere <= over


class Groups:
    """The calls of which rows came, and which are not taken out yet."""

    def __init__(self) -> None:
        self._by_name: dict[str, Group] = {}
        self._groups: dict[int, Group] = {}
        self.rows = 0

    def __iter__(self) -> Iterator[Group]:
        return iter(tuple(self._groups.values()))

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, row: CelRow) -> None:
        """Take a row in, once."""
        if _WATCHED.search(row.channel):
            return
        group = self._joined(_names(row))
        if row not in group.rows:
            group.rows.add(row)
            group.quiet_since = None
            self.rows += 1
        group.lasts[row.node] = max(group.lasts.get(row.node, row.at), row.at)
        group.linkedids.add(row.linkedid)
        if row.kind == CALL_ID_EVENT and (other := row.detail("extra").strip()):
            group.elsewhere.add(other)
            group.linkedids.add(other)

    def take(self, group: Group) -> None:
        """Take a group out; it is forgotten."""
        del self._groups[id(group)]
        self.rows -= len(group.rows)
        for name in group.names:
            del self._by_name[name]

    def _joined(self, names: Iterable[str]) -> Group:
        """The one group of all these names, joined out of several if need be."""
        found = {id(group): group for name in names if (group := self._by_name.get(name)) is not None}
        groups = sorted(found.values(), key=lambda group: len(group.rows))
        into = groups.pop() if groups else Group()
        self._groups[id(into)] = into
        for group in groups:
            self._merge(group, into)
        for name in names:
            into.names.add(name)
            self._by_name[name] = into
        return into

    def _merge(self, group: Group, into: Group) -> None:
        """Join the smaller group into the larger one, so that no row moves often."""
        del self._groups[id(group)]
        into.rows |= group.rows
        into.linkedids |= group.linkedids
        into.elsewhere |= group.elsewhere
        into.names |= group.names
        for node, last in group.lasts.items():
            into.lasts[node] = max(into.lasts.get(node, last), last)
        for name in group.names:
            self._by_name[name] = into


def _names(row: CelRow) -> list[str]:
    """All by which a row says what it belongs to; no id looks like a bridge's name."""
    names = [f"channel {row.uniqueid}", f"call {row.linkedid}"]
    if row.kind in ("BRIDGE_ENTER", "BRIDGE_EXIT"):
        details = row.details()
        bridge = details.get("bridge_id")
        if bridge and details.get("bridge_technology") not in _STRANGERS:
            names.append(f"bridge {bridge}")
    elif row.kind == "ATTENDEDTRANSFER" and (second := row.detail("channel2_uniqueid")):
        names.append(f"channel {second}")
    elif row.kind == "PICKUP" and (picker := row.detail("pickup_channel_uniqueid")):
        names.append(f"channel {picker}")
    elif row.kind == CALL_ID_EVENT and (other := row.detail("extra").strip()):
        names.append(f"call {other}")
    return names
