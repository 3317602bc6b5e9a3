"""Servers of UC Assistants that share a database: what one of them says, the others know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from hashlib import sha256

import psycopg
import pytest
from attrs import define

from lab.postgresql import PostgresqlServer
from tests.adapters.xuc.assistants import PASSWORDS, Installation, installation
from tests.event_loop import in_loop
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.postgresql import (
    PostgresqlAssistantStore,
    PostgresqlLoginAttempts,
    database,
    login_attempts,
)
from unique_account.adapters.xuc import session_checks
from unique_account.core.machine import State
from unique_account.ports.assistant_store import Preference, StoreFailed
from unique_account.ports.login_attempts import PER_LOGIN, Places
from unique_account.ports.observer import PortRequest

PATIENCE = 20.0


@define
class Pair:
    """Two processes with a service each, as groups of media servers have them."""

    one: Installation
    two: Installation


@asynccontextmanager
async def process(url: str) -> AsyncIterator[Installation]:
    store = PostgresqlAssistantStore(url, observer := MemoryObserver())
    attempts = PostgresqlLoginAttempts(url)
    async with aclosing(store), aclosing(attempts), installation(shared=(store, attempts)) as at:
        at.observer = observer
        yield at


@asynccontextmanager
async def pair(url: str) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as opened:
        yield Pair(*[await opened.enter_async_context(process(url)) for _ in range(2)])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def checked(at: Installation, token: str) -> int:
    return (await at.browser.request("GET", "auth/check", headers=bearer(token))).status_code


async def logged_out(at: Installation, token: str) -> int:
    return (await at.browser.request("POST", "auth/logout", headers=bearer(token))).status_code


async def tried(at: Installation, password: str) -> int:
    """The status of a log-in of Alice's."""
    body = {"login": "alice", "password": password}
    return (await at.browser.request("POST", "auth/login", json=body)).status_code


