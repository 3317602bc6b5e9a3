"""Accounts, plans and their parts as JSON documents, and back.

The one way in which values leave the process: installed plans, stored accounts, files that people write.
Reading is strict and says everything that is wrong at once, each problem with its path, such as
``users[2].ring_seconds: is text, not a whole number``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from enum import IntEnum, StrEnum
from typing import Any, Final, TypeVar, get_args, get_origin

from attrs import Attribute, fields, has

try:
    from cattrs import Converter, ForbiddenExtraKeysError, transform_error
    from cattrs.cols import homogenous_tuple_structure_factory
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "documents need cattrs: pip install 'unique_account[json]' brings it", name="cattrs"
    ) from missing

from unique_account.core.account import LineStatus, utc
from unique_account.core.errors import InvalidFields, Problems
from unique_account.core.forwarding import Destination, Extension, Mailbox, Refusal
from unique_account.core.number import Number
from unique_account.core.presence import Presence

T = TypeVar("T")


class InvalidDocument(Problems, ValueError):
    """A document does not describe what it should.

    Attributes:
        problems: One ``path: what is wrong`` for each problem, all that were found.
    """


def to_document(value: object) -> Any:
    """A value of the core as what JSON can say: dicts, lists, text, numbers, booleans and None."""
    return _CONVERTER.unstructure(value)


def from_document(kind: type[T], document: object) -> T:
    """The value that a document describes.

    Raises:
        InvalidDocument: It describes no such value; every problem is listed.
    """
    try:
        return _CONVERTER.structure(document, kind)
    except Exception as error:  # cattrs groups what the fields raised; some of it is not an Exception group
        raise InvalidDocument(_problems(error)) from error


def to_json(value: object) -> str:
    """A value of the core as one line of JSON."""
    return json.dumps(to_document(value), ensure_ascii=False, separators=(",", ":"))


def from_json(kind: type[T], text: str) -> T:
    """The value that a JSON text describes.

    Raises:
        InvalidDocument: The text is not JSON, or describes no such value.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidDocument((f"{where}: is not JSON: {error.msg}",)) from error
    except ValueError as error:
        raise InvalidDocument(("has a number of more digits than can be read",)) from error
    except RecursionError as error:
        raise InvalidDocument(("is nested too deeply",)) from error
    return from_document(kind, document)


# -- problems ----------------------------------------------------------------------------------------


def _problems(error: Exception) -> tuple[str, ...]:
    said = []
    for line in transform_error(error, path="", format_exception=_sentence):
        sentence, _, path = line.rpartition(" @ ")
        said += [_at(path, part) for part in sentence.split("\n")]
    return tuple(said)


def _at(path: str, problem: str) -> str:
    """A problem with its path; one that begins with a field goes on with the path."""
    separator = "" if problem.startswith(".") or not path else ": "
    return f"{path}{separator}{problem}".removeprefix(".")


def _sentence(error: BaseException, kind: type | None) -> str:
    """What one field raised, as a sentence about the field; several of them on lines of their own."""
    if isinstance(error, InvalidFields):
        return "\n".join(f".{problem}" for problem in error.problems)
    if isinstance(error, ForbiddenExtraKeysError):
        return "\n".join(sorted(_unknown(name, error.cl) for name in error.extra_fields))
    return "is missing" if isinstance(error, KeyError) else str(error)


def _unknown(name: object, kind: type) -> str:
    """A field that is unknown, with the one that was probably meant."""
    if not (isinstance(name, str) and name.isprintable() and len(name) <= _SHOWN):
        return f"has no field named {_shown(name)}"
    near = get_close_matches(name, [known.name for known in fields(kind) if known.init], n=1)
    return f"has no field named {name}" + (f"; did you mean {near[0]}?" if near else "")


_SHOWN: Final = 60
"""A sentence shows no more characters of a value."""

_HALF: Final = re.compile(r"[\ud800-\udfff]").search
"""Half a character: a surrogate, which JSON can say and UTF-8 cannot."""

_LARGEST: Final = 10**18
"""Whole numbers are smaller, so that every store can keep them and every sentence show them."""


