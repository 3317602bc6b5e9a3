"""The lines of the log: for people, or as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from unique_account.cli import log_repeats
from unique_account.cli.logs import configure
from unique_account.serve.config import Level, LogSettings

LOGGER = logging.getLogger("unique_account.test")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("unique_account")
    before = (root.level, root.handlers[:], ours.level)
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    ours.setLevel(before[2])


def failed(error: Exception) -> None:
    LOGGER.error("%s failed: %s", "pbx", error, exc_info=error)


class TestLines:
    """A line for people holds one record, whatever is in it."""

    def test_what_callers_choose_cannot_begin_a_line_of_its_own(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        configure(LogSettings())
        LOGGER.info("a call of %s", "mallory\n2026-11-24 09:00:00 ERROR   \x1b[31mforged")
        assert capsys.readouterr().err.count("\n") == 1

    def test_a_failure_of_the_world_is_one_line_and_one_of_ours_has_its_traceback(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        configure(LogSettings())
        failed(ConnectionError("gone"))
        assert capsys.readouterr().err.endswith("ERROR   pbx failed: gone\n")
        failed(KeyError("ours"))
        assert "\nKeyError: 'ours'" in capsys.readouterr().err

    def test_what_is_below_the_level_is_not_logged(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure(LogSettings(level=Level.WARNING))
        LOGGER.info("nothing")
        assert capsys.readouterr().err == ""


class TestJson:
    """A line of JSON is one object, with what the record is about."""

    def test_what_it_is_about_has_fields(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure(LogSettings(json=True))
        LOGGER.info("alice: LoggedIn", extra={"user": "alice", "event": "LoggedIn"})
        said = json.loads(capsys.readouterr().err)
        assert (said["level"], said["user"], said["event"]) == ("info", "alice", "LoggedIn")

    def test_a_fault_of_ours_has_its_traceback(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure(LogSettings(json=True))
        failed(ConnectionError("gone"))
        failed(KeyError("ours"))
        world, ours = map(json.loads, capsys.readouterr().err.splitlines())
        assert "traceback" not in world
        assert "KeyError" in ours["traceback"]


class TestRepetitions:
    """What is said again and again is counted, and the count is said."""

    def test_a_flood_is_a_few_lines_and_a_count(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 0.0
        monkeypatch.setattr("time.monotonic", lambda: now)
        configure(LogSettings())
        for _ in range(1000):
            failed(OSError("no more files"))
        now += log_repeats.WINDOW
        LOGGER.info("something else")
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == log_repeats.MOST_ALIKE + 2
        assert lines[-2].endswith("ERROR   995 more in 10 s like: pbx failed: no more files")

    def test_so_is_one_whose_texts_differ(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure(LogSettings())
        for number in range(1000):
            failed(OSError(f"no more files for {number}"))
        assert len(capsys.readouterr().err.splitlines()) == log_repeats.MOST_OF_PLACE

    def test_what_differs_and_is_no_warning_is_all_there(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure(LogSettings(level=Level.DEBUG))
        for number in range(2 * log_repeats.MOST_TEXTS):
            LOGGER.info("event %d", number)
        for _ in range(100):
            LOGGER.debug("the same")
        assert len(capsys.readouterr().err.splitlines()) == 2 * log_repeats.MOST_TEXTS + 100
