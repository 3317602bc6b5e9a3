"""``python -m benchmarks`` runs every comparison and keeps the figures; with names, shows only those.

The figures of a whole run go to ``results.json``, and to the end of the README.
Not a test: nothing fails because a figure is poor, and a missed aim is printed as one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks import ami, growth, history, imports, memory, projections, transition
from benchmarks.report import Comparison, circumstances, document, markdown

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


def main(names: Sequence[str]) -> None:
    """Run comparisons, print each as it is done, and keep the figures of a whole run."""
    unknown = sorted(set(names) - set(COMPARISONS))
    if unknown:
        sys.exit(f"no comparison is called {', '.join(unknown)}; there are {', '.join(COMPARISONS)}")
    found = {}
    for name in names or COMPARISONS:
        found[name] = COMPARISONS[name]()
        print(markdown(name, found[name]), flush=True)
    if not names:
        keep(found)


def keep(found: Mapping[str, Comparison]) -> None:
    """Keep the figures of a whole run, for programs and for readers."""
    RESULTS.write_text(json.dumps(document(found), indent=2, ensure_ascii=False) + "\n", "utf-8")
    made_with = ", ".join(f"{name} {value}" for name, value in circumstances().items())
    parts = [FIGURES, f"Made with {made_with}.\n", *(markdown(name, each) for name, each in found.items())]
    words, _, _ = README.read_text("utf-8").partition(FIGURES)
    README.write_text(words + "\n".join(parts), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
