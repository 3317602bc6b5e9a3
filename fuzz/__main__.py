"""``python -m fuzz`` fuzzes every target, or the named ones; ``python -m fuzz attacks`` reruns the attacks.

Each finding is printed with the command that reproduces it, and its input is saved in the folder ``found``.
The exit code is 1 then.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import SystemRandom
from typing import Final

from fuzz.run import Found, fault_of, run, shorter
from fuzz.target import Target
from fuzz.targets import TARGETS

FOUND: Final = Path("found")


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments want; returns the exit code."""
    if arguments[:1] == ["attacks"]:
        from fuzz.attacks.table import main as attack

        return attack(arguments[1:])
    asked = _asked(arguments)
    if asked.again is not None:
        return _again(asked.again, [TARGETS[name] for name in asked.names])
    seed = SystemRandom().getrandbits(32) if asked.seed is None else asked.seed
    print(f"seed {seed}", flush=True)
    targets = [TARGETS[name] for name in asked.names or TARGETS]
    return max([_fuzz(target, seed, asked.rounds, asked.seconds / len(targets)) for target in targets])


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long, all targets together (60)")
    parser.add_argument("--rounds", type=int, help="how many inputs for each target at most")
    parser.add_argument("--seed", type=int, help="makes the inputs; another one each time by default")
    parser.add_argument("--again", type=Path, metavar="FILE", help="give the named targets this input")
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.names) - set(TARGETS)):
        parser.error(f"no target is called {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    return asked


def _fuzz(target: Target, seed: int, rounds: int | None, seconds: float) -> int:
    ran = run(target, seed, rounds=rounds, seconds=seconds)
    per_second = ran.rounds / ran.seconds
    print(
        f"{target.name}: {ran.rounds:,} inputs, {per_second:,.0f} a second, {len(ran.found)} found",
        flush=True,
    )
    with target.opened() as check:
        for found in ran.found:
            _report(shorter(found, partial(fault_of, target, check)))
    return int(bool(ran.found))


def _report(found: Found) -> None:
    FOUND.mkdir(exist_ok=True)
    file = FOUND / f"{found.target}-{sha256(found.data).hexdigest()[:12]}"
    file.write_bytes(found.data)
    print(f"  {found}\n  {found.data[:120]!r}\n  python -m fuzz {found.target} --again {file}", flush=True)


def _again(file: Path, targets: Sequence[Target]) -> int:
    """Give an input to targets, and show all of what is raised."""
    for target in targets:
        with target.opened() as check:
            check(file.read_bytes())
        print(f"{target.name}: stands it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
