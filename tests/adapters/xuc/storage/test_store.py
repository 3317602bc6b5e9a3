"""What the CTI server keeps: while the disk is full, over a restart, and whatever the clock says."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.adapters.xuc.assistants import ALICE, PASSWORDS, Installation, Tab, installation
from tests.event_loop import in_loop
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.xuc import session_checks
from unique_account.adapters.xuc.storage.sessions import StoredSession, StoredSessions
from unique_account.adapters.xuc.storage.store import FileStore
from unique_account.core.machine import State
from unique_account.ports import assistant_store
from unique_account.ports.assistant_store import MOST_PREFERENCES, MOST_SESSIONS, Preference, StoreFailed
from unique_account.ports.observer import PortRequest


@contextmanager
def full_disk() -> Iterator[None]:
    """Let the kernel take nothing more that this process writes into a file."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def stored(at: Installation) -> FileStore:
    """The store of an installation."""
    store = at.cti._hub.store
    assert isinstance(store, FileStore)
    return store


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def checked(at: Installation, token: str) -> int:
    """The status with which a token is renewed."""
    return (await at.browser.request("GET", "auth/check", headers=bearer(token))).status_code


async def logged_out(at: Installation, token: str) -> int:
    """The status with which a session is logged out."""
    return (await at.browser.request("POST", "auth/logout", headers=bearer(token))).status_code


async def preferred(tab: Tab, key: str = "colour") -> str | None:
    """What the server says that a user prefers."""
    before = len(tab.frames)
    await tab.command("getUserPreferences")
    reported = [frame["ctiMessage"] for frame in tab.frames[before:] if frame["msgType"] == "UserPreference"]
    return {one["key"]: one["value"] for one in reported}.get(key)


