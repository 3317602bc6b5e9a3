"""Commands: what a user does to a call, once, from a UC Assistant (C1, C2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import field, frozen

from unique_account.core.number import Number
from unique_account.ports.pbx import CommandFailed, Failure


class NoSuchCall(CommandFailed):
    """The user has no such call: it is over, or somebody else's, or never was."""

    def __init__(self) -> None:
        super().__init__("there is no such call", Failure.NO_SUCH_CALL)

    def __reduce__(self) -> tuple[type[NoSuchCall], tuple[()]]:
        return (NoSuchCall, ())


@frozen(weakref_slot=False)
class Dial:
    """Dial a number, by the device in use (R14).

    Attributes:
        number: The number.
        by_pbx: Let the PBX dial with WebRTC in use, too: the client cannot have its browser dial (C2).
    """

    number: Number = field(converter=Number)
    by_pbx: bool = False


@frozen(weakref_slot=False)
class Answer:
    """Answer a call that rings."""

    call_id: str


@frozen(weakref_slot=False)
class Hold:
    """Put a call on hold."""

    call_id: str


@frozen(weakref_slot=False)
class Resume:
    """Take a call back from hold."""

    call_id: str


@frozen(weakref_slot=False)
class Transfer:
    """Send the other party of a call to a number."""

    call_id: str
    number: Number = field(converter=Number)


@frozen(weakref_slot=False)
class Join:
    """Connect the other parties of two calls: this is how an attended transfer is completed."""

    call_id: str
    other: str


@frozen(weakref_slot=False)
class HangUp:
    """End a call, or refuse it while it rings."""

    call_id: str


Command = Dial | Answer | Hold | Resume | Transfer | Join | HangUp

CommandHandler = Callable[[str, Command], Awaitable[bool]]
"""Carries a user's command out, once; it is never repeated by a resync.

Returns True if the PBX did it, and False if it did nothing, since the browser has to do it by itself (C2):
to dial with WebRTC in use unless the PBX is to, and to answer, hold or resume a call that the browser has.

Raises `NoSuchCall` for a call that is not one of the user's own; `CommandFailed` where
it cannot be done, with the reason for the user; `UnknownUser` for a user without an account; and
`ConnectionError` while the PBX cannot be reached. Nothing was done then.
"""
