"""How the commands of the history end: real processes that are told to stop, or have nowhere to write to."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from attrs import evolve
from click.testing import CliRunner

from tests.cli.history_command import COMMAND, MISSED, add, begun, run, users, written
from tests.service.cel_table import RECORDINGS, day
from tests.service.expected_history import expected
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.cli import command

__all__ = ["users"]

ROWS = day([(recording, 2 * number) for number, recording in enumerate(RECORDINGS)])
STRANGERS = [
    CelRow(
        kind="CHAN_START",
        at=ROWS[-1].at + timedelta(minutes=number),
        uniqueid=f"pbx-9.{number}",
        linkedid=f"pbx-9.{number}",
        channel=f"PJSIP/x-{number}",
    )
    for number in range(30_000)
]
"""So many rows that to take them in takes a while."""

ALICES = [entry.id for entry in expected(ROWS) if entry.user == "alice"]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A log with more calls than are shown without being asked for."""
    path = tmp_path / "calls.db"
    add(path, [evolve(MISSED, id=f"{n}.1", start=MISSED.start + timedelta(seconds=n)) for n in range(2000)])
    return path


def ids(store: Path) -> list[str]:
    shown = run("alice", "--store", store, "--json", "--size", 5000).output.splitlines()
    return [json.loads(line)["id"] for line in shown]


class TestInterrupted:
    """S1: Ctrl-C ends a command with its exit code and a word, however early it comes."""

    @pytest.mark.parametrize("after", ["unique_account.core.machine", "unique_account.cli"])
    @pytest.mark.parametrize("arguments", [("demo",), ("demo", "--web", "--port", "0")])
    def test_early(self, arguments: tuple[str, ...], after: str) -> None:
        command = [sys.executable, "-X", "importtime", "-m", "unique_account", *arguments]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if line.rpartition("| ")[2].strip() == after:
                    process.send_signal(signal.SIGINT)
                    break
            rest = process.stderr.read()
        assert "Traceback" not in rest
        assert process.returncode in (0, 130), rest

    def test_outside_of_any_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(type(command), "invoke", interrupted)
        assert CliRunner().invoke(command, ["table"]).exit_code == 130


class TestStopped:
    """H1: following ends in order at a signal, and reports what is not done."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_following_a_list_is_done_when_it_is_told_to_stop(
        self, number: signal.Signals, store: Path
    ) -> None:
        with begun("alice", "--store", store, "--size", 3, "--follow", lines=3) as (process, _):
            process.send_signal(number)
            assert process.communicate(timeout=20) == ("", "")
            assert process.returncode == 0

    def test_to_take_a_file_in_is_interrupted_and_done_again(self, tmp_path: Path, users: Path) -> None:
        file, store = written(tmp_path / "cel.csv", [*ROWS, *STRANGERS]), tmp_path / "new.db"
        with begun("ingest", file, "--store", store, "--users", users, lines=0) as (process, _):
            patience = time.monotonic() + 20
            while not store.exists() or not ids(store):
                assert time.monotonic() < patience
            process.send_signal(signal.SIGINT)
            reported, said = process.communicate(timeout=20)
        assert (process.returncode, reported) == (130, "")
        assert said.startswith("Error: interrupted: ")
        assert said.endswith("what was taken in stays, and to run it again takes in the rest\n")
        assert said.count("\n") == 1
        assert run("ingest", file, "--store", store, "--users", users).exit_code == 0
        assert ids(store) == ALICES

    def test_a_pipe_is_interrupted_before_anything_is_taken_in(self, tmp_path: Path, users: Path) -> None:
        pipe, store = tmp_path / "pipe", tmp_path / "new.db"
        os.mkfifo(pipe)
        with (
            begun("ingest", pipe, "--store", store, "--users", users, lines=0) as (process, _),
            pipe.open("wb") as writer,
        ):
            writer.write(written(tmp_path / "cel.csv", ROWS).read_bytes()[:-100])
            writer.flush()
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=20)
        assert (process.returncode, said.partition(";")[0]) == (
            130,
            "Error: interrupted: 0 rows read, 0 entries made, 0 rows not understood",
        )
        assert not store.exists()

    def test_a_reader_who_has_enough_ends_it(self, store: Path) -> None:
        for more in ((), ("--follow",)):
            with begun("alice", "--store", store, "--size", 1500, *more, lines=1) as (process, _):
                assert process.stdout is not None
                process.stdout.close()
                assert process.wait(20) == 1
                assert process.stderr is not None
                assert process.stderr.read() == ""


def ended(arguments: Sequence[object], *, to: str = os.devnull, most: int | None = None) -> tuple[int, str]:
    """How a process ends that writes to a file, and files of which may have so many bytes at most."""
    limit = None if most is None else partial(resource.setrlimit, resource.RLIMIT_FSIZE, (most, most))
    with Path(to).open("wb") as output:
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
            preexec_fn=limit,
        )
    return done.returncode, done.stderr


class TestNoRoom:
    """A disk that is full is said in a sentence, and nothing is lost or doubled once there is room."""

    @pytest.mark.parametrize("form", [(), ("--json",), ("--csv",), ("--help",), ("--follow",)])
    def test_output_that_nobody_takes(self, form: tuple[str, ...], store: Path) -> None:
        code, said = ended(["list", "alice", "--store", store, *form], to="/dev/full")
        assert (code, said) == (1, "Error: it cannot be written: No space left on device\n")

    @pytest.mark.parametrize("most", [10_000, 40_000])
    def test_a_file_that_may_not_grow(self, most: int, tmp_path: Path, users: Path) -> None:
        file, store = written(tmp_path / "cel.csv", ROWS), tmp_path / "new.db"
        taking_in = ["ingest", file, "--store", store, "--users", users]
        code, said = ended(taking_in, most=most)
        assert code == 1
        assert said.startswith(f"Error: {store} cannot be used as a store: ")
        assert said.count("\n") == 1
        assert ended(taking_in)[0] == 0
        assert ids(store) == ALICES


class TestLetters:
    """What has letters that a shell, a terminal or a log does not take is shown all the same, or refused."""

    def test_a_terminal_without_the_letters_of_a_name(self, store: Path) -> None:
        add(store, [evolve(MISSED, id="9999.1", peer_name="Zoé 日本")])
        asked = [*COMMAND, "alice", "--store", str(store), "--search", "zoe"]
        for form in ((), ("--json",)):
            done = subprocess.run(
                [*asked, *form],
                env={**os.environ, "PYTHONIOENCODING": "latin-1"},
                capture_output=True,
                check=True,
            )
            assert done.stderr == b""
            assert b"Zo\xe9 \\u65e5\\u672c" in done.stdout

    def test_a_user_that_is_no_text(self, store: Path) -> None:
        code, said = ended(["list", os.fsdecode(b"\xff"), "--store", store])
        assert (code, said.splitlines()[-1]) == (2, r"Error: Invalid value for 'USER': '\udcff' is not UTF-8")
