"""The PBX: it carries calls out by itself, reports what it sees, and takes commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum, auto
from typing import Protocol

from unique_account.core.errors import UniqueAccountError, Unreachable
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.core.routing import Plan
from unique_account.core.user import User
from unique_account.ports.inbound.events import EventHandler


class Failure(StrEnum):
    """Why a command was not carried out: the id by which a client finds words in its user's language."""

    CALL_OVER = auto()
    COMMAND_FAILED = auto()
    DESKPHONE_KEYS = auto()
    HELD_ALREADY = auto()
    LAST_DEVICE = auto()
    NOT_ANSWERED = auto()
    NOT_DIALABLE = auto()
    NOT_HELD = auto()
    NOT_ONE_PHONE = auto()
    NOT_READY = auto()
    NOT_RINGING = auto()
    NOT_TWO_PARTIES = auto()
    NO_CALL = auto()
    NO_LINE_HERE = auto()
    NO_REMOTE_CONTROL = auto()
    NO_SUCH_CALL = auto()
    NO_SUCH_NUMBER = auto()
    NO_TRANSFER = auto()
    OTHER_DEVICE = auto()
    PARTY_GONE = auto()
    PBX_REFUSES = auto()
    PHONE_DOES_NOT_RING = auto()
    PHONE_NOT_REGISTERED = auto()
    SAME_PARTY = auto()
    TOO_MANY_QUESTIONS = auto()
    WHICH_CALL = auto()
    WRONG_STATUS = auto()


class CommandFailed(UniqueAccountError):
    """A command was not carried out; nothing of it was.

    Attributes:
        reason: Why, as an English sentence (C1).
        failure: Why, as an id.
        parameters: What the words for that id name, such as ``number``.
    """

    def __init__(self, reason: str, failure: Failure = Failure.COMMAND_FAILED, **parameters: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.failure = failure
        self.parameters = parameters


class NodeDown(Unreachable):
    """The node cannot be reached, and the observer knows since it went down."""


class Pbx(Protocol):
    """One PBX node.

    Projections (`install`, `hint`) may be handed over again at any time with the same result, and are: a
    resync hands all of them over. Commands happen once or not at all, and are never handed over again.
    Every method returns, or raises, within a time that the adapter bounds; while the node cannot be
    reached it raises `unique_account.core.errors.Unreachable` or any other `ConnectionError`, best a
    `NodeDown` once the observer knows.
    """

    @property
    def media_server(self) -> str:
        """The node's name, as users name it in ``User.media_server``."""
        ...

    async def listen(self, on_event: EventHandler, on_return: Callable[[], None]) -> None:
        """Report every fact about the watched users, in the order of the node, until cancelled; called once.

        A lost connection or a restart of the node leaves facts unreported. All that is known afterwards is
        reported in a `FactsReplaced` for every watched user; the service then hands the user's projections
        over again. While a node does not come back, its lines are unavailable, so that nobody is shown in a
        call that may be over.

        Args:
            on_event: Receives the facts.
            on_return: Called whenever the node is back after it could not be reached. Requests succeed by
                then; one that is made at once sees what the node holds before any fact is reported.
        """
        ...

    async def watch(self, user: User) -> None:
        """Report this user's facts from now on, first all that is known now, in a `FactsReplaced`.

        Called again for a watched user it begins again, with the user's present endpoints and mailbox:
        this is the resync of one user. Returns when the `FactsReplaced` has been handled. Where the node
        cannot be reached, the user is watched all the same, and all is reported again once it can be.
        """
        ...

    async def forget(self, user: str) -> None:
        """Report nothing more of this user, and remove its plan and hints; unknown users are no error."""
        ...

    async def install(self, plan: Plan) -> bool:
        """Let the user's calls follow this plan from the next call on (R7, R16).

        Returns:
            True if the plan is in force now; False if the node holds a newer version, which stays.
        """
        ...

    async def installed(self, owner: str) -> Mapping[str, Plan]:
        """The plans that this owner installed on the node, by user."""
        ...

    async def hint(self, number: Number, presence: Presence) -> None:
        """Show this presence to the phones that watch a number, any number, on this node (P5).

        Shown until the next word on the number, over restarts of the node too. ``UNEXISTING`` takes the
        hint away: the number is nobody's any more.
        """
        ...

    async def dial(self, interface: str, number: str, *, answers_itself: bool = False) -> None:
        """Ring a phone and, when it is picked up, dial the number for it (R14).

        Until somebody answers at the number, the phone's call is dialling and not answered.

        Args:
            interface: The phone.
            number: The number.
            answers_itself: Ask the phone to answer without ringing, as the browser of a user who dials.

        Raises:
            CommandFailed: The phone cannot be rung.
        """
        ...

    async def answer(self, call_id: str) -> None:
        """Let the phone that rings for this call answer it (C1).

        Raises:
            CommandFailed: The call does not ring any more, or its phone does not answer on command.
        """
        ...

    async def hold(self, call_id: str) -> None:
        """Let the phone put its call on hold (C1).

        Raises:
            CommandFailed: The call is not being talked on, or its phone does not hold on command.
        """
        ...

    async def resume(self, call_id: str) -> None:
        """Let the phone take its call back from hold (C1).

        Raises:
            CommandFailed: The call is not on hold, or its phone does not resume on command.
        """
        ...

    async def transfer(self, call_id: str, number: str) -> None:
        """Send the other party of an answered call to a number, and let the phone go (C1).

        Raises:
            CommandFailed: The call is not answered, or is over.
        """
        ...

    async def join(self, call_id: str, other: str) -> None:
        """Connect the other parties of two answered calls of one phone, and let the phone go (C1).

        This completes an attended transfer: `hold` the first call, `dial` for the second, then join them.

        Raises:
            CommandFailed: They are not two calls of one phone, one is not answered, or is over.
        """
        ...

    async def hang_up(self, call_id: str) -> None:
        """End a call, ringing or answered (C1).

        Raises:
            CommandFailed: The call is over already.
        """
        ...

    async def hand_on(self, call_id: str) -> None:
        """Move a call that rings on a vanished device to the plan's next candidate (R15).

        Raises:
            CommandFailed: The call does not ring any more, or rings on the last candidate.
        """
        ...
