"""Inputs that are nearly right: valid samples, cut, repeated, swapped and spliced with hostile words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

_FIELDS: Final = (re.compile(rb"[^\r\n\t:=,;!|&{}\[\]\"']*"), re.compile(rb"[^\r\n\t:=,{}\[\]]*"))
"""What stands between two delimiters: finely, and with its quotation marks."""

_WINDOW: Final = 64
_MOST_REPEATS: Final = (2, 3, 10, 100, 3000)

WORDS: Final[tuple[bytes, ...]] = (
    *(b"", b"\0", b"\r", b"\n", b"\r\n", b"\n\n"),
    *(b"\r\n\n", b"\r\n\r\n", b"\t", b" ", b"\x0b", b"\x1b[2J", b"\x7f"),
    *(b":", b": ", b",", b";", b'"', b"'", b"\\", b"=", b"!"),
    *(b"|", b"[", b"&", b"@", b"%", b"%0d%0a", b"%00", b"#", b"*"),
    *(b"${SHELL(id)}", b"$[1+1]", b"&PJSIP/x", b"../../etc/passwd", b"<script>", b"' OR 1=1 --"),
    *(b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"),
    *(b"\xef\xbb\xbf", b"\\ud800", b"\\udc00\\ud800", b"\\u0000"),
    *map(str.encode, ("é", "\u0663", "\u2028", "\u202e", "\u0085", "\U0001f4a3", "\u00b2", "\ufb01")),
    *(b"0", b"-1", b"1.5", b"65536", b"99999"),
    *(b"100000", b"2147483648", b"9223372036854775808", b"1_000", b"0x10"),
    *(b"9" * 20, b"9" * 400, b"9" * 5000, b"-" + b"9" * 5000, b"1e308", b"1e400", b"1e-400", b"-0.0"),
    *(b"NaN", b"nan", b"inf", b"-inf", b"Infinity", b"-Infinity"),
    *(b"null", b"true", b"false", b"{}", b"[]", b'""'),
    *(b"[" * 100, b"[" * 5000, b'{"a":' * 100, b'{"a":' * 5000, b"{a=" * 2000, b"(" * 1000, b"a." * 2000),
    *(b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-12:00", b"-62135596800", b"253402300799", b"1e11"),
    *(b"a", b"e", b"h", b"i", b"o", b"s", b"t", b"T", b"fax", b"x" * 41, b"x" * 61, b"x" * 300, b"x" * 5000),
)  # fmt: skip
"""What breaks readers: ends of lines, half characters, numbers without end, nesting, the first day of all."""


class Mutator:
    """Makes inputs without end, always the same ones of the same seed.

    Args:
        samples: What is valid.
        words: Words that mean something to what is read, beside those that are hostile to every reader.
        largest: No input is longer, in bytes.
        random: What chooses.
    """

    def __init__(
        self, samples: Sequence[bytes], words: Sequence[bytes], largest: int, random: Random
    ) -> None:
        self._samples = samples
        own = tuple(words) * (1 + len(WORDS) // (2 * len(words))) if words else ()
        self._words: tuple[bytes, ...] = (*WORDS, *own)
        self._largest = largest
        self._random = random

    def next(self) -> bytes:
        """The next input."""
        data = self._random.choice(self._samples)
        for _ in range(1 + min(int(self._random.expovariate(0.8)), 8)):
            data = self._random.choice(_CHANGES)(self, data)
        return data[: self._largest]

    def _word(self) -> bytes:
        return self._random.choice(self._words)

    def _slice(self, data: bytes) -> tuple[int, int]:
        """Where a slice begins and ends; most are short."""
        start = self._random.randint(0, len(data))
        return start, min(len(data), start + int(self._random.expovariate(1 / 40)))

    def _field(self, data: bytes) -> tuple[int, int]:
        """Where a field begins and ends."""
        form = self._random.choice(_FIELDS)
        at = self._random.randint(0, len(data))
        before = data[max(0, at - _WINDOW) : at][::-1]
        start, end = form.match(before), form.match(data, at)
        assert start is not None
        assert end is not None
        return at - start.end(), end.end()

    def _cut(self, data: bytes) -> bytes:
        return data[: self._random.randint(0, len(data))]

    def _without(self, data: bytes) -> bytes:
        start, end = self._slice(data)
        return data[:start] + data[end:]

    def _repeated(self, data: bytes) -> bytes:
        start, end = self._slice(data)
        times = min(self._random.choice(_MOST_REPEATS), 1 + self._largest // max(1, end - start))
        return data[:start] + data[start:end] * times + data[end:]

    def _swapped(self, data: bytes) -> bytes:
        (start, end), (other, last) = sorted((self._slice(data), self._slice(data)))
        other, last = max(end, other), max(end, last)
        return data[:start] + data[other:last] + data[end:other] + data[start:end] + data[last:]

    def _flipped(self, data: bytes) -> bytes:
        at = self._random.randint(0, len(data))
        return (
            data[:at]
            + bytes(byte ^ (1 << self._random.randrange(8)) for byte in data[at : at + 1])
            + data[at + 1 :]
        )

    def _overwritten(self, data: bytes) -> bytes:
        at = self._random.randint(0, len(data))
        return data[:at] + self._random.randbytes(self._random.choice((1, 1, 2, 4, 8))) + data[at + 1 :]

    def _inserted(self, data: bytes) -> bytes:
        at = self._random.randint(0, len(data))
        return data[:at] + self._word() + data[at:]

    def _replaced(self, data: bytes) -> bytes:
        start, end = self._field(data)
        return data[:start] + self._word() + data[end:]

    def _spliced(self, data: bytes) -> bytes:
        other = self._random.choice(self._samples)
        return self._cut(data) + other[self._random.randint(0, len(other)) :]


_CHANGES: Final[tuple[Callable[[Mutator, bytes], bytes], ...]] = (
    Mutator._cut, Mutator._without, Mutator._repeated,
    Mutator._swapped, Mutator._flipped, Mutator._overwritten,
    Mutator._inserted, Mutator._inserted, Mutator._replaced,
    Mutator._replaced, Mutator._replaced, Mutator._spliced,
)  # fmt: skip
"""What is done to an input; fields that are replaced get furthest into a reader."""
