"""A folder with a configuration, and the service that runs on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.serve_process import ALICE, CONFIG, Serve


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "unique_account.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "users.toml").write_text(ALICE, "utf-8")
    return tmp_path


@pytest.fixture
def serve(folder: Path) -> Iterator[Serve]:
    running = Serve(folder)
    yield running
    running.process.kill()
    running.process.wait()
