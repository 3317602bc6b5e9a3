"""The loop: input after input through a check, under a limit of time, and what it found."""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, count
from random import Random
from types import FrameType
from typing import Final

from attrs import field, frozen

from fuzz.mutation import Mutator
from fuzz.target import Broken, Check, Target

HANGS_AFTER: Final = 30
"""After how many seconds an input is given up."""

ENOUGH: Final = 8
"""After so many different findings a target is left alone."""

SLOW: Final = "slow"
"""The place of a finding that is one of time."""

A_BYTE: Final = 2e-6
"""How many seconds of the processor each byte of an input may take, beside what its target allows."""


class Hangs(BaseException):
    """An input takes for ever; no `Exception`, so that no reader takes it for one of its own."""


@frozen(weakref_slot=False)
class Found:
    """An input that a reader does not stand.

    Attributes:
        target: The reader.
        data: The input.
        error: What was raised.
        place: Where, as a file and a line, so that two inputs of one fault count once.
    """

    target: str
    data: bytes
    error: BaseException = field(eq=False)
    place: str

    def __str__(self) -> str:
        return f"{self.target}: {type(self.error).__name__}: {str(self.error)[:200]} [{self.place}]"


@frozen(weakref_slot=False)
class Ran:
    """A target's run: how many inputs, in how many seconds, and what was found."""

    target: str
    rounds: int
    seconds: float
    found: tuple[Found, ...]


def run(target: Target, seed: int, *, rounds: int | None = None, seconds: float | None = None) -> Ran:
    """Give a target samples as they are, then inputs made of them, until one limit is reached.

    Args:
        target: What is fuzzed.
        seed: Makes the inputs; the same seed, the same inputs.
        rounds: How many inputs; None: no limit.
        seconds: For how long; None: no limit.
    """
    samples = target.samples()
    random = Random(f"{seed} {target.name}")
    mutator = Mutator(samples, target.words, target.largest, random)
    first = random.sample(samples, min(len(samples), (rounds or 3 * len(samples)) // 3))
    began, found, done = time.monotonic(), dict[str, Found](), 0
    with target.opened() as check:
        for data in chain(first, iter(mutator.next, None)):
            if done == rounds or len(found) == ENOUGH:
                break
            if seconds is not None and time.monotonic() - began > seconds:
                break
            done += 1
            if fault := fault_of(target, check, data):
                found.setdefault(fault.place, fault)
    return Ran(target.name, done, time.monotonic() - began, tuple(found.values()))


def fault_of(target: Target, check: Check, data: bytes) -> Found | None:
    """What is wrong with how a target takes an input; None for nothing."""
    try:
        with _limit():
            _timed(target, check, data)
    except (Exception, Hangs) as error:
        return Found(target.name, data, error, _place(error))
    return None


def _timed(target: Target, check: Check, data: bytes) -> None:
    """Check an input; one that was slow is checked again, since the machine may have been so."""
    limit = target.allowed + len(data) * A_BYTE
    for attempt in count(1):
        began = time.process_time()
        check(data)
        took = time.process_time() - began
        if took <= limit:
            return
        if attempt == 3:
            raise Broken(f"{len(data)} bytes take {took:.2f} s of the processor; at most {limit:.2f} s")


@contextmanager
def _limit() -> Iterator[None]:
    def give_up(_: int, __: FrameType | None) -> None:
        raise Hangs(f"it takes more than {HANGS_AFTER} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, HANGS_AFTER)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _place(error: BaseException) -> str:
    """The innermost place in the product; of a broken promise the promise itself."""
    if isinstance(error, Broken):
        return str(error).partition(":")[0] if "bytes take" not in str(error) else SLOW
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "unique_account" in frame.filename] or list(frames)
    return f"{type(error).__name__} {ours[-1].filename.rpartition('unique_account/')[2]}:{ours[-1].lineno}"


def shorter(found: Found, check: Callable[[bytes], Found | None]) -> Found:
    """The same finding by an input that is as short as a few hundred attempts make it.

    What is too deep or too slow stays as it is: made short it would be so by chance only.
    """
    if isinstance(found.error, (RecursionError, Hangs)) or found.place == SLOW:
        return found
    size, left = len(found.data) // 2, 300
    while size and left:
        for start in range(0, len(found.data), size):
            left -= 1
            less = check(found.data[:start] + found.data[start + size :])
            if less is not None and less.place == found.place:
                found = less
                break
            if not left:
                break
        else:
            size //= 2
    return found
