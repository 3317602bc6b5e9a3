"""What a dialplan may be given: names, numbers and addresses of characters that mean nothing to it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from unique_account.core.errors import Problems
from unique_account.core.number import NUMBER
from unique_account.core.user import NAME

__all__ = [
    "ADDRESS",
    "INTERFACE",
    "NAME",
    "NUMBER",
    "NotForDialplan",
    "problems_of",
    "problems_of_place",
]


class NotForDialplan(Problems, ValueError):
    """A user or a plan holds what a dialplan cannot be given, or not without harm.

    Attributes:
        problems: One ``field: what is wrong with it`` for each problem.
    """

    opening = "not for a dialplan:"


INTERFACE: Final = f"PJSIP/{NAME}"
"""A phone."""

ADDRESS: Final = r"0-9A-Za-z&/:=@._~%+!*?\x2d\x3b\x5b\x5d"
"""The characters of contacts that are dialled, as ``FILTER`` takes them.

A client chooses the address of its contact, and a comma in it would begin the options of ``Dial``.
"""


def problems_of(given: Mapping[str, tuple[str, str]]) -> list[str]:
    """What is wrong with named texts, each given with the form that it must have."""
    return [
        f"{name}: {text!r} is nothing that a dialplan can be given"
        for name, (text, form) in given.items()
        if not re.fullmatch(form, text)
    ]


def problems_of_place(context: str, numbers: Sequence[str]) -> list[str]:
    """What is wrong with the numbers of a context."""
    place = {"context": (context, NAME)}
    return problems_of(place) + [
        problem for number in numbers for problem in problems_of({"numbers": (number, NUMBER)})
    ]
