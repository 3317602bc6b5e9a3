"""The call log: every user's call records, for one merged history (H)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from unique_account.core.cursors import Key
from unique_account.core.history import CallRecord


class CallLog(Protocol):
    """A store of call records, one for each user and call.

    Records come late, out of order and more than once; the log comes to the same whatever the order (H6).
    """

    async def add(self, records: Iterable[CallRecord]) -> None:
        """Take records in, all or none of them; one for a known user and call is combined with it (H2)."""
        ...

    async def before(
        self, user: str, key: Key | None, limit: int, since: datetime | None = None
    ) -> Sequence[CallRecord]:
        """A user's records that sort after ``key`` in a list newest first, at most ``limit`` (H5).

        Args:
            user: Whose records.
            key: The key of the last record that was given; None: from the newest on.
            limit: How many at most; the cost depends on it alone, not on the length of the history.
            since: Only calls that started at this instant or later.
        """
        ...

    async def forget_before(self, instant: datetime) -> int:
        """Take away all records of calls that started before an instant; returns how many."""
        ...
