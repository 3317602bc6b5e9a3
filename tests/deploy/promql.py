"""What an expression of Prometheus names: its metrics, each with the labels that it uses.

It knows the part of the language that the dashboard and the alerts of the project need. Anything else is an
error, and not taken for right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attrs import define, field

FUNCTIONS: Final = frozenset({"absent", "changes", "count", "increase", "max", "min", "rate", "sum"})
GROUPING: Final = frozenset({"by", "without", "on", "ignoring"})

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
    | (?P<range>\[(?:\$__rate_interval|[0-9]+[smhd])(?::[0-9]+[smhd])?\])
    | (?P<number>[0-9]+(?:\.[0-9]+)?)
    | (?P<sign>==|!=|=~|!~|>=|<=|[-+*/<>=(){},])
    )""",
    re.VERBOSE,
)


class NotUnderstood(ValueError):
    """An expression of another form."""


@define
class Named:
    """What an expression names.

    Attributes:
        metrics: The metrics.
        labels: Labels that are matched, or by which values are grouped.
    """

    metrics: set[str] = field(factory=set)
    labels: set[str] = field(factory=set)


def named(expression: str) -> Named:
    """The metrics and labels of an expression.

    Raises:
        NotUnderstood: It is of another form, or its brackets do not match.
    """
    found, tokens = Named(), list(_tokens(expression))
    opened: list[str] = []
    for (kind, text), (_, following) in zip(tokens, [*tokens[1:], ("", "")], strict=True):
        inside = opened[-1] if opened else ""
        if text in ("(", "{"):
            opened.append(text)
        elif text in (")", "}"):
            if {"(": ")", "labels": ")", "{": "}"}.get(inside) != text:
                raise NotUnderstood(f"{text} closes nothing in {expression}")
            opened.pop()
        elif kind == "name" and inside in ("{", "labels"):
            found.labels.add(text)
        elif kind == "name" and following == "(" and text not in FUNCTIONS | GROUPING:
            raise NotUnderstood(f"{text} is no function that is known, in {expression}")
        elif kind == "name" and text not in FUNCTIONS | GROUPING:
            found.metrics.add(text)
        if text in GROUPING:
            opened.append("by")
        elif text == "(" and opened[-2:-1] == ["by"]:
            opened[-2:] = ["labels"]
    if opened:
        raise NotUnderstood(f"{opened[-1]} is not closed in {expression}")
    return found


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(expression.rstrip()):
        if (token := _TOKEN.match(expression, place)) is None:
            raise NotUnderstood(f"{expression[place:]!r} in {expression}")
        place = token.end()
        yield str(token.lastgroup), token[str(token.lastgroup)]
