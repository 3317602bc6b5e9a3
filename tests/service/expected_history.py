"""The history that rows of a ``cel`` table become when they are read at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from tests.e2e.scenes.people import USERS
from tests.service.cel_table import NOON
from unique_account.adapters.asterisk.cel.records import CallHistory
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.core.history import CallRecord

AFTERWARDS: Final = NOON + timedelta(hours=1)

DAYS_LATER: Final = NOON + timedelta(days=3)
"""When calls are given up of which not all was told: what is left of one would show as a second entry."""


def expected(rows: Sequence[CelRow]) -> list[CallRecord]:
    """The records of all rows, read at once."""
    history = CallHistory(USERS)
    history.feed(rows)
    newest_first = sorted(history.final(AFTERWARDS), key=lambda record: record.key, reverse=True)
    return [record for user in USERS for record in newest_first if record.user == user.id]
