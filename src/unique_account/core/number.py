"""Numbers that are dialled: one spelling for each, however people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from unicodedata import category


class Number(str):
    """A number as it is dialled and compared, which is also a text: ``Number("20 01") == "2001"``.

    Left out are spaces of every kind, dashes, dots, slashes, brackets, and characters that nobody sees, such
    as soft hyphens and marks of the writing direction. So is the ``(0)`` of ``+33 (0)1 23``, which nobody
    dials from abroad. All else stays, so a text that is no number can be shown as what it is.

    Attributes:
        written: The number as it was written, for people to read.
    """

    __slots__ = ("written",)

    written: str

    def __new__(cls, text: str) -> Number:
        """The number that a text means; a number is itself."""
        if isinstance(text, Number):
            return text
        number = super().__new__(cls, text if _PLAIN(text) else _dialled(text))
        number.written = text if _PLAIN(text) else _written(text)
        return number

    @property
    def is_dialable(self) -> bool:
        """Whether it has nothing but digits, ``*``, ``#`` and a leading ``+``, and at most 40 of them."""
        return _DIALABLE(self) is not None


NUMBER: Final = r"\+?[0-9*#]{1,40}"
"""A number that can be dialled; it means nothing else to a dialplan, whose own extensions are letters."""

IN_WORDS: Final = "digits, *, # and a leading +"
"""What a number has, as a sentence says it."""

_DIALABLE: Final = re.compile(NUMBER).fullmatch
_PLAIN: Final = re.compile(r"[0-9*#+A-Za-z]*").fullmatch
_FROM_ABROAD: Final = re.compile(r"\(?(?:\+|00)").match
_SEPARATORS: Final = frozenset("\t./")
_BRACKETS: Final = str.maketrans("", "", "()")


def _dialled(text: str) -> str:
    number = "".join(each for each in text if not _separates(each))
    if _FROM_ABROAD(number):
        number = number.replace("(0)", "")
    return number.translate(_BRACKETS)


def _written(text: str) -> str:
    return "".join(each for each in text if category(each) != "Cf").strip()


def _separates(character: str) -> bool:
    """Whether it is a space, a dash or invisible, or another character that people write between digits."""
    return character in _SEPARATORS or category(character) in ("Zs", "Pd", "Cf")


_NUMBER_ONLY: Final = frozenset({Number})


def numbers(texts: Iterable[str]) -> tuple[Number, ...]:
    """The numbers that texts mean, in their order; a tuple of numbers is itself."""
    if texts.__class__ is tuple and set(map(type, texts)) <= _NUMBER_ONLY:
        return texts
    return tuple(map(Number, texts))


def by_number(seconds: Mapping[str, int] | Iterable[tuple[str, int]]) -> tuple[tuple[Number, int], ...]:
    """Times of numbers, in the order of the numbers; given as a table or as pairs."""
    if not seconds:
        return ()
    pairs = seconds.items() if isinstance(seconds, Mapping) else seconds
    return tuple(sorted((Number(number), own) for number, own in pairs))


NO_NUMBER: Final = Number("")
"""Nothing to dial."""
