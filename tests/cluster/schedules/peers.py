"""When the process began that is at the other end of a connection, as the kernel knows it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def beginning(port: int) -> float:
    """When the process began that has a connection from a port of loopback; now, if it is gone already."""
    inode = _inode(port)
    for pid in _processes() if inode else ():
        with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as descriptors:
            for descriptor in descriptors:
                with suppress(OSError):
                    if os.readlink(descriptor.path) == f"socket:[{inode}]":
                        return _began(pid)
    return time.monotonic()


def _inode(port: int) -> str:
    for line in Path("/proc/thread-self/net/tcp").read_text("ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{port:04X}") and fields[9] != "0":
            return fields[9]
    return ""


def _processes() -> Iterator[str]:
    own = str(os.getpid())
    return (name for name in os.listdir("/proc") if name.isdigit() and name != own)


def _began(pid: str) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return int(fields[19]) / _TICKS
