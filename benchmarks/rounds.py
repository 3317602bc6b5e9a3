"""Rounds: in each, every contender runs once, so that a noisy moment of the machine meets them all.

What is told of a contender is its median over the rounds, and how it compares with another is the median
of the ratios within one round, so that a machine that slows down for a while does not take sides. Time is
the processor time of this process, since other processes share the machine.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from time import process_time
from timeit import Timer

from attrs import frozen


@frozen
class Contender:
    """What runs once in every round.

    Attributes:
        name: How the table calls it.
        run: Runs it.
        operations: How many operations one run is.
    """

    name: str
    run: Callable[[], object]
    operations: int = 1


@frozen
class Timing:
    """What the rounds come to for one contender.

    Attributes:
        rounds: The seconds that one operation took in each.
    """

    rounds: Sequence[float]

    @property
    def seconds(self) -> float:
        return median(self.rounds)

    @property
    def nanoseconds(self) -> float:
        return self.seconds * 1e9

    @property
    def microseconds(self) -> float:
        return self.seconds * 1e6

    def over(self, other: Timing) -> float:
        """How many times the other's time it takes: the median of what the same rounds say."""
        return median(one / two for one, two in zip(self.rounds, other.rounds, strict=True))


def statement(
    name: str, source: str, names: dict[str, object], *, operations: int = 1, times: int = 5000
) -> Contender:
    """A contender that runs a statement many times, without a function call around it.

    Args:
        name: How the table calls it.
        source: The statement.
        names: What its names mean.
        operations: How many operations the statement is.
        times: How often one run repeats it.
    """
    timer = Timer(source, globals=dict(names))
    return Contender(name, partial(timer.timeit, times), operations * times)


def interleave(*contenders: Contender, rounds: int = 21) -> dict[str, Timing]:
    """Run the contenders in turn, round after round.

    As in ``timeit`` there is no garbage collection inside a run; it happens between two of them.
    """
    spent: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for contender in contenders:
        contender.run()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for _ in range(rounds):
            for contender in contenders:
                spent[contender.name].append(_seconds(contender))
                gc.collect()
    finally:
        gc.enable()
        gc.unfreeze()
    return {name: Timing(each) for name, each in spent.items()}


def _seconds(contender: Contender) -> float:
    start = process_time()
    contender.run()
    return (process_time() - start) / contender.operations
