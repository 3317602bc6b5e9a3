"""From CEL to call records: one for each user and call, once the call is over (H).

`CallHistory` takes rows in whatever order, however often and in whatever pieces they come, and gives the
records of calls of which all rows came. Nothing else of it depends on when it is asked: a call's records
are made from the set of its rows.

A call that rings no device of a user is theirs all the same, if their number was dialled or the dialplan
says that it was sent elsewhere from their number (H4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Final

from unique_account.adapters.asterisk.cel.entries import records_of
from unique_account.adapters.asterisk.cel.groups import Group, Groups
from unique_account.adapters.asterisk.cel.order import GRACE, RowOrder, UnsortedRows
from unique_account.adapters.asterisk.cel.owners import Owners
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.core.history import CallRecord
from unique_account.core.user import User

PATIENCE: Final = timedelta(hours=24)
"""How long after its last row a call with missing rows is kept, so that they may still come."""

CAPACITY: Final = 200_000
"""How many rows of calls that are not over are kept; above it, the oldest calls are given up, if rows come
in order."""

_PAST: Final = datetime.min.replace(tzinfo=UTC)
_FAR: Final = datetime.max.replace(tzinfo=UTC)


class CallHistory:
    """Makes call records from rows of CEL.

    Args:
        users: Whose history is made: those whose phones are at the nodes of which rows are fed. Another
            node knows that they were called, and not by which phone they answered.
        grace: See `GRACE`.
        patience: See `PATIENCE`.
        capacity: See `CAPACITY`.

    Raises:
        ValueError: Two users have an endpoint or a number in common.
    """

    def __init__(
        self,
        users: Iterable[User],
        *,
        grace: timedelta = GRACE,
        patience: timedelta = PATIENCE,
        capacity: int = CAPACITY,
    ) -> None:
        self._owners = Owners(users)
        self._groups = Groups()
        self._grace = grace
        self._patience = patience
        self._capacity = capacity
        self._clock = _PAST
        self._clocks: dict[str, datetime] = {}
        self._given_up: list[CallRecord] = []
        self._order = RowOrder()

    @property
    def rows(self) -> int:
        """How many rows are kept, of calls whose records are not given yet."""
        return self._groups.rows

    @property
    def late(self) -> bool:
        """Whether a row came too late, so that the record of its call may lack it."""
        return self._order.late

    def waiting(self) -> Iterator[CelRow]:
        """Kept rows; of equal ones, the first that was fed."""
        return (row for group in self._groups for row in group.rows)

    def feed(self, rows: Iterable[CelRow]) -> None:
        """Take rows in.

        Raises:
            UnsortedRows: They are not in order, and there is no room to keep more of them.
        """
        for row in rows:
            self._order.note(row)
            self._groups.add(row)
            self._clock = self._clocks[row.node] = row.at
            if self._groups.rows > self._capacity:
                self._give_up()

    def final(self, now: datetime | None = None) -> list[CallRecord]:
        """The records of calls that are over, oldest first; each is given once.

        A call of which all rows came has settled records. One of which the end is missing is given after
        a long while as it is then known, and not settled.

        Args:
            now: The instant, in UTC, once all rows that there are were fed; None: that of the row that was
                fed last.
        """
        records, self._given_up = self._given_up, []
        for group in self._groups:
            if self._over(group) if now is None else self._quiet(group, now):
                records += self._taken(group)
        return sorted(records, key=attrgetter("key", "user"))

    def rest(self) -> list[CallRecord]:
        """The records of everything that was fed and not given yet, as it is known now, oldest first."""
        return self.final(_FAR)

    def _over(self, group: Group) -> bool:
        """Whether a call is over, judged by the rows that came since and by the clocks of its nodes."""
        if all(self._clocks[node] - last >= self._patience for node, last in group.lasts.items()):
            return True
        return self._clock - group.last >= self._grace and group.complete

    def _quiet(self, group: Group, now: datetime) -> bool:
        """Whether no row of a call came for long enough, also where the clock of its node is ahead."""
        group.quiet_since = group.quiet_since or now
        quiet = now - min(group.last, group.quiet_since)
        return quiet >= self._patience or (quiet >= self._grace and group.complete)

    def _taken(self, group: Group) -> list[CallRecord]:
        self._groups.take(group)
        return list(records_of(group, self._owners))

    def _give_up(self) -> None:
        """Make room: the half of the calls without a row for longest are given as they are."""
        if self._order.late:
            raise UnsortedRows(self._capacity)
        groups = sorted(self._groups, key=attrgetter("last"))
        for group in groups[: len(groups) // 2 + 1]:
            self._given_up += self._taken(group)
