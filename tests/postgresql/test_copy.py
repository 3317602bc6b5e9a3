"""``accounts copy`` between a SQLite file and a real PostgreSQL."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import evolve
from click.testing import CliRunner, Result

from tests.cli.history_command import MISSED
from unique_account.adapters.postgresql import PostgresqlAccounts, PostgresqlCallLog
from unique_account.adapters.sqlite import SqliteAccounts, SqliteCallLog
from unique_account.cli import command
from unique_account.core.account import Kept, Session
from unique_account.core.machine import Device
from unique_account.core.user import User

ALICE = User(id="alice", extension="+33 (0)1 23", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
BOB = User(id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w")
SEEN = datetime(2026, 1, 5, 9, tzinfo=UTC)
ACCOUNTS = [
    (
        ALICE,
        Kept(version=7, selection=Device.DESKPHONE, sessions=(Session("日本", "one", SEEN), Session("b"))),
    ),
    (BOB, Kept()),
]
CALLS = [evolve(MISSED, id=f"{n}.1", start=MISSED.start + timedelta(seconds=n)) for n in range(2500)]


def accounts_at(place: str) -> Any:
    return PostgresqlAccounts(place) if "://" in place else SqliteAccounts(place)


def calls_at(place: str) -> Any:
    return PostgresqlCallLog(place) if "://" in place else SqliteCallLog(place)


async def everything(place: str) -> tuple[list[Any], list[Any]]:
    async with aclosing(accounts_at(place)) as accounts, aclosing(calls_at(place)) as calls:
        return [one async for one in accounts.all()], list(await calls.before("alice", None, 9999))


async def written(place: str) -> None:
    async with aclosing(accounts_at(place)) as accounts, aclosing(calls_at(place)) as calls:
        await accounts.add_stored(ACCOUNTS)
        await calls.add(CALLS)


def copied(*places: str) -> Result:
    return CliRunner().invoke(command, ["accounts", "copy", *places], catch_exceptions=False)


class TestCopy:
    """S2: what was chosen goes along, versions and calls included."""

    def test_to_a_database_and_back(self, url: str, tmp_path: Path) -> None:
        first, second = str(tmp_path / "first.db"), str(tmp_path / "second.db")
        asyncio.run(written(first))
        done = copied(first, url)
        assert done.exit_code == 0, done.output
        shown = url.rpartition("@")[2]
        assert done.output == f"2 accounts and 2500 calls copied to postgresql://{shown}\n"
        assert copied(url, second).exit_code == 0
        assert asyncio.run(everything(second)) == (ACCOUNTS, CALLS[::-1])
        assert asyncio.run(everything(url)) == (ACCOUNTS, CALLS[::-1])

    def test_nothing_is_copied_over_an_account(self, url: str, tmp_path: Path) -> None:
        first = str(tmp_path / "first.db")
        asyncio.run(written(first))

        async def occupied() -> None:
            async with aclosing(PostgresqlAccounts(url)) as accounts:
                await accounts.add([BOB])

        asyncio.run(occupied())
        refused = copied(first, url)
        assert (refused.exit_code, refused.output) == (1, "Error: bob has an account already, of version 0\n")
        assert asyncio.run(everything(url)) == ([(BOB, Kept())], [])

    def test_a_number_of_another_user_is_refused(self, url: str, tmp_path: Path) -> None:
        first = str(tmp_path / "first.db")
        asyncio.run(written(first))

        async def occupied() -> None:
            async with aclosing(PostgresqlAccounts(url)) as accounts:
                await accounts.add([evolve(BOB, id="carol")])

        asyncio.run(occupied())
        refused = copied(first, url)
        assert refused.exit_code == 1
        assert "bob: number 1002 in default is already that of carol" in refused.output
        assert [user.id for user, _ in asyncio.run(everything(url))[0]] == ["carol"]

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        refused = copied(str(tmp_path / "none.db"), str(tmp_path / "new.db"))
        assert refused.exit_code == 2
        assert "there is no file" in refused.output
        assert not (tmp_path / "new.db").exists()
