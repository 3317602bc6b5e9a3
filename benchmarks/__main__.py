"""``python -m benchmarks`` runs every comparison and keeps the figures; with names, shows only those.

The figures of a whole run go to ``results.json`` and into the README. So do those of comparisons that run
by their names only: ``telephony`` and ``live`` need the lab and root.
Not a test: nothing fails because a figure is poor, and a missed aim is printed as one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks import (
    ami,
    call_logs,
    company,
    cti,
    growth,
    history,
    imports,
    live,
    memory,
    projections,
    transition,
)
from benchmarks.groups import comparison as groups
from benchmarks.report import Comparison, circumstances, document, markdown
from benchmarks.telephony import comparison as telephony

RESULTS: Final = Path(__file__).with_name("results.json")
README: Final = Path(__file__).with_name("README.md")
FIGURES: Final = "## Figures of the last run\n"

COMPARISONS: Final[dict[str, Callable[[], Comparison]]] = {
    "transition": transition.compare,
    "projections": projections.compare,
    "memory": memory.compare,
    "history": history.compare,
    "ami": ami.compare,
    "imports": imports.compare,
    "growth": growth.compare,
}

BY_NAME: Final[dict[str, Callable[[], Comparison]]] = {
    "call_logs": call_logs.compare,
    "company": company.compare,
    "cti": cti.compare,
    "groups": groups.compare,
    "live": live.compare,
    "telephony": telephony.compare,
}
"""What is no part of a whole run: it wants a machine to itself, the lab or a PostgreSQL."""


def main(names: Sequence[str]) -> None:
    """Run comparisons, print each as it is done, and keep the figures of a whole run, and of each by name."""
    there = COMPARISONS | BY_NAME
    unknown = sorted(set(names) - set(there))
    if unknown:
        sys.exit(f"no comparison is called {', '.join(unknown)}; there are {', '.join(there)}")
    found = {}
    for name in names or COMPARISONS:
        found[name] = there[name]()
        print(markdown(name, found[name]), flush=True)
        if name in BY_NAME:
            keep(f"## Figures of {name}\n", {name: found[name]})
    if not names:
        keep(FIGURES, found)


def keep(heading: str, found: Mapping[str, Comparison]) -> None:
    """Keep figures, for programs, and for readers under a heading of the README."""
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    kept |= {heading.strip("# \n"): document(found)}
    RESULTS.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")
    made_with = ", ".join(f"{name} {value}" for name, value in circumstances().items())
    parts = [heading, f"Made with {made_with}.\n", *(markdown(name, each) for name, each in found.items())]
    before, _, after = README.read_text("utf-8").partition(heading)
    _, another, others = after.partition("\n## ")
    README.write_text(before + "\n".join(parts) + another + others, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
