"""A file that changes is read again; one that cannot be read or used says what it said last."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from unique_account.adapters.memory import MemoryObserver
from unique_account.files.watched import WatchedFile
from unique_account.ports.observer import PortRequest

READ = PortRequest("file", "read")


class Reader:
    """Reads texts, and fails when it is to.

    Attributes:
        error: What it raises; None: it reads.
        read: What it has read.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.read: list[str] = []

    def __call__(self, path: Path) -> str:
        text = path.read_text("utf-8")
        if self.error is not None:
            raise self.error
        self.read.append(text)
        return text


class Watched:
    """A file that says one, in the hands of a reader."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "people.toml"
        self.path.write_text("one", "utf-8")
        self.reader = Reader()
        self.observer = MemoryObserver()
        self.file = WatchedFile(self.path, self.reader, self.observer, READ)

    def says(self) -> str:
        return asyncio.run(self.file.now())

    def replace(self, text: str) -> None:
        """Replace the file as an editor does, with one whose time was set back."""
        times = self.path.stat()
        other = self.path.with_name("other")
        other.write_text(text, "utf-8")
        os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
        other.replace(self.path)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


class TestChanges:
    """A5: a change is noticed whatever the time of the file, and what did not change is not read."""

    def test_it_is_read_once(self, watched: Watched) -> None:
        assert [watched.says() for _ in range(3)] == ["one"] * 3
        assert watched.reader.read == ["one"]

    def test_another_file_of_the_same_time_and_size_is_another(self, watched: Watched) -> None:
        watched.replace("two")
        assert watched.says() == "two"

    def test_those_who_ask_while_it_is_read_wait(self, watched: Watched) -> None:
        entered, release = threading.Event(), threading.Event()

        def slow(path: Path) -> str:
            entered.set()
            release.wait(10)
            return path.read_text("utf-8")

        async def ask() -> list[str]:
            watched.file._read = slow
            watched.replace("two")
            asking = [asyncio.create_task(watched.file.now()) for _ in range(5)]
            await asyncio.to_thread(entered.wait)
            assert not any(each.done() for each in asking)  # and the loop goes on
            release.set()
            return await asyncio.gather(*asking)

        assert asyncio.run(ask()) == ["two"] * 5

    def test_a_change_while_it_is_read_is_one_more(self, watched: Watched) -> None:
        def changes(path: Path) -> str:
            text = path.read_text("utf-8")
            if text == "two":
                watched.replace("three")
            return text

        watched.file._read = changes
        watched.replace("two")
        assert [watched.says(), watched.says()] == ["two", "three"]


class TestFailures:
    """A5: what was read last holds while the file cannot be read or used, which is said once."""

    @pytest.mark.parametrize("error", [PermissionError("not yours"), OSError(5, "input/output error")])
    def test_one_that_cannot_be_read_is_tried_each_time(self, watched: Watched, error: OSError) -> None:
        watched.reader.error = error
        watched.replace("two")
        assert [watched.says() for _ in range(3)] == ["one"] * 3
        watched.reader.error = None
        assert watched.says() == "two"
        assert watched.observer.failures == [(READ, error)]
        assert watched.observer.recoveries == [READ]

    @pytest.mark.parametrize("error", [ValueError("no"), RecursionError("deep"), KeyError("none")])
    def test_one_that_cannot_be_used_is_read_again_once_it_changes(
        self, watched: Watched, error: Exception
    ) -> None:
        watched.reader.error = error
        watched.replace("two")
        assert [watched.says() for _ in range(3)] == ["one"] * 3
        watched.reader.error = None
        assert watched.says() == "one"
        watched.replace("three")
        assert watched.says() == "three"
        assert [watched.observer.failures, watched.observer.recoveries] == [[(READ, error)], [READ]]

    def test_one_that_is_gone_may_come_back(self, watched: Watched) -> None:
        aside = watched.path.rename(watched.path.with_name("aside"))
        assert [watched.says() for _ in range(3)] == ["one"] * 3
        assert len(watched.observer.failures) == 1
        aside.rename(watched.path)
        assert watched.says() == "one"

    def test_one_that_is_back_as_it_was_is_back(
        self, watched: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: object, **__: object) -> None:
            raise OSError("stale file handle")

        with monkeypatch.context() as stale:
            stale.setattr(Path, "stat", fails)
            assert watched.says() == "one"
        assert watched.says() == "one"
        assert watched.observer.recoveries == [READ]

    def test_an_observer_may_be_left_out(self, watched: Watched) -> None:
        quiet = WatchedFile(watched.path, watched.reader)
        watched.reader.error = OSError("no")
        watched.replace("two")
        assert asyncio.run(quiet.now()) == "one"
        watched.reader.error = None
        assert asyncio.run(quiet.now()) == "two"

    def test_the_first_time_it_has_to_be_right(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            WatchedFile(tmp_path / "none", Reader())
