"""Untrusted messages as documents, and their fields; a message that breaks a bound is refused unread."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from unique_account.adapters.rabbitmq.errors import InvalidMessage

LARGEST: Final = 262_144
"""How many bytes a message may have."""

_MOST: Final = 10**18


def document(body: bytes) -> Mapping[str, Any]:
    """The object that a message holds.

    Raises:
        InvalidMessage: It is too large, or no JSON object.
    """
    if len(body) > LARGEST:
        raise InvalidMessage(f"has more than {LARGEST} bytes")
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidMessage("is not JSON") from None
    if not isinstance(read, dict):
        raise InvalidMessage("is not a JSON object")
    return read


def text(fields: Mapping[str, Any], name: str, most: int = 200) -> str:
    """A text of a message, of a length that may be.

    Raises:
        InvalidMessage: It is missing, no text, empty or too long.
    """
    value = fields.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise InvalidMessage(f"has no text {name} of 1 to {most} characters")
    return value


def whole(fields: Mapping[str, Any], name: str, least: int = 0) -> int:
    """A whole number of a message.

    Raises:
        InvalidMessage: It is missing, no whole number, or too small or large.
    """
    value = fields.get(name)
    if type(value) is not int or not least <= value < _MOST:
        raise InvalidMessage(f"has no whole number {name} from {least}")
    return value


def flag(fields: Mapping[str, Any], name: str) -> bool:
    """A yes or no of a message.

    Raises:
        InvalidMessage: It is missing, or neither.
    """
    value = fields.get(name)
    if not isinstance(value, bool):
        raise InvalidMessage(f"has no {name} that is true or false")
    return value


def table(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object within a message.

    Raises:
        InvalidMessage: It is missing, or no object.
    """
    value = fields.get(name)
    if not isinstance(value, dict):
        raise InvalidMessage(f"has no object {name}")
    return value
