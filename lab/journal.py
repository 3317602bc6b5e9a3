"""What a part of the lab reported, in order, and waiting for its next reports."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from attrs import frozen

from lab.waiting import PATIENCE

_SHOWN: Final = 12

T = TypeVar("T")


class NotReported(TimeoutError):
    """The expected report did not come; the sentence shows the last ones."""


@frozen(weakref_slot=False)
class JournalEntry(Generic[T]):
    """A report, and when it arrived, in seconds of `time.monotonic`."""

    at: float
    what: T


class Journal(Generic[T]):
    """Everything reported so far.

    Args:
        sender: The reporting part, as errors name it.
        show: How one report is shown in an error.

    Attributes:
        reported: All reports, in order.
    """

    def __init__(self, sender: str, show: Callable[[T], str]) -> None:
        self.reported: list[JournalEntry[T]] = []
        self._source = sender
        self._show = show
        self._news = asyncio.Event()
        self._on_entry: list[Callable[[T], None]] = []

    def write(self, what: T) -> None:
        """Add a report."""
        self.reported.append(JournalEntry(time.monotonic(), what))
        self._news.set()
        for do in self._on_entry:
            do(what)

    def on_entry(self, do: Callable[[T], None]) -> None:
        """Call this with every report from now on, at once."""
        self._on_entry.append(do)

    async def wait(self, fits: Callable[[T], bool], wanted: str, *, after: float = 0.0) -> JournalEntry[T]:
        """The first report that fits, at an instant or later, present or to come.

        Raises:
            NeverTold: None came within `PATIENCE`.
        """
        seen = bisect_left(self.reported, after, key=lambda reported: reported.at)
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    self._news.clear()
                    for reported in self.reported[seen:]:
                        if fits(reported.what):
                            return reported
                    seen = len(self.reported)
                    await self._news.wait()
        except TimeoutError:
            raise NotReported(self._complaint(wanted, after)) from None

    def _complaint(self, wanted: str, after: float) -> str:
        since = [self._show(reported.what) for reported in self.reported if reported.at >= after]
        reported = ", ".join(since[-_SHOWN:]) or "nothing"
        return f"{self._source} did not report {wanted} within {PATIENCE:g} s; it reported {reported}"