class TestTokens:
    """S1, S2: a token counts for all processes, and after an acknowledged log-out for none."""

    @in_loop
    async def test_a_token_of_one_is_good_for_another(self, url: str) -> None:
        async with pair(url) as at:
            token = await at.one.browser.log_in("alice")
            assert [await checked(each, token) for each in (at.one, at.two)] == [200, 200]
            tab = await at.two.browser.connect(token)
            await tab.command("getIceConfig")

    @in_loop
    async def test_none_is_accepted_after_a_log_out_elsewhere(self, url: str) -> None:
        async with pair(url) as at:
            for _ in range(5):
                token = await at.one.browser.log_in("alice")
                assert await logged_out(at.two, token) == 204
                assert await checked(at.one, token) == 401
                tab = await at.one.browser.connect(token)
                assert await tab.closed() == 4001
                assert tab.reported("LoggedOn") == []

    @in_loop
    async def test_nor_one_that_enters_while_it_is_logged_out(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with pair(url) as at:
            token = await at.one.browser.log_in("alice")
            hub, handle = at.one.cti._hub, at.one.service.handle

            async def late(user: str, event: object) -> object:
                answer = await handle(user, event)  # type: ignore[arg-type]
                if type(event).__name__ == "LoggedIn":
                    assert await logged_out(at.two, token) == 204
                return answer

            assert hub.service is not None
            monkeypatch.setattr(hub, "_on_event", lambda: late)
            monkeypatch.setattr(hub._reports, "_on_event", lambda: late)
            tab = await at.one.browser.connect(token)
            assert await tab.closed() == 4001
            assert tab.reported("LoggedOn") == []
            await at.one.wait_until(lambda: at.one.alice.state is State.LOGGED_OUT)

    @in_loop
    async def test_a_session_that_another_process_ended_is_over_soon(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(session_checks, "CHECK_EVERY", 0.05)
        async with pair(url) as at:
            token = await at.one.browser.log_in("alice")
            tab, other = await at.one.browser.connect(token), await at.one.browser.tab("alice")
            await tab.command("getIceConfig")
            assert await logged_out(at.two, token) == 204
            assert await tab.closed() == 4002
            await other.command("getIceConfig")
            assert len(at.one.alice.sessions) == 1

    @in_loop
    async def test_one_whose_page_is_gone_already_holds_nothing(self, url: str) -> None:
        async with pair(url) as at:
            token = await at.one.browser.log_in("alice")
            tab = await at.one.browser.connect(token)
            await tab.command("getIceConfig")
            assert await logged_out(at.two, token) == 204
            await tab.close()
            await at.one.wait_until(lambda: at.one.alice.state is State.LOGGED_OUT)
            assert at.one.cti._hub.sessions_of("alice").by_id == {}

    @in_loop
    async def test_nothing_in_the_database_is_good_for_anything(self, url: str) -> None:
        async with pair(url) as at:
            token = await at.one.browser.log_in("alice")
            session = at.one.cti._hub.log_ins._tokens.read(token).session
            assert await tried(at.one, "wrong") == 401
        with psycopg.connect(url) as connection:
            stored = str(
                connection.execute(
                    "SELECT user_id, encode(session, 'hex') FROM unique_account.assistant_sessions"
                ).fetchall()
                + connection.execute("SELECT place FROM unique_account.login_attempts").fetchall()
            )
        assert sha256(session.encode()).hexdigest() in stored
        for secret in (session, token, PASSWORDS["alice"], "127.0.0.1"):
            assert secret not in stored


class TestPreferences:
    """S2: preferences are read from the database and written to it."""

    @in_loop
    async def test_one_process_reads_what_another_wrote(self, url: str) -> None:
        async with pair(url) as at:
            tab, other = await at.one.browser.tab("alice"), await at.two.browser.tab("alice")
            await tab.command("setUserPreference", key="theme", value="dark\0\n", value_type="String")
            assert (await other.ask("UserPreference", "getUserPreferences"))["value"] == "dark\0\n"
            await tab.command("addFavorite", contactId="1002", source="internal")
            (entry,) = (await other.ask("Favorites", "getFavorites"))["entries"]
            assert entry["contact_id"] == "1002"


class TestAttempts:
    """S1: failed log-ins are counted over all processes."""

    @in_loop
    async def test_failures_at_two_processes_are_one_count(self, url: str) -> None:
        async with pair(url) as at:
            statuses = [await tried((at.one, at.two)[number % 2], "wrong") for number in range(PER_LOGIN + 4)]
            assert statuses == [401] * PER_LOGIN + [429] * 4
            assert await tried(at.two, PASSWORDS["alice"]) == 429

    @in_loop
    async def test_a_place_goes_when_nothing_in_it_counts(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(login_attempts, "CLEAN_EVERY", 0.0)
        async with aclosing(PostgresqlLoginAttempts(url)) as attempts:
            await attempts.failed(await attempts.begin(Places(("old",), ("there",))))
            with psycopg.connect(url) as connection:
                connection.execute("UPDATE unique_account.login_attempts SET touched = touched - 400")
            await attempts.failed(await attempts.begin(Places(("new",), ("here",))))
            with psycopg.connect(url) as connection:
                rows = connection.execute("SELECT place FROM unique_account.login_attempts").fetchall()
            assert {place for (place,) in rows} == {"new", "here"}


class TestALostDatabase:
    """S1, S2: while the database is away nothing is accepted unchecked, and who is connected stays so."""

    @pytest.fixture(autouse=True)
    def _soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database, "_PATIENCE", 1)
        monkeypatch.setattr(session_checks, "CHECK_EVERY", 0.1)

    @in_loop
    async def test_what_must_be_checked_is_refused(self, server: PostgresqlServer, url: str) -> None:
        async with process(url) as at:
            token = await at.browser.log_in("alice")
            tab = await at.browser.connect(token)
            await tab.command("getIceConfig")
            server.stop()
            try:
                assert [await checked(at, token), await logged_out(at, token)] == [503, 503]
                assert await (await at.browser.connect(token)).closed() == 1013
                assert await tried(at, PASSWORDS["alice"]) == 503
                fields = {"key": "theme", "value": "x", "value_type": "String"}
                assert (await tab.error("setUserPreference", **fields))[0] == "commandFailed"
                assert (await tab.error("getUserPreferences"))[0] == "commandFailed"
                assert tab.open
            finally:
                server.start()
            await at.wait_until(lambda: PortRequest("cti", "store") in at.observer.recoveries)
            assert tab.open
            assert [await checked(at, token), await logged_out(at, token)] == [200, 204]
            assert [str(request) for request, _ in at.observer.failures].count("cti: store") == 1

    @in_loop
    async def test_log_ins_are_counted_here(self, server: PostgresqlServer, url: str) -> None:
        async with process(url) as at:
            server.stop()
            try:
                statuses = await asyncio.gather(*(tried(at, "wrong") for _ in range(PER_LOGIN + 4)))
            finally:
                server.start()
            assert sorted(statuses) == [401] * PER_LOGIN + [429] * 4

    @in_loop
    async def test_what_ended_meanwhile_is_stored_later(self, server: PostgresqlServer, url: str) -> None:
        async with aclosing(PostgresqlAssistantStore(url, MemoryObserver())) as store:
            for user in ("alice", "bob"):
                await store.begin(user, "one", 9e9, 9e9)
                await store.prefer(user, "theme", Preference("dark", "String"))
            server.stop()
            try:
                for ending in (store.end("alice", "one"), store.forget("bob")):
                    with pytest.raises(StoreFailed):
                        await ending
                assert await store.prolong("alice", "one", 9.1e9) is False
                assert await store.preferences("bob") == {}
                assert list(await store.favorites("bob")) == []
            finally:
                server.start()
            both = {("alice", "one"), ("bob", "one")}
            assert set(await store.living(both)) == set()
            await store.save()
            async with aclosing(PostgresqlAssistantStore(url, MemoryObserver())) as other:
                assert set(await other.living(both)) == set()
                assert (await other.preferences("bob"), set(await other.preferences("alice"))) == (
                    {},
                    {"theme"},
                )
