"""How the process is watched: counters, and the pages that show them."""

from __future__ import annotations

import asyncio
import json
from http.client import HTTPConnection

from unique_account.adapters.decorators.fan_out import FanOut
from unique_account.adapters.health import application, serving
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.prometheus import PrometheusObserver
from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import LoggedIn, apply
from unique_account.core.user import User
from unique_account.ports.bus import BusStanding
from unique_account.ports.group_leases import GroupRole, GroupStanding
from unique_account.ports.observer import PortRequest

ALICE = Account(User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w"))
LABEL = 'group="paris"'
IN = LoggedIn("tab-1")
REFUSED = Refused("logged_out", "select_webrtc", "no session", "log in")


class TestMetrics:
    """Everything that an observer is told is counted, and nobody is named."""

    def test_events_refusals_and_failures_are_counted(self) -> None:
        metrics = PrometheusObserver()
        after = apply(ALICE, IN)
        for _ in range(2):
            metrics.applied(IN, ALICE, after)
        metrics.refused(IN, ALICE, REFUSED)
        metrics.failed(PortRequest("pbx", "install", "default", "alice"), ConnectionError("gone"))
        metrics.watch(lambda: [ALICE, after], lambda: {"default": False}, lambda: True)
        said = metrics.text().decode()
        for line in (
            'unique_account_events_total{event="LoggedIn"} 2.0',
            'unique_account_refusals_total{trigger="select_webrtc"} 1.0',
            'unique_account_failures_total{name="default",port="pbx"} 1.0',
            'unique_account_accounts{state="webrtc_active"} 1.0',
            'unique_account_accounts{state="deskphone_in_use"} 0.0',
            'unique_account_node_connected{node="default"} 0.0',
            "unique_account_store_connected 1.0",
        ):
            assert f"{line}\n" in said
        assert "alice" not in said

    def test_a_group_is_exported(self) -> None:
        metrics = PrometheusObserver()
        standing = GroupStanding(
            group="paris", name="one", role=GroupRole.OWNER, epoch=7, takeovers=2, renewed=0.5
        )
        metrics.watch_group(lambda: standing)
        said = metrics.text().decode()
        for line in (
            "is_owner{X} 1.0",
            "epoch{X} 7.0",
            "takeovers_total{X} 2.0",
            "renewal_age_seconds{X} 0.5",
        ):
            assert f"unique_account_group_{line.replace('X', LABEL)}\n" in said
        standing = GroupStanding(group="paris", name="one", role=GroupRole.STANDBY)
        said = metrics.text().decode()
        assert 'unique_account_group_is_owner{group="paris"} 0.0\n' in said
        assert "renewal_age" not in said


class TestFanOut:
    """Each of several observers is told everything."""

    def test_all_are_told(self) -> None:
        observers = (MemoryObserver(), MemoryObserver())
        reported = FanOut(*observers)
        error = ConnectionError("gone")
        reported.applied(IN, ALICE, ALICE)
        reported.refused(IN, ALICE, REFUSED)
        reported.failed(PortRequest("pbx", "install"), error)
        for observer in observers:
            assert observer.applications == [(IN, ALICE, ALICE)]
            assert observer.refusals == [(IN, REFUSED)]
            assert observer.failures == [(PortRequest("pbx", "install"), error)]


class TestHealth:
    """What is not connected makes the health page say so, with a status of its own."""

    def test_a_node_that_is_down(self) -> None:
        status, said = _health({"default": True, "mds1": False}, store=True)
        assert status == 503
        nodes = {"default": "connected", "mds1": "disconnected"}
        assert said == {"status": "degraded", "nodes": nodes, "store": "connected"}

    def test_a_store_that_is_down(self) -> None:
        status, said = _health({"default": True}, store=False)
        assert status == 503
        nodes = {"default": "connected"}
        assert said == {"status": "degraded", "nodes": nodes, "store": "disconnected"}

    def test_a_bus_that_is_down_is_shown_and_no_more(self) -> None:
        status, said = _health({}, store=True, bus=BusStanding(is_connected=False, waiting=0, dropped=0))
        assert status == 200
        assert said == {"status": "ok", "nodes": {}, "store": "connected", "bus": "disconnected"}


def _health(nodes: dict[str, bool], *, store: bool, bus: BusStanding | None = None) -> tuple[int, object]:
    async def scenario() -> tuple[int, object]:
        app = application(lambda: nodes, lambda: store, lambda: b"", bus=lambda: bus)
        async with serving(app, "127.0.0.1", 0) as where:
            return await asyncio.to_thread(_get, where)

    return asyncio.run(scenario())


def _get(where: str) -> tuple[int, object]:
    connection = HTTPConnection(where.removeprefix("http://"), timeout=10)
    connection.request("GET", "/health", headers={"Connection": "close"})
    answer = connection.getresponse()
    try:
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()
