"""The SQLite file of the CTI server."""

from __future__ import annotations

import os
from pathlib import Path

from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.xuc.storage.store import FileStore


class TestRights:
    """The file of the store is its owner's alone, whatever the umask is, an older one too."""

    def test_a_new_one_and_an_older_one(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            for _ in range(2):
                FileStore(tmp_path / "xuc.sqlite", MemoryObserver(), lambda: 0.0).close()
                assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
                (tmp_path / "xuc.sqlite").chmod(0o666)
        finally:
            os.umask(before)
