"""The composition root: adapters are found by name, the defaults work, and what is made is closed."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from datetime import timedelta
from importlib.metadata import EntryPoint
from typing import Any

import pytest

import unique_account.bootstrap as module
from tests.event_loop import in_loop
from tests.service.installation import ALICE, settle
from unique_account.adapters.memory import (
    MemoryAccounts,
    MemoryBus,
    MemoryCallLog,
    MemoryCti,
    MemoryObserver,
    MemoryPbx,
    SettableClock,
)
from unique_account.adapters.sqlite import SqliteAccounts
from unique_account.bootstrap import PORTS, NoSuchAdapter, adapters, bootstrap, find_adapter
from unique_account.core.events import DeviceSelected, LoggedIn, SessionLost
from unique_account.core.machine import Device, State
from unique_account.core.routing import plan


class TestFinding:
    """Adapters are found by name through entry points, ours and strangers' alike."""

    def test_each_port_has_its_embedded_adapters(self) -> None:
        embedded = {
            "pbx": {"memory"},
            "accounts": {"memory", "sqlite"},
            "bus": {"memory"},
            "call_log": {"memory"},
            "cti": {"memory"},
        }
        assert set(PORTS) == set(embedded)
        for port, names in embedded.items():
            assert names <= set(adapters(port))
            assert list(adapters(port)) == sorted(adapters(port))

    @pytest.mark.parametrize(
        ("port", "name", "adapter"),
        [
            ("pbx", "memory", MemoryPbx),
            ("accounts", "memory", MemoryAccounts),
            ("accounts", "sqlite", SqliteAccounts),
            ("bus", "memory", MemoryBus),
            ("call_log", "memory", MemoryCallLog),
            ("cti", "memory", MemoryCti),
        ],
    )
    def test_a_name_leads_to_its_class(self, port: str, name: str, adapter: type) -> None:
        assert find_adapter(port, name) is adapter

    def test_an_unknown_name_lists_the_installed_ones(self) -> None:
        with pytest.raises(NoSuchAdapter) as missing:
            find_adapter("accounts", "oracle")
        assert (missing.value.port, missing.value.name) == ("accounts", "oracle")
        installed = ", ".join(adapters("accounts"))
        assert str(missing.value) == f"no accounts adapter named oracle: installed are {installed}"
        assert "sqlite" in installed

    def test_an_unknown_port_has_none(self) -> None:
        with pytest.raises(NoSuchAdapter, match="no fax adapter named memory: installed are none"):
            find_adapter("fax", "memory")


class Package:
    """The distribution that an entry point came with."""

    def __init__(self, name: str, extras: list[str] | None) -> None:
        self.name = name
        self.metadata = self
        self._extras = extras

    def get_all(self, header: str) -> list[str] | None:
        return self._extras if header == "Provides-Extra" else None


class TestMissingExtras:
    """A missing extra says which pip line brings it."""

    def tried(self, monkeypatch: pytest.MonkeyPatch, package: Package | None) -> str:
        """What is said of an adapter whose driver is missing."""

        class Entry:
            name, dist = "postgresql", package

            def load(self) -> None:
                raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")

        monkeypatch.setattr(module, "entry_points", lambda **_: [Entry()])
        with pytest.raises(NoSuchAdapter) as missing:
            find_adapter("accounts", "postgresql")
        assert isinstance(missing.value.__cause__, ModuleNotFoundError)
        return missing.value.hint

    def test_the_extra_of_its_name_brings_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        hint = self.tried(monkeypatch, Package("unique_account", ["cli", "postgresql"]))
        assert hint == "No module named 'psycopg'; pip install 'unique_account[postgresql]' brings it"

    def test_a_strangers_package_has_its_own_extras(self, monkeypatch: pytest.MonkeyPatch) -> None:
        hint = self.tried(monkeypatch, Package("ua-postgres", ["postgresql"]))
        assert hint.endswith("; pip install 'ua-postgres[postgresql]' brings it")

    @pytest.mark.parametrize("package", [Package("ua-postgres", None), Package("x", ["cli"]), None])
    def test_without_such_an_extra_no_line_is_made_up(
        self, monkeypatch: pytest.MonkeyPatch, package: Package | None
    ) -> None:
        assert self.tried(monkeypatch, package) == "No module named 'psycopg'"

    def test_an_entry_point_is_what_the_standard_library_says(self) -> None:
        entry = EntryPoint("memory", "unique_account.adapters.memory:MemoryPbx", "unique_account.pbx")
        assert entry.dist is None
        assert entry.load() is MemoryPbx

    def test_without_cattrs_the_documents_name_their_extra(self) -> None:
        code = "import sys; sys.modules['cattrs'] = None; import unique_account.json_documents"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "documents need cattrs: pip install 'unique_account[json]' brings it" in done.stderr


