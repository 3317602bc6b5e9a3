"""What the id of a call says: when the call began, and its place among others (H6).

Asterisk makes an id of the second in which it made the channel and of a counter; a system name may stand
before them. A program that originates a call may choose another id, such as a UUID or the number of a
ticket. That holds no second, even if it has digits in that place. Such a call began in the second in which
its id was first seen.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_ID: Final = re.compile(r"(?:^|-)([0-9]{1,10})\.([0-9]{1,18})$")

PLAUSIBLE: Final = timedelta(days=366)
"""A second in an id is at most so far from the instant at which the id was first seen.

Calls may be long, and the clocks of nodes may differ; digits that are no second are years away.
"""


def call_began(linkedid: str, first_seen: datetime) -> datetime:
    """When a call began: the second in its id, else the one in which the id was first seen.

    It is a whole second, because CEL and live events report the same channel some microseconds apart.
    """
    second = second_in(linkedid, first_seen)
    return first_seen.replace(microsecond=0) if second is None else second


def second_in(linkedid: str, first_seen: datetime) -> datetime | None:
    """The second that an id holds; None for an id that was made by somebody else than Asterisk."""
    found = _ID.search(linkedid)
    if found is None:
        return None
    second = datetime.fromtimestamp(int(found[1]), UTC)
    return second if abs(second - first_seen) <= PLAUSIBLE else None


def id_order(linkedid: str) -> tuple[int, int, str]:
    """The place of an id among others: by the second in it, then by its counter, and never as text."""
    found = _ID.search(linkedid)
    return (int(found[1]), int(found[2]), linkedid) if found else (0, 0, linkedid)
