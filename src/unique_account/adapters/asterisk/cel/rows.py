"""Channel event logging (CEL): the rows of Asterisk's own ``cel`` tables, as values.

What has no use for a history of calls is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from attrs import frozen

from unique_account.adapters.asterisk.translation.call_ids import call_began
from unique_account.adapters.asterisk.wire_names import CALL_ID_EVENT, DIAL_CHANNEL_PREFIX
from unique_account.core.account import utc
from unique_account.core.errors import UniqueAccountError

LONGEST: Final = 4096
"""No text of a row is longer, in characters; what a caller or a dialplan adds to it ends there."""


class UnreadableRow(UniqueAccountError, ValueError):
    """A row of CEL that cannot be read.

    Attributes:
        column: The column that is missing or wrong.
        problem: What is wrong with it.
    """

    def __init__(self, column: str, problem: str) -> None:
        self.column = column
        self.problem = problem
        super().__init__(column, problem)

    def __str__(self) -> str:
        return f"a row of CEL is not understood: {self.column} {self.problem}"


_NAMED: Final = re.compile(r"(.+)-[0-9]+\.[0-9]+").fullmatch
"""An id as Asterisk makes it, with the name of the node; others, such as UUIDs, name none."""


@frozen(weakref_slot=False, kw_only=True, order=True, cache_hash=True)
class CelRow:
    """One row: what happened to one channel at one instant.

    Attributes:
        kind: What, e.g. ``CHAN_START``; what a dialplan defined has its own name.
        at: When, in UTC, by the clock of the node.
        uniqueid: The channel's id.
        linkedid: What the channels of a call share, as far as the channel knew at that instant.
        channel: The channel's name.
        number: Its caller id.
        name: The name that belongs to it.
        redirected: The number from which the call was redirected (RDNIS), empty for most.
        extension: Where it was in the dialplan; of a channel that begins a call, what was dialled.
        context: The context of that extension.
        application: Which application it ran.
        peer: The channels that shared its bridge, between commas.
        extra: What belongs to this kind alone, as JSON.
    """

    kind: str
    at: datetime
    uniqueid: str
    linkedid: str
    channel: str
    number: str = ""
    name: str = ""
    redirected: str = ""
    extension: str = ""
    context: str = ""
    application: str = ""
    peer: str = ""
    extra: str = ""

    @property
    def node(self) -> str:
        """Whose clock gave the instant: the node's ``systemname``, empty where it has none or gives none."""
        named = _NAMED(self.uniqueid)
        return "" if named is None or named[1].startswith(DIAL_CHANNEL_PREFIX) else named[1]

    def details(self) -> Mapping[str, Any]:
        """What belongs to this kind alone; nothing where it cannot be read."""
        try:
            read = json.loads(self.extra)
        except (ValueError, RecursionError):
            return {}
        return read if isinstance(read, dict) else {}

    def detail(self, name: str) -> str:
        """One text of it, empty where it is missing."""
        value = self.details().get(name)
        return _storable(value) if isinstance(value, str) else ""

    @property
    def call_elsewhere(self) -> str:
        """The id that the call has on the node that it came from; empty if the row is about anything else."""
        return self.detail("extra").strip() if self.kind == CALL_ID_EVENT else ""


def from_table(columns: Mapping[str, Any], zone: tzinfo = UTC) -> CelRow:
    """A row of a ``cel`` table.

    Args:
        columns: The row's columns by name; further ones are ignored.
        zone: The time zone of ``eventtime``, where it names none; UTC with ``usegmtime = yes``.

    Raises:
        UnreadableRow: A column that is needed is missing or wrong.
    """
    kind = _needed(columns, "eventtype")
    if kind == "USER_DEFINED":
        kind = _text(columns, "userdeftype") or kind
    return CelRow(
        kind=kind, at=_instant(columns, zone), **_ids(columns, "uniqueid", "linkedid", "channame"),
        **{field: _text(columns, column) for field, column in _COLUMNS.items()},
    )  # fmt: skip


_COLUMNS: Final = {
    "number": "cid_num",
    "name": "cid_name",
    "redirected": "cid_rdnis",
    "extension": "exten",
    "context": "context",
    "application": "appname",
    "peer": "peer",
    "extra": "extra",
}


def _ids(given: Mapping[str, Any], uniqueid: str, linkedid: str, channel: str) -> dict[str, str]:
    own = _needed(given, uniqueid)
    linked = _text(given, linkedid)
    return {"uniqueid": own, "linkedid": linked if linked.strip() else own, "channel": _text(given, channel)}


def _needed(given: Mapping[str, Any], name: str) -> str:
    value = _text(given, name)
    if not value.strip():
        raise UnreadableRow(name, "is missing")
    return value


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnreadableRow(name, f"is {type(value).__name__}, not text")
    return _storable(value[:LONGEST])


def _storable(text: str) -> str:
    """A text without the NUL that no PostgreSQL takes, and without the half characters that no UTF-8 has."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _instant(columns: Mapping[str, Any], zone: tzinfo) -> datetime:
    value = columns.get("eventtime")
    try:
        if isinstance(value, datetime):
            return _in_utc(value, zone, columns)
        epoch = _EPOCH(str(value))
        if epoch is not None:
            return _since_1970(epoch[1], epoch[2] or "")
        return _in_utc(datetime.fromisoformat(str(value)), zone, columns)
    except (ValueError, OverflowError):
        raise UnreadableRow("eventtime", f"is {str(value)[:40]!r}, no instant") from None


_EPOCH: Final = re.compile(r"([0-9]{9,10})(?:\.([0-9]*))?").fullmatch
"""Seconds since 1970, as ``cel_sqlite3_custom`` writes instants."""


def _since_1970(seconds: str, fraction: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(f"{fraction}000000"[:6]))


def _in_utc(instant: datetime, zone: tzinfo, columns: Mapping[str, Any]) -> datetime:
    """The instant in UTC; the second in the channel's id decides between two that one local time names."""
    if instant.tzinfo:
        return utc(instant)
    first, second = (utc(instant.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if first < second and first + _BEFORE < call_began(str(columns.get("uniqueid", "")), first):
        return second
    return first


_BEFORE: Final = timedelta(seconds=2)
"""A channel may be this much older than the second in its id: the service may have chosen the id."""
