from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.adapters.people_file.cheap_hasher import CHEAP
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.people_file import PeopleFile, passwords
from unique_account.ports.directory import Directory
from unique_account.testing.contracts import Company, DirectoryContract, Employee


class WrittenCompany:
    """A company in a file of people."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.touch()
        self.directory = PeopleFile(path, MemoryObserver())
        self._hashes: dict[str, str] = {}

    async def employ(self, *employees: Employee) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text("".join(map(self._table, employees)), "utf-8")
        fresh.replace(self._path)
        await self.directory.credential("anybody")  # a log-in has the file read again

    def _table(self, each: Employee) -> str:
        fields = {"login": each.user, "user": each.user, "name": each.name, "numbers": [each.number]}
        if each.password:
            hashed = self._hashes.setdefault(each.password, CHEAP.hash(each.password))
            fields["password"] = hashed
        return "[[people]]\n" + "".join(f"{name} = {json.dumps(text)}\n" for name, text in fields.items())


class TestPeopleFile(DirectoryContract):
    """The directory in a file."""

    @pytest.fixture(autouse=True)
    def cheap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "LEAST_MEMORY", 8)
        monkeypatch.setattr(passwords, "LEAST_WORK", 8)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Directory, Company]]:
        with TemporaryDirectory() as folder:
            company = WrittenCompany(Path(folder) / "people.toml")
            yield company.directory, company
