"""Histories: each user's one list of calls, those that go on among them (H)."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from unique_account.core.history import DEFAULT_SIZE, Page


class Histories(Protocol):
    """Answers those who ask for their calls."""

    async def page(
        self,
        user: str,
        size: int = DEFAULT_SIZE,
        cursor: str | None = None,
        since: datetime | None = None,
        matching: str = "",
    ) -> Page:
        """The newest entries of a user's history, or those that follow a cursor (H1 to H5).

        Args:
            user: Whose history.
            size: How many entries at most.
            cursor: The `Page.next` of the page before; None for the first page.
            since: No entries that started before this instant; the same for every page.
            matching: Only calls with a party whose number or name holds this text; the same for every page.

        Raises:
            UnknownUser: The user has no account.
            InvalidCursor: The cursor is malformed, or of another user's history.
            ValueError: The size is out of range.
        """
        ...
