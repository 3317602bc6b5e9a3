"""Metrics for Prometheus: what the service did, counted, and how things stand when they are asked for."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.core.machine import State
from unique_account.ports.bus import BusStanding
from unique_account.ports.group_leases import GroupRole, GroupStanding, NodeTaken
from unique_account.ports.observer import PortRequest


class PrometheusObserver:
    """Counts reports, in a registry of its own; no user is named in any metric."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._events = self._counter("events", "Events that made another account", "event")
        self._refusals = self._counter("refusals", "Events that were refused", "trigger")
        self._failures = self._counter("failures", "Requests that a port did not fulfil", "port", "name")
        self._taken = self._counter("nodes_taken", "Times that this process took a node", "node")
        self._ended = self._counter("sessions_ended", "Sessions ended at a node that was taken", "node")
        self._seconds = self._counter("taking_seconds", "Seconds that it took to take a node", "node")

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"unique_account_{name}", what, labels, registry=self._registry)

    def applied(self, event: Event, before: Account, after: Account) -> None:
        """Count an event."""
        self._events.labels(type(event).__name__).inc()

    def refused(self, event: Event, account: Account, refusal: Refused) -> None:
        """Count a refusal."""
        self._refusals.labels(refusal.trigger).inc()

    def failed(self, request: PortRequest, error: Exception) -> None:
        """Count a failure by its port and the adapter's name."""
        self._failures.labels(request.port, request.name).inc()

    def recovered(self, request: PortRequest) -> None:
        """Count nothing: the gauges say what is connected."""

    def node_taken(self, taken: NodeTaken) -> None:
        """Count it by the node, with the sessions that were ended and the time that it took."""
        self._taken.labels(taken.media_server).inc()
        self._ended.labels(taken.media_server).inc(taken.ended)
        self._seconds.labels(taken.media_server).inc(taken.seconds)

    def watch(
        self,
        accounts: Callable[[], Iterable[Account]],
        nodes: Callable[[], Mapping[str, bool]],
        store: Callable[[], bool],
    ) -> None:
        """Export from now on how many accounts there are in each state, and what is connected."""
        self._registry.register(_Standing(accounts, nodes, store))

    def watch_group(self, standing: Callable[[], GroupStanding]) -> None:
        """Export from now on how things stand in the group of the process."""
        self._registry.register(_Group(standing))

    def watch_bus(self, standing: Callable[[], BusStanding | None]) -> None:
        """Export from now on whether the bus is connected, what it owes, and what it dropped."""
        self._registry.register(_Bus(standing))

    def text(self) -> bytes:
        """All metrics, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Standing(Collector):
    """How things stand at the moment of asking."""

    def __init__(
        self,
        accounts: Callable[[], Iterable[Account]],
        nodes: Callable[[], Mapping[str, bool]],
        store: Callable[[], bool],
    ) -> None:
        self._accounts = accounts
        self._nodes = nodes
        self._store = store

    def collect(self) -> Iterator[Metric]:
        accounts = GaugeMetricFamily(
            "unique_account_accounts", "Accounts by the state of their machine", labels=["state"]
        )
        count = Tally(account.state for account in self._accounts())
        for state in State:
            accounts.add_metric([state], count[state])
        yield accounts
        connected = GaugeMetricFamily(
            "unique_account_node_connected", "1 while the PBX node is connected", labels=["node"]
        )
        for node, up in self._nodes().items():
            connected.add_metric([node], up)
        yield connected
        yield GaugeMetricFamily(
            "unique_account_store_connected", "1 while the accounts' store can be reached", self._store()
        )


class _Group(Collector):
    """How things stand in a group at the moment of asking."""

    def __init__(self, standing: Callable[[], GroupStanding]) -> None:
        self._standing = standing

    def collect(self) -> Iterator[Metric]:
        now = self._standing()
        is_owner = now.role is not GroupRole.STANDBY
        yield self._gauge("is_owner", "1 while this process owns its group", is_owner)
        yield self._gauge("epoch", "The number of the ownership of the group that is known", now.epoch)
        takeovers = CounterMetricFamily(
            "unique_account_group_takeovers", "How often this process took its group over", labels=["group"]
        )
        takeovers.add_metric([now.group], now.takeovers)
        yield takeovers
        if now.renewed is not None:
            what = "How long ago this owner sent its last renewal that succeeded"
            yield self._gauge("renewal_age_seconds", what, now.renewed)

    def _gauge(self, name: str, what: str, value: float) -> Metric:
        gauge = GaugeMetricFamily(f"unique_account_group_{name}", what, labels=["group"])
        gauge.add_metric([self._standing().group], value)
        return gauge


class _Bus(Collector):
    """How the bus stands at the moment of asking."""

    def __init__(self, standing: Callable[[], BusStanding | None]) -> None:
        self._standing = standing

    def collect(self) -> Iterator[Metric]:
        if (now := self._standing()) is None:
            return
        yield GaugeMetricFamily(
            "unique_account_bus_connected", "1 while the bus takes what is announced", now.is_connected
        )
        yield GaugeMetricFamily(
            "unique_account_bus_waiting", "Last words that the bus has not confirmed", now.waiting
        )
        yield CounterMetricFamily(
            "unique_account_bus_dropped", "Messages of the bus that were not understood", now.dropped
        )
