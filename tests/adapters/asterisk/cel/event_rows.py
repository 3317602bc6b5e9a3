"""Rows of CEL out of recorded events of the manager interface, which say the same in other words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.cel.rows import CelRow, from_table

HEADERS: Final = {
    "eventtype": "EventName",
    "userdeftype": "UserDefType",
    "uniqueid": "UniqueID",
    "linkedid": "LinkedID",
    "channame": "Channel",
    "cid_num": "CallerIDnum",
    "cid_name": "CallerIDname",
    "cid_rdnis": "CallerIDrdnis",
    "exten": "Exten",
    "context": "Context",
    "appname": "Application",
    "peer": "Peer",
    "extra": "Extra",
}


def row_of(message: Message) -> CelRow | None:
    """The row that a ``CEL`` event describes; None for any other message.

    Its instant is the message's ``Timestamp``: ``EventTime`` has no zone, and no parts of a second.
    """
    if message.event != "CEL":
        return None
    headers = dict(reversed(message.headers))
    columns: dict[str, Any] = {column: headers.get(header) for column, header in HEADERS.items()}
    columns["eventtime"] = datetime.fromtimestamp(float(headers["Timestamp"]), UTC)
    return from_table(columns)
