"""From CEL to call records: one for each user and call, once the call is over (H).

`CallHistory` takes rows in whatever order, however often and in whatever pieces they come, and gives the
records of calls of which all rows came. Nothing else of it depends on when it is asked: a call's records
are made from the set of its rows.

A call that rings no device of a user is theirs all the same, if their number was dialled or the dialplan
says that it was sent elsewhere from their number (H4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Final, NamedTuple

from attrs import frozen

from unique_account.adapters.asterisk.cel.groups import Group, Groups
from unique_account.adapters.asterisk.cel.legs import Leg, in_order, legs_of
from unique_account.adapters.asterisk.cel.owners import Owners
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.adapters.asterisk.translation.calls import call_began, id_order
from unique_account.adapters.asterisk.wire_names import DIVERSION_EVENT
from unique_account.core.account import Direction
from unique_account.core.history import LONGEST_RINGING, CallRecord, HistoryStatus
from unique_account.core.user import User

GRACE: Final = timedelta(seconds=5)
"""How long after the last row of a call further ones are waited for: rows come out of order."""

PATIENCE: Final = timedelta(hours=24)
"""How long after its last row a call is waited for of which rows are missing."""

CAPACITY: Final = 200_000
"""How many rows of calls that are not over are kept; above it, the oldest calls are given up."""

_NOTHING: Final = timedelta(0)
_PAST: Final = datetime.min.replace(tzinfo=UTC)
_FAR: Final = datetime.max.replace(tzinfo=UTC)


class CallHistory:
    """Makes call records from rows of CEL.

    Args:
        users: Whose history is made: those whose phones are at the nodes of which rows are fed. Another
            node knows that they were called, and not by which phone they answered.
        grace: See `GRACE`.
        patience: See `PATIENCE`.
        capacity: See `CAPACITY`.

    Raises:
        ValueError: Two users have an endpoint or a number in common.
    """

    def __init__(
        self,
        users: Iterable[User],
        *,
        grace: timedelta = GRACE,
        patience: timedelta = PATIENCE,
        capacity: int = CAPACITY,
    ) -> None:
        self._owners = Owners(users)
        self._groups = Groups()
        self._grace = grace
        self._patience = patience
        self._capacity = capacity
        self._clock = _PAST
        self._clocks: dict[str, datetime] = {}
        self._given_up: list[CallRecord] = []

    @property
    def rows(self) -> int:
        """How many rows are kept, of calls whose records are not given yet."""
        return self._groups.rows

    def waiting(self) -> Iterator[CelRow]:
        """The rows that are kept, each the one that was fed first of those that are equal to it."""
        return (row for group in self._groups for row in group.rows)

    def feed(self, rows: Iterable[CelRow]) -> None:
        """Take rows in."""
        for row in rows:
            self._groups.add(row)
            self._clock = self._clocks[row.node] = row.at
            if self._groups.rows > self._capacity:
                self._give_up()

    def final(self, now: datetime | None = None) -> list[CallRecord]:
        """The records that no further row is awaited for, oldest first; each is given once.

        A call of which all rows came has settled records. One of which the end is missing is given after
        a long while as it is then known, and not settled.

        Args:
            now: The instant, in UTC, once all rows that there are were fed; None: that of the row that was
                fed last.
        """
        records, self._given_up = self._given_up, []
        for group in self._groups:
            if self._over(group) if now is None else self._quiet(group, now):
                records += self._taken(group)
        return sorted(records, key=attrgetter("key", "user"))

    def rest(self) -> list[CallRecord]:
        """The records of everything that was fed and not given yet, as it is known now, oldest first."""
        return self.final(_FAR)

    def _over(self, group: Group) -> bool:
        """Whether rows of other calls came for long enough since; it is given up by its own nodes' clocks."""
        if all(self._clocks[node] - last >= self._patience for node, last in group.lasts.items()):
            return True
        return self._clock - group.last >= self._grace and group.complete

    def _quiet(self, group: Group, now: datetime) -> bool:
        """Whether no row of a call came for long enough, also where the clock of its node is ahead."""
        group.quiet_since = group.quiet_since or now
        quiet = now - min(group.last, group.quiet_since)
        return quiet >= self._patience or (quiet >= self._grace and group.complete)

    def _taken(self, group: Group) -> list[CallRecord]:
        self._groups.take(group)
        return list(records_of(group, self._owners))

    def _give_up(self) -> None:
        """Make room: the half of the calls without a row for longest are given as they are."""
        groups = sorted(self._groups, key=attrgetter("last"))
        for group in groups[: len(groups) // 2 + 1]:
            self._given_up += self._taken(group)


# -- one call ----------------------------------------------------------------------------------------


@frozen(weakref_slot=False)
class _Forward:
    """At whose number a call did not stay, and the number to which it went on, empty if to none."""

    number: str
    user: str | None
    to: str
    to_user: str | None
    call: str


class _Seen(NamedTuple):
    """A call as its rows report it."""

    id: str
    start: datetime
    settled: bool
    legs: Mapping[str, Leg]
    forwards: tuple[_Forward, ...]
    last: datetime
    owners: Owners

    def caller(self, call: str) -> Leg | None:
        """Who began a call, by the linkedid with which it began."""
        return self.legs.get(call)


def records_of(group: Group, owners: Owners) -> Iterator[CallRecord]:
    """The records of one call: one for each user whose phone or number it reached."""
    rows = in_order(group.rows)
    legs = legs_of(rows)
    start = call_began(group.id, rows[0].at)
    forwards = tuple(_forwards(rows, owners))
    seen = _Seen(group.id, start, group.complete, legs, forwards, rows[-1].at, owners)
    own: dict[str, list[Leg]] = {}
    for leg in sorted(legs.values(), key=lambda leg: (leg.began or _FAR, id_order(leg.id))):
        line = owners.line(leg)
        if line is not None and leg.began is not None:
            own.setdefault(line.user, []).append(leg)
    for user, calls in _reached(seen).items():
        if user not in own:
            yield _unrung(seen, user, calls)
    for user, theirs in own.items():
        yield _record(seen, user, theirs)


def _forwards(rows: Iterable[CelRow], owners: Owners) -> Iterator[_Forward]:
    for row in rows:
        place, _, destination = row.detail("extra").partition(":")
        number, _, context = place.partition("@")
        kind, _, value = destination.partition(":")
        if row.kind == DIVERSION_EVENT and value:
            to = value if kind == "extension" else ""
            whose = owners.numbers.get
            yield _Forward(number, whose((context, number)), to, whose((context, to)), row.linkedid)


def _reached(seen: _Seen) -> dict[str, str]:
    """Whose number a call reached, and the linkedid that it had there."""
    reached = {one.user: one.call for one in reversed(seen.forwards) if one.user is not None}
    for leg in seen.legs.values():
        user = seen.owners.numbers.get((leg.context, leg.dialled))
        if user is not None and (leg.originated or leg.local):
            reached.setdefault(user, leg.call)
    return reached


def _unrung(seen: _Seen, user: str, call: str) -> CallRecord:
    """The record of a user who was called, and none of whose devices rang (H4)."""
    peer, name = seen.owners.party(seen.caller(call))
    return CallRecord(
        id=seen.id,
        user=user,
        start=seen.start,
        status=HistoryStatus.MISSED,
        direction=Direction.INCOMING,
        peer=peer,
        peer_name=name,
        ended=seen.last,
        forwarded_from=_forwarded_from(seen, user),
        settled=seen.settled,
    )


def _record(seen: _Seen, user: str, own: list[Leg]) -> CallRecord:
    """The record of a user, out of the user's own legs, in the order in which they began."""
    answered = [leg for leg in own if leg.answered is not None]
    outgoing = own[0].originated and not own[0].picked_up
    main = own[0] if outgoing or not answered else answered[0]
    last = _last_with_the_same(main, own)
    line = seen.owners.line(main)
    assert line is not None
    peer, name = _peer(seen, main, outgoing)
    incoming = HistoryStatus.ANSWERED if answered else HistoryStatus.MISSED
    return CallRecord(
        id=seen.id,
        user=user,
        start=seen.start,
        status=HistoryStatus.EMITTED if outgoing else incoming,
        direction=Direction.OUTGOING if outgoing else Direction.INCOMING,
        device=line.device,
        peer=peer,
        peer_name=name,
        answered=main.answered,
        ended=_last_end(own if main.answered is None else [last]),
        rang=_rang(seen, main, own, outgoing),
        forwarded_from="" if outgoing else _forwarded_from(seen, user) or main.redirected,
        transferred_to=_transferred_to(seen, main, last, own),
        settled=seen.settled,
    )


def _same(leg: Leg, main: Leg) -> bool:
    """Whether a leg had the party of another one."""
    return main.partner in leg.met


def _last_with_the_same(main: Leg, own: Iterable[Leg]) -> Leg:
    """The leg by which a user had a party last: who was parked comes back, or is taken back (H7)."""
    return max(
        (leg for leg in own if leg.answered is not None and _same(leg, main)),
        key=lambda leg: leg.answered or _PAST,
        default=main,
    )


def _peer(seen: _Seen, main: Leg, outgoing: bool) -> tuple[str, str]:
    """With whom the user spoke last; else whom the user dialled, or who called (H7)."""
    if main.partner is not None:
        return seen.owners.party(main.partner)
    if outgoing:
        return main.dialled, ""
    return seen.owners.party(seen.caller(main.call))


def _rang(seen: _Seen, main: Leg, own: list[Leg], outgoing: bool) -> timedelta:
    """From the first device that rang until the answer, or until the last of them was silent."""
    called = [leg for leg in seen.legs.values() if leg.call == main.id] if outgoing else own
    rung = [leg for leg in called if not (leg.originated or leg.local or leg.began is None)]
    ends = [main.answered] if main.answered is not None else []
    if outgoing or not ends:
        ends += [end for end in [_last_end(rung)] if end is not None]
    starts = [leg.began for leg in rung if leg.began is not None]
    if not (starts and ends):
        return _NOTHING
    return min(max(min(ends) - min(starts), _NOTHING), LONGEST_RINGING)  # clocks may jump by years


def _last_end(legs: Iterable[Leg]) -> datetime | None:
    return max((leg.ended for leg in legs if leg.ended is not None), default=None)


def _forwarded_from(seen: _Seen, user: str) -> str:
    """The number that was called first, of the forwards that led to a user."""
    to = next((one for one in seen.forwards if one.to_user == user), None)
    passed: set[_Forward] = set()
    while to is not None and to not in passed:
        passed.add(to)
        before = next((one for one in seen.forwards if one.to == to.number and one not in passed), None)
        if before is None:
            return to.number
        to = before
    return "" if to is None else to.number


def _transferred_to(seen: _Seen, main: Leg, last: Leg, own: list[Leg]) -> str:
    """To whom the user gave the call: by a reported transfer, or as the others of two calls met (H7)."""
    legs = [leg for leg in own if leg is last or not _same(leg, main)]
    for leg in legs:
        for kind, where in leg.transfers:
            if kind == "extension":
                return where
            second = seen.legs.get(where if where != main.id else leg.id)
            if second is not None:
                return _to_whom(seen, second)
    joined = next((leg for leg in legs if main.partner is not None and leg.partner in main.partner.met), None)
    return "" if joined is None else _to_whom(seen, joined)


def _to_whom(seen: _Seen, second: Leg) -> str:
    return second.dialled or seen.owners.party(second.partner)[0]
