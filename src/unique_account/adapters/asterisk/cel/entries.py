"""The records of one call: one for each user whose phone or number it reached (H2, H4, H7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from unique_account.adapters.asterisk.cel.forwards import forwards_of
from unique_account.adapters.asterisk.cel.groups import Group
from unique_account.adapters.asterisk.cel.leg import Leg
from unique_account.adapters.asterisk.cel.legs import in_order, legs_of
from unique_account.adapters.asterisk.cel.owners import Owners
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.adapters.asterisk.cel.seen_call import SeenCall
from unique_account.adapters.asterisk.cel.times import answered_at, last_end, rang, waited
from unique_account.adapters.asterisk.translation.call_ids import call_began, id_order
from unique_account.core.account import Direction
from unique_account.core.history import CallRecord, HistoryStatus
from unique_account.core.number import Number

_PAST: Final = datetime.min.replace(tzinfo=UTC)
_FAR: Final = datetime.max.replace(tzinfo=UTC)


def records_of(group: Group, owners: Owners) -> Iterator[CallRecord]:
    """The records of a call, out of all its rows."""
    rows = in_order(group.rows)
    legs = legs_of(rows)
    forwards = tuple(forwards_of(rows, owners.numbers))
    start = call_began(group.id, _first_seen(group.id, rows))
    seen = SeenCall(group.id, start, group.complete, legs, forwards, rows[-1].at, owners)
    own = _own(seen)
    for user, (call, at) in _reached(seen).items():
        if user not in own:
            yield _unrung(seen, user, call, at)
    for user, theirs in own.items():
        yield _record(seen, user, theirs)


def _first_seen(linkedid: str, rows: Sequence[CelRow]) -> datetime:
    """When a row first named an id, out of the rows of its call in order (H6)."""
    named = (row.at for row in rows if linkedid in (row.linkedid, row.call_elsewhere))
    return next(named, rows[0].at)


def _own(seen: SeenCall) -> dict[str, list[Leg]]:
    """The legs of each user, in the order in which they began."""
    own: dict[str, list[Leg]] = {}
    for leg in sorted(seen.legs.values(), key=lambda leg: (leg.first or _FAR, id_order(leg.id))):
        line = seen.owners.line(leg)
        if line is not None and _took_part(leg):
            own.setdefault(line.user, []).append(leg)
    return own


def _took_part(leg: Leg) -> bool:
    """Whether rows say more of a leg than that a call of its own was over."""
    return not leg.originated or leg.began is not None or leg.answered is not None or leg.entered != []


def _reached(seen: SeenCall) -> dict[str, tuple[str, datetime]]:
    """Whose number a call reached, and the linkedid that it had there, and when."""
    reached = {one.user: (one.call, one.at) for one in reversed(seen.forwards) if one.user is not None}
    for leg in seen.legs.values():
        user = seen.owners.numbers.get((leg.context, leg.dialled))
        called = leg.originated or (leg.local and not seen.clicked(leg))
        if user is not None and leg.first is not None and called:
            reached.setdefault(user, (leg.call, leg.first))
    return reached


def _unrung(seen: SeenCall, user: str, call: str, at: datetime) -> CallRecord:
    """The record of a user who was called, and none of whose devices rang (H4)."""
    peer, name = seen.owners.party(seen.began_by(seen.legs.get(call)), at)
    return CallRecord(
        id=seen.id,
        user=user,
        start=seen.start,
        status=HistoryStatus.MISSED,
        direction=Direction.INCOMING,
        peer=peer,
        peer_name=name,
        ended=seen.last,
        forwarded_from=seen.forwarded_from(user),
        settled=seen.settled,
    )


def _record(seen: SeenCall, user: str, own: list[Leg]) -> CallRecord:
    """The record of a user, out of the user's own legs, in the order in which they began."""
    main, outgoing = _main(seen, own)
    line = seen.owners.line(main)
    assert line is not None
    peer, name = _peer(seen, main, own, outgoing)
    answered, ended = _span(seen, main, own, outgoing)
    same = [leg for leg in own if leg is main or (leg.answered is not None and _same(leg, main))]
    return CallRecord(
        id=seen.id,
        user=user,
        start=seen.start,
        status=_status(own, outgoing),
        direction=Direction.OUTGOING if outgoing else Direction.INCOMING,
        device=line.device,
        peer=peer,
        peer_name=name,
        answered=answered,
        ended=ended,
        rang=rang(seen.rung_by(main, own) if outgoing else own, answered),
        waited=waited(same, answered, ended),
        forwarded_from="" if outgoing else seen.forwarded_from(user) or main.redirected,
        transferred_to=_transferred_to(seen, main, own),
        settled=seen.settled,
    )


