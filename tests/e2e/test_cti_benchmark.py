"""The comparison `cti` runs from its first log-in to its last: nobody runs it whole with every change."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks import cti

pytestmark = pytest.mark.e2e


class TestTheComparison:
    """S1, S5, P5: sockets are held, come back after a restart, and receive a presence."""

    def test_runs_with_a_few(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        few = {"SOCKETS": 6, "WATCHERS": 3, "ROUNDS": 2, "IDLE": 0.1}
        for name, value in few.items():
            monkeypatch.setattr(cti, name, value)
        asyncio.run(cti.held("first", "cti", str(tmp_path)))
        row, fan_out = asyncio.run(cti.held("again", "cti", str(tmp_path), watch=True))
        assert row["sockets"] == 6
        assert (fan_out["watchers"], fan_out["rounds"]) == (3, 2)
