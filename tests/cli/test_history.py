"""``history``: calls as people and spreadsheets see them, and how they come into the log."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from attrs import evolve
from rich.console import Console
from rich.progress import Progress

from tests.cli.history_command import MISSED, NINE, add, run, users, written
from tests.e2e.scenes.people import USERS
from tests.service.cel_table import RECORDINGS, columns, day
from tests.service.expected_history import AFTERWARDS, expected
from unique_account.adapters.memory import SettableClock
from unique_account.adapters.sqlite import SqliteCallLog
from unique_account.cli import exits
from unique_account.cli import history as module
from unique_account.cli import ingest as ingesting
from unique_account.core.account import Direction
from unique_account.core.errors import Unreachable
from unique_account.core.history import CallRecord, HistoryStatus
from unique_account.core.machine import Device
from unique_account.service.call_log_ingest import CallLogIngest

__all__ = ["users"]

ANSWERED = CallRecord(
    id="2.1",
    user="alice",
    start=NINE + timedelta(minutes=1),
    status=HistoryStatus.ANSWERED,
    direction=Direction.INCOMING,
    device=Device.WEBRTC,
    peer="+33612345678",
    peer_name="=HYPERLINK(1)",
    answered=NINE + timedelta(minutes=1, seconds=2),
    ended=NINE + timedelta(minutes=2, seconds=3),
)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "calls.db"
    add(path, [MISSED, ANSWERED])
    return path


class TestForget:
    """Retention by age: calls that began before so many days are deleted, and no others."""

    def test_it_deletes_what_is_older(self, store: Path) -> None:
        yesterday = evolve(MISSED, id="9.1", start=datetime.now(UTC) - timedelta(days=1))
        add(store, [yesterday])
        shown = run("forget", "--days", 2, "--store", store)
        assert (shown.exit_code, shown.output) == (0, "2 entries of the history were deleted\n")
        assert [json.loads(line)["id"] for line in lines("alice", "--store", store, "--json")] == ["9.1"]
        assert run("forget", "--days", 2, "--store", store).output.startswith("0 entries")

    def test_one_is_one(self, tmp_path: Path) -> None:
        path = tmp_path / "one.db"
        add(path, [MISSED])
        deleted = run("forget", "--days", 2, "--store", path).output
        assert deleted == "1 entry of the history was deleted\n"

    def test_machines_get_a_number(self, store: Path) -> None:
        assert json.loads(run("forget", "--days", 2, "--store", store, "--json").output) == {"deleted": 2}

    def test_it_must_be_told_how_old(self, store: Path) -> None:
        shown = run("forget", "--store", store)
        assert shown.exit_code == 2
        assert "'--days'" in shown.output
        assert len(lines("alice", "--store", store)) == 2

    def test_it_makes_no_file(self, tmp_path: Path) -> None:
        shown = run("forget", "--days", 1, "--store", tmp_path / "calls.db")
        assert shown.exit_code == 2
        assert list(tmp_path.iterdir()) == []


def lines(*arguments: object) -> list[str]:
    return run(*arguments).output.splitlines()


class TestList:
    """H1, H4, H5: one list, newest first, by count, by days, by party."""

    def test_it_shows_the_newest_first(self, store: Path) -> None:
        shown = run("alice", "--store", store)
        assert shown.output.splitlines() == [
            "2026-01-05 09:01:00Z  answered  webrtc     <- +33612345678 =HYPERLINK(1)  0:01:01",
            "2026-01-05 09:00:00Z  missed    -          <- 1002",
        ]

    def test_a_count_ends_it_and_a_search_chooses(self, store: Path) -> None:
        assert run("alice", "--store", store, "--size", 1).output.count("\n") == 1
        found = run("alice", "--store", store, "--search", "100 2").output
        assert found.count("\n") == 1
        assert "1002" in found

    def test_days_count_from_now(self, store: Path) -> None:
        recent = evolve(MISSED, id="3.1", start=datetime.now(UTC) - timedelta(days=2), peer="1003")
        add(store, [recent])
        assert run("alice", "--store", store, "--days", 1).output == ""
        assert "1003" in run("alice", "--store", store, "--days", 3).output

    def test_all_pages_of_the_days_are_shown(self, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MAX_SIZE", 2)
        now = datetime.now(UTC)
        add(store, [evolve(MISSED, id=f"{n}.2", start=now - timedelta(hours=n)) for n in range(1, 6)])
        assert run("alice", "--store", store, "--days", 1).output.count("\n") == 5
        assert run("alice", "--store", store, "--size", 3).output.count("\n") == 3

    def test_json_has_every_field(self, store: Path) -> None:
        line = run("alice", "--store", store, "--json", "--size", 1).output
        entry = json.loads(line)
        assert (entry["status"], entry["device"], entry["duration"]) == ("answered", "webrtc", 61.0)
        assert entry["start"] == "2026-01-05T09:01:00+00:00"

    def test_csv_is_no_formula_for_a_spreadsheet(self, store: Path) -> None:
        names = ["=1+1", "+1+cmd|' /C calc'!A0", "-2", "@SUM(1)", "\tx", "a,b\n=c"]
        add(store, [evolve(MISSED, id=f"{n}.3", peer_name=name) for n, name in enumerate(names)])
        rows = list(csv.DictReader(io.StringIO(run("alice", "--store", store, "--csv").output, newline="")))
        shown = {row["peer_name"] for row in rows}
        assert shown >= {"'=1+1", "'+1+cmd|' /C calc'!A0", "-2", "'@SUM(1)", "'\tx", "a,b\n=c"}
        assert all(not row["peer_name"].startswith(("=", "@", "\t")) for row in rows)
        assert rows[0]["peer"] == "+33612345678"

    def test_no_terminal_is_steered_by_a_name(self, store: Path) -> None:
        add(store, [evolve(MISSED, id="9.9", peer_name="\x1b]0;owned\x07\nforged")])
        shown = run("alice", "--store", store).output
        assert "\x1b" not in shown
        assert shown.count("\n") == 3

    def test_a_missing_file_is_not_made(self, tmp_path: Path) -> None:
        refused = run("alice", "--store", tmp_path / "none.db")
        assert refused.exit_code == 2
        assert "there is no file" in refused.output
        assert list(tmp_path.iterdir()) == []

    def test_a_user_may_be_called_as_a_command_is(self, store: Path) -> None:
        add(store, [evolve(MISSED, user="ingest")])
        assert run("list", "ingest", "--store", store).output.count("\n") == 1

    def test_following_shows_what_comes_and_what_changes(
        self, store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Enough(Exception):
            pass

        waits = iter(
            ([evolve(MISSED, id="5.1", start=NINE + timedelta(hours=1))], [evolve(MISSED, peer_name="Bob")])
        )

        async def wait(_: float) -> None:
            try:
                fresh = next(waits)
            except StopIteration:
                raise Enough from None
            async with aclosing(SqliteCallLog(store)) as log:
                await log.add(fresh)

        monkeypatch.setattr("asyncio.sleep", wait)
        shown = run("alice", "--store", store, "--follow")
        assert isinstance(shown.exception, Enough)
        assert [line[11:19] for line in shown.output.splitlines()] == [
            "09:00:00",
            "09:01:00",
            "10:00:00",
            "09:00:00",
        ]
        assert shown.output.splitlines()[-1].endswith("1002 Bob")

    def test_following_shows_no_more_of_what_was_than_was_asked_for(
        self, store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waits = iter((None, None))

        async def wait(_: float) -> None:
            next(waits)

        monkeypatch.setattr("asyncio.sleep", wait)
        assert run("alice", "--store", store, "--follow", "--size", 1).output.count("\n") == 1

    @pytest.mark.parametrize("name", ["שלום", "مرحبا 7"])
    def test_what_is_written_from_right_to_left_turns_nothing_else_round(
        self, name: str, store: Path
    ) -> None:
        add(store, [evolve(ANSWERED, id="9.9", peer_name=name)])
        line = next(line for line in run("alice", "--store", store).output.splitlines() if name in line)
        assert line.endswith(f"<- \u2068+33612345678 {name}\u2069  0:01:01")


class TestIngest:
    """H6: what a PBX wrote becomes history once, however often it is taken in."""

    def test_a_file_becomes_history(self, tmp_path: Path, users: Path) -> None:
        rows = day([(recording, 2 * number) for number, recording in enumerate(RECORDINGS)])
        file, store = written(tmp_path / "cel.csv", rows), tmp_path / "new.db"
        entries = [entry for entry in expected(rows) if entry.user == "alice"]
        for _ in range(2):
            done = run("ingest", file, "--store", store, "--users", users)
            assert done.exit_code == 0
            assert (
                done.output
                == f"{len(rows)} rows read, {len(expected(rows))} entries made, 0 rows not understood\n"
            )
            shown = run("alice", "--store", store, "--json", "--size", 1000).output.splitlines()
            assert [json.loads(line)["id"] for line in shown] == [entry.id for entry in entries]

    def test_a_row_that_cannot_be_read_is_named_and_passed_by(self, tmp_path: Path, users: Path) -> None:
        file = written(tmp_path / "cel.csv", RECORDINGS[0].rows)
        file.write_text(file.read_text("utf-8") + "HANGUP,yesterday,,,,,,,,,1.1,1.1\n", "utf-8")
        done = run("ingest", file, "--store", tmp_path / "new.db", "--users", users)
        assert f"row {len(RECORDINGS[0].rows) + 2}: a row of CEL is not understood: eventtime" in done.output
        assert "1 row not understood" in done.output

    def test_a_file_of_which_no_row_is_understood_is_an_error(self, tmp_path: Path, users: Path) -> None:
        file = tmp_path / "cel.csv"
        names = "eventtype,eventtime,uniqueid,linkedid,channame\n"
        file.write_text(names + 2 * "HANGUP,yesterday,1.1,1.1,PJSIP/a-1\n", "utf-8")
        refused = run("ingest", file, "--store", tmp_path / "new.db", "--users", users)
        assert refused.exit_code == 1
        assert "2 rows read, 0 entries made, 2 rows not understood\n" in refused.output
        assert refused.output.endswith(f"Error: {file}: no row was understood, of 2\n")
        file.write_text(names, "utf-8")
        assert run("ingest", file, "--store", tmp_path / "new.db", "--users", users).exit_code == 0

    def test_a_line_that_is_no_csv_is_named_and_passed_by(self, tmp_path: Path, users: Path) -> None:
        made = day([(RECORDINGS[0], 0)])
        file, store = written(tmp_path / "cel.csv", made), tmp_path / "new.db"
        names, *rows = file.read_text("utf-8").splitlines(keepends=True)
        file.write_text("".join((names, rows[0], f"HANGUP,{'x' * 200_000}\n", *rows[1:])), "utf-8")
        done = run("ingest", file, "--store", store, "--users", users)
        assert done.exit_code == 0
        assert "row 3: a row of CEL is not understood: the line is no CSV" in done.output
        assert f"{len(rows)} rows read, {len(expected(made))} entries made" in done.output
        assert "1 row not understood" in done.output

    def test_a_line_without_an_end_is_read_in_parts(
        self, tmp_path: Path, users: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ingesting, "_LONGEST", 1000)
        file = written(tmp_path / "cel.csv", RECORDINGS[0].rows)
        file.write_text(file.read_text("utf-8") + "x" * 3500, "utf-8")
        done = run("ingest", file, "--store", tmp_path / "new.db", "--users", users)
        assert (done.exit_code, "4 rows not understood" in done.output) == (0, True)

    @pytest.mark.parametrize(
        ("first", "lacks"),
        [
            ('"CHAN_START","1699999999"\n', "eventtype, eventtime, uniqueid, linkedid, channame"),
            ("", "eventtype, eventtime, uniqueid, linkedid, channame"),
            ("x" * 200_000, "eventtype, eventtime, uniqueid, linkedid, channame"),
            ("eventtype,eventtime,linkedid,channame\n", "uniqueid"),
        ],
    )
    def test_a_file_without_names_of_columns_is_refused(
        self, first: str, lacks: str, tmp_path: Path, users: Path
    ) -> None:
        file = tmp_path / "cel.csv"
        file.write_text(first, "utf-8")
        refused = run("ingest", file, "--store", tmp_path / "new.db", "--users", users)
        assert refused.exit_code == 1
        sentence = "the first line must name the columns of a cel table, between commas; it lacks"
        assert refused.output == f"Error: {sentence} {lacks}\n"

    def test_a_pipe_is_a_file(self, tmp_path: Path, users: Path) -> None:
        file, pipe = written(tmp_path / "cel.csv", RECORDINGS[0].rows), tmp_path / "pipe"
        os.mkfifo(pipe)
        writer = Thread(target=pipe.write_bytes, args=(file.read_bytes(),))
        writer.start()
        done = run("ingest", pipe, "--store", tmp_path / "new.db", "--users", users)
        writer.join()
        assert done.exit_code == 0
        assert f"{len(RECORDINGS[0].rows)} rows read" in done.output

    def test_wrong_usage_is_said(self, tmp_path: Path, users: Path) -> None:
        store = tmp_path / "new.db"
        missing = run("ingest", tmp_path / "none.csv", "--store", store, "--users", users)
        assert (missing.exit_code, "No such file" in missing.output) == (2, True)
        folder = run("ingest", tmp_path, "--store", store, "--users", users)
        assert (folder.exit_code, "Is a directory" in folder.output) == (2, True)
        for of_a_database in (("--follow",), ("--table", "cel")):
            done = run("ingest", users, "--store", store, "--users", users, *of_a_database)
            assert (done.exit_code, "need a database" in done.output) == (2, True)
        assert run("ingest", users, "--store", store, "--users", users, "--zone", "Mars/Base").exit_code == 2


class Cel:
    """A ``cel`` table that is lost before a read, as often as it is told to be.

    Its numbers begin late and have holes, as those of a table do of which old rows are taken away.
    """

    def __init__(self, rows: Iterable[Any], lost: Iterable[int]) -> None:
        self.name = "cel"
        self.rows = [(10_000 + 2 * number, columns(row)) for number, row in enumerate(rows)]
        self._lost = set(lost)
        self._reads = 0

    def __call__(self, *_: str) -> Cel:
        return self

    async def aclose(self) -> None:
        pass

    async def left(self, row: int) -> int:
        return sum(number > row for number, _ in self.rows)

    async def after(self, row: int, limit: int) -> Sequence[tuple[int, Any]]:
        self._reads += 1
        if self._reads in self._lost:
            raise Unreachable("it is gone")
        return [one for one in self.rows if one[0] > row][: min(limit, 20)]


def taking_in(
    cel: Cel, monkeypatch: pytest.MonkeyPatch, store: Path, *, follow: bool
) -> tuple[Progress, list[str]]:
    """Take a table in, until it follows; the progress bar, and how far that came at each report."""
    monkeypatch.setattr(ingesting, "find_adapter", lambda *_: cel)
    monkeypatch.setattr(exits, "AGAIN", 0)
    monkeypatch.setattr(ingesting, "SystemClock", lambda: SettableClock(AFTERWARDS))
    monkeypatch.setattr(CallLogIngest, "_waited", lambda *_: True)
    monkeypatch.setattr(CallLogIngest, "follow", lambda _: asyncio.sleep(0))
    said = io.StringIO()
    progress = Progress(console=Console(file=said, force_terminal=False), disable=True)
    work = ingesting._Work(USERS, UTC, progress)
    take = work.follow if follow else work.table
    asyncio.run(take("postgresql://", "cel", str(store)))
    return progress, said.getvalue().splitlines()


class TestIngestOfTables:
    """H6: a database that is lost is read on from where it was, and how far it is shows."""

    ROWS = day([(recording, 2 * number) for number, recording in enumerate(RECORDINGS[:6])])

    @pytest.mark.parametrize("lost", [(), (1,), (1, 2), (3, 5)])
    def test_following_goes_on_when_the_database_is_back(
        self, lost: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = tmp_path / "new.db"
        _, said = taking_in(Cel(self.ROWS, lost), monkeypatch, store, follow=True)
        shown = run("alice", "--store", store, "--json", "--size", 1000).output.splitlines()
        entries = [entry for entry in expected(self.ROWS) if entry.user == "alice"]
        assert [json.loads(line)["id"] for line in shown] == [entry.id for entry in entries]
        assert said == ["it is gone; trying again"] * len(lost)

    def test_without_following_it_is_an_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(Unreachable):
            taking_in(Cel(self.ROWS, [2]), monkeypatch, tmp_path / "new.db", follow=False)

    @pytest.mark.parametrize("lost", [(), (1, 3)])
    def test_the_bar_is_full_when_all_is_read(
        self, lost: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        progress, _ = taking_in(Cel(self.ROWS, lost), monkeypatch, tmp_path / "new.db", follow=True)
        (task,) = progress.tasks
        assert task.total is not None
        assert 0 < task.completed == task.total

    def test_the_bar_of_a_file_is_full_when_all_is_read(self, tmp_path: Path) -> None:
        file = written(tmp_path / "cel.csv", self.ROWS)
        progress = Progress(disable=True)
        with ingesting.seekable(str(file)) as opened:
            asyncio.run(ingesting._Work(USERS, UTC, progress).file(opened, str(tmp_path / "new.db")))
        (task,) = progress.tasks
        assert task.completed == task.total == file.stat().st_size
