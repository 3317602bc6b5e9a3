"""The command ``history``, run in this process or in one of its own, and the files that it reads."""

from __future__ import annotations

import asyncio
import csv
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.e2e.scenes.people import USERS
from tests.service.cel_table import columns
from unique_account.adapters.sqlite import SqliteCallLog
from unique_account.cli import command
from unique_account.core.account import Direction
from unique_account.core.history import CallRecord, HistoryStatus

NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
MISSED = CallRecord(
    id="1.1", user="alice", start=NINE, status=HistoryStatus.MISSED, direction=Direction.INCOMING, peer="1002"
)
COMMAND = [sys.executable, "-m", "unique_account", "history"]


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "users.toml"
    tables = (
        f'[[users]]\nid = "{user.id}"\nextension = "{user.extension}"\ndids = {list(user.dids)}\n'
        f'deskphone = "{user.deskphone}"\nwebrtc = "{user.webrtc}"\n'
        for user in USERS
    )
    path.write_text("".join(tables), "utf-8")
    return path


def add(path: Path, records: Iterable[CallRecord]) -> None:
    async def keep() -> None:
        async with aclosing(SqliteCallLog(path)) as log:
            await log.add(records)

    asyncio.run(keep())


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, ["history", *map(str, arguments)])


def written(path: Path, rows: Iterable[Any]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        tables = [dict(columns(row), eventtime=row.at.isoformat(), ignored="x") for row in rows]
        writer = csv.DictWriter(file, list(tables[0]))
        writer.writeheader()
        writer.writerows(tables)
    return path


@contextmanager
def begun(*arguments: object, lines: int) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A process, once it has shown so many lines, which it gives."""
    command = [*COMMAND, *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, [process.stdout.readline() for _ in range(lines)]
        finally:
            process.kill()
