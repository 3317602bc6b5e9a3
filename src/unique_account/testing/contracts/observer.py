"""What every observer must do."""

from __future__ import annotations

from typing import Final

from unique_account.core.account import Account
from unique_account.core.errors import Refused, Unreachable
from unique_account.core.events import Event, LoggedIn, MessagesChanged, apply
from unique_account.core.user import User
from unique_account.ports.group_leases import Fence, NodeTaken
from unique_account.ports.observer import Observer, PortRequest
from unique_account.testing.contracts.scenario import Contract, scenario

BEFORE: Final = Account(User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w"))
EVENTS: Final[tuple[Event, ...]] = (LoggedIn("tab-1"), MessagesChanged(1, 0))
REFUSAL: Final = Refused("logged_out", "select_webrtc", "100 % {of} a reason", "a way out")
REQUEST: Final = PortRequest("pbx", "install", "default", "alice")
TAKEN: Final = NodeTaken(media_server="100 % {of} a node", fence=Fence("main", 7), ended=1, seconds=0.012)


class ObserverContract(Contract[Observer]):
    """The contract of `unique_account.ports.observer.Observer`: no report makes it raise."""

    @scenario
    async def test_events_are_taken(self, observer: Observer) -> None:
        """An event made another account; one that moved the machine, or not."""
        for event in EVENTS:
            observer.applied(event, BEFORE, apply(BEFORE, event))

    @scenario
    async def test_refusals_are_taken(self, observer: Observer) -> None:
        """An event was refused, and the account is what it was."""
        observer.refused(LoggedIn("tab-1"), BEFORE, REFUSAL)

    @scenario
    async def test_failures_are_taken_again_and_again(self, observer: Observer) -> None:
        """While a node is down there may be many failures."""
        for _ in range(100):
            observer.failed(REQUEST, Unreachable("100 % {of} it is gone"))
        observer.failed(REQUEST, KeyError())

    @scenario
    async def test_recoveries_are_taken(self, observer: Observer) -> None:
        """What failed before works again; also what is not known to have failed."""
        observer.failed(REQUEST, ConnectionError("gone"))
        for _ in range(2):
            observer.recovered(REQUEST)

    @scenario
    async def test_nodes_that_were_taken_are_taken_note_of(self, observer: Observer) -> None:
        """The process took a node of its group."""
        observer.node_taken(TAKEN)
