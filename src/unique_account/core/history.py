"""One call history of both devices: records, merged and paged, newest first (H).

A history comes in sources: what each media server kept, what is live now. A source is sorted newest
first by `CallRecord.key`, which all records of one call share, so the records of one call are neighbours
once sources are merged, and `merge` needs to look no further than one key to make one entry of them (H2).

Which record stands for a call is the maximum by one total order over everything that a record says. A
maximum does not ask in which order, how often or from which source it was fed, and so neither does a
history: records may come late, twice, and from several nodes (H6).

A page is found by bisection and cut from the merge, so it costs the same however long the history is
(H5). Its cursor is the key of the last entry given, a place in the order and not a count: what arrives
before that place does not move it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice, takewhile
from operator import attrgetter
from typing import Final

from attrs import evolve, field, frozen
from attrs.converters import optional

from unique_account.core.account import Account, Call, Direction, in_utc, utc
from unique_account.core.cursors import Key, decode_cursor, encode_cursor
from unique_account.core.machine import Device
from unique_account.core.validators import check_texts

DEFAULT_DAYS: Final = 10
"""How many days a history asked for by days goes back (H5)."""

DEFAULT_SIZE: Final = 50
MAX_SIZE: Final = 1000


class HistoryStatus(StrEnum):
    """What became of a call, seen from the user (H4); in records of one call a later one wins (H2)."""

    ONGOING = "ongoing"
    MISSED = "missed"
    EMITTED = "emitted"
    ANSWERED = "answered"


LONGEST_RINGING: Final = timedelta(days=365)
"""No device rings longer."""

_TEXTS: Final = ("id", "user", "peer", "peer_name", "forwarded_from", "transferred_to")


@frozen(weakref_slot=False, kw_only=True)
class CallRecord:
    """What one source says of one user's part in one call.

    Attributes:
        id: What all legs of the call share (Asterisk: ``Linkedid``).
        user: Whose history it belongs to.
        start: When the call began, in UTC; every record of one call says the same, to the microsecond (H6).
        status: What became of it.
        direction: Incoming or outgoing, seen from the user.
        device: Which device carried it; None where none did, as under do-not-disturb.
        peer: The number of the party that the user spoke with, empty while unknown (H7).
        peer_name: That party's name, empty while unknown.
        answered: When it was answered, by the user or by whom the user called, in UTC; None if it was not.
        ended: When it was over for the user, in UTC; None while ongoing or unknown.
        rang: How long a device of whom was called rang; zero where none did, or while that is not known.
        waited: For how long after the answer the parties did not talk, since one was parked (H4).
        forwarded_from: The number that the caller had called, where a forward brought the call to the
            user, else empty (H7).
        transferred_to: The number of whom the user gave the call to, empty where the user did not (H7).
        settled: It was made from what the PBX wrote down of the whole call, so it replaces what was seen
            of the call while it was live (H3).

    Raises:
        ValueError: No id or no user, half a character in a text, a ring time that is negative or longer than
            a year, a time of waiting that is negative, or a status that the other fields rule out.
    """

    id: str
    user: str
    start: datetime = field(converter=utc)
    status: HistoryStatus
    direction: Direction
    device: Device | None = None
    peer: str = ""
    peer_name: str = ""
    answered: datetime | None = field(default=None, converter=optional(utc))
    ended: datetime | None = field(default=None, converter=optional(utc))
    rang: timedelta = timedelta(0)
    waited: timedelta = timedelta(0)
    forwarded_from: str = ""
    transferred_to: str = ""
    settled: bool = False

    def __attrs_post_init__(self) -> None:
        if not (self.id.strip() and self.user.strip()):
            raise ValueError("a call record needs an id and a user")
        texts = (self.id, self.user, self.peer, self.peer_name, self.forwarded_from, self.transferred_to)
        if not all(map(str.isascii, texts)):
            check_texts({}, dict(zip(_TEXTS, texts, strict=True)))
        if not timedelta(0) <= self.rang <= LONGEST_RINGING:
            raise ValueError(f"call {self.id} rang for {self.rang}")
        if self.waited < timedelta(0):
            raise ValueError(f"call {self.id} waited for {self.waited}")
        if self.status is HistoryStatus.ONGOING:
            if self.ended is not None or self.settled:
                raise ValueError(f"call {self.id} is ongoing and has ended")
        elif (self.direction is Direction.OUTGOING) is not (self.status is HistoryStatus.EMITTED):
            raise ValueError(f"call {self.id} is {self.status} and {self.direction}")
        elif self.status is HistoryStatus.MISSED and self.answered is not None:
            raise ValueError(f"call {self.id} is missed and was answered")

    @property
    def key(self) -> Key:
        """The sort key: all records of one call share it (H6)."""
        return (self.start, self.id)

    @property
    def duration(self) -> timedelta:
        """How long the parties talked; zero while that is not known, and never negative (H6: clocks step)."""
        if self.answered is None or self.ended is None:
            return timedelta(0)
        return max(self.ended - self.answered - self.waited, timedelta(0))


# -- one entry per call (H2) -------------------------------------------------------------------------

_STATUS_RANK: Final = {status: rank for rank, status in enumerate(HistoryStatus)}
_FIRST_INSTANT: Final = datetime.min.replace(tzinfo=UTC)
_TAKEN: Final = (HistoryStatus.EMITTED, HistoryStatus.ANSWERED)


def _rank(record: CallRecord) -> tuple[object, ...]:
    """The place of a record among those of its call: equal for equal records only."""
    return (
        record.status in _TAKEN,
        record.settled,
        _STATUS_RANK[record.status],
        record.device is not None,
        record.peer != "",
        record.peer_name != "",
        record.answered is not None,
        record.answered or _FIRST_INSTANT,
        record.ended is not None,
        record.ended or _FIRST_INSTANT,
        record.direction,
        record.device or "",
        record.peer,
        record.peer_name,
        record.rang,
        record.forwarded_from,
        record.transferred_to,
        record.waited,
    )


def combine(one: CallRecord, other: CallRecord) -> CallRecord:
    """The one of two records of a user's call that stands for it (H2).

    Answered and emitted beat missed, in whichever record; then settled beats reported live, final beats
    ongoing, and of two that agree so far the one that knows more wins.
    Commutative, associative and idempotent.

    Raises:
        ValueError: They are not of the same call and user.
    """
    if one.key != other.key or one.user != other.user:
        raise ValueError(f"call {one.id} of {one.user} and call {other.id} of {other.user} are two entries")
    return max(one, other, key=_rank)


def _entries(doubles: Sequence[CallRecord]) -> Iterable[CallRecord]:
    """Records that share their key, merged: one entry for each user, in the order of their names."""
    by_user: dict[str, CallRecord] = {}
    for record in doubles:
        known = by_user.get(record.user, record)
        by_user[record.user] = known if known is record else max(known, record, key=_rank)
    return [by_user[user] for user in sorted(by_user)]


def merge(*sources: Iterable[CallRecord]) -> Iterator[CallRecord]:
    """One history out of any number of sources, each sorted newest first by `CallRecord.key` (H1, H2).

    Newest first, one entry for each call and user. Lazy: it is never more than one record of each source
    ahead of the entry that it gives, which it needs to know that no more of that call follows.

    Raises:
        ValueError: When it gets there: a record of a source is newer than the one before it.
    """
    rest = [enumerate(source) for source in sources]
    firsts = ((number, next(records, None)) for number, records in enumerate(rest))
    # The next record of each source that has one, oldest first: a list this short beats a heap.
    heads = sorted((first[1].key, number, first[1]) for number, first in firsts if first is not None)
    doubles: list[CallRecord] = []
    while heads:
        key, number, record = heads.pop()
        for position, following in rest[number]:
            # The key is built here, since calling the property costs a fifth of a merge.
            following_key = (following.start, following.id)
            if following_key > key:
                raise ValueError(f"source {number} is not sorted newest first: see its record {position}")
            insort(heads, (following_key, number, following))
            break
        if heads and heads[-1][0] == key:
            doubles.append(record)
        elif doubles:
            yield from _entries((*doubles, record))
            doubles = []
        else:
            yield record


# -- pages (H5) --------------------------------------------------------------------------------------


@frozen(weakref_slot=False)
class Page:
    """Entries, newest first, and the cursor of the page that follows; None when nothing is left."""

    entries: tuple[CallRecord, ...]
    next: str | None


def page(
    *sources: Sequence[CallRecord],
    user: str,
    size: int = DEFAULT_SIZE,
    cursor: str | None = None,
    since: datetime | None = None,
) -> Page:
    """The newest entries of a user's history, or those that follow a cursor (H5).

    Looks up about ``size`` records, whatever the length of the sources, and its logarithm to find the
    place to start from. Calls that arrive between two pages do not move the second one; a record that
    arrives late is on it if it sorts after the cursor, and is not added to pages already given (H6).

    Args:
        sources: The user's records, each source sorted newest first by `CallRecord.key`. A store that
            seeks by key asks `decode_cursor` for it, and passes here the ``size + 1`` calls that follow.
        user: Whose history it is.
        size: How many entries at most, 1 to `MAX_SIZE`.
        cursor: The `Page.next` of the page before; None for the first page.
        since: No entries that started before this instant (see `days_before`); the same for every page.

    Raises:
        InvalidCursor: The cursor is malformed, or of another user's history.
        ValueError: The size is out of range, a source is unsorted or holds another user's records, or
            ``since`` has no time zone.
    """
    if not 1 <= size <= MAX_SIZE:
        raise ValueError(f"a page of {size} entries; from 1 to {MAX_SIZE}")
    place = None if cursor is None else decode_cursor(user, cursor)
    entries = merge(*(_following(source, place) for source in sources))
    if since is not None:
        earliest = in_utc(since)
        entries = takewhile(lambda entry: entry.start >= earliest, entries)
    found = tuple(islice(entries, size + 1))
    for entry in found:
        if entry.user != user:
            raise ValueError(f"a source of the history of {user} holds call {entry.id} of another user")
    more = len(found) > size
    return Page(found[:size], encode_cursor(user, found[size - 1].key) if more else None)


def _following(source: Sequence[CallRecord], place: Key | None) -> Iterator[CallRecord]:
    """The records of a source after a place, each looked up when it is asked for."""
    first = 0 if place is None else bisect_left(source, True, key=lambda record: record.key < place)
    return map(source.__getitem__, range(first, len(source)))


def days_before(now: datetime, days: int = DEFAULT_DAYS) -> datetime:
    """The instant so many days before, where a history asked for by days begins (H5).

    Raises:
        ValueError: Less than one day, or ``now`` has no time zone.
    """
    if days < 1:
        raise ValueError(f"a history of {days} days; at least 1")
    now = utc(now)
    return now - timedelta(days=min(days, (now - _FIRST_INSTANT).days))


# -- live calls (H3) ---------------------------------------------------------------------------------


def ongoing(account: Account) -> tuple[CallRecord, ...]:
    """The live calls of an account as history records, newest first, one for each call (H3).

    ``merge(ongoing(account), stored)`` shows a live call once, and its final record in its place once that
    is stored. For this the two share their key: all legs of a call say when the call began (H6).
    """
    calls: dict[str, list[Call]] = {}
    for leg in account.calls:
        calls.setdefault(leg.linked_id or leg.id, []).append(leg)
    records = [_live(account.user.id, call_id, legs) for call_id, legs in calls.items()]
    return tuple(sorted(records, key=attrgetter("key"), reverse=True))


def _live(user: str, call_id: str, legs: Sequence[Call]) -> CallRecord:
    """One call out of its legs; the leg answered last, else the one that began last, carries it."""
    carrier = max(legs, key=lambda leg: (leg.answered is not None, leg.answered or leg.started, leg.id))
    return CallRecord(
        id=call_id,
        user=user,
        start=min(leg.started for leg in legs),
        status=HistoryStatus.ONGOING,
        direction=carrier.direction,
        device=carrier.device,
        peer=carrier.peer,
        peer_name=carrier.peer_name,
        answered=min((leg.answered for leg in legs if leg.answered is not None), default=None),
    )


def finished(account: Account, call_id: str, at: datetime) -> CallRecord | None:
    """The final record of a live call as one of its legs ends; None while the call goes on.

    It goes on while another leg lives; but once the only leg that was answered ends, the call is over,
    and the legs that still ring, or whose end is reported late, cannot make it a missed one (H2).

    Args:
        account: The account before the end, the leg still among its calls.
        call_id: The leg that ends; one that the account does not hold makes no record.
        at: When it ends, in UTC.
    """
    leg = next((call for call in account.calls if call.id == call_id), None)
    if leg is None:
        return None
    linked_id = leg.linked_id or leg.id
    rest = [call for call in account.calls if call is not leg and (call.linked_id or call.id) == linked_id]
    if rest and (leg.answered is None or any(call.answered is not None for call in rest)):
        return None
    if leg.direction is Direction.OUTGOING:
        status = HistoryStatus.EMITTED
    else:
        status = HistoryStatus.MISSED if leg.answered is None else HistoryStatus.ANSWERED
    return evolve(_live(account.user.id, linked_id, [leg]), status=status, ended=at)
