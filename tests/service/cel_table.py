"""Tables of channel event logging, made of the recordings: several calls at a time, in the order of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from attrs import evolve

from tests.adapters.asterisk.cel.recorded import Recording, recordings
from unique_account.adapters.asterisk.cel.rows import CelRow

RECORDINGS: Final = recordings()
NOON: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)


def at(recording: Recording, start: datetime) -> list[CelRow]:
    """The rows of a recording as if its first was written at another instant; its ids stay."""
    rows = sorted(recording.rows, key=attrgetter("at"))
    return [evolve(row, at=start + (row.at - rows[0].at)) for row in rows]


def day(chosen: Sequence[tuple[Recording, float]]) -> list[CelRow]:
    """Recordings that begin so many seconds after noon each, in the order in which a PBX writes them."""
    rows = [row for each, delay in chosen for row in at(each, NOON + timedelta(seconds=delay))]
    return sorted(rows, key=attrgetter("at"))


def columns(row: CelRow) -> Mapping[str, Any]:
    """A row as a table has it."""
    return {
        "eventtype": row.kind,
        "eventtime": row.at,
        "userdeftype": "",
        "cid_name": row.name,
        "cid_num": row.number,
        "cid_rdnis": row.redirected,
        "exten": row.extension,
        "context": row.context,
        "channame": row.channel,
        "appname": row.application,
        "uniqueid": row.uniqueid,
        "linkedid": row.linkedid,
        "peer": row.peer,
        "extra": row.extra,
    }
