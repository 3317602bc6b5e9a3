"""Rows of CEL written by hand, where no phone is needed to see what is right."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from unique_account.adapters.asterisk.cel.records import CallHistory
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.core.history import CallRecord
from unique_account.core.user import User

NOON: Final = datetime(2027, 3, 1, 12, tzinfo=UTC)
EPOCH: Final = int(NOON.timestamp())
ANNA, BEN, CLEO = (
    User(id=name, extension=f"210{number}", deskphone=f"PJSIP/{name}", webrtc=f"PJSIP/{name}_w")
    for number, name in enumerate(("anna", "ben", "cleo"), 1)
)


class Channel:
    """A channel that writes rows: the first began the call, unless it is said otherwise."""

    def __init__(self, number: int, endpoint: str, caller_id: str, name: str = "", call: str = "") -> None:
        self.id = f"{EPOCH}.{number}"
        self.shown: dict[str, Any] = {
            "uniqueid": self.id,
            "linkedid": call or f"{EPOCH}.1",
            "channel": f"{endpoint}-0000000{number}",
            "number": caller_id,
            "name": name,
        }

    def __call__(self, kind: str, second: float, extension: str = "s", **more: Any) -> CelRow:
        more = {"extension": extension, "context": "default"} | more
        return CelRow(kind=kind, at=NOON + timedelta(seconds=second), **(self.shown | more))

    def enters(self, second: float, bridge: str = "b", technology: str = "simple_bridge") -> CelRow:
        """The row of entering a bridge."""
        extra = f'{{"bridge_id":"{bridge}","bridge_technology":"{technology}"}}'
        return self("BRIDGE_ENTER", second, extra=extra)


def history(rows: Iterable[CelRow], *users: User) -> dict[str, CallRecord]:
    """The records of these rows, by their users."""
    made = CallHistory(users or (ANNA, BEN, CLEO))
    made.feed(rows)
    return {record.user: record for record in made.rest()}
