"""Files that people write: text of a bounded size, and TOML documents that code can walk through.

Whatever else such a file holds is one sentence that names the file, and no other exception.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from unique_account.json_documents import InvalidDocument

LARGEST: Final = 64 * 1024 * 1024
"""A file has at most so many bytes; a hundred thousand users take half of it."""

DEEPEST: Final = 32
"""A TOML document has at most so many tables and lists within each other."""


def read_text(path: Path) -> str:
    """The text of a file, without the byte order mark that some editors write.

    Raises:
        InvalidDocument: The file is too large, or is not UTF-8.
        OSError: It cannot be read.
    """
    with path.open("rb") as file, named(path.name):
        return decoded(read_bytes(file))


def read_bytes(file: BinaryIO) -> bytes:
    """The bytes of a file that people wrote.

    Raises:
        InvalidDocument: It is too large.
        OSError: It cannot be read.
    """
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InvalidDocument((f"has more than {LARGEST} bytes",))
    return data


def decoded(data: bytes) -> str:
    """The text of bytes in UTF-8, without the byte order mark.

    Raises:
        InvalidDocument: They are not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidDocument((f"is not UTF-8: {error.reason} at byte {error.start}",)) from error


@contextmanager
def named(place: str) -> Iterator[None]:
    """Put the name of a file before each problem of a document that was read from it."""
    try:
        yield
    except InvalidDocument as error:
        raise InvalidDocument(f"{place}: {problem}" for problem in error.problems) from error


def read_toml(path: Path) -> dict[str, Any]:
    """The document in a TOML file.

    Raises:
        InvalidDocument: The file is too large, is not UTF-8 or TOML, or is nested too deeply.
        OSError: It cannot be read.
    """
    text = read_text(path)
    with named(path.name):
        return _toml(text)


def _toml(text: str) -> dict[str, Any]:
    try:
        document = tomllib.loads(text)
    except ValueError as error:  # of the numbers of more digits than Python converts, too
        raise InvalidDocument((f"is not TOML: {error}",)) from error
    except RecursionError as error:
        raise InvalidDocument(("is nested too deeply",)) from error
    if _is_deeper_than(DEEPEST, document):  # dotted keys nest without recursion
        raise InvalidDocument(("is nested too deeply",))
    return document


def _is_deeper_than(levels: int, document: object) -> bool:
    level = [document]
    for _ in range(levels):
        level = [part for whole in level for part in _parts(whole)]
    return bool(level)


def _parts(whole: object) -> Iterable[object]:
    if isinstance(whole, dict):
        return whole.values()
    return whole if isinstance(whole, list) else ()
