"""The outbox: what is stored waits there until it is announced, and nothing else does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Final

import psycopg
import pytest
from attrs import evolve, frozen

from tests.event_loop import in_loop
from unique_account.adapters.postgresql import PostgresqlAccounts, PostgresqlOutbox
from unique_account.core.account import NOTHING_KEPT, Kept, Session
from unique_account.core.forwarding import Forwarding
from unique_account.core.machine import Device
from unique_account.core.user import User
from unique_account.ports.accounts import StaleVersion
from unique_account.ports.outbox import Unannounced

ALICE: Final = User(id="alice", extension="1001", deskphone="PJSIP/a", webrtc="PJSIP/a_w")
BOB: Final = User(id="bob", extension="1002", deskphone="PJSIP/b", webrtc="PJSIP/b_w")
AWAY: Final = Kept(version=1, forwarding=Forwarding(do_not_disturb=True))


@frozen
class Database:
    """A store, and two readers of its outbox."""

    url: str
    accounts: PostgresqlAccounts
    one: PostgresqlOutbox
    other: PostgresqlOutbox

    def rows(self) -> list[tuple[str, int]]:
        """What is in the outbox."""
        with psycopg.connect(self.url) as connection:
            found = connection.execute("SELECT user_id, version FROM unique_account.outbox ORDER BY user_id")
            return found.fetchall()

    def later(self, interval: str) -> None:
        """Let claims, and the wish for an outbox, be so much older."""
        with psycopg.connect(self.url) as connection:
            for table, column in (("outbox", "claimed_until"), ("outbox_wanted", "until")):
                statement = f"UPDATE unique_account.{table} SET {column} = {column} - %s::interval"
                connection.execute(statement.encode(), (interval,))


@asynccontextmanager
async def database(url: str) -> AsyncIterator[Database]:
    """A store with Alice, whose outbox has been read once."""
    async with AsyncExitStack() as opened:
        accounts = await opened.enter_async_context(aclosing(PostgresqlAccounts(url)))
        one = await opened.enter_async_context(aclosing(PostgresqlOutbox(url)))
        other = await opened.enter_async_context(aclosing(PostgresqlOutbox(url)))
        await accounts.add([ALICE])
        await one.announced(await one.waiting(10))
        yield Database(url, accounts, one, other)


class TestFilling:
    """An entry is made with the save, if the save says something that is announced."""

    @in_loop
    async def test_nothing_is_written_before_anybody_reads(self, url: str) -> None:
        async with aclosing(PostgresqlAccounts(url)) as accounts:
            await accounts.add([ALICE])
            await accounts.save(ALICE, AWAY, 0)
            async with aclosing(PostgresqlOutbox(url)) as outbox:
                assert await outbox.waiting(10) == [Unannounced("alice", AWAY)]

    @in_loop
    async def test_a_choice_waits_and_a_session_does_not(self, url: str) -> None:
        async with database(url) as at:
            here = evolve(NOTHING_KEPT, version=1, sessions=(Session("tab-1"),))
            await at.accounts.save(ALICE, here, 0)
            assert at.rows() == []
            chosen = evolve(here, version=2, selection=Device.DESKPHONE)
            await at.accounts.save(ALICE, chosen, 1)
            assert at.rows() == [("alice", 2)]
            assert await at.one.waiting(10) == [Unannounced("alice", chosen)]

    @in_loop
    async def test_a_save_that_fails_leaves_no_entry(self, url: str) -> None:
        async with database(url) as at:
            with pytest.raises(StaleVersion):
                await at.accounts.save(ALICE, evolve(AWAY, version=8), 7)
            assert at.rows() == []

    @in_loop
    async def test_any_text_can_be_saved(self, url: str) -> None:
        async with database(url) as at:
            strange = evolve(NOTHING_KEPT, version=1, sessions=(Session("tab\0" + "x" * 100),))
            await at.accounts.save(ALICE, strange, 0)
            assert await at.accounts.load("alice") == (ALICE, strange)

    @in_loop
    async def test_many_changes_are_one_entry(self, url: str) -> None:
        async with database(url) as at:
            for version in range(100):
                device = Device.DESKPHONE if version % 2 else Device.WEBRTC
                await at.accounts.save(ALICE, Kept(version=version + 1, selection=device), version)
            assert at.rows() == [("alice", 100)]

    @in_loop
    async def test_a_user_who_is_removed_waits_no_more(self, url: str) -> None:
        async with database(url) as at:
            await at.accounts.save(ALICE, AWAY, 0)
            await at.accounts.remove("alice", 1)
            assert at.rows() == []
            assert await at.one.waiting(10) == []

    @in_loop
    async def test_nothing_is_written_long_after_the_last_reader(self, url: str) -> None:
        async with database(url) as at:
            at.later("8 days")
            await at.accounts.save(ALICE, AWAY, 0)
            assert at.rows() == []
            assert await at.other.waiting(10) == [Unannounced("alice", AWAY)]


class TestReading:
    """Several readers share the work, and what changed meanwhile waits again."""

    @in_loop
    async def test_what_changed_while_it_was_announced_waits_again(self, url: str) -> None:
        async with database(url) as at:
            await at.accounts.save(ALICE, AWAY, 0)
            taken = await at.one.waiting(10)
            newer = Kept(version=2, selection=Device.DESKPHONE)
            await at.accounts.save(ALICE, newer, 1)
            await at.one.announced(taken)
            assert await at.other.waiting(10) == [Unannounced("alice", newer)]

    @in_loop
    async def test_a_reader_leaves_alone_what_another_one_announces(self, url: str) -> None:
        async with database(url) as at:
            await at.accounts.add([BOB])
            await at.accounts.save(ALICE, AWAY, 0)
            assert [one.user for one in await at.one.waiting(1)] == ["alice"]
            assert [one.user for one in await at.other.waiting(10)] == ["bob"]
            assert [one.user for one in await at.one.waiting(10)] == ["alice"]

    @in_loop
    @pytest.mark.parametrize("passed", ["11 seconds", "-1 day"])
    async def test_a_reader_that_is_gone_holds_nothing_up(self, url: str, passed: str) -> None:
        async with database(url) as at:
            await at.accounts.save(ALICE, AWAY, 0)
            await at.one.waiting(10)
            assert await at.other.waiting(10) == []
            at.later(passed)
            assert await at.other.waiting(10) == [Unannounced("alice", AWAY)]
