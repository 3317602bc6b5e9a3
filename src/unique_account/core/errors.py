"""What can go wrong, as types that carry their causes and build their own sentence."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum, auto


class UniqueAccountError(Exception):
    """The base of every error that this library raises on purpose."""


class Unreachable(UniqueAccountError, ConnectionError):
    """Something that is needed, such as a node or a database, cannot be reached now; try again later."""


class RefusalId(StrEnum):
    """Why a trigger was refused: the id by which a client finds words in its user's language."""

    NOT_DIALABLE = auto()
    NOT_KEPT = auto()
    NOT_LOGGED_IN = auto()
    NO_DESTINATION = auto()
    NO_MAILBOX = auto()
    OWN_NUMBER = auto()
    REFUSED = auto()


class Refused(UniqueAccountError):
    """A trigger was refused, and nothing changed (M3).

    Attributes:
        state: The state the account was in, e.g. ``logged_out``.
        trigger: What was asked for, e.g. ``select_webrtc``.
        reason: Why it cannot be.
        way_out: What the user can do instead.
        id: The reason and the way out, as an id.
        parameters: What the words for that id name, such as ``number``.
    """

    def __init__(
        self,
        state: str,
        trigger: str,
        reason: str,
        way_out: str,
        id: RefusalId = RefusalId.REFUSED,
        **parameters: str,
    ) -> None:
        super().__init__(state, trigger, reason, way_out, id)
        self.id = id
        self.parameters = parameters
        self.state = state
        self.trigger = trigger
        self.reason = reason
        self.way_out = way_out

    def __str__(self) -> str:
        return f"{self.trigger} is refused while {self.state}: {self.reason}; {self.way_out}"


class NoDestination(Refused):
    """A forward without a destination cannot be switched on; the user never set one (R10)."""


class Problems(UniqueAccountError):
    """An error that lists every problem at once, so that one round of repair is enough.

    Attributes:
        opening: What stands before the problems, which are indented under it; empty: they stand alone.
        problems: One sentence for each problem, with the place where it is.
    """

    opening = ""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        if not self.opening:
            return "\n".join(self.problems)
        return "\n  ".join((self.opening, *self.problems))


class InvalidFields(Problems, ValueError):
    """The fields of a value do not go together, or not by themselves.

    Attributes:
        problems: One ``field: what is wrong with it`` for each problem.
    """

    opening = "invalid:"


class InvalidUser(InvalidFields):
    """The fields of a `User` do not make a Unique Account (A1).

    Attributes:
        problems: One ``field: what is wrong with it`` for each problem.
    """

    opening = "not a Unique Account:"


class Ineligible(Problems):
    """A user, a line or a media server may not carry a Unique Account, or not this one (A2 to A4).

    Attributes:
        problems: One sentence for each problem, all that were found.
    """

    opening = "not eligible:"


class InvalidImport(Problems):
    """A CSV file of users has bad rows; nothing of it was imported (A5).

    Attributes:
        problems: One ``line 7, ring_seconds: ...`` for each bad field, in the order of the file.
    """

    opening = "nothing was imported:"


class InvalidCursor(UniqueAccountError, ValueError):
    """A history cursor is malformed, or was issued for another user's history (H5)."""
