"""Rows of CEL as a CSV file has them: the columns of a ``cel`` table, named in the first line."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from unique_account.adapters.asterisk.cel.rows import UnreadableRow
from unique_account.core.errors import UniqueAccountError

NEEDED: Final = ("eventtype", "eventtime", "uniqueid", "linkedid", "channame")
"""Without these columns no row can be read."""


class MissingColumns(UniqueAccountError, ValueError):
    """The first line of a file does not name the columns that are needed.

    Attributes:
        columns: Those that it does not name.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        super().__init__(columns)

    def __str__(self) -> str:
        names = ", ".join(self.columns)
        return f"the first line must name the columns of a cel table, between commas; it lacks {names}"


class NothingUnderstood(UniqueAccountError, ValueError):
    """None of the rows of a source was understood.

    Attributes:
        source: Its name.
        rows: How many rows it has.
    """

    def __init__(self, source: str, rows: int) -> None:
        self.source = source
        self.rows = rows
        super().__init__(source, rows)

    def __str__(self) -> str:
        return f"{self.source}: no row was understood, of {self.rows}"


def read_csv(
    lines: Iterable[str], complain: Callable[[int, UnreadableRow], None]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a file, each with the number of the line on which it ends.

    Args:
        lines: The file.
        complain: Called with each row that is no CSV, with the same number; the row is passed by.

    Raises:
        MissingColumns: The first line does not name the columns that are needed.
    """
    reader = csv.DictReader(lines, restkey="", restval="")
    named = _named(reader)
    if missing := tuple(name for name in NEEDED if name not in named):
        raise MissingColumns(missing)
    while True:
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            at = reader.reader.line_num  # of the dictionaries' own, that of the last row that was one
            complain(at, UnreadableRow("the line", f"is no CSV: {error}"))
        else:
            return


def _named(reader: csv.DictReader[str]) -> tuple[str, ...]:
    try:
        return tuple(reader.fieldnames or ())
    except csv.Error:
        return ()