def _main(seen: SeenCall, own: list[Leg]) -> tuple[Leg, bool]:
    """The leg that carried the call, and whether the user began it."""
    up = [leg for leg in own if leg.answered is not None]
    if own[0].originated and not own[0].picked_up:
        return own[0], True
    return up[0] if up else own[0], seen.clicked(own[0])


def _status(own: list[Leg], outgoing: bool) -> HistoryStatus:
    if outgoing:
        return HistoryStatus.EMITTED
    answered = any(leg.answered is not None for leg in own)
    return HistoryStatus.ANSWERED if answered else HistoryStatus.MISSED


def _span(
    seen: SeenCall, main: Leg, own: list[Leg], outgoing: bool
) -> tuple[datetime | None, datetime | None]:
    """When the call was answered, and when it was over for the user."""
    answered = answered_at(seen.rung_by(main, own), main) if outgoing else main.answered
    return answered, last_end(own if answered is None else [_last_with_the_same(main, own)])


def _same(leg: Leg, main: Leg) -> bool:
    """Whether a leg had the party of another one."""
    return main.partner in leg.met


def _last_with_the_same(main: Leg, own: Iterable[Leg]) -> Leg:
    """The leg by which a user had a party last: a parked party comes back, or is retrieved (H7)."""
    return max(
        (leg for leg in own if leg.answered is not None and _same(leg, main)),
        key=lambda leg: leg.answered or _PAST,
        default=main,
    )


def _peer(seen: SeenCall, main: Leg, own: list[Leg], outgoing: bool) -> tuple[str, str]:
    """With whom the user spoke last; else whom the user dialled, or who called (H7)."""
    if outgoing and main.room:
        return main.room, ""
    number, name = seen.owners.party(main.partner, main.first)
    if main.partner is not None and (number or not outgoing):
        return number, name
    if outgoing:
        dialled, called = _dialled(seen, main, own)
        return dialled, name or called
    return seen.owners.party(seen.began_by(main.caller), main.first)


def _dialled(seen: SeenCall, main: Leg, own: list[Leg]) -> tuple[str, str]:
    """The number that a user dialled, with the name of its user; else those of the phone that rang."""
    rung = seen.rung_by(main, own)
    called = {party[0]: party for leg in reversed(rung) if (party := seen.owners.party(leg))[0]}
    number = seen.dialled_by(main)
    if not number:
        return next(reversed(called.values()), ("", ""))
    users = {seen.owners.extensions[line.user] for leg in rung if (line := seen.owners.line(leg))}
    return called[number] if number in users else (number, "")


def _transferred_to(seen: SeenCall, main: Leg, own: list[Leg]) -> str:
    """To whom the user gave the call: by a reported transfer, or as the others of two calls met (H7)."""
    last = _last_with_the_same(main, own)
    legs = [leg for leg in own if leg is last or not _same(leg, main)]
    for leg in legs:
        for kind, where in leg.transfers:
            if kind == "extension" and Number(where).is_dialable:
                return where
            second = seen.legs.get(where if where != main.id else leg.id)
            if second is not None:
                return _to_whom(seen, second)
    given = {main.partner} if main.partner is not None and main.partner not in own else set()
    joined = next((leg for leg in legs for one in given if leg.partner in one.met - {*own}), None)
    return "" if joined is None else _to_whom(seen, joined)


def _to_whom(seen: SeenCall, second: Leg) -> str:
    return second.dialled or seen.owners.party(second.partner)[0]
