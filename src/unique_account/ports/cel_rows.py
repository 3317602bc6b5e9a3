"""Rows of channel event logging: where they are read, and what makes call records of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from unique_account.core.history import CallRecord

Columns = Mapping[str, Any]
"""A row as its source has it: values by the name of their column."""


class CelRows(Protocol):
    """A source of rows that are numbered upwards, from 1 or later."""

    @property
    def name(self) -> str:
        """What its position is saved under."""
        ...

    async def after(self, row: int, limit: int) -> Sequence[tuple[int, Columns]]:
        """The first rows with higher numbers than this, at most ``limit``, by number."""
        ...


class CallRecords(Protocol):
    """Makes call records of rows, in whatever pieces and however often they come."""

    def feed(self, rows: Iterable[Any]) -> None:
        """Take rows in."""
        ...

    def final(self, now: datetime | None = None) -> Sequence[CallRecord]:
        """The records for which no further row is expected, each given once.

        Args:
            now: The instant, in UTC, once all rows that there are were fed; None: that of the newest row.
        """
        ...

    def waiting(self) -> Iterable[Any]:
        """The rows that were fed, of calls whose records are not given yet."""
        ...
