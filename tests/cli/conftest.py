"""What the tests of the command line have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.rendered_folder import ALICE, CONFIG


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the files from which an Asterisk is configured."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "unique_account.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "ami.secret").write_text("geheim\n", "utf-8")
    (tmp_path / "users.toml").write_text(ALICE, "utf-8")
    return tmp_path
