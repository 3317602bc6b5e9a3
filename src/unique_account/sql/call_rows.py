"""Call records as rows of a SQL database: which columns there are, and the query for a page of them.

What a dialect has of its own is the names, the mark of a parameter, and how instants are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from unique_account.core.account import Direction
from unique_account.core.cursors import Key
from unique_account.core.history import CallRecord, HistoryStatus
from unique_account.core.machine import Device
from unique_account.core.search import folded, searched

Row = tuple[Any, ...]


def _as_it_is(value: Any) -> Any:
    return value


@frozen(weakref_slot=False, kw_only=True)
class CallRows:
    """How a dialect keeps call records.

    Attributes:
        table: The name of the table.
        columns: The names of its columns, in the order of the fields of a row: user, start, id, status,
            direction, device, peer, peer's name, answered, ended, rang, forwarded from, transferred to,
            settled, waited, and what is searched.
        mark: What stands for a parameter in a statement.
        place: The function for where in a text another one is, 0 for nowhere.
        kept_instant: How an instant is kept.
        instant: The instant that is kept so.
        kept_length: How a length of time is kept.
        length: The length that is kept so.
    """

    table: str
    columns: tuple[str, ...]
    mark: str
    place: str
    kept_instant: Callable[[datetime], Any] = _as_it_is
    instant: Callable[[Any], datetime] = _as_it_is
    kept_length: Callable[[timedelta], Any] = _as_it_is
    length: Callable[[Any], timedelta] = _as_it_is

    @property
    def selected(self) -> str:
        """The columns that make a record, as a statement names them."""
        return ", ".join(self.columns[:-1])

    def page(
        self, user: str, key: Key | None, limit: int, since: datetime | None, matching: str
    ) -> tuple[str, list[Any]]:
        """The statement that reads a page, and its parameters; see `CallLog.before`."""
        whose, start, id_ = self.columns[:3]
        conditions, values = [f"{whose} = {self.mark}"], list[Any]([user])
        if key is not None:
            conditions.append(f"({start}, {id_}) < ({self.mark}, {self.mark})")
            values += [self.kept_instant(key[0]), key[1]]
        if since is not None:
            conditions.append(f"{start} >= {self.mark}")
            values.append(self.kept_instant(since))
        if matching:
            conditions.append(f"{self.place}({self.columns[-1]}, {self.mark}) > 0")
            values.append(folded(matching))
        where = " AND ".join(conditions)
        order = f"ORDER BY {start} DESC, {id_} DESC LIMIT {self.mark}"
        return f"SELECT {self.selected} FROM {self.table} WHERE {where} {order}", [*values, limit]

    def row(self, record: CallRecord) -> Row:
        """A record as it is kept, with what is searched of it."""
        return (
            record.user,
            self.kept_instant(record.start),
            record.id,
            record.status.value,
            record.direction.value,
            None if record.device is None else record.device.value,
            record.peer,
            record.peer_name,
            None if record.answered is None else self.kept_instant(record.answered),
            None if record.ended is None else self.kept_instant(record.ended),
            self.kept_length(record.rang),
            record.forwarded_from,
            record.transferred_to,
            record.settled,
            self.kept_length(record.waited),
            searched(record),
        )

    def record(self, row: Row) -> CallRecord:
        """The record that a row keeps, out of the columns that are `selected`."""
        return CallRecord(
            user=row[0],
            start=self.instant(row[1]),
            id=row[2],
            status=HistoryStatus(row[3]),
            direction=Direction(row[4]),
            device=None if row[5] is None else Device(row[5]),
            peer=row[6],
            peer_name=row[7],
            answered=None if row[8] is None else self.instant(row[8]),
            ended=None if row[9] is None else self.instant(row[9]),
            rang=self.length(row[10]),
            forwarded_from=row[11],
            transferred_to=row[12],
            settled=bool(row[13]),
            waited=self.length(row[14]),
        )
