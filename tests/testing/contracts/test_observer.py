"""The contract of the observer can fail: it finds each adapter that breaks a promise."""

from __future__ import annotations

import pytest

from tests.testing.promises import broken_promises, keeps
from unique_account.adapters.memory import (
    MemoryObserver,
)
from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.ports.group_leases import NodeTaken
from unique_account.ports.observer import PortRequest
from unique_account.testing.contracts import (
    ObserverContract,
)


class Formats(MemoryObserver):
    def refused(self, event: Event, account: Account, refusal: Refused) -> None:
        assert str(refusal) % ()


class KnowsMachineEventsOnly(MemoryObserver):
    def applied(self, event: Event, before: Account, after: Account) -> None:
        if before.state is after.state:
            raise LookupError("no arrow")


class FillsUp(MemoryObserver):
    def failed(self, request: PortRequest, error: Exception) -> None:
        super().failed(request, error)
        if len(self.failures) > 50:
            raise OverflowError("too many failures")


class Reads(MemoryObserver):
    def failed(self, request: PortRequest, error: Exception) -> None:
        str(error.args[0])


class RemembersFailures(MemoryObserver):
    def recovered(self, request: PortRequest) -> None:
        self.failures.pop()


class FormatsNodes(MemoryObserver):
    def node_taken(self, taken: NodeTaken) -> None:
        assert str(taken) % ()


@pytest.mark.parametrize(
    "adapter", [Formats, KnowsMachineEventsOnly, FillsUp, Reads, RemembersFailures, FormatsNodes]
)
def test_a_broken_observer_is_found_out(adapter: type[MemoryObserver]) -> None:
    assert broken_promises(keeps(ObserverContract, adapter))


def test_a_whole_one_breaks_no_promise() -> None:
    assert broken_promises(keeps(ObserverContract, MemoryObserver, within=5)) == []
