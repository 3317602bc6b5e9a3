"""Tones that identify a speaker in the recordings of other phones."""

from __future__ import annotations

import math
import struct
import sys
import wave
from array import array
from itertools import cycle, pairwise
from pathlib import Path
from typing import Final

_RATE: Final = 48000
_LOUD: Final = 9000
_SILENCE: Final = 200
"""The mean amplitude, of 32767, below which a window is silent."""

_CHANNELS_AT: Final = 22
_HEADER: Final = 44
"""How many bytes stand before the samples of a WAV file."""

_WINDOWS_PER_SECOND: Final = 5
NEAR: Final = 25
"""By how many hertz a tone may seem another in a recording of a telephone call."""

_tones = cycle(range(400, 3400, 100))
_kept: set[int] = set()


def own_tone() -> int:
    """A frequency in hertz; it comes again only when all others that telephones carry had their turn."""
    return next(tone for tone in _tones if tone not in _kept)


def kept_tone() -> int:
    """A frequency in hertz that never comes again."""
    _kept.add(tone := own_tone())
    return tone


def write_tone(frequency: int, recording: Path, *, seconds: float = 1.0, rate: int = _RATE) -> None:
    """Write a WAV file of a tone; one of whole seconds can be repeated without a break."""
    turn = 2 * math.pi * frequency / rate
    length = round(seconds * rate)
    samples = array("h", (round(_LOUD * math.sin(turn * number)) for number in range(length)))
    _swap(samples)
    with wave.open(str(recording), "wb") as opened:
        opened.setparams((1, samples.itemsize, rate, len(samples), "NONE", "not compressed"))
        opened.writeframes(samples.tobytes())


def read_tone(recording: Path, *, last: float = math.inf) -> int:
    """The frequency of the loudest fifth of a second of a WAV file, in hertz; 0 if all of it is silent.

    The file may be written still: how much it holds is in its header only once it is whole.

    Args:
        recording: The file.
        last: How many seconds at its end are listened to.
    """
    written = recording.read_bytes()
    if len(written) < _HEADER:
        return 0
    channels, rate = struct.unpack_from("<HI", written, _CHANNELS_AT)
    samples = array("h", written[_HEADER : len(written) - len(written) % 2])
    _swap(samples)
    samples = samples[::channels]
    samples = samples[len(samples) - round(min(last * rate, len(samples))) :]
    size = rate // _WINDOWS_PER_SECOND
    windows = [samples[start : start + size] for start in range(0, len(samples) - size + 1, size)]
    loudest = max(windows, key=_amplitude, default=array("h"))
    if _amplitude(loudest) < _SILENCE:
        return 0
    crossings: int = sum((before < 0) != (after < 0) for before, after in pairwise(loudest))
    return crossings * _WINDOWS_PER_SECOND // 2


def _swap(samples: array[int]) -> None:
    # WAV files are little-endian.
    if sys.byteorder == "big":
        samples.byteswap()


def _amplitude(samples: array[int]) -> float:
    return sum(map(abs, samples)) / len(samples) if samples else 0.0
