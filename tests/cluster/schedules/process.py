"""A process ``unique-account serve`` of a run: short waits, a wall clock that steps, and a planted fault."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Final

from tests.cluster.schedules.faults import FAULTS, replace
from unique_account.__main__ import main
from unique_account.adapters.system_clock import SystemClock
from unique_account.adapters.xuc import XucCti, server
from unique_account.serve import nodes

FAULT: Final = "SCHEDULES_FAULT"
"""The environment variable that names the fault; empty: none."""

STEP: Final = "SCHEDULES_STEP"
"""The environment variable that names the file with the seconds by which the wall clock is ahead."""

USED: Final = ("health", "people_file", "postgresql", "prometheus", "xuc")
"""Adapters that are imported at once: on a busy machine an owner would be late by this alone."""

COMMITS_WITHIN: Final = 0.1
"""How long the nodes of a run may take to store an epoch; they never lose what they have."""


def wall_clock() -> float:
    """The wall clock, as far as it was stepped."""
    try:
        return time.time() + float(Path(os.environ[STEP]).read_text("utf-8"))
    except FileNotFoundError:
        return time.time()


def prepare() -> None:
    """Change what a run cannot wait for, and plant the fault."""
    now = SystemClock.now

    def stepped(clock: SystemClock) -> datetime:
        return now(clock) + timedelta(seconds=wall_clock() - time.time())

    def stepped_now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=wall_clock() - time.time())

    replace(SystemClock, "now", stepped)
    defaults = XucCti.__init__.__defaults__ or ()
    stepping = tuple(stepped_now if default is server._now else default for default in defaults)
    replace(XucCti.__init__, "__defaults__", stepping)
    replace(nodes, "COMMITS_WITHIN", COMMITS_WITHIN)
    for adapter in USED:
        import_module(f"unique_account.adapters.{adapter}")
    if name := os.environ.get(FAULT, ""):
        FAULTS[name].plant()


if __name__ == "__main__":
    prepare()
    main()
