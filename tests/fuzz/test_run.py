"""The fuzzers themselves: they find faults that were planted, within as many inputs as a short run has."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Final

import pytest

from fuzz import __main__ as command
from fuzz import run as running
from fuzz.mutation import Mutator
from fuzz.run import Found, Ran, fault_of, run, shorter
from fuzz.target import Check, Target, pieces, plain, require

ROUNDS: Final = 1000
SAMPLES: Final = (b'{"name": "alice", "size": 3, "words": ["a", "b"]}', b'{"name": "bob", "size": 10}')


def planted(check: Check, **changes: object) -> Ran:
    """A short run of a reader with a fault."""
    target = Target(name="planted", samples=lambda: SAMPLES, opened=plain(check), **changes)  # type: ignore[arg-type]
    return run(target, 1, rounds=ROUNDS)


def sound(data: bytes) -> None:
    """A reader without a fault: whatever is no JSON is refused, and nothing else comes out."""
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return


def leaks_an_error(data: bytes) -> None:
    """Forgets that numbers may be too long, and nesting too deep."""
    try:
        json.loads(data)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return


def accepts_too_much(data: bytes) -> None:
    """Takes any name whatever for one that can be stored."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(said, dict):
        name = said.get("name")
        require(isinstance(name, str) or name is None, "a name that is no text")


def depends_on_cutting(data: bytes) -> None:
    """Counts its messages by the pieces that they came in."""
    count = sum(piece.count(b"\r\n") for piece in pieces(data))
    require(count == data.count(b"\r\n"), "what is read depends on how the stream is cut")


def is_slow(data: bytes) -> None:
    """Takes a time that grows with the square of the input."""
    for end in range(0, len(data), 16):
        sum(data[:end])


class TestRun:
    """M4: a fuzzer that finds nothing has looked."""

    def test_a_sound_reader_stands_everything(self) -> None:
        ran = planted(sound)
        assert (ran.rounds, ran.found) == (ROUNDS, ())

    @pytest.mark.parametrize("check", [leaks_an_error, accepts_too_much, depends_on_cutting])
    def test_a_planted_fault_is_found(self, check: Check) -> None:
        assert planted(check).found

    def test_a_time_that_is_not_linear_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(running, "A_BYTE", 1e-6)
        opened = plain(is_slow)
        target = Target(name="slow", samples=lambda: SAMPLES, opened=opened, allowed=0.005, largest=1 << 14)
        found = run(target, 1, rounds=100).found
        assert [each.place for each in found] == ["slow"]

    def test_a_target_that_hangs_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(running, "HANGS_AFTER", 0.05)

        def hangs(_: bytes) -> None:
            while True:
                pass

        target = Target(name="hangs", samples=lambda: SAMPLES, opened=plain(hangs))
        assert fault_of(target, hangs, b"") is not None

    def test_two_inputs_of_one_fault_count_once(self) -> None:
        def never_right(_: bytes) -> None:
            raise KeyError

        assert len(planted(never_right).found) == 1

    def test_a_finding_is_made_short(self) -> None:
        def minds_nul(data: bytes) -> None:
            require(b"\0" not in data, "a NUL")

        target = Target(name="nul", samples=lambda: SAMPLES, opened=plain(minds_nul))
        found = run(target, 1, rounds=ROUNDS).found[0]
        assert shorter(found, lambda data: fault_of(target, minds_nul, data)).data == b"\0"


class TestInputs:
    """M4: the same seed makes the same inputs, and all of them keep to their size."""

    def test_a_seed_makes_them(self) -> None:
        one, same, other = (Mutator(SAMPLES, (b"x",), 300, Random(seed)) for seed in (1, 1, 2))
        made = [one.next() for _ in range(50)]
        assert made == [same.next() for _ in range(50)]
        assert made != [other.next() for _ in range(50)]
        assert max(map(len, made)) <= 300

    def test_pieces_are_the_whole(self) -> None:
        for size in (0, 1, 199, 200, 5000):
            data = bytes(byte % 251 for byte in range(size))
            assert b"".join(pieces(data)) == data


class TestCommand:
    """M4: what is found is shown, kept, and can be given again."""

    def test_a_finding_is_saved(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        target = Target(name="planted", samples=lambda: SAMPLES, opened=plain(leaks_an_error))
        monkeypatch.setattr(command, "TARGETS", {"planted": target})
        assert command.main(["--seed", "1", "--rounds", str(ROUNDS)]) == 1
        said = capsys.readouterr().out
        files = [*(tmp_path / "found").iterdir()]
        assert files
        assert all(f"--again found/{file.name}" in said for file in files)
        with pytest.raises((ValueError, RecursionError)):
            command.main(["planted", "--again", str(files[0])])

    def test_nothing_found_is_success(self, monkeypatch: pytest.MonkeyPatch) -> None:
        target = Target(name="planted", samples=lambda: SAMPLES, opened=plain(sound))
        monkeypatch.setattr(command, "TARGETS", {"planted": target})
        assert command.main(["--rounds", "20"]) == 0

    def test_an_unknown_name_is_refused(self) -> None:
        with pytest.raises(SystemExit):
            command.main(["nobody"])


def test_a_finding_names_its_target() -> None:
    found = Found("ami", b"", KeyError("x"), "KeyError ami.py:1")
    assert str(found) == "ami: KeyError: 'x' [KeyError ami.py:1]"
