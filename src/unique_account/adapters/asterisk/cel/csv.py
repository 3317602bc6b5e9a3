"""Rows of CEL as a CSV file has them: the columns of a ``cel`` table, named in the first line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Final

from unique_account.adapters.asterisk.cel.events import UnreadableRow

NEEDED: Final = ("eventtype", "eventtime", "uniqueid", "linkedid", "channame")
"""Without these columns no row can be read."""


def read_csv(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a file, each with the number of the line on which it ends.

    Raises:
        UnreadableRow: The first line does not name the columns that are needed.
    """
    reader = csv.DictReader(lines, restkey="", restval="")
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise UnreadableRow(", ".join(missing), "is not named in the first line, as a column")
    for row in reader:
        yield reader.line_num, row
