"""The history of a run: what clients asked, what was stored, what nodes did and what people saw.

Each record is made by somebody who cannot be wrong about it: a trigger in the database, a node that logs
the actions of each connection, the client itself. All instants are seconds of the machine's monotonic clock,
which no process can step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import TypeVar

from attrs import frozen

T = TypeVar("T")


class Outcome(Enum):
    """What a client was answered."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class Change:
    """A client asked for a change of the kept part.

    Attributes:
        user: Whose.
        mark: What nobody else ever asks for, such as a number to forward to.
        begun: When it asked.
        ended: When it was answered, or gave up.
        outcome: What it was answered.
    """

    user: str
    mark: str
    begun: float
    ended: float
    outcome: Outcome


@frozen(kw_only=True)
class Stored:
    """The store wrote a version of an account; records of this kind are in the order of the commits.

    Attributes:
        user: Whose account.
        version: Its version; -1 where the account was taken away.
        mark: What was asked for last.
        epoch: The epoch of the process that wrote it.
        claims: The numbers and devices that the user has.
    """

    user: str
    version: int
    mark: str
    epoch: int
    claims: frozenset[str] = frozenset()


@frozen(kw_only=True)
class Taken:
    """A process became the owner; with `Stored`, records of this kind are in the order of the commits."""

    epoch: int
    owner: str
    at: float = 0.0


class Role(Enum):
    """Who acts at a node."""

    SERVICE = "the service"
    GUARD = "the guard of hints"


@frozen(kw_only=True)
class FencePassed:
    """A new owner relied on it that earlier ones cannot act at a node any more."""

    node: str
    epoch: int
    at: float


@frozen(kw_only=True)
class Action:
    """A node carried out an action that changes something.

    Attributes:
        node: The node.
        epoch: The epoch of the process that gave it.
        role: Which part of that process.
        name: Of the action.
        key: What it changes.
        version: To which version, of a key of AstDB that has one.
        at: When.
    """

    node: str
    epoch: int
    role: Role
    name: str
    key: str = ""
    version: int | None = None
    at: float


@frozen(kw_only=True)
class Lift:
    """A process logged that it lifts versions or epochs above what it found at a node."""

    node: str
    at: float


@frozen(kw_only=True)
class Command:
    """A client asked for what happens once, such as to dial."""

    id: str
    begun: float
    ended: float
    outcome: Outcome


@frozen(kw_only=True)
class Acted:
    """A node carried a command out."""

    id: str
    at: float


class Presence(Enum):
    """How a session is."""

    CONNECTED = "connected"
    LOST = "lost"
    LOGGED_OUT = "logged out"
    EXPIRED = "expired"


@frozen(kw_only=True)
class SessionIs:
    """A session is so from now on; its client knows, or the account says so."""

    user: str
    session: str
    presence: Presence
    at: float


@frozen(kw_only=True)
class Accepted:
    """A process accepted the token of a session in a log-in that began at an instant."""

    session: str
    begun: float


@frozen(kw_only=True)
class Frame:
    """A tab showed a view or a presence, with the stamp of the process that sent it."""

    tab: str
    subject: str
    epoch: int
    sequence: int
    at: float


@frozen(kw_only=True)
class Entry:
    """An entry is in a user's history, once the log of the PBX has come."""

    user: str
    call: str


@frozen(kw_only=True)
class Call:
    """A caller's INVITE met the plan of a version.

    Attributes:
        user: Whose plan.
        call: The call.
        invited: When the INVITE came.
        version: The version of the plan.
        is_logged: Whether the PBX wrote the call into its log.
    """

    user: str
    call: str
    invited: float
    version: int
    is_logged: bool = True


@frozen(kw_only=True)
class Lamp:
    """A lamp shows this now."""

    node: str
    number: str
    shows: str
    at: float


@frozen(kw_only=True)
class HandOver:
    """A planned hand-over, while no phone and no user did anything."""

    begun: float
    ended: float


@frozen(kw_only=True)
class Takeover:
    """A process took over.

    Attributes:
        why: How the former owner ended: ``stopped``, ``killed`` or ``paused``; what else is no reason.
        gone: When it ended.
        served: When the first request was served again.
    """

    why: str
    gone: float
    served: float


@frozen(kw_only=True)
class AtLast:
    """What something is when all is quiet again, and what the core says that it is."""

    what: str
    due: str
    found: str


Record = (
    Change
    | Stored
    | Taken
    | FencePassed
    | Action
    | Lift
    | Command
    | Acted
    | SessionIs
    | Accepted
    | Frame
    | Entry
    | Call
    | Lamp
    | HandOver
    | Takeover
    | AtLast
)


@frozen
class Promises:
    """What a run must keep to, in seconds, and how much has to happen in it.

    Attributes:
        takeover: How long a takeover may take, by how the former owner ended.
        lease: After how long a session that is lost ends.
        slack: How much later than due something may be seen.
        early: How much earlier than due something may be seen, as clocks are read at different places.
        answer: How long after a command was given up it may still be carried out.
        changes: How many changes must be acknowledged.
        takeovers: How many takeovers there must be.
    """

    takeover: dict[str, float]
    lease: float
    slack: float = 1.0
    early: float = 0.2
    answer: float = 5.0
    changes: int = 1
    takeovers: int = 0


@frozen
class History:
    """All records of a run, each kind in its order."""

    records: Sequence[Record]
    promises: Promises

    def of(self, kind: type[T]) -> list[T]:
        """The records of a kind."""
        return [record for record in self.records if isinstance(record, kind)]

    def without(self, *gone: Record) -> History:
        """The same run without some records."""
        return History([one for one in self.records if one not in gone], self.promises)

    def plus(self, *more: Record) -> History:
        """The same run with more records, each after the others of its kind."""
        return History([*self.records, *more], self.promises)


def grouped(records: Iterable[T], *names: str) -> Iterator[list[T]]:
    """Records that are equal in these attributes, in their order."""
    groups: dict[tuple[object, ...], list[T]] = {}
    for record in records:
        groups.setdefault(tuple(getattr(record, name) for name in names), []).append(record)
    return iter(groups.values())
