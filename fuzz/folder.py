"""A folder in which each input is a file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from fuzz.target import Check


@contextmanager
def in_folder(name: str, check: Callable[[Path, bytes], None]) -> Iterator[Check]:
    """A check of files, each written under one name, after the one before it is gone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name

        def checked(data: bytes) -> None:
            path.unlink(missing_ok=True)  # writing over a file would wait for the disk
            path.write_bytes(data)
            check(path, data)

        yield checked


def as_file(name: str, check: Callable[[Path, bytes], None]) -> Callable[[], AbstractContextManager[Check]]:
    """The same, as a target wants it."""
    return partial(in_folder, name, check)
