"""The fence in PostgreSQL: once a group is taken over, no write of its earlier owner is carried out."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from attrs import frozen

from unique_account.adapters.postgresql import (
    DatabaseUnreachable,
    PostgresqlAccounts,
    PostgresqlCallLog,
    PostgresqlGroupLeases,
    database,
)
from unique_account.core.account import Kept, Session
from unique_account.core.user import User
from unique_account.ports.call_log import Position
from unique_account.ports.group_leases import Fence, Fenced

ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
BOB = User(id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w")
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
KEPT = Kept(version=3, sessions=(Session("tab-1"),))

WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = 'one' AND wait_event_type = 'Lock'"


@frozen
class Owner:
    """A process that owns a group."""

    fence: Fence
    accounts: PostgresqlAccounts
    log: PostgresqlCallLog


async def taken(leases: PostgresqlGroupLeases, owner: str = "one") -> Fence:
    fence = await leases.take("paris", owner, "", await leases.read("paris"))
    assert fence is not None
    return fence


@asynccontextmanager
async def owning(url: str) -> AsyncIterator[tuple[PostgresqlGroupLeases, Owner]]:
    async with aclosing(PostgresqlGroupLeases(url)) as leases:
        fence = await taken(leases)
        async with (
            aclosing(PostgresqlAccounts(url, fence)) as accounts,
            aclosing(PostgresqlCallLog(url, fence)) as log,
        ):
            await accounts.add_stored([(ALICE, KEPT)])
            yield leases, Owner(fence, accounts, log)


async def everything(accounts: PostgresqlAccounts) -> list[tuple[User, Kept]]:
    return [stored async for stored in accounts.all()]


class TestFence:
    """A write under an earlier epoch raises `Fenced`, and writes nothing."""

    @pytest.mark.parametrize("released", [False, True])
    def test_no_write_of_an_earlier_owner(self, url: str, released: bool) -> None:
        async def check() -> None:
            async with owning(url) as (leases, owner):
                if released:
                    await leases.release(owner.fence)
                else:
                    await taken(leases, "two")
                writes = (
                    owner.accounts.add([BOB]),
                    owner.accounts.save(ALICE, Kept(version=4), 3),
                    owner.accounts.remove("alice", 3),
                    owner.accounts.all_last_seen(NOW),
                    owner.accounts.save(BOB, Kept(version=1), 0),
                    owner.log.add([], Position("cel", 7)),
                )
                for write in writes:
                    with pytest.raises(Fenced) as fenced:
                        await write
                    assert (fenced.value.epoch, fenced.value.newer) == (1, None if released else 2)
                assert await everything(owner.accounts) == [(ALICE, KEPT)]
                assert await owner.log.position("cel") is None

        asyncio.run(check())

    def test_the_owner_writes(self, url: str) -> None:
        async def check() -> None:
            async with owning(url) as (leases, owner):
                await leases.renew(owner.fence)
                await owner.accounts.add([BOB])
                await owner.accounts.all_last_seen(NOW)
                await owner.accounts.save(ALICE, Kept(version=5), 4)
                await owner.accounts.remove("bob", 0)
                await owner.accounts.all_last_seen(NOW)
                await owner.log.add([], Position("cel", 7))
                assert await owner.log.position("cel") == Position("cel", 7)
                assert await everything(owner.accounts) == [(ALICE, Kept(version=5))]

        asyncio.run(check())

    def test_the_owner_of_another_group_is_not_kept_out(self, url: str) -> None:
        async def check() -> None:
            async with owning(url) as (leases, owner):
                assert await leases.take("lyon", "two", "", None) == Fence("lyon", 1)
                await owner.accounts.add([BOB])

        asyncio.run(check())


class TestTurns:
    """A takeover waits for writes that have begun, and writes that begin later wait for it."""

    def test_a_renewal_waits_for_no_write(self, url: str) -> None:
        """A write that takes long holds up takeovers, not renewals."""

        async def check() -> None:
            async with owning(url) as (leases, owner):
                holder, writing = await _held_up(url, owner)
                try:
                    async with asyncio.timeout(1):
                        await leases.renew(owner.fence)
                        await leases.renew(owner.fence)
                finally:
                    await holder.close()
                await writing

        asyncio.run(check())

    def test_a_takeover_sees_what_was_written_before_it(self, url: str) -> None:
        async def check() -> None:
            async with owning(url) as (leases, owner):
                holder, writing = await _held_up(url, owner)
                taking = asyncio.create_task(taken(leases, "two"))
                await asyncio.sleep(0.3)
                assert not taking.done()
                await holder.close()
                assert await taking == Fence("paris", 2)
                await writing
                assert await owner.accounts.load("alice") == (ALICE, Kept(version=4))

        asyncio.run(check())

    def test_a_write_that_waits_for_a_takeover_is_fenced(self, url: str) -> None:
        async def check() -> None:
            async with owning(url) as (_, owner), await psycopg.AsyncConnection.connect(url) as other:
                await other.execute("UPDATE unique_account.group_leases SET owner = 'two', epoch = 2")
                writing = asyncio.create_task(owner.accounts.save(ALICE, Kept(version=4), 3))
                await _somebody_waits(url)
                await other.commit()
                with pytest.raises(Fenced):
                    await writing
                assert await owner.accounts.load("alice") == (ALICE, KEPT)

        asyncio.run(check())

    def test_of_a_storm_of_writes_none_comes_after_the_takeover(self, url: str) -> None:
        async def check() -> None:
            async with owning(url) as (leases, owner):
                versions = []

                async def write() -> None:
                    version = KEPT.version
                    while True:
                        await owner.accounts.save(ALICE, Kept(version=version + 1), version)
                        versions.append(version := version + 1)

                storm = asyncio.create_task(write())
                await asyncio.sleep(0.3)
                await taken(leases, "two")
                found = await owner.accounts.load("alice")
                with pytest.raises(Fenced):
                    await storm
                assert found == await owner.accounts.load("alice")
                assert found is not None
                assert found[1].version in (versions[-1], versions[-1] + 1)

        asyncio.run(check())


class TestIdleTransactions:
    """A process that holds the lock within a transaction holds up a takeover for a bounded time."""

    def test_a_takeover_gives_up_in_time_and_works_later(self, url: str) -> None:
        async def check() -> None:
            async with (
                owning(url) as (_, owner),
                owner.accounts._database.transaction() as connection,  # one of ours, that hangs
                aclosing(PostgresqlGroupLeases(url)) as leases,
            ):
                await owner.accounts._fence.lock(connection)
                begun = time.monotonic()
                with pytest.raises(DatabaseUnreachable, match="lock timeout"):
                    await taken(leases, "two")
                assert time.monotonic() - begun < 2
                while (fence := await _attempt(leases)) is None:
                    assert time.monotonic() - begun < database.IDLE_AT_MOST + 5
                assert fence == Fence("paris", 2)
                assert time.monotonic() - begun > 2
                await connection.execute("SELECT 1")

        with pytest.raises(DatabaseUnreachable, match="idle-in-transaction timeout"):
            asyncio.run(check())

    @pytest.mark.parametrize(
        "write", ["accounts.save(ALICE, Kept(version=4), 3)", "log.add([], Position('cel', 7))"]
    )
    def test_a_process_that_is_paused_between_read_and_write(self, url: str, write: str) -> None:
        """It goes on after a takeover, and writes nothing."""

        async def check() -> None:
            async with owning(url) as (leases, owner):
                process = _paused(url, owner.fence, write)
                fence = await taken(leases, "two")
                async with aclosing(PostgresqlAccounts(url, fence)) as accounts:
                    before = await everything(accounts)
                    os.kill(process.pid, signal.SIGCONT)
                    said, _ = await asyncio.to_thread(process.communicate, timeout=30)
                    assert said == "Fenced\n"
                    assert await everything(accounts) == before
                assert await owner.log.position("cel") is None

        asyncio.run(check())


PAUSED = """
import asyncio, os, signal, sys
from contextlib import aclosing
from tests.postgresql.test_fences import ALICE, Fence, Fenced, Kept, Position
from unique_account.adapters.postgresql import PostgresqlAccounts, PostgresqlCallLog

