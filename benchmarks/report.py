"""What a comparison found: tables and aims, as Markdown for people and as JSON to be kept."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Final

from attrs import field, frozen

Cell = str | int | float
Row = Mapping[str, Cell]

PEERS: Final = ("attrs", "transitions", "Automat", "python-statemachine", "panoramisk")


@frozen
class Table:
    """Rows under named columns; every row has the columns of the first."""

    title: str
    rows: Sequence[Row]


@frozen
class Aim:
    """What a figure should come to.

    Attributes:
        text: What is measured, in which unit.
        measured: What it came to.
        at_least: The least that it should be, or None.
        at_most: The most that it should be, or None.
    """

    text: str
    measured: float
    at_least: float | None = field(default=None, kw_only=True)
    at_most: float | None = field(default=None, kw_only=True)

    @property
    def met(self) -> bool:
        low = self.at_least is None or self.measured >= self.at_least
        return low and (self.at_most is None or self.measured <= self.at_most)

    def __str__(self) -> str:
        limits = (("at least", self.at_least), ("at most", self.at_most))
        wanted = " and ".join(f"{word} {shown(limit)}" for word, limit in limits if limit is not None)
        return f"{'met' if self.met else 'MISSED'}: {self.text}: {shown(self.measured)}, {wanted} wanted"


@frozen
class Comparison:
    """All that one module found."""

    tables: Sequence[Table]
    aims: Sequence[Aim] = ()


def shown(cell: Cell) -> str:
    """A cell as people read it: numbers with three significant digits or all that are before the point."""
    if not isinstance(cell, float):
        return f"{cell:,}" if isinstance(cell, int) else cell
    size = abs(cell)
    decimals = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{cell:,.{decimals}f}"


def markdown(name: str, comparison: Comparison) -> str:
    """The tables and aims of a comparison, as Markdown that is also readable as it stands."""
    parts = [f"### {name}"]
    parts += [f"{table.title}:\n\n{_pipes(table.rows)}" for table in comparison.tables]
    if comparison.aims:
        parts.append("\n".join(f"- {aim}" for aim in comparison.aims))
    return "\n\n".join(parts) + "\n"


def _pipes(rows: Sequence[Row]) -> str:
    header = list(rows[0])
    cells = [header, *([shown(row[column]) for column in header] for row in rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(header))]
    texts = [all(isinstance(row[column], str) for row in rows) for column in header]
    rule = [
        "-" * width if text else f"{'-' * (width - 1)}:" for width, text in zip(widths, texts, strict=True)
    ]
    lines = [_line(line, widths, texts) for line in cells]
    return "\n".join([lines[0], _line(rule, widths, texts), *lines[1:]])


def _line(cells: Iterable[str], widths: Iterable[int], texts: Iterable[bool]) -> str:
    columns = zip(cells, widths, texts, strict=True)
    padded = (cell.ljust(width) if text else cell.rjust(width) for cell, width, text in columns)
    return f"| {' | '.join(padded)} |"


def circumstances() -> dict[str, Cell]:
    """What a run was made with, as far as it matters for the figures."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count() or 1,
        **{name: version(name) for name in PEERS},
    }


def document(comparisons: Mapping[str, Comparison]) -> dict[str, object]:
    """What is kept of a run."""
    return {
        "circumstances": circumstances(),
        "comparisons": {name: _kept(comparison) for name, comparison in comparisons.items()},
    }


def _kept(comparison: Comparison) -> dict[str, object]:
    return {
        "tables": {
            table.title: [{column: _rounded(cell) for column, cell in row.items()} for row in table.rows]
            for table in comparison.tables
        },
        "aims": [
            {
                "text": aim.text,
                "measured": _rounded(aim.measured),
                "at_least": aim.at_least,
                "at_most": aim.at_most,
                "met": aim.met,
            }
            for aim in comparison.aims
        ],
    }


def _rounded(cell: Cell) -> Cell:
    return float(f"{cell:.4g}") if isinstance(cell, float) else cell
