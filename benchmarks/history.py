"""The call history: merging sources into one, and finding one page of it.

Calls begin five seconds apart and belong to one user, each is recorded by one of the sources, and every
fifth by a second one as well, as a call over two media servers is. All contenders of a table give the
same entries, which is checked first; SQLite gives rows, and makes no values of them.
"""

from __future__ import annotations

import heapq
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial, reduce
from itertools import chain, groupby, islice
from operator import attrgetter, itemgetter
from typing import Final

from attrs import frozen

from benchmarks.report import Aim, Cell, Comparison, Row, Table
from benchmarks.rounds import Contender, Timing, interleave
from unique_account.core.account import Direction
from unique_account.core.cursors import Key, encode_cursor
from unique_account.core.history import CallRecord, HistoryStatus, combine, merge, page
from unique_account.core.machine import Device

USER: Final = "alice"
MERGED: Final = 100_000
LENGTHS: Final = (100, 1_000, 10_000, 100_000, 1_000_000)
SIZE: Final = 50
PAGED_SOURCES: Final = 4
SEEKING: Final = ("page", "SQLite, a place for each source")
"""The ways that seek the place of a page, and so are quick enough to be repeated within a round."""

MERGING_UP_TO: Final = 100_000
"""The ways that merge whole histories take no longer ones than this."""

Sources = Sequence[Sequence[CallRecord]]
Found = tuple[float, str, int, *tuple[object, ...]]
"""A row of SQLite: start, id, rank of the status, and the other columns."""

_NEWEST: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
_key: Final = attrgetter("start", "id")  # the quickest key there is: `CallRecord.key` is a property


