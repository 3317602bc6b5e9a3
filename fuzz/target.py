"""What is fuzzed: a reader's samples and the check that every input must pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from random import Random

from attrs import frozen

Check = Callable[[bytes], object]
"""Passes an input to a reader; whatever it raises is a finding."""


class Broken(Exception):
    """A reader has broken a promise; the sentence says which."""


def require(kept: object, promise: str) -> None:
    """A promise that a reader has to keep.

    Raises:
        Broken: It is not kept.
    """
    if not kept:
        raise Broken(promise)


def plain(check: Check) -> Callable[[], AbstractContextManager[Check]]:
    """A check that needs nothing opened before it."""
    return lambda: nullcontext(check)


@frozen(weakref_slot=False, kw_only=True)
class Target:
    """One reader under fuzzing.

    Attributes:
        name: Its name on the command line.
        samples: Makes what is valid, as bytes.
        opened: Opens what the check needs, such as a server, and gives the check.
        words: Words that mean something to it.
        largest: No input is longer, in bytes; enough for a time that is not linear to show.
        rounds: How many inputs the short run of the tests gives it.
        allowed: How many seconds of the processor any input may take, beside 2 µs for each byte.
    """

    name: str
    samples: Callable[[], Sequence[bytes]]
    opened: Callable[[], AbstractContextManager[Check]]
    words: tuple[bytes, ...] = ()
    largest: int = 1 << 16
    rounds: int = 150
    allowed: float = 0.15


def text_of(data: bytes) -> str:
    """Any bytes as text, in which what is no UTF-8 stays as half characters."""
    return data.decode("utf-8", "surrogateescape")


def is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def pieces(data: bytes) -> Iterator[bytes]:
    """The data cut at places that depend on nothing else: short data at every byte, longer at some."""
    random = Random(data)
    places = range(len(data)) if len(data) < 200 else sorted(random.choices(range(len(data)), k=12))
    last = 0
    for place in places:
        yield data[last:place]
        last = place
    yield data[last:]


def printable(*texts: str) -> bool:
    """Whether texts can be written as UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in "".join(texts))


def windows(parts: Sequence[bytes], size: int) -> Iterable[bytes]:
    """Runs of so many parts, one beginning where the other ends."""
    return (b"".join(parts[start : start + size]) for start in range(0, len(parts), size))
