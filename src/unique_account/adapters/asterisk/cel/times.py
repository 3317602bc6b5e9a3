"""How long phones rang, and when the other person answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from unique_account.adapters.asterisk.cel.leg import Leg
from unique_account.core.history import LONGEST_RINGING

_NOTHING: Final = timedelta(0)


def answered_at(rung: Iterable[Leg], main: Leg) -> datetime | None:
    """When an outgoing call was answered by the person that was called; None if it never was.

    The caller's own channel is up earlier: as the user picks up a phone that the PBX rings first, in a
    queue, during an announcement, in a parking lot. None of these is talk.
    """
    if main.spoke is not None:
        return main.spoke
    answers = [leg.answered for leg in rung if leg.answered is not None]
    if main.answered is None or not answers:
        return None
    return max(main.answered, min(answers))


def rang(rung: Iterable[Leg], answered: datetime | None) -> timedelta:
    """How long at least one phone rang until the call was answered; pauses between rings are none."""
    return min(_covered(_ringing(rung, answered)), LONGEST_RINGING)  # clocks may jump by years


def waited(legs: Iterable[Leg], answered: datetime | None, ended: datetime | None) -> timedelta:
    """For how long between answer and end none of a user's legs spoke with the party."""
    if answered is None or ended is None:
        return _NOTHING
    talks = [span for leg in legs for span in _talks(leg, answered, ended)]
    return max(ended - answered - _covered(talks), _NOTHING)


def _talks(leg: Leg, answered: datetime, ended: datetime) -> Iterator[tuple[datetime, datetime]]:
    """When a leg spoke: from its answer to its end, without where it waited."""
    start = max(leg.answered or answered, answered)
    for waits, again in leg.waits:
        yield start, min(waits, ended)
        start = max(again or ended, answered)
    yield start, min(leg.ended or ended, ended)


def _covered(spans: Iterable[tuple[datetime, datetime]]) -> timedelta:
    """How long at least one of some spans of time was."""
    total, until = _NOTHING, None
    for start, end in sorted(spans):
        start = start if until is None else max(start, until)
        if end > start:
            total, until = total + (end - start), end
    return total


def _ringing(rung: Iterable[Leg], answered: datetime | None) -> Iterable[tuple[datetime, datetime]]:
    for leg in rung:
        ends = [one for one in (leg.answered or leg.ended, answered) if one is not None]
        if leg.began is not None and ends and not leg.originated:
            yield leg.began, min(ends)


def last_end(legs: Iterable[Leg]) -> datetime | None:
    """When the last of some legs was gone; None while that is not known."""
    return max((leg.ended for leg in legs if leg.ended is not None), default=None)
