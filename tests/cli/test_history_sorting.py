"""``history ingest`` of files whose rows come in other orders than they were written in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

import pytest
from attrs import evolve
from click.testing import Result

from tests.cli.history_command import run, users, written
from tests.e2e.scenes.people import USERS
from tests.service.cel_table import RECORDINGS, day
from unique_account.adapters.asterisk.cel.records import CallHistory
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.cli import ingest as ingesting

__all__ = ["users"]


def of_one_node(row: CelRow) -> CelRow:
    """The row without the name of the node, which is another one in each recording."""
    own, linked, extra = (
        re.sub(r"lab-(pbx|mds1)-\w{8}-", "", text) for text in (row.uniqueid, row.linkedid, row.extra)
    )
    return evolve(row, uniqueid=own, linkedid=linked, extra=extra)


SPREAD: Final = [
    of_one_node(row)
    for row in day([(recording, 90_000 * number) for number, recording in enumerate(RECORDINGS)])
]
"""Calls of many days, so that a reader cannot take the next one for a sign that the last one is over."""


def right() -> list[str]:
    """The calls of alice, the newest first."""
    history = CallHistory(USERS)
    history.feed(SPREAD)
    return [one.id for one in reversed(history.rest()) if one.user == "alice"]


SORTINGS: Final[dict[str, Callable[[list[CelRow]], list[CelRow]]]] = {
    "as written": lambda rows: sorted(rows, key=lambda row: row.at),
    "from the end": lambda rows: sorted(rows, key=lambda row: row.at, reverse=True),
    "by kind": lambda rows: sorted(rows, key=lambda row: (row.kind, row.at)),
    "by channel": lambda rows: sorted(rows, key=lambda row: (row.uniqueid, row.at)),
    "by name": lambda rows: sorted(rows, key=lambda row: (row.channel, row.at)),
    "shuffled": lambda rows: Random(7).sample(rows, len(rows)),
}


@pytest.mark.parametrize("sorting", SORTINGS)
class TestSorting:
    """H6: a file of rows in any order is right; if it is too long to be kept, it is refused."""

    def ingested(
        self, sorting: str, capacity: int, tmp_path: Path, users: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Result:
        monkeypatch.setattr(ingesting, "CAPACITY", capacity)
        monkeypatch.setattr(ingesting, "BATCH", 10)
        file = written(tmp_path / "cel.csv", SORTINGS[sorting](SPREAD))
        return run("ingest", file, "--store", tmp_path / "new.db", "--users", users)

    def shown(self, tmp_path: Path) -> list[str]:
        listed = run("alice", "--store", tmp_path / "new.db", "--json", "--size", 1000).output
        return [json.loads(line)["id"] for line in listed.splitlines()]

    def test_any_order_is_right(
        self, sorting: str, tmp_path: Path, users: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done = self.ingested(sorting, len(SPREAD), tmp_path, users, monkeypatch)
        assert (done.exit_code, self.shown(tmp_path)) == (0, right())

    def test_above_the_capacity_it_is_right_or_refused(
        self, sorting: str, tmp_path: Path, users: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done = self.ingested(sorting, len(SPREAD) - 1, tmp_path, users, monkeypatch)
        if sorting == "as written":
            assert (done.exit_code, self.shown(tmp_path)) == (0, right())
        else:
            assert (done.exit_code, self.shown(tmp_path)) == (1, [])
            assert "sort them by eventtime first" in done.output