def recorded(records: int, sources: int) -> list[list[CallRecord]]:
    """Sources, each newest first, of so many records in all."""
    draw = random.Random(records + sources)
    made: list[list[CallRecord]] = [[] for _ in range(sources)]
    for number in range(records * 5 // 6):
        first = draw.randrange(sources)
        made[first].append(_record(number, HistoryStatus.ANSWERED))
        if number % 5 == 0:
            made[(first + 1) % sources].append(_record(number, HistoryStatus.MISSED))
    return made


def _record(number: int, status: HistoryStatus) -> CallRecord:
    start = _NEWEST - timedelta(seconds=5 * number)
    return CallRecord(
        id=f"{start.timestamp():.0f}.{number}",
        user=USER,
        start=start,
        status=status,
        direction=Direction.INCOMING,
        device=Device.DESKPHONE if status is HistoryStatus.ANSWERED else Device.WEBRTC,
        peer="0612345678",
        answered=start if status is HistoryStatus.ANSWERED else None,
        ended=start + timedelta(seconds=60),
    )


def grouped(records: Iterable[CallRecord]) -> Iterator[CallRecord]:
    """One entry of each call; the records are sorted, and of one user."""
    return (reduce(combine, doubles) for _, doubles in groupby(records, key=_key))


def heap_merged(sources: Sources) -> Iterator[CallRecord]:
    return grouped(heapq.merge(*sources, key=_key, reverse=True))


def sort_merged(sources: Sources) -> Iterator[CallRecord]:
    return grouped(sorted(chain(*sources), key=_key, reverse=True))


# -- SQLite ------------------------------------------------------------------------------------------

_RANK: Final = {status: rank for rank, status in enumerate(HistoryStatus)}
_SELECT: Final = "SELECT start, id, status, direction, device, peer, answered, ended FROM records"
_GROUPED: Final = _SELECT.replace("status", "max(status)") + " WHERE user = ? GROUP BY start, id"
_NEWEST_FIRST: Final = "ORDER BY start DESC, id DESC"
_BY_PLACE: Final = f"{_SELECT} WHERE user = ? AND source = ? AND (start, id) < (?, ?) {_NEWEST_FIRST} LIMIT ?"
_BY_COUNT: Final = f"{_GROUPED} {_NEWEST_FIRST} LIMIT ? OFFSET ?"


class Store:
    """The same records in a table in memory, with an index for each of the two queries."""

    def __init__(self, sources: Sources) -> None:
        self._sources = len(sources)
        self._records = sqlite3.connect(":memory:")
        self._records.execute(
            "CREATE TABLE records (user, source, start, id, status, direction, device, peer, answered, ended)"
        )
        rows = (self._row(number, record) for number, source in enumerate(sources) for record in source)
        self._records.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._records.execute("CREATE INDEX by_source ON records (user, source, start, id)")
        self._records.execute("CREATE INDEX by_start ON records (user, start, id)")

    @staticmethod
    def _row(source: int, record: CallRecord) -> tuple[str | int | float | None, ...]:
        answered, ended = record.answered, record.ended
        return (
            record.user,
            source,
            record.start.timestamp(),
            record.id,
            _RANK[record.status],
            record.direction,
            record.device,
            record.peer,
            answered.timestamp() if answered else None,
            ended.timestamp() if ended else None,
        )

    def everything(self) -> list[Found]:
        """Every entry, grouped by SQLite."""
        return self._records.execute(f"{_GROUPED} {_NEWEST_FIRST}", (USER,)).fetchall()

    def following(self, place: Key) -> list[Found]:
        """A page by a query for each source, which seeks the place."""
        start, call_id = place[0].timestamp(), place[1]
        parts = [
            self._records.execute(_BY_PLACE, (USER, source, start, call_id, SIZE + 1)).fetchall()
            for source in range(self._sources)
        ]
        rows = heapq.merge(*parts, key=itemgetter(0, 1), reverse=True)
        entries = (max(doubles, key=itemgetter(2)) for _, doubles in groupby(rows, key=itemgetter(0, 1)))
        return list(islice(entries, SIZE))

    def numbered(self, first: int) -> list[Found]:
        """A page by a query that counts the entries before it."""
        return self._records.execute(_BY_COUNT, (USER, SIZE, first)).fetchall()


# -- what is compared --------------------------------------------------------------------------------


class OtherEntries(Exception):
    """Two ways of making a history do not give the same entries, so there is nothing to compare."""


def check(way: str, found: Iterable[CallRecord] | Iterable[Found], expected: Sequence[CallRecord]) -> None:
    """See that a way gives these entries.

    Raises:
        OtherEntries: It gives others.
    """
    entries = [
        (entry.start.timestamp(), entry.id, _RANK[entry.status])
        if isinstance(entry, CallRecord)
        else entry[:3]
        for entry in found
    ]
    if entries != [(entry.start.timestamp(), entry.id, _RANK[entry.status]) for entry in expected]:
        raise OtherEntries(f"{way} gives other entries than merge")


def merging() -> list[Row]:
    """Merge all records of 2, 4 and 16 sources."""
    rows: list[Row] = []
    for number in (2, 4, 16):
        sources = recorded(MERGED, number)
        ways: dict[str, Callable[[], list[CallRecord] | list[Found]]] = {
            "merge": partial(_listed, partial(merge, *sources)),
            "heapq.merge and groupby": partial(_listed, partial(heap_merged, sources)),
            "sorted and groupby": partial(_listed, partial(sort_merged, sources)),
            "SQLite, GROUP BY": Store(sources).everything,
        }
        expected = list(merge(*sources))
        for way, run in ways.items():
            check(way, run(), expected)
        contenders = [Contender(way, run, MERGED) for way, run in ways.items()]
        timings = interleave(*contenders, rounds=5)
        rows += [
            {
                "sources": number,
                "by": way,
                "µs for a record": timing.microseconds,
                "times merge": timing.over(timings["merge"]),
            }
            for way, timing in timings.items()
        ]
    return rows


def _listed(entries: Callable[[], Iterator[CallRecord]]) -> list[CallRecord]:
    return list(entries())


@frozen
class History:
    """One history, and the place from which a page is asked for: after a third of its entries."""

    length: int
    sources: Sources
    store: Store
    first: int
    place: Key

    @classmethod
    def of(cls, records: int) -> History:
        sources = recorded(records, PAGED_SOURCES)
        entries = list(merge(*sources))
        first = len(entries) // 3
        return cls(records, sources, Store(sources), first, entries[first - 1].key)

    def ways(self) -> dict[str, Callable[[], Sequence[CallRecord] | Sequence[Found]]]:
        """The ways to that page."""
        ways: dict[str, Callable[[], Sequence[CallRecord] | Sequence[Found]]] = {
            "page": self._page,
            "SQLite, a place for each source": partial(self.store.following, self.place),
            "SQLite, OFFSET": partial(self.store.numbered, self.first),
        }
        if self.length <= MERGING_UP_TO:
            ways["heapq.merge and groupby"] = lambda: self._cut(heap_merged(self.sources))
            ways["sorted and groupby"] = lambda: self._cut(sort_merged(self.sources))
        return ways

    def _page(self) -> Sequence[CallRecord]:
        return page(*self.sources, user=USER, size=SIZE, cursor=encode_cursor(USER, self.place)).entries

    def _cut(self, entries: Iterator[CallRecord]) -> list[CallRecord]:
        return list(islice(entries, self.first, self.first + SIZE))


def paging() -> list[Row]:
    """Find the page in histories of every length, all of them in every round."""
    contenders: dict[tuple[str, int], Contender] = {}
    for length in LENGTHS:
        history = History.of(length)
        expected = list(islice(merge(*history.sources), history.first, history.first + SIZE))
        for way, run in history.ways().items():
            check(way, run(), expected)
            times = 30 if way in SEEKING else 1
            contender = Contender(f"{way}, {length}", partial(_repeated, run, times), times)
            contenders[way, length] = contender
    timings = interleave(*contenders.values(), rounds=11)
    return [
        _page_row(way, {length: timings.get(f"{way}, {length}") for length in LENGTHS})
        for way in dict.fromkeys(way for way, _ in contenders)
    ]


def _page_row(way: str, timings: dict[int, Timing | None]) -> Row:
    row: dict[str, Cell] = {"µs for a page by": way}
    for length, timing in timings.items():
        row[f"of {length:,}"] = timing.microseconds if timing else "-"
    found = sorted((timing for timing in timings.values() if timing), key=attrgetter("seconds"))
    return {**row, "slowest / fastest": found[-1].over(found[0])}


def _repeated(run: Callable[[], object], times: int) -> None:
    for _ in range(times):
        run()


def compare() -> Comparison:
    """Merge, then page."""
    pages = paging()
    spread = float(pages[0]["slowest / fastest"])
    tables = [
        Table(f"Merging {MERGED:,} records of two or more sources into a list of entries", merging()),
        Table(f"A page of {SIZE} after a third of a history of so many records, in four sources", pages),
    ]
    text = f"page of {SIZE} from {LENGTHS[0]:,} to {LENGTHS[-1]:,} records: slowest by fastest"
    return Comparison(tables, [Aim(text, spread, at_most=1.5)])
