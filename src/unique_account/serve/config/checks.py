"""What the keys of a configuration may be, each with a sentence for what it may not."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

from attrs import Attribute

T = TypeVar("T")

_Check = Callable[[Any, "Attribute[Any]", T], None]


def between(least: float, most: float) -> _Check[Any]:
    """A number between two others, or one of these."""

    def check(_: object, __: Attribute[Any], value: float) -> None:
        if not least <= value <= most:
            raise ValueError(f"is {value:g}; from {least:g} to {most:g}")

    return check


def matching(form: str, what: str) -> _Check[str]:
    """A text of a form, which the sentence gives a name."""

    def check(_: object, __: Attribute[str], value: str) -> None:
        if not re.fullmatch(form, value):
            raise ValueError(f"is not {what}")

    return check


port: Final = between(1, 65535)
named: Final = matching(r"[0-9A-Za-z_.+-]+", "a name of letters, digits and _ . + -")
host: Final = matching(r"[0-9A-Za-z_.:-]+", "the name or address of a host")
path: Final = matching(r"[^\0]+", "the name of a file")


def lease(_: object, __: Attribute[timedelta], value: timedelta) -> None:
    """The length of a lease (S5)."""
    if value < timedelta(0):
        raise ValueError(f"is {value.total_seconds():g}; 0 seconds or more")
