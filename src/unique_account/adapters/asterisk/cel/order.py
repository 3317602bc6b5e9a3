"""Whether rows come in the order in which they were written, so that calls can be made as they end.

Rows in any other order are right, too, as long as all of them can be kept until the last one came.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from attrs import define, field

from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.core.errors import UniqueAccountError

GRACE: Final = timedelta(seconds=5)
"""How long after the last row of a call further ones are waited for: rows come out of order."""


class UnsortedRows(UniqueAccountError, ValueError):
    """There are more rows than can be kept, and they do not come in the order of their instants.

    Attributes:
        capacity: How many can be kept.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        super().__init__(capacity)

    def __str__(self) -> str:
        return (
            f"more than {self.capacity} rows, and not in the order of eventtime: sort them by eventtime"
            " first, as a database does with ORDER BY eventtime; nodes whose clocks differ need a file each"
        )


@define(weakref_slot=False)
class _Node:
    """The rows of one node: their instants, and their places among all rows."""

    earliest: datetime
    latest: datetime
    first: int
    last: int

    def apart(self, later: _Node) -> bool:
        """Whether rows of another node, of the same time, stand after all rows of this one."""
        return self.last < later.first and later.earliest < self.latest - GRACE


@define(weakref_slot=False)
class RowOrder:
    """The order of the rows so far.

    Attributes:
        rows: How many there were.
        late: One came later than is waited for.
    """

    rows: int = 0
    late: bool = False
    _nodes: dict[str, _Node] = field(factory=dict)

    def note(self, row: CelRow) -> None:
        """Note the next row."""
        self.rows += 1
        node = self._nodes.setdefault(row.node, _Node(row.at, row.at, self.rows, self.rows))
        node.last = self.rows
        if row.at > node.latest:
            node.latest = row.at
        elif row.at < node.latest - GRACE:
            self.late = True
        node.earliest = min(node.earliest, row.at)

    @property
    def sorted(self) -> bool:
        """Whether no row came late, and the rows of several nodes came together."""
        return not (self.late or any(one.apart(later) for one, later in pairwise(self._nodes.values())))