async def main(url, epoch):
    fence = Fence("paris", int(epoch))
    accounts, log = PostgresqlAccounts(url, fence), PostgresqlCallLog(url, fence)
    async with aclosing(accounts), aclosing(log):
        assert (await accounts.load("alice"))[1].version == 3
        await log.position("cel")
        print("read", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
        try:
            await {write}
        except Fenced as error:
            print(type(error).__name__, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


def _paused(url: str, fence: Fence, write: str) -> subprocess.Popen[str]:
    """A process that has read what it is about to write, and is stopped."""
    script = PAUSED.format(write=write)
    command = [sys.executable, "-c", script, url, str(fence.epoch)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "read\n"
    os.waitpid(process.pid, os.WUNTRACED)
    return process


async def _attempt(leases: PostgresqlGroupLeases) -> Fence | None:
    try:
        return await leases.take("paris", "two", "", await leases.read("paris"))
    except DatabaseUnreachable:
        return None


async def _held_up(url: str, owner: Owner) -> tuple[psycopg.AsyncConnection, asyncio.Task[None]]:
    """A write that has passed the fence and waits for a row that somebody else holds."""
    holder = await psycopg.AsyncConnection.connect(url)
    await holder.execute("SELECT FROM unique_account.accounts WHERE user_id = 'alice' FOR UPDATE")
    writing = asyncio.create_task(owner.accounts.save(ALICE, Kept(version=4), 3))
    await _somebody_waits(url)
    return holder, writing


async def _somebody_waits(url: str) -> None:
    async with asyncio.timeout(10), await psycopg.AsyncConnection.connect(url, autocommit=True) as other:
        while not await (await other.execute(WAITING)).fetchall():  # noqa: ASYNC110 - no event of ours
            await asyncio.sleep(0.01)
