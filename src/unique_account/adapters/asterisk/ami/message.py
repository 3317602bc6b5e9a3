"""Messages of the manager interface as values, and the headers that must be right in them.

A `Message` is the text of its lines: decoding one costs a check and no table, and a header is looked up
in the text when it is asked for, since most messages of a busy PBX are dropped by their first line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeVar, overload

from attrs import frozen

from unique_account.core.errors import UniqueAccountError

T = TypeVar("T")

_SHOWN: Final = 40
_COUNT: Final = re.compile("[0-9]{1,9}")


@frozen(weakref_slot=False)
class Greeting:
    """The line with which Asterisk opens a connection; the only one that no blank line closes."""

    version: str


@frozen(weakref_slot=False)
class Message:
    """One message: an event, or the response to an action.

    Names are looked up as Asterisk writes them; upper and lower case differ. A repeated header keeps
    all its values: ``message[name]`` is the first of them, so that no line appended to a message, as
    the sender of a user event can, replaces one that Asterisk wrote above it.

    Attributes:
        text: The lines, without the blank one that closed them.
    """

    text: str

    @property
    def event(self) -> str:
        """The event's name; empty for a response. Asterisk writes it in the first line."""
        if self.text.startswith("Event: "):
            return self.text[7:].partition("\r\n")[0]
        return ""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Every header with its value, repeated ones included, in the order of the stream."""
        lines = [line.partition(":") for line in self.text.split("\r\n")]
        return tuple([(name, value.removeprefix(" ")) for name, colon, value in lines if name and colon])

    def __contains__(self, name: str) -> bool:
        return self._found(name) >= 0

    def __getitem__(self, name: str) -> str:
        start = self._found(name)
        if start < 0:
            raise KeyError(name)
        return self._value(start)

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of a header, or the default where there is no such header."""
        start = self._found(name)
        return default if start < 0 else self._value(start)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in order; empty where there is no such header."""
        values = []
        start = self._found(name)
        while start >= 0:
            values.append(self._value(start))
            start = self._found_below(name, start)
        return tuple(values)

    def _found(self, name: str) -> int:
        """Where the first value of a header begins; -1 for nowhere."""
        if self.text.startswith(name) and self.text.startswith(":", len(name)):
            return len(name) + 1
        return self._found_below(name, 0)

    def _found_below(self, name: str, start: int) -> int:
        start = self.text.find(f"\r\n{name}:", start)
        return start if start < 0 else start + len(name) + 3

    def _value(self, start: int) -> str:
        end = self.text.find("\r\n", start)
        value = self.text[start:end] if end >= 0 else self.text[start:]
        return value[1:] if value[:1] == " " else value


@frozen(weakref_slot=False)
class Malformed:
    """A message that is none, or none that can be trusted; what holds of it follows as a `Message`.

    Attributes:
        problem: What is wrong with it, e.g. ``line 1 has no colon``.
        excerpt: How it begins.
        of_strangers: Whether it is an event with a stranger's text in it, in a stream that is sound.
    """

    problem: str
    excerpt: str
    of_strangers: bool = False

    def __str__(self) -> str:
        return f"malformed message, {self.problem}; it begins {self.excerpt!r}"


Item = Greeting | Message | Malformed


# -- headers that must be right ----------------------------------------------------------------------


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
