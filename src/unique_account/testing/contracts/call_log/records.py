"""Records of the contract's tests, and the lists they make."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import groupby
from operator import attrgetter

from attrs import evolve
from hypothesis import strategies as st

from unique_account.core.account import Direction
from unique_account.core.history import CallRecord, HistoryStatus, combine
from unique_account.core.machine import Device

NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def a_record(number: int, start: datetime = NINE, user: str = "alice") -> CallRecord:
    """A missed call, one of several that may start at the same instant."""
    return CallRecord(
        id=f"{number}.1",
        user=user,
        start=start,
        status=HistoryStatus.MISSED,
        direction=Direction.INCOMING,
        peer="3000",
    )


def answered(record: CallRecord) -> CallRecord:
    """What another source says of the same call: it was answered."""
    return evolve(
        record,
        status=HistoryStatus.ANSWERED,
        device=Device.WEBRTC,
        answered=record.start + SECOND,
        ended=record.start + 2 * SECOND,
    )


def called(number: int, peer: str, name: str) -> CallRecord:
    """A missed call of somebody, so many seconds after nine."""
    return evolve(a_record(number, NINE + number * SECOND), peer=peer, peer_name=name)


@st.composite
def records(draw: st.DrawFn) -> CallRecord:
    """Records of a few calls that start within a few seconds, so that starts and calls are shared."""
    number = draw(st.integers(1, 5))
    user = draw(st.sampled_from(("alice", "bob")))
    record = a_record(number, NINE + (number // 2) * SECOND, user)
    ongoing = evolve(record, status=HistoryStatus.ONGOING)
    settled = evolve(record, settled=True, rang=SECOND)
    named = evolve(record, peer_name="Carol")
    return draw(st.sampled_from((record, ongoing, answered(record), named, settled)))


def listed(given: Sequence[CallRecord], user: str) -> list[CallRecord]:
    """A user's list: one entry for each call, newest first."""
    own = sorted((record for record in given if record.user == user), key=attrgetter("key"))
    return [reduce(combine, doubles) for _, doubles in groupby(own, key=attrgetter("key"))][::-1]