class TestAFullDisk:
    """S2: what is acknowledged is kept; what cannot be kept is an error, and is not shown as if it were."""

    @in_loop
    async def test_a_preference_that_is_refused_is_not_shown(self, tmp_path: Path) -> None:
        async with installation(store=tmp_path / "cti.sqlite") as at:
            tab, other = await at.browser.tab("alice"), await at.browser.tab("alice")
            await tab.command("setUserPreference", key="colour", value="green", value_type="String")
            with full_disk():
                for command, fields in (
                    ("setUserPreference", {"key": "colour", "value": "red", "value_type": "String"}),
                    ("setUserPreference", {"key": "other", "value": "red", "value_type": "String"}),
                    ("userStatusUpdate", {"status": "away"}),
                ):
                    word, sentence = await tab.error(command, **fields)
                    assert (word, sentence) == (
                        "commandFailed",
                        "nothing can be stored at the moment; try again",
                    )
                assert (await preferred(tab), await preferred(tab, "other")) == ("green", None)
            assert await preferred(other, "userStatus") is None
            assert [reported["value"] for reported in other.reported("UserPreference")] == ["green", "green"]
            assert [str(request) for request, _ in at.observer.failures] == ["cti: store"]
            await tab.command("setUserPreference", key="colour", value="red", value_type="String")
            assert await preferred(other) == "red"
            assert at.observer.recoveries == [PortRequest("cti", "store")]

    @in_loop
    async def test_favourites_outlive_a_restart_and_are_few(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(assistant_store, "MOST_FAVORITES", 1)
        fields = {"contactId": "1002", "source": "internal"}
        async with installation(store=tmp_path / "cti.sqlite") as at:
            tab, other = await at.browser.tab("alice"), await at.browser.tab("alice")
            with full_disk():
                assert (await tab.error("addFavorite", **fields))[0] == "commandFailed"
            assert (await tab.ask("Favorites", "getFavorites"))["entries"] == []
            updated = await tab.ask("FavoriteUpdated", "addFavorite", **fields)
            assert updated == {"action": "Added", "contact_id": "1002", "source": "internal"}
            await other.until(lambda: other.last("FavoriteUpdated") == updated)
            await tab.command("addFavorite", **fields)
            more = {"contactId": "1001", "source": "internal"}
            assert (await tab.error("addFavorite", **more))[0] == "invalidMessage"
            assert (await tab.error("addFavorite", contactId="1002", source="x"))[0] == "invalidMessage"
        async with installation(store=tmp_path / "cti.sqlite") as at:
            tab = await at.browser.tab("alice")
            (entry,) = (await tab.ask("Favorites", "getFavorites"))["entries"]
            assert (entry["contact_id"], entry["favorite"]) == ("1002", True)
            assert (await tab.ask("DirectoryResult", "directoryLookUp", term="BOB"))["entries"] == [entry]
            await tab.command("removeFavorite", **fields)
            assert (await tab.ask("Favorites", "getFavorites"))["entries"] == []

    @in_loop
    async def test_a_log_out_that_cannot_be_kept_is_an_error_and_counts_here(self, tmp_path: Path) -> None:
        async with installation(store=tmp_path / "cti.sqlite") as at:
            token, other = await at.browser.log_in("alice"), await at.browser.log_in("alice")
            tab, asking = await at.browser.connect(token), await at.browser.connect(other)
            await tab.command("getIceConfig")
            await asking.command("getIceConfig")
            with full_disk():
                assert await logged_out(at, token) == 503
                assert await tab.closed() == 4002
                word, sentence = await asking.error("logout")
                assert (word, "a restart of the server would undo it" in sentence) == ("commandFailed", True)
                assert await asking.closed() == 4002
            assert [await checked(at, text) for text in (token, other)] == [401, 401]
            assert at.alice.state is State.LOGGED_OUT
            assert [str(request) for request, _ in at.observer.failures] == ["cti: store"]

    @in_loop
    async def test_it_is_kept_as_soon_as_that_is_possible(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(session_checks, "CHECK_EVERY", 0.05)
        store = tmp_path / "cti.sqlite"
        async with installation(store=store) as at:
            token = await at.browser.log_in("alice")
            with full_disk():
                assert await logged_out(at, token) == 503
            await at.wait_until(lambda: not stored(at).has_unwritten)
        async with installation(store=store) as at:
            assert await checked(at, token) == 401

    @in_loop
    async def test_a_log_out_that_was_acknowledged_outlives_a_restart(self, tmp_path: Path) -> None:
        store, answered = tmp_path / "cti.sqlite", {}
        async with installation(store=store) as at:
            tokens = [await at.browser.log_in("alice") for _ in range(10)]
            for number, token in enumerate(tokens):
                if number % 2:
                    answered[token] = await logged_out(at, token)
                else:
                    with full_disk():
                        answered[token] = await logged_out(at, token)
        async with installation(store=store) as at:
            for token, status in answered.items():
                assert status == 503 or await checked(at, token) == 401

    @in_loop
    async def test_a_removal_counts_here_at_once(self, tmp_path: Path) -> None:
        async with installation(store=tmp_path / "cti.sqlite") as at:
            token = await at.browser.log_in("alice")
            with full_disk():
                await at.service.remove("alice")
            assert await checked(at, token) == 401
            assert "cti: forget for alice" in [str(request) for request, _ in at.observer.failures]
            assert stored(at).has_unwritten

    @in_loop
    async def test_a_removal_is_kept_though_the_user_comes_again_before(self, tmp_path: Path) -> None:
        async with installation(store=tmp_path / "cti.sqlite") as at:
            await (await at.browser.tab("alice")).command(
                "setUserPreference", key="colour", value="green", value_type="String"
            )
            with full_disk():
                await at.service.remove("alice")
                await at.service.add(ALICE)
                tab = await at.browser.tab("alice")
            await tab.command("setUserPreference", key="sound", value="off", value_type="String")
            await stored(at).save()
        async with installation(store=tmp_path / "cti.sqlite") as at:
            tab = await at.browser.tab("alice")
            assert (await preferred(tab), await preferred(tab, "sound")) == (None, "off")

    @in_loop
    async def test_a_log_in_is_live_until_a_restart(self, tmp_path: Path) -> None:
        async with installation(store=tmp_path / "cti.sqlite") as at:
            with full_disk():
                token = await at.browser.log_in("alice")
            assert await checked(at, token) == 200


class TestADamagedFile:
    """What is no store of ours is refused with its name when it is opened, and keeps nothing later."""

    @pytest.mark.parametrize(
        ("table", "row"),
        [
            ("sessions", ("alice", "one", None)),
            ("sessions", ("alice", "one", "later")),
            ("sessions", ("alice", "one", 9e999)),
            ("sessions", (None, "one", 9e9)),
            ("sessions", ("alice", b"\xff", 9e9)),
            ("sessions", ("alice", 1, 9e9)),
            ("preferences", ("alice", "colour", None, "String")),
            ("preferences", ("alice", "colour", "green", 5)),
            ("preferences", (b"alice", "colour", "green", "String")),
        ],
    )
    def test_a_row_that_is_none(self, tmp_path: Path, table: str, row: tuple[object, ...]) -> None:
        path = tmp_path / "cti.sqlite"
        columns = {"sessions": "user, session, until", "preferences": "user, key, value, value_type"}[table]
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute(f"CREATE TABLE {table} ({columns})")
            file.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        with pytest.raises(OSError, match=r"cti\.sqlite cannot be used .*: a row is damaged"):
            FileStore(path, MemoryObserver(), lambda: 0.0)

    def test_a_table_of_other_columns(self, tmp_path: Path) -> None:
        path = tmp_path / "cti.sqlite"
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute("CREATE TABLE preferences (user, key)")
        with pytest.raises(OSError, match=r"cti\.sqlite cannot be used .*: no such column"):
            FileStore(path, MemoryObserver(), lambda: 0.0)

    @pytest.mark.parametrize("page", [1, 2, 3])
    @pytest.mark.parametrize("damage", [b"\xff" * 8, b"\0" * 8])
    def test_a_page_that_is_none(self, tmp_path: Path, page: int, damage: bytes) -> None:
        path = self._filled(tmp_path)
        data = bytearray(path.read_bytes())
        start = (page - 1) * 4096 + (100 if page == 1 else 0)
        data[start : start + len(damage)] = damage
        path.write_bytes(data)
        with pytest.raises(OSError, match=r"cti\.sqlite cannot be used"):
            FileStore(path, MemoryObserver(), lambda: 0.0)

    def test_a_schema_of_half_characters(self, tmp_path: Path) -> None:
        path = self._filled(tmp_path)
        path.write_bytes(path.read_bytes().replace(b"(user, session)", b"(user, sess\xffon)"))
        with pytest.raises(OSError, match=r"cti\.sqlite cannot be used"):
            FileStore(path, MemoryObserver(), lambda: 0.0)

    @in_loop
    async def test_one_that_is_damaged_later_keeps_nothing(self, tmp_path: Path) -> None:
        path = self._filled(tmp_path)
        with closing(FileStore(path, MemoryObserver(), lambda: 0.0)) as store:
            with closing(sqlite3.connect(path, isolation_level=None)) as file:
                file.execute("PRAGMA writable_schema = ON")
                file.execute(
                    "UPDATE sqlite_schema SET sql = replace(sql, '(user, key)', "
                    "'(user, k' || CAST(x'ff' AS TEXT) || 'y)') WHERE name = 'preferences'"
                )
                file.execute(f"PRAGMA schema_version = {2**20}")
            with pytest.raises(StoreFailed):
                await store.prefer("alice", "colour", Preference("red", "String"))

    def _filled(self, folder: Path) -> Path:
        path = folder / "cti.sqlite"
        FileStore(path, MemoryObserver(), lambda: 0.0).close()
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute("INSERT INTO sessions VALUES ('alice', 'one', 9e9)")
            file.execute("INSERT INTO preferences VALUES ('alice', 'colour', 'green', 'String')")
        return path


class TestTheClock:
    """S2: revoking compares no times, so it holds however the clock is set, and over a restart."""

    @pytest.mark.parametrize("before", [-86400, -3600, 0, 3000])
    @pytest.mark.parametrize("after", [-86400, -60, 0, 60])
    @in_loop
    async def test_a_log_out_stays_one(self, tmp_path: Path, before: int, after: int) -> None:
        store = tmp_path / "cti.sqlite"
        async with installation(store=store) as at:
            began = at.clock.now()
            ended, kept = await at.browser.log_in("alice"), await at.browser.log_in("alice")
            answer = await at.browser.request("GET", "auth/check", headers=bearer(ended))
            renewed = answer.json()["token"]
            await at.advance(before)
            assert await logged_out(at, renewed) == 204
            await at.advance(after)
            assert [await checked(at, token) for token in (ended, renewed, kept)] == [401, 401, 200]
        async with installation(store=store) as at:
            at.clock._now = began
            assert [await checked(at, token) for token in (ended, renewed, kept)] == [401, 401, 200]

    @pytest.mark.parametrize("seconds", [-86400, 0, 3000])
    @in_loop
    async def test_a_user_added_again_has_no_session_of_before(self, tmp_path: Path, seconds: int) -> None:
        store = tmp_path / "cti.sqlite"
        async with installation(store=store) as at:
            began, old = at.clock.now(), await at.browser.log_in("alice")
            await at.advance(seconds)
            await at.service.remove("alice")
            await at.service.add(ALICE)
            new = await at.browser.log_in("alice")
            assert [await checked(at, token) for token in (old, new)] == [401, 200]
        async with installation(store=store) as at:
            at.clock._now = began + timedelta(seconds=min(seconds, 0))
            assert [await checked(at, token) for token in (old, new)] == [401, 200]

    @in_loop
    async def test_a_clock_that_ran_ahead_for_a_month_brings_nothing_back(self, tmp_path: Path) -> None:
        store = tmp_path / "cti.sqlite"
        async with installation(store=store) as at:
            began, token = at.clock.now(), await at.browser.log_in("alice")
            assert await logged_out(at, token) == 204
        ahead = FileStore(store, MemoryObserver(), lambda: began.timestamp() + 30 * 86400)
        ahead.close()
        async with installation(store=store) as at:
            at.clock._now = began
            assert await checked(at, token) == 401
            assert await checked(at, await at.browser.log_in("alice")) == 200


class TestMemory:
    """S2: what is kept is bounded for each user, and goes with the user."""

    @in_loop
    async def test_sessions_that_are_over_are_not_kept(self, tmp_path: Path) -> None:
        async with installation(store=tmp_path / "cti.sqlite") as at:
            store, log_in = stored(at), at.cti._hub.log_ins.log_in
            for _ in range(3):
                for _ in range(50):
                    await log_in("alice", "alice", PASSWORDS["alice"])
                await at.advance(3601)
            await log_in("alice", "alice", PASSWORDS["alice"])
            assert len(store._sessions._sessions["alice"]) == 1
            for _ in range(2 * MOST_SESSIONS):
                last = await log_in("alice", "alice", PASSWORDS["alice"])
            assert len(store._sessions._sessions["alice"]) == MOST_SESSIONS
            assert (await at.cti._hub.log_ins.token(last)).user == "alice"
            await store.save()
            (rows,) = store._file._connection.execute("SELECT count(*) FROM sessions").fetchone()
            assert rows == MOST_SESSIONS

    @in_loop
    async def test_nothing_is_left_of_a_removed_user(self, tmp_path: Path) -> None:
        async with installation(store=tmp_path / "cti.sqlite") as at:
            tab = await at.browser.tab("alice")
            await tab.command("setUserPreference", key="colour", value="green", value_type="String")
            await at.service.remove("alice")
            await tab.closed()
            await at.wait_until(lambda: "alice" not in at.cti._hub._users)
            store = stored(at)
            assert ("alice" in store._sessions._sessions, "alice" in store._preferences._preferences) == (
                False,
                False,
            )
            assert not store.has_unwritten
            for table in ("sessions", "preferences"):
                assert (
                    store._file._connection.execute(f"SELECT * FROM {table} WHERE user = 'alice'").fetchall()
                    == []
                )

    @in_loop
    async def test_nor_of_a_preference_that_came_at_the_same_time(self, tmp_path: Path) -> None:
        async with installation(store=tmp_path / "cti.sqlite") as at:
            tab, store = await at.browser.tab("alice"), stored(at)
            await store._lock.acquire()
            await tab.send(
                {"claz": "web", "command": "setUserPreference", "key": "colour",
                 "value": "green", "value_type": "String"}
            )  # fmt: skip
            await at.wait_until(lambda: store._lock._waiters)
            removing = asyncio.create_task(at.service.remove("alice"))
            await at.wait_until(lambda: at.cti._hub.sessions_of("alice").view is None)
            store._lock.release()
            await removing
            await tab.closed()
            await at.wait_until(
                lambda: "alice" not in store._preferences._preferences and not store.has_unwritten
            )
            assert store._file._connection.execute("SELECT * FROM preferences").fetchall() == []

    @in_loop
    async def test_preferences_at_once_are_no_more_than_may_be(self, tmp_path: Path) -> None:
        async with installation(store=tmp_path / "cti.sqlite") as at:
            tabs = [await at.browser.tab("alice") for _ in range(4)]
            for number in range(25):
                for which, tab in enumerate(tabs):
                    await tab.send(
                        {"claz": "web", "command": "setUserPreference", "key": f"{which}-{number}",
                         "value": "x", "value_type": "String"}
                    )  # fmt: skip
            for tab in tabs:
                await tab.command("getIceConfig")
            assert len(await stored(at).preferences("alice")) == MOST_PREFERENCES

    def test_a_session_is_prolonged_only_while_it_is_there(self) -> None:
        sessions = StoredSessions(lambda: 0.0)
        sessions.prolong("alice", "one", 5.0)
        sessions.end("alice", "one")
        assert (sessions.has("alice", "one"), sessions.unwritten) == (False, set())
        sessions.begin("alice", "one", StoredSession(1.0, 9.0))
        sessions.prolong("alice", "one", 5.0)
        assert sessions._sessions["alice"]["one"].expires == 5.0
