"""Frames from a client: each is a command, a heartbeat, or invalid; an error names the field."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

from attrs import frozen

from unique_account.core.errors import UniqueAccountError

LONGEST_TEXT: Final = 256
"""How many characters a field may have by default."""

LONGEST_NAME: Final = 64
"""How many characters a command or a reference may have."""

LARGEST_REF: Final = 2**53 - 1
"""The largest number that is a reference: every client can represent it exactly."""


class InvalidMessage(UniqueAccountError):
    """A frame is invalid.

    Attributes:
        problem: What is wrong, and where.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@frozen(weakref_slot=False)
class Heartbeat:
    """The client is alive."""


@frozen(weakref_slot=False)
class Fields:
    """A command and its fields; a missing field is the same as null.

    Attributes:
        command: Its name.
        ref: The reference that the answer repeats, or None.
    """

    command: str
    ref: str | int | None
    _fields: Mapping[str, Any]

    def text(self, name: str, longest: int = LONGEST_TEXT) -> str:
        """A field that has to be text.

        Raises:
            InvalidMessage: It is not, or is too long.
        """
        text = self.maybe_text(name, longest)
        if text is None:
            raise InvalidMessage(f"{name}: is missing")
        return text

    def maybe_text(self, name: str, longest: int = LONGEST_TEXT) -> str | None:
        """A field that is text, or missing.

        Raises:
            InvalidMessage: It is something else, or is too long.
        """
        value = self._fields.get(name)
        if value is not None and not isinstance(value, str):
            raise InvalidMessage(f"{name}: is not text")
        if value is not None and len(value) > longest:
            raise InvalidMessage(f"{name}: has {len(value)} characters; {longest} at most")
        return value

    def one_of(self, name: str, choices: Iterable[str]) -> str:
        """A field that has to be one of some texts.

        Raises:
            InvalidMessage: It is not.
        """
        text, known = self.text(name), tuple(choices)
        if text not in known:
            raise InvalidMessage(f"{name}: is {text!r}, not one of {', '.join(known)}")
        return text

    def flag(self, name: str) -> bool:
        """A field that has to be true or false.

        Raises:
            InvalidMessage: It is not.
        """
        value = self._fields.get(name)
        if not isinstance(value, bool):
            raise InvalidMessage(f"{name}: is not true or false")
        return value

    def whole(self, name: str, least: int, most: int) -> int | None:
        """A field that is a whole number within bounds, or missing.

        Raises:
            InvalidMessage: It is something else.
        """
        value = self._fields.get(name)
        if value is None:
            return None
        number = _whole(value)
        if number is None or not least <= number <= most:
            raise InvalidMessage(f"{name}: is not a whole number from {least} to {most}")
        return number

    def texts(self, name: str, most: int) -> list[str]:
        """A field that has to be a list of texts.

        Raises:
            InvalidMessage: It is not, or has too many.
        """
        value = self._fields.get(name)
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise InvalidMessage(f"{name}: is not a list of texts")
        if len(value) > most or any(len(part) > LONGEST_TEXT for part in value):
            raise InvalidMessage(f"{name}: has more than {most} texts, or one that is too long")
        return value


def read(text: str | None) -> Fields | Heartbeat:
    """The content of a frame.

    Args:
        text: The frame; None: it was not a text frame.

    Raises:
        InvalidMessage: It is neither a command nor a heartbeat.
    """
    message = _object(text)
    claz = message.get("claz")
    if claz == "ping":
        return Heartbeat()
    if claz != "web":
        raise InvalidMessage("claz: is neither web nor ping")
    ref = _reference(message.get("ref"))
    command = message.get("command")
    if not isinstance(command, str) or len(command) > LONGEST_NAME:
        raise InvalidMessage(f"command: is not text of at most {LONGEST_NAME} characters")
    return Fields(command, ref, message)


def _reference(value: object) -> str | int | None:
    if value is None or (isinstance(value, str) and len(value) <= LONGEST_NAME):
        return value
    number = _whole(value)
    if number is None or abs(number) > LARGEST_REF:
        texts = f"text of at most {LONGEST_NAME} characters"
        raise InvalidMessage(f"ref: is neither {texts} nor a whole number of at most 2^53 - 1")
    return number


def _whole(value: object) -> int | None:
    """The whole number that a value of JSON is, which ``1.0`` is, too; None: it is none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def decoded(text: str | bytes) -> Any:
    """The value of JSON from outside.

    Raises:
        ValueError: It is not JSON, or has a lone surrogate in it, which cannot be encoded again.
        RecursionError: It is too deep.
    """
    value = json.loads(text, parse_constant=_no_number)
    if isinstance(text, bytes) or "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _object(text: str | None) -> Mapping[str, Any]:
    if text is None:
        raise InvalidMessage("the frame is not text")
    try:
        message = decoded(text)
    except (ValueError, RecursionError) as error:
        raise InvalidMessage("the frame is not JSON") from error
    if not isinstance(message, dict):
        raise InvalidMessage("the frame is not a JSON object")
    return message


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