def _shown(value: object) -> str:
    """A value as a sentence shows it; one that is too long or too deep to be written is named."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return _kind(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


# -- the converter -----------------------------------------------------------------------------------

_KINDS: Final = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    float: "a number",
    list: "a list",
    dict: "a table",
    type(None): "nothing",
}


def _strict(value: object, kind: type) -> Any:
    """Text is text and numbers are numbers; a choice of words, which is a kind of text, is one of them."""
    if type(value) is kind:
        if isinstance(value, int) and abs(value) >= _LARGEST:
            raise ValueError("is a number of more than 18 digits")
        if isinstance(value, str) and not value.isascii() and _HALF(value):
            raise ValueError("has half a character, which cannot be kept")
        return value
    if issubclass(kind, StrEnum):
        return _one_of(value, kind)
    raise TypeError(f"is {_kind(value)}, not {_KINDS[kind]}")


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "something else")


def _by_name(enum: type[IntEnum]) -> Callable[[object, object], IntEnum]:
    """Ranks and published integers are written by name, so that a reader needs no table."""
    names = {member.name.lower(): member for member in enum}

    def structure(value: object, _: object) -> IntEnum:
        try:
            return names[value]  # type: ignore[index] # whatever is no name is not in the table
        except (KeyError, TypeError):
            raise ValueError(f"is {_shown(value)}, not one of {', '.join(names)}") from None

    return structure


def _one_of(value: object, choice: type[StrEnum]) -> StrEnum:
    for member in choice:
        if value == member.value:
            return member
    raise ValueError(f"is {_shown(value)}, not one of {', '.join(choice)}")


def _instant(value: object, _: object) -> datetime:
    try:
        if isinstance(value, str) and (instant := datetime.fromisoformat(value)).tzinfo is not None:
            return utc(instant)
    except (ValueError, OverflowError):
        pass
    form = "an instant with its time zone, such as 2026-01-05T09:00:00+00:00"
    raise ValueError(f"is {_shown(value)}, not {form}")


def _seconds(value: object, _: object) -> timedelta:
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return timedelta(seconds=value)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"is {_shown(value)}, not a number of seconds")


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    converter.register_structure_hook_factory(has, _table)
    converter.register_structure_hook_factory(_is_list, _list)
    converter.register_unstructure_hook_func(
        _is_pair, lambda pair: [converter.unstructure(each) for each in pair]
    )
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _strict)
    converter.register_structure_hook(Number, lambda value, _: Number(_strict(value, str)))
    converter.register_unstructure_hook(Number, lambda number: number.written)
    converter.register_unstructure_hook(StrEnum, lambda member: member.value)
    for enum in (LineStatus, Presence):
        converter.register_structure_hook(enum, _by_name(enum))
        converter.register_unstructure_hook(enum, lambda member: member.name.lower())
    converter.register_structure_hook(datetime, _instant)
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook(timedelta, _seconds)
    converter.register_unstructure_hook(timedelta, timedelta.total_seconds)
    _register_destinations(converter)
    return converter


def _table(kind: Any, converter: Converter) -> Callable[[object, object], Any]:
    checked: Any = {
        each.name: override(struct_hook=_checked(each, converter))
        for each in fields(kind)
        if each.validator is not None
    }
    structure = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True, **checked)

    def strictly(value: object, _: object) -> Any:
        if not isinstance(value, Mapping):
            raise TypeError(f"is {_kind(value)}, not a table")
        return structure(value, kind)

    return strictly


def _checked(each: Attribute[Any], converter: Converter) -> Callable[[object, object], Any]:
    """A field with a validator, which is asked at once, so that its problem is reported beside the others."""

    def structure(value: object, kind: Any) -> Any:
        made = converter.structure(value, kind)
        each.validator(None, each, made)  # type: ignore[misc] # there is one
        return made

    return structure


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[-1] is ...


def _is_pair(kind: Any) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[-1] is not ...


def _list(kind: Any, converter: Converter) -> Callable[[object, object], Any]:
    """Lists are lists, not text by the letter; pairs may be written as a table (DIDs and their seconds)."""
    structure = homogenous_tuple_structure_factory(kind, converter)
    pairs = _is_pair(get_args(kind)[0])

    def strictly(value: object, _: object) -> Any:
        if pairs and isinstance(value, dict):
            value = list(value.items())
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"is {_kind(value)}, not a list")
        if pairs and not all(isinstance(part, (list, tuple)) and len(part) == 2 for part in value):
            raise TypeError("is neither a list of pairs nor a table")
        return structure(value, kind)

    return strictly


# -- destinations ------------------------------------------------------------------------------------

_DESTINATIONS: Final = {"extension": Extension, "mailbox": Mailbox, "refusal": Refusal}


def _register_destinations(converter: Converter) -> None:
    """Each destination names its kind, alone as well as in a field that takes any of them."""
    for name, destination in _DESTINATIONS.items():
        converter.register_unstructure_hook(destination, _tagged(name, destination, converter))
        converter.register_structure_hook(destination, _untagged({name: destination}, converter))
    structure = _untagged(_DESTINATIONS, converter)
    converter.register_structure_hook_func(lambda kind: kind == Destination, structure)
    converter.register_structure_hook_func(
        lambda kind: kind == Destination | None,
        lambda value, kind: None if value is None else structure(value, kind),
    )


def _tagged(name: str, kind: Any, converter: Converter) -> Callable[[Any], dict[str, Any]]:
    unstructure = make_dict_unstructure_fn(kind, converter)
    return lambda value: {"kind": name, **unstructure(value)}


def _untagged(kinds: Mapping[str, Any], converter: Converter) -> Callable[[object, object], Any]:
    structure = {name: _table(kind, converter) for name, kind in kinds.items()}

    def strictly(value: object, _: object) -> Any:
        tag = value.get("kind") if isinstance(value, Mapping) else None
        if not isinstance(value, Mapping) or tag not in list(structure):
            raise ValueError(f"is not a destination: a table whose kind is one of {', '.join(structure)}")
        return structure[tag]({name: part for name, part in value.items() if name != "kind"}, kinds[tag])

    return strictly


_CONVERTER: Final = _converter()
