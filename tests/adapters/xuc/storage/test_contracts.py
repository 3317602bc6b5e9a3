"""The store of this process alone keeps the contract of its port, in a file and in memory."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.xuc.storage.store import FileStore
from unique_account.ports.assistant_store import AssistantStore
from unique_account.testing.contracts import AssistantStoreContract


class TestInAFile(AssistantStoreContract):
    """S2: sessions, preferences and favourites in a file."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self._file = tmp_path / "cti.sqlite"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AssistantStore]:
        async with aclosing(FileStore(self._file, MemoryObserver(), time.time)) as store:
            yield store


class TestInMemory(AssistantStoreContract):
    """S2: sessions, preferences and favourites without a file."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AssistantStore]:
        async with aclosing(FileStore(None, MemoryObserver(), time.time)) as store:
            yield store
