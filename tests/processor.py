"""How long a thread waited for a processor: on a busy machine, that is nobody's fault in a test."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_SCHEDULED: Final = Path("/proc/thread-self/schedstat")


def waited_for_processor() -> float:
    """How many seconds this thread was ready to run, and did not (Linux: proc(5), ``schedstat``)."""
    return int(_SCHEDULED.read_text("ascii").split()[1]) / 1e9
