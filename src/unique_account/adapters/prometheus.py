"""Metrics for Prometheus: what the service did, counted, and how things stand when they are asked for."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.core.machine import State
from unique_account.ports.observer import PortRequest


class PrometheusObserver:
    """Counts reports, in a registry of its own; no user is named in any metric."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._events = self._counter("events", "Events that made another account", "event")
        self._refusals = self._counter("refusals", "Events that were refused", "trigger")
        self._failures = self._counter("failures", "Requests that a port did not fulfil", "port", "name")

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

    def watch(
        self,
        accounts: Callable[[], Iterable[Account]],
        nodes: Callable[[], Mapping[str, bool]],
        store: Callable[[], bool],
    ) -> None:
        """Export from now on how many accounts there are in each state, and what is connected."""
        self._registry.register(_Standing(accounts, nodes, store))

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
