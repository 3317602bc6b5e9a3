"""A log that no flood fills: what is said again and again is counted, and the count is said."""

from __future__ import annotations

import logging
import time
from collections.abc import Hashable
from typing import Final

WINDOW: Final = 10.0
"""For how many seconds repetitions are counted before they are summed up."""

MOST_ALIKE: Final = 5
"""How many lines with the same text are written in that time."""

MOST_OF_PLACE: Final = 50
"""How many warnings and errors of one line of code, whatever their texts."""

MOST_TEXTS: Final = 1000
"""How many different texts are remembered in that time; more are written as they come."""

_COMPARED: Final = 200
"""How many characters of a text are looked at."""


class RepeatFilter(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to standard error what was not written a moment ago; below *information* all of it."""

    def __init__(self) -> None:
        super().__init__()
        self._since = time.monotonic()
        self._seen: dict[Hashable, int] = {}
        self._held: dict[Hashable, tuple[int, logging.LogRecord]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it."""
        if time.monotonic() - self._since >= WINDOW:
            self._sum_up()
        if self._is_new(record):
            super().emit(record)

    def _is_new(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.INFO:
            return True
        place = (record.pathname, record.lineno)
        if not self._counts((*place, record.getMessage()[:_COMPARED]), MOST_ALIKE, record):
            return False
        return record.levelno < logging.WARNING or self._counts(place, MOST_OF_PLACE, record)

    def _counts(self, what: Hashable, most: int, record: logging.LogRecord) -> bool:
        seen = self._seen.get(what, 0)
        if seen >= most:
            self._held[what] = self._held.get(what, (0, record))[0] + 1, record
            return False
        if what in self._seen or most is MOST_OF_PLACE or len(self._seen) < MOST_TEXTS:
            self._seen[what] = seen + 1
        return True

    def _sum_up(self) -> None:
        """Say how often what was not written; the next window begins."""
        held, seconds = self._held, time.monotonic() - self._since
        self._since, self._seen, self._held = time.monotonic(), {}, {}
        for count, last in held.values():
            text = f"{count} more in {seconds:.0f} s like: {last.getMessage()[:_COMPARED]}"
            summary = {"name": last.name, "levelno": last.levelno, "levelname": last.levelname, "msg": text}
            super().emit(logging.makeLogRecord(summary))

    def close(self) -> None:
        """Say what was not said yet."""
        self._sum_up()
        super().close()
