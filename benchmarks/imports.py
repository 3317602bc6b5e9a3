"""How long ``import unique_account`` takes beyond ``import attrs, transitions``, and what it brings.

Every import runs in an interpreter of its own, whose own start is not counted; the two take turns. What
the interpreter has loaded before the first import belongs to the installation: the finders of editable
installs, and hooks of tools.
"""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from typing import Final

from attrs import frozen

from benchmarks.report import Aim, Comparison, Row, Table

ROUNDS: Final = 25
DEPENDENCIES: Final = "attrs, transitions"
PACKAGE: Final = "unique_account"

_CHILD: Final = """
import sys, time
before = set(sys.modules)
start = time.perf_counter()
import {names}
seconds = time.perf_counter() - start
loaded = sorted(set(sys.modules) - before)
import json
print(json.dumps([seconds, loaded]))
"""


@frozen
class Import:
    """One import: how long it took, and the modules that it loaded."""

    seconds: float
    loaded: frozenset[str]

    @classmethod
    def of(cls, names: str) -> Import:
        command = [sys.executable, "-I", "-c", _CHILD.format(names=names)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds, loaded = json.loads(done.stdout)
        return cls(seconds, frozenset(loaded))


class StrangeImport(Exception):
    """The bare package loads what is neither its own, nor its dependencies', nor the standard library's."""


def check() -> int:
    """See that the bare package loads no strangers, and say how many modules of its own it loads.

    Raises:
        StrangeImport: It does.
    """
    dependencies, package = Import.of(DEPENDENCIES), Import.of(PACKAGE)
    beyond = package.loaded - dependencies.loaded
    strangers = {name for name in beyond if name.partition(".")[0] not in {PACKAGE, *sys.stdlib_module_names}}
    if strangers:
        raise StrangeImport(f"import {PACKAGE} loads {', '.join(sorted(strangers))}")
    return sum(name.partition(".")[0] == PACKAGE for name in beyond)


def compare() -> Comparison:
    """Import in turn, after a look at what is imported."""
    own = check()
    rounds = [(Import.of(DEPENDENCIES).seconds, Import.of(PACKAGE).seconds) for _ in range(ROUNDS)]
    dependencies = median(first for first, _ in rounds) * 1e3
    package = median(second for _, second in rounds) * 1e3
    beyond = median(second - first for first, second in rounds) * 1e3
    rows: list[Row] = [
        {"import": DEPENDENCIES, "ms": dependencies, "times the dependencies": 1.0},
        {"import": PACKAGE, "ms": package, "times the dependencies": package / dependencies},
        {"import": "the difference", "ms": beyond, "times the dependencies": beyond / dependencies},
    ]
    title = f"Importing, in an interpreter of its own; {own} modules are the package's, none a stranger's"
    aim = Aim("ms to import the package beyond its dependencies", beyond, at_most=60.0)
    return Comparison([Table(title, rows)], [aim])
