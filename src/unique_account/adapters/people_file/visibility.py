"""People who are seen by the same others, in the order of their names: one text, searched as a whole."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

from unique_account.core.search import folded

_END: Final = "\n"
"""What stands behind each of them in the text."""


class VisiblePeople:
    """The places of people in the list of all, found by what is written of them.

    Args:
        entries: The place of each, ascending, and what can be searched of each, folded.
    """

    def __init__(self, entries: Iterable[tuple[int, str]]) -> None:
        listed = [(place, text + _END) for place, text in entries]
        self._places = [place for place, _ in listed]
        self._text = "".join(text for _, text in listed)
        self._ends = list(accumulate(len(text) for _, text in listed))

    def found(self, words: str) -> Iterator[int]:
        """The places of those in whose text these words are, ascending; those of all where there are none."""
        if wanted := folded(words):
            yield from self._found(wanted)
        else:
            yield from self._places

    def _found(self, wanted: str) -> Iterator[int]:
        at = self._text.find(wanted)
        while at >= 0:
            index = bisect_right(self._ends, at)
            yield self._places[index]
            at = self._text.find(wanted, self._ends[index])
