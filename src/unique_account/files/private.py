"""Files for their owner alone: they hold who forwards where, who called whom, and what makes tokens bad."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

_OWNERS: Final = stat.S_IRUSR | stat.S_IWUSR
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_BESIDE: Final = ("", "-wal", "-shm", "-journal")
"""What the files are called that SQLite keeps beside its own, which get the rights of that one."""


def make_private(path: Path | str) -> None:
    """Make a SQLite file, empty and for its owner alone, unless it is there or cannot be made.

    It is never opened: closing a file gives up the locks that the process has on it.
    """
    if str(path) not in ("", ":memory:"):
        with suppress(OSError, ValueError):
            os.mknod(path, stat.S_IFREG | _OWNERS)


def keep_private(path: Path | str) -> None:
    """Take a SQLite file of ours, which may be older, and what is beside it from all others."""
    if str(path) not in ("", ":memory:"):
        for beside in _BESIDE:
            with suppress(OSError):  # it is not there, or not our own
                _close_to_others(f"{path}{beside}")


def _close_to_others(path: str) -> None:
    mode = os.stat(path).st_mode
    if stat.S_ISREG(mode) and mode & _OTHERS:
        os.chmod(path, stat.S_IMODE(mode) & ~_OTHERS)
