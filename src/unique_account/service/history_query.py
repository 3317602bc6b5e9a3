"""Each user's one history: what the call log holds, and the calls that go on (H1, H3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from unique_account.core.account import Account
from unique_account.core.cursors import decode_cursor
from unique_account.core.history import DEFAULT_SIZE, Page, ongoing, page
from unique_account.core.search import matches
from unique_account.ports.call_log import CallLog


class HistoryQuery:
    """Merges the call log with the live calls, a page at a time.

    Args:
        account: The account of a user; raises `UnknownUser`.
        call_log: Where finished calls are.
    """

    def __init__(self, account: Callable[[str], Account], call_log: CallLog) -> None:
        self._account = account
        self._call_log = call_log

    async def page(
        self,
        user: str,
        size: int = DEFAULT_SIZE,
        cursor: str | None = None,
        since: datetime | None = None,
        matching: str = "",
    ) -> Page:
        """The newest entries of a user's history, or those that follow a cursor (H5)."""
        live = ongoing(self._account(user))  # before the log is read, so that a call that ends now is in one
        key = None if cursor is None else decode_cursor(user, cursor)
        stored = await self._call_log.before(user, key, size + 1, since, matching)
        live = tuple(call for call in live if matches(call, matching))
        return page(live, stored, user=user, size=size, cursor=cursor, since=since)
