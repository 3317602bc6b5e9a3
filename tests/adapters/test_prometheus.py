from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from unique_account.adapters.prometheus import PrometheusObserver
from unique_account.ports.group_leases import Fence, NodeTaken
from unique_account.ports.observer import Observer
from unique_account.testing.contracts import ObserverContract


class TestPrometheusObserver(ObserverContract):
    """The observer that counts."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Observer]:
        yield PrometheusObserver()


def test_nodes_that_were_taken_are_counted_by_their_names() -> None:
    observer = PrometheusObserver()
    for seconds in (0.25, 0.5):
        taken = NodeTaken(media_server="mds1", fence=Fence("main", 7), ended=2, seconds=seconds)
        observer.node_taken(taken)
    text = observer.text().decode()
    assert 'unique_account_nodes_taken_total{node="mds1"} 2.0' in text
    assert 'unique_account_sessions_ended_total{node="mds1"} 4.0' in text
    assert 'unique_account_taking_seconds_total{node="mds1"} 0.75' in text
