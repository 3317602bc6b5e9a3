"""The call log: every user's call records, for one merged history (H)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen

from unique_account.core.cursors import Key
from unique_account.core.history import CallRecord


@frozen(weakref_slot=False)
class Position:
    """How far a source of records has been read.

    Attributes:
        source: The name of the source, such as one table of a database.
        row: No row up to this number need be read again.
        beyond: Nor need these rows after it.
    """

    source: str
    row: int
    beyond: tuple[int, ...] = ()


class CallLog(Protocol):
    """A store of call records, one for each user and call.

    Records come late, out of order, more than once and from several writers at a time; the log comes to the
    same whatever the order (H6). One that raises `unique_account.core.errors.Unreachable` is given the same
    record again later.
    """

    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        """Take records in, all or none of them; one for a known user and call is combined with it (H2).

        Args:
            records: The records, in any order. They are held in memory, so large numbers come in batches.
            read: How far their source has been read with them. It is kept together with the records, or
                not at all; one of an earlier row than is kept changes nothing.
        """
        ...

    async def position(self, source: str) -> Position | None:
        """How far a source has been read; None if nothing was ever read of it."""
        ...

    async def before(
        self,
        user: str,
        key: Key | None,
        limit: int,
        since: datetime | None = None,
        matching: str = "",
    ) -> Sequence[CallRecord]:
        """A user's records that sort after ``key`` in a list newest first, at most ``limit`` (H5).

        Args:
            user: Whose records.
            key: The key of the last record that was given; None: from the newest on.
            limit: How many at most; the cost depends on it alone, not on the length of the history.
            since: Only calls that started at this instant or later.
            matching: Only calls with a party whose number or name holds this text, as
                `unique_account.core.search` compares them. The cost then also depends on how many of the
                user's records have to be passed by.
        """
        ...

    async def forget_before(self, instant: datetime) -> int:
        """Take away all records of calls that started before an instant; returns how many."""
        ...
