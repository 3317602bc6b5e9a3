"""CSV as spreadsheets write it: which encoding it has, and what separates its fields.

Excel writes semicolons where the comma is the decimal sign, Windows-1252 where it is not asked for UTF-8, and
UTF-16 with tabs as "Unicode text"; a first line ``sep=;`` names the separator. What could be read in two ways
is refused.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Collection
from typing import Final

from attrs import frozen

from unique_account.files.text import decoded
from unique_account.json_documents import InvalidDocument

_SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}
_UTF_8: Final = "UTF-8"
_WINDOWS: Final = "Windows-1252"
_NAMED: Final = re.compile(r"\s*\"?sep=(.)\"?[ ;,\t]*(\r\n|\r|\n|$)", re.IGNORECASE)
_BINARY: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]").search
_UTF_8_LETTER: Final = re.compile(
    rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
).search


@frozen(weakref_slot=False)
class CsvText:
    """The text of a CSV file, and how it was written.

    Attributes:
        text: The text; a first line that only names the separator is blank.
        encoding: The encoding's name.
        separator: What separates the fields.
    """

    text: str
    encoding: str
    separator: str

    def __str__(self) -> str:
        return f"{self.encoding}, with {_SEPARATORS[self.separator]} between the fields"

    @property
    def is_plain(self) -> bool:
        """Whether it is what a CSV is without a spreadsheet: UTF-8 with commas."""
        return (self.encoding, self.separator) == (_UTF_8, ",")


def read_csv_text(data: bytes, columns: Collection[str]) -> CsvText:
    """The text of a CSV file.

    Args:
        data: The bytes of the file.
        columns: The names that its first line may hold, by which the separator is found.

    Raises:
        InvalidDocument: The bytes are text in no encoding, or in more than one; or the first line names a
            separator that is none.
    """
    encoding, text = _decoded(data)
    if found := _NAMED.match(text):
        if found[1] not in _SEPARATORS:
            raise InvalidDocument((f"line 1: sep={found[1]} names no comma, semicolon or tab",))
        return CsvText(found[2] + text[found.end() :], encoding, found[1])
    return CsvText(text, encoding, _separator(text, columns))


def _decoded(data: bytes) -> tuple[str, str]:
    if wide := _utf_16(data):
        try:
            return "UTF-16", data.decode(wide).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            raise InvalidDocument((f"is not UTF-16: {error.reason} at byte {error.start}",)) from error
    try:
        return _UTF_8, decoded(data)
    except InvalidDocument:
        if _BINARY(data) or _UTF_8_LETTER(data):  # no text, or UTF-8 that is damaged somewhere
            raise
        return _WINDOWS, _windows(data)


def _windows(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        problem = f"is neither UTF-8 nor {_WINDOWS}: byte {error.start} is no letter"
        raise InvalidDocument((problem,)) from error


def _utf_16(data: bytes) -> str:
    """The codec of UTF-16: it has a mark, or every second byte is zero, as in ASCII; empty: it is not."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = data[:64]
    if len(start) < 4 or len(data) % 2:
        return ""
    first, second = start[::2], start[1::2]
    if all(first) and not any(second):
        return "utf-16-le"
    return "utf-16-be" if all(second) and not any(first) else ""


def _separator(text: str, columns: Collection[str]) -> str:
    """The separator by which the first line has the most names of columns; the comma if none has more."""
    first = next((line for line in text.splitlines() if line.strip()), "")[:_HEADER]

    def known(separator: str) -> int:
        try:
            names = next(csv.reader([first], delimiter=separator), [])
        except csv.Error:
            return 0
        return sum(name in columns for name in names)

    return max(_SEPARATORS, key=known)


_HEADER: Final = 10_000
"""So many characters of the first line are looked at."""
