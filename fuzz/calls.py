"""Channel event logging: a CSV file, and the history made of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any, Final

from fuzz.target import Target, plain, printable, require
from fuzz.users import BYSTANDER, USERS, names_bystander
from unique_account.adapters.asterisk.cel.csv import MissingColumns, read_csv
from unique_account.adapters.asterisk.cel.records import CallHistory
from unique_account.adapters.asterisk.cel.rows import (
    LONGEST,
    CelRow,
    UnreadableRow,
    from_table,
)
from unique_account.core.history import CallRecord
from unique_account.json_documents import from_json, to_json

RECORDINGS: Final = Path(__file__).parents[1] / "tests" / "data" / "cel"
_COLUMNS: Final = {
    "eventtype": "EventName",
    "eventtime": "EventTime",
    "cid_name": "CallerIDname",
    "cid_num": "CallerIDnum",
    "cid_rdnis": "CallerIDrdnis",
    "exten": "Exten",
    "context": "Context",
    "channame": "Channel",
    "appname": "Application",
    "uniqueid": "UniqueID",
    "linkedid": "LinkedID",
    "peer": "Peer",
    "extra": "Extra",
}
"""The columns of a table, and the headers of recorded events that say the same."""

WORDS: Final = (
    *(b"CHAN_START", b"CHAN_END", b"HANGUP", b"ANSWER"),
    *(b"LINKEDID_END", b"BRIDGE_ENTER", b"BRIDGE_EXIT", b"PICKUP"),
    *(b"ATTENDEDTRANSFER", b"BLINDTRANSFER", b"USER_DEFINED"),
    *(b"APP_START", b"PJSIP/alice-00000001", b"1001", b"1002"),
    *(b'{"hangupcause":16}', b'{""bridge_id"":""x""}'),
    *(b"2026-11-24 19:59:39", b"2026-11-24 19:59:39.5+01:00"),
)  # fmt: skip


@cache
def _reported() -> tuple[tuple[Mapping[str, str], ...], ...]:
    """The rows of every recording, by the names of headers."""
    return tuple(
        tuple(line["cel"] for line in map(json.loads, file.read_text("utf-8").splitlines()) if "cel" in line)
        for file in sorted(RECORDINGS.glob("*.jsonl"))
    )


def _tables() -> tuple[bytes, ...]:
    return tuple(_table(rows) for rows in _reported())


def _table(rows: Iterable[Mapping[str, str]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, _COLUMNS)
    writer.writeheader()
    writer.writerows({column: row[header] for column, header in _COLUMNS.items()} for row in rows)
    return file.getvalue().encode()


# -- checks ------------------------------------------------------------------------------------------


def _check_table(data: bytes) -> None:
    lines = [line.decode("utf-8", "replace") for line in io.BytesIO(data)]
    complaints: list[UnreadableRow] = []
    try:
        read = [columns for _, columns in read_csv(lines, lambda _, error: complaints.append(error))]
    except MissingColumns:
        return
    _check_rows(data, list(_readable(map(from_table, read))))


def _readable(rows: Iterator[Any]) -> Iterator[CelRow]:
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except UnreadableRow as error:
            require(printable(str(error)), "a sentence that cannot be written")
            continue
        if row is not None:
            yield row


def _check_rows(data: bytes, rows: list[CelRow]) -> None:
    for row in rows:
        texts = (row.kind, row.uniqueid, row.linkedid, row.channel, row.number, row.name, row.extra)
        require(all(len(text) <= LONGEST for text in texts), "a text that is too long")
        require(row.at.tzinfo is UTC, "an instant without its time zone")
        json.dumps(row.details(), allow_nan=True)
    records = _history(rows)
    for record in records:
        _check_record(record)
        require(record.user != BYSTANDER.id or names_bystander(data), "a call in a bystander's history")
    order = sorted(records, key=str)
    require(sorted(_history(reversed(rows)), key=str) == order, "the history depends on the order of rows")


def _history(rows: Iterable[CelRow]) -> list[CallRecord]:
    history = CallHistory(USERS)
    history.feed(rows)
    return history.rest()


def _check_record(record: CallRecord) -> None:
    require(printable(record.id, record.peer, record.peer_name), "a record that cannot be written")
    require("\0" not in record.id + record.peer + record.peer_name, "a record with a NUL")
    require(record.id, "a record of a call without an id")
    require(
        from_json(CallRecord, to_json(record)) == record, "a record that is another one once it was written"
    )


TARGETS: Final = (
    Target(
        name="cel-csv",
        samples=_tables,
        opened=plain(_check_table),
        words=(*WORDS, *map(str.encode, _COLUMNS)),
    ),
)
