"""Checks of fields: ids and texts that every store, every wire and every log can carry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attrs import Attribute

from unique_account.core.errors import InvalidFields

NOTHING_ELSE: Final[Mapping[str, str]] = {}


def check_texts(ids: Mapping[str, str], others: Mapping[str, str] = NOTHING_ELSE) -> None:
    """See that ids are there, and that no text holds half a character: a surrogate, which UTF-8 has not.

    Raises:
        InvalidFields: With every problem, by the names of the fields.
    """
    problems = [f"{name}: is empty" for name, text in ids.items() if not text.strip()]
    problems += [
        f"{name}: has half a character, which cannot be kept"
        for name, text in {**ids, **others}.items()
        if _HALF(text)
    ]
    if problems:
        raise InvalidFields(problems)


def an_id(_: object, field: Attribute[str], text: str) -> None:
    """A field that holds an id."""
    if not (text.strip() and text.isascii()):
        check_texts({field.name: text})


def a_text(_: object, field: Attribute[str], text: str) -> None:
    """A field that holds a text, or none."""
    if not text.isascii():
        check_texts({}, {field.name: text})


_HALF: Final = re.compile(r"[\ud800-\udfff]").search
