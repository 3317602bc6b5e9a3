"""Three real processes under random faults: the checker finds nothing, and each planted fault it finds.

They measure times, so nothing else runs beside them but each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from random import SystemRandom

import pytest

from tests.cluster.schedules.__main__ import summary
from tests.cluster.schedules.directed import DIRECTED, Steps
from tests.cluster.schedules.faults import FAULTS
from tests.cluster.schedules.run import Verdict, run
from tests.cluster.schedules.world import world

RUNS = 50
AT_ONCE = 2
"""How many worlds there are at once."""

ATTEMPTS = 3
"""How often the schedule of a fault is run at most."""

pytestmark = [pytest.mark.usefixtures("network"), pytest.mark.alone]

Job = tuple[int, str, Steps | None]
"""A seed, a planted fault, and what is done in place of what the seed draws."""


def verdicts(worlds: Iterable[Sequence[Job]]) -> list[Verdict]:
    """Run schedules: those of one world one after the other, some worlds side by side."""
    places = asyncio.Semaphore(AT_ONCE)

    async def runs(jobs: Sequence[Job]) -> list[Verdict]:
        async with places, world(jobs[0][0], jobs[0][1]) as at:
            return [await run(at, seed, steps) for seed, _, steps in jobs]

    async def all_runs() -> list[Verdict]:
        done = await asyncio.gather(*map(runs, worlds))
        return [verdict for found in done for verdict in found]

    return asyncio.run(all_runs())


def accept(done: Sequence[Verdict]) -> None:
    """Fail with what violates something; `nox -s schedules -- --first SEED --history` runs a seed again."""
    print(*map(summary, done), sep="\n")
    if wrong := [verdict for verdict in done if verdict.violations]:
        print(*(verdict.text for verdict in wrong), sep="\n")
        pytest.fail("\n".join(map(summary, wrong)), pytrace=False)


def test_whatever_befalls_them_no_invariant_is_violated() -> None:
    first = SystemRandom().randrange(1, 1_000_000)
    seeds = range(first, first + RUNS)
    worlds = [[(seed, "", None) for seed in seeds[place::AT_ONCE]] for place in range(AT_ONCE)]
    accept(verdicts(worlds))


def test_each_planted_fault_is_found_by_its_invariant() -> None:
    missed, done = list(FAULTS), list[Verdict]()
    for attempt in range(ATTEMPTS):  # on a machine that stands still, times prove nothing
        found = verdicts([(attempt, fault, DIRECTED[fault])] for fault in missed)
        done += found
        missed = [
            fault
            for fault, verdict in zip(missed, found, strict=True)
            if not FAULTS[fault].invariants & verdict.violations.keys()
        ]
    print(*map(summary, done), sep="\n")
    assert missed == []


def test_without_the_faults_the_same_schedules_violate_nothing() -> None:
    jobs = [(place, "", steps) for place, steps in enumerate(dict.fromkeys(DIRECTED.values()))]
    worlds = [jobs[place::AT_ONCE] for place in range(AT_ONCE)]
    accept(verdicts(worlds))
