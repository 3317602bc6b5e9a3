"""How many files and sockets the process may have open."""

from __future__ import annotations

import resource
from typing import Final

RESERVED: Final = 256
"""How many descriptors are left for all else: the monitor's connections, databases, PBXs, files."""


def raise_limit() -> None:
    """Let the process open as many as it may let itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def room(wanted: int) -> int:
    """How many connections there may be, of so many that are wanted."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(min(wanted, soft - RESERVED), 1)