class TestDefaults:
    """The embedded defaults work from end to end."""

    @in_loop
    async def test_a_login_moves_the_calls_of_a_user(self) -> None:
        clock = SettableClock()
        pbx, cti, observer = MemoryPbx(clock), MemoryCti(), MemoryObserver()
        async with bootstrap(clock=clock, pbxs=(pbx,), cti=cti, observer=observer) as service:
            await service.add(ALICE)
            for interface in (ALICE.deskphone, ALICE.webrtc):
                await pbx.register(interface)
            assert (await pbx.call("1001")).rings is Device.DESKPHONE
            await cti.act("alice", LoggedIn("tab-1"))
            assert (await pbx.call("1001")).rings is Device.WEBRTC
            await cti.act("alice", DeviceSelected(Device.DESKPHONE))
            assert (await pbx.call("1001")).rings is Device.DESKPHONE
            assert observer.failures == []

    @in_loop
    async def test_nothing_needs_to_be_given(self) -> None:
        async with bootstrap() as service:
            await service.add(ALICE)
            assert (await service.handle("alice", LoggedIn("tab-1"))).state is State.WEBRTC_ACTIVE
            node = next(iter(service._pbxs.values()))
            assert node.media_server == "default"
            assert await node.installed("unique_account") == {"alice": plan(service.account("alice"))}

    @in_loop
    async def test_lease_and_owner_reach_the_service(self) -> None:
        clock = SettableClock()
        pbx = MemoryPbx(clock)
        lease = timedelta(seconds=3)
        async with bootstrap(clock=clock, pbxs=(pbx,), lease=lease, owner="test") as service:
            await service.add(ALICE)
            assert service.account("alice").lease == lease
            assert set(await pbx.installed("test")) == {"alice"}

    @in_loop
    async def test_leases_end_by_the_clock_of_the_machine(self) -> None:
        async with bootstrap(lease=timedelta(0)) as service:
            await service.add(ALICE)
            await service.handle("alice", LoggedIn("tab-1"))
            await service.handle("alice", SessionLost("tab-1", service._clock.now()))
            async with asyncio.timeout(60):
                while service.account("alice").sessions:  # noqa: ASYNC110 - the clock tells nobody
                    await asyncio.sleep(0.001)


class TestClosing:
    """What is made here is closed here; what is given stays open."""

    @in_loop
    async def test_what_is_given_stays_open(self) -> None:
        store = SqliteAccounts(":memory:")
        async with bootstrap(accounts=store) as service:
            await service.add(ALICE)
        assert await store.load("alice") is not None
        await store.aclose()

    @in_loop
    async def test_the_clock_that_is_made_is_closed(self) -> None:
        woken: list[str] = []

        async def wake() -> None:
            woken.append("late")

        async with bootstrap() as service:
            service._clock.call_at(service._clock.now() + timedelta(seconds=0.005), wake)
        await asyncio.sleep(0.02)
        assert woken == []

    @in_loop
    async def test_no_task_outlives_it_though_a_lease_is_on_its_way(self) -> None:
        observer = MemoryObserver()
        async with bootstrap(observer=observer, lease=timedelta(seconds=0.005)) as service:
            await service.add(ALICE)
            await service.handle("alice", LoggedIn("tab-1"))
            await service.handle("alice", SessionLost("tab-1", service._clock.now()))
        await asyncio.sleep(0.02)
        await settle()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert observer.failures == []

    @in_loop
    async def test_a_service_that_cannot_start_leaves_nothing_open(self) -> None:
        class Broken(MemoryAccounts):
            async def all(self) -> Any:
                raise OSError("unreadable")
                yield

        with pytest.raises(OSError, match="unreadable"):
            async with bootstrap(accounts=Broken()):
                pass
        assert asyncio.all_tasks() == {asyncio.current_task()}

    def test_nothing_is_left_for_the_garbage_collector(self) -> None:
        code = (
            "import asyncio\n"
            "from unique_account.bootstrap import bootstrap\n"
            "async def main():\n"
            "    async with bootstrap():\n"
            "        pass\n"
            "asyncio.run(main())\n"
        )
        command = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        gc.collect()
        assert (done.returncode, done.stderr) == (0, "")
