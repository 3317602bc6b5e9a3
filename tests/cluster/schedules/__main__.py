"""``python -m tests.cluster.schedules``: run schedules, and print what violates an invariant."""

from __future__ import annotations

import argparse
import asyncio
import sys

from lab.network import own_network
from tests.cluster.schedules.directed import DIRECTED
from tests.cluster.schedules.run import Verdict, run
from tests.cluster.schedules.world import world


async def judge(seeds: range, fault: str, directed: str, show: bool) -> int:
    """Run the seeds one after the other in one world; returns how many violate something."""
    wrong = 0
    async with world(seeds[0], fault) as at:
        for seed in seeds:
            verdict = await run(at, seed, DIRECTED[directed] if directed else None)
            print(summary(verdict), flush=True)
            if verdict.violations:
                wrong += 1
                if show:
                    print(verdict.text)
    return wrong


def summary(verdict: Verdict) -> str:
    """A run in one line, and its violations in further ones."""
    troubles = "; ".join(what for _, what in verdict.story if not what.startswith("no more"))
    lines = [f"seed {verdict.seed}: {verdict.seconds:.1f} s; {troubles}"]
    for number, sentences in verdict.violations.items():
        lines += [f"  {number}: {sentence}" for sentence in sentences[:5]]
    return "\n".join(lines)


def main() -> None:
    """Read the command line, and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.schedules", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many schedules to run")
    parser.add_argument("--first", type=int, default=1, help="the first seed; the others follow it")
    parser.add_argument("--fault", default="", help="the planted fault")
    parser.add_argument("--directed", default="", help="the fault whose own schedule is run")
    parser.add_argument("--history", action="store_true", help="print the history of what fails")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    with own_network():
        sys.exit(1 if asyncio.run(judge(seeds, given.fault, given.directed, given.history)) else 0)


if __name__ == "__main__":
    main()
