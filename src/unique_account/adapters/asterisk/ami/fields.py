"""Reading a header that must be right, and naming the one that is not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeVar

from unique_account.adapters.asterisk.ami.codec import Message
from unique_account.core.errors import UniqueAccountError

T = TypeVar("T")

_SHOWN: Final = 40
_COUNT: Final = re.compile("[0-9]{1,9}")


class UnusableHeader(UniqueAccountError):
    """A header is missing or wrong, so that its message cannot be understood.

    Attributes:
        header: Its name.
        problem: What is wrong with it, as the rest of a sentence that begins with the name.
    """

    def __init__(self, header: str, problem: str) -> None:
        super().__init__(header, problem)
        self.header = header
        self.problem = problem


def shown(value: str) -> str:
    """A value as a sentence shows it: quoted, on one line, and cut where it is long."""
    return repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "...")


def required(message: Message, header: str) -> str:
    """A value that must be there.

    Raises:
        UnusableHeader: It is missing, or has nothing but spaces.
    """
    value = message.get(header)
    if not (value and value.strip()):
        raise UnusableHeader(header, "is missing" if value is None else "is empty")
    return value


def one_of(message: Message, header: str, meanings: Mapping[str, T]) -> T:
    """What a value means that must be one of some words.

    Raises:
        UnusableHeader: It is missing, empty, or another word.
    """
    value = required(message, header)
    try:
        return meanings[value]
    except KeyError:
        words = ", ".join(meanings)
        raise UnusableHeader(header, f"is {shown(value)}, not one of {words}") from None


def count(message: Message, header: str) -> int:
    """A value that must be a count.

    Raises:
        UnusableHeader: It is missing, empty, or no count.
    """
    value = required(message, header)
    if not _COUNT.fullmatch(value):
        raise UnusableHeader(header, f"is {shown(value)}, no count")
    return int(value)
