"""The numbers at which a call did not stay, as the project's dialplan reports them (H4, H7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.adapters.asterisk.wire_names import DIVERSION_EVENT


@frozen(weakref_slot=False)
class Forward:
    """A number that a call left.

    Attributes:
        number: That number.
        user: Whose it is, None if no user's.
        to: The number to which the call went on, empty if to none.
        to_user: Whose that is.
        call: The linkedid of the call there.
        at: When, in UTC.
    """

    number: str
    user: str | None
    to: str
    to_user: str | None
    call: str
    at: datetime


def forwards_of(rows: Iterable[CelRow], numbers: Mapping[tuple[str, str], str]) -> Iterator[Forward]:
    """The forwards of a call, out of its rows in order; whose a number is says ``numbers``."""
    for row in rows:
        place, _, destination = row.detail("extra").partition(":")
        number, _, context = place.partition("@")
        kind, _, value = destination.partition(":")
        if row.kind == DIVERSION_EVENT and value:
            to = value if kind == "extension" else ""
            whose = numbers.get
            yield Forward(number, whose((context, number)), to, whose((context, to)), row.linkedid, row.at)


def first_called(forwards: Sequence[Forward], user: str) -> str:
    """The number that was called first, of the forwards that led to a user; empty if none did."""
    to = next((one for one in forwards if one.to_user == user), None)
    passed: set[Forward] = set()
    while to is not None and to not in passed:
        passed.add(to)
        before = next((one for one in forwards if one.to == to.number and one not in passed), None)
        if before is None:
            return to.number
        to = before
    return "" if to is None else to.number
