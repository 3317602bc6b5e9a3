"""The row of a plan in AstDB: its fields, and the form of each.

The dialplan reads a row by the places of its fields; `unique_account.adapters.asterisk.plans` writes and
reads whole rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from unique_account.adapters.asterisk.dialplan_text import NAME, NUMBER
from unique_account.core.forwarding import Outcome

FAMILY: Final = "unique_account"
"""The family of every entry in AstDB."""

BETWEEN: Final = "!"
"""What stands between the fields of a row."""

ODD: Final = "odd"
"""What the gate says of a plan that lets no call ring: it has no device, or allows no call."""

LONGEST: Final = 900
"""A value of AstDB is at most so long; the manager interface takes lines of 1024 bytes."""

Entry = tuple[str, str, str]
"""An entry of AstDB: its family, its key and its value."""

_MATCHED: Final = r"PJSIP/(?:[0-9A-Za-z_-]|\[[.+]\]){1,60}"
SECONDS: Final = "[1-9][0-9]{0,4}"
_COUNT: Final = "[0-9]{1,18}"
_TEXT: Final = "[0-9A-Za-z_.~%-]*"
_RULE: Final = (
    f"extension:{NUMBER}|mailbox:{NAME}(?:@{NAME})?|refusal:(?:[1-9]|[1-9][0-9]|1[01][0-9]|12[0-7])"
)

_DEVICE: Final = "(?:webrtc|deskphone)?"
ROUTED: Final[Mapping[str, str]] = {
    "gate": f"(?:{_RULE}|{ODD})?",
    "limit": _COUNT,
    "interfaces": rf"{_MATCHED}(?:\|{_MATCHED})*",
    "device": _DEVICE,
    "line": f"(?:{NAME})?",
    "seconds": f"(?:{SECONDS})?",
    "next_device": _DEVICE,
    "next_line": f"(?:{NAME})?",
    "next_seconds": f"(?:{SECONDS})?",
    **{outcome.value: _RULE for outcome in Outcome},
    "max_forwards": _COUNT,
}
"""The fields by which a call is routed, each with the form that it must have to be harmless there.

``gate`` is where every call goes now, by do-not-disturb or else by an unconditional forward, or says that no
call may ring at all. The candidates ring for the time that the number has.
"""

_KEPT: Final[Mapping[str, str]] = {
    "version": _COUNT,
    "owner": _TEXT,
    "user": _TEXT,
    "media_server": _TEXT,
    "position": _COUNT,
    "do_not_disturb": f"(?:{_RULE})?",
    "forward": f"(?:{_RULE})?",
    "ring_seconds": f"(?:{SECONDS}(?:&{SECONDS})*)?",
    "number_seconds": f"(?:{SECONDS})?",
    "because": "[0-9A-Za-z_.~%:&-]*",
}
"""The fields that only `unique_account.adapters.asterisk.plans.decode` reads.

``ring_seconds`` are the ring times of the candidates, whatever time the number has.
"""

FORMS: Final[Mapping[str, str]] = {**ROUTED, **_KEPT}
"""Every field of a row, in order, with its form."""
