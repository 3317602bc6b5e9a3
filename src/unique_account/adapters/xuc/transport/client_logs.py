"""The logs of XiVO's client, `pushLogToServer`: they come often and large, and are thrown away."""

from __future__ import annotations

import re
from typing import Final

LARGEST_LOG: Final = 256 * 1024
"""How many bytes one of them may have."""

AT_ONCE: Final = 1024 * 1024
PER_SECOND: Final = 256 * 1024.0
"""How many bytes of them are read at once, and how many a second after that."""

LEAST: Final = 1024
"""As how many bytes a short one counts."""

_LOG: Final = re.compile(rb'\s*{\s*"claz"\s*:\s*"web"\s*,\s*"command"\s*:\s*"pushLogToServer"\s*[,}]')


def is_log(beginning: bytes) -> bool:
    """Whether a message that begins so is a log, as that client writes it."""
    return _LOG.match(beginning) is not None


class LogRate:
    """Counts the bytes of one client's logs."""

    __slots__ = ("_left", "_then")

    def __init__(self, now: float) -> None:
        self._left = float(AT_ONCE)
        self._then = now

    def wait(self, now: float, size: int) -> float:
        """Count bytes; returns how many seconds to wait before more is read."""
        self._left = min(AT_ONCE, self._left + (now - self._then) * PER_SECOND) - max(size, LEAST)
        self._then = now
        return max(-self._left / PER_SECOND, 0.0)
