"""Groups of processes: events a second, delays, takeovers, starts and memory, beside a plain baseline.

All settings take turns on the same fake nodes and the same PostgreSQL, which keeps what it commits. The
product, the nodes with the load, and PostgreSQL share the machine. So the processor time of an event says
more of a larger machine than the events a second do.
"""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from attrs import frozen

from benchmarks.groups.company import Company, as_owners, as_standby
from benchmarks.groups.contenders import (
    PATIENCE,
    Nodes,
    Plain,
    Served,
    children,
    ended,
    megabytes,
    processor_seconds,
    processor_seconds_of_all,
)
from benchmarks.report import Aim, Cell, Comparison, Row, Table
from lab.postgresql import PostgresqlServer, postgresql_server


@frozen
class Size:
    """How large a company is, and for how long it is loaded.

    Attributes:
        nodes: How many nodes there are.
        users: How many users they have.
        states: How many device states a flood has.
        choices: How many choices a flood has.
        seconds: How long each rate lasts.
        takeover: How long a takeover is watched, in seconds.
        rounds: How many rounds there are.
    """

    nodes: int
    users: int
    states: int
    choices: int
    seconds: float
    takeover: float
    rounds: int


SMALL: Final = Size(4, 4_000, states=6_000, choices=1_500, seconds=3, takeover=15, rounds=3)
WIDE: Final = Size(20, 4_000, states=6_000, choices=1_500, seconds=3, takeover=15, rounds=1)
LARGE: Final = Size(20, 100_000, states=6_000, choices=1_500, seconds=10, takeover=120, rounds=1)
WINDOW: Final = 200
SHARES: Final = (0.1, 0.5, 0.9)
SLOWLY: Final = 50
"""How many events a second there are during a takeover."""

ALONE: Final = "one active alone"
BESIDE: Final = "one active beside a standby"
TWO: Final = "two groups"
PLAIN: Final = "plain, a commit an event"
RELAXED: Final = "plain, commits not waited for"

_OF_NEW: Final = "processor time of the new owner, s"

Figures = defaultdict[tuple[str, str], list[float]]
"""What was measured: by setting and what, a figure a round."""


class Rounds:
    """All measurements on one company.

    Attributes:
        found: The figures so far.
    """

    def __init__(self, company: Company, size: Size) -> None:
        self._company = company
        self._size = size
        self.found: Figures = defaultdict(list)

    def load(self, setting: str, *counted: Served | Plain, standbys: Sequence[Served] = ()) -> None:
        """Flood and rates, for both kinds of events, on what serves."""
        for kind, events in (("states", self._size.states), ("choices", self._size.choices)):
            with self._processor_time(setting, kind, events, counted):
                flood = self._company.nodes.ask("flood", kind, events, WINDOW)
            self._note(setting, f"{kind} a second", flood["a second"])
            self._note(setting, f"{kind} lost", flood["lost"])
            for share in SHARES:
                rate = self._company.nodes.ask("rate", kind, share * flood["a second"], self._size.seconds)
                for name in ("p50, ms", "p99, ms"):
                    self._note(setting, f"{kind} {share:.0%} {name}", rate[name])
        for name, some in (("MB", counted), ("MB of standbys", standbys)):
            self._note(setting, name, sum(megabytes(one.process.pid) for one in some))

    def start(self, setting: str, process: Served) -> None:
        """Start a process that is to own its group."""
        before = self._company.nodes.ask("actions")["actions"]
        seconds = _seconds(lambda: as_owners(process))
        self._note(setting, "s", seconds)
        self._note(setting, "processor time, s", processor_seconds(process.process.pid))
        self._note(setting, "actions", self._company.nodes.ask("actions")["actions"] - before)
        self._note(setting, "MB", megabytes(process.process.pid))
        self._note(setting, "MB of watchdogs", sum(map(megabytes, children(process.process.pid))))

    def takeover(self, owner: Served, standby: Served, number: signal.Signals) -> None:
        """End the owner, with a slow stream of events before, meanwhile and after."""
        setting = {signal.SIGTERM: "stopped", signal.SIGKILL: "killed"}[number]
        self._company.nodes.order("rate", "states", SLOWLY, self._size.takeover)
        time.sleep(1)
        before = processor_seconds(standby.process.pid)
        owner.process.send_signal(number)
        self._note(setting, "s until served", _seconds(lambda: standby.wait("owner")))
        spent = processor_seconds(standby.process.pid) - before
        self._note(setting, _OF_NEW, spent)
        self._note(setting, "s, the latest lamp", self._company.nodes.found()["longest, ms"] / 1000)
        owner.process.wait()

    @contextmanager
    def _processor_time(
        self, setting: str, kind: str, events: int, counted: Sequence[Served | Plain]
    ) -> Iterator[None]:
        ours, database = self._spent(counted), processor_seconds_of_all(self._company.server.pid)
        yield
        each = 1e6 / events
        self._note(setting, f"{kind}, µs", (self._spent(counted) - ours) * each)
        spent = processor_seconds_of_all(self._company.server.pid) - database
        self._note(setting, f"{kind}, µs of PostgreSQL", spent * each)

    @staticmethod
    def _spent(counted: Sequence[Served | Plain]) -> float:
        return sum(processor_seconds(one.process.pid) for one in counted)

    def _note(self, setting: str, what: str, figure: float) -> None:
        self.found[setting, what].append(figure)


def _seconds(do: Callable[[], object]) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def one_round(rounds: Rounds, company: Company, settings: Sequence[str]) -> None:
    """All settings, one after the other."""
    one, other = company.process("one"), company.process("other")
    halves = [company.process("half", group, 2) for group in range(2)] if TWO in settings else []
    plain = {PLAIN: company.plain("on"), RELAXED: company.plain("off")} if PLAIN in settings else {}
    with ended((one, other, *halves, *plain.values())):
        company.nodes.ask("empty")
        rounds.start("nothing there", one)
        one.stop()
        rounds.start("all plans there", one)
        rounds.load(ALONE, one)
        as_standby(other)
        if BESIDE in settings:
            rounds.load(BESIDE, one, standbys=[other])
        rounds.takeover(one, other, signal.SIGKILL)
        as_standby(one)
        rounds.takeover(other, one, signal.SIGTERM)
        one.end()
        if halves:
            as_owners(*halves)
            rounds.load(TWO, *halves)
            for half in halves:
                half.end()
        for setting, baseline in plain.items():
            baseline.start()
            rounds.load(setting, baseline)
            baseline.end()


def measured(server: PostgresqlServer, size: Size, *settings: str) -> Figures:
    """All rounds on a company of a size; what took too long, and what comes after it, is left out."""
    nodes = Nodes(size.nodes, size.users)
    try:
        with TemporaryDirectory(prefix="company") as folder:
            place = Path(folder) / f"company_{size.nodes}_{size.users}"
            company = Company(server, place, nodes)
            rounds = Rounds(company, size)
            with suppress(TimeoutError):
                for _ in range(size.rounds):
                    one_round(rounds, company, settings)
            return rounds.found
    finally:
        nodes.end()


def compare() -> Comparison:
    """Measure all sizes; about half an hour on two cores."""
    with postgresql_server({}) as server:
        small = measured(server, SMALL, ALONE, BESIDE, TWO, PLAIN, RELAXED)
        wide = measured(server, WIDE, ALONE, PLAIN, RELAXED)
        large = measured(server, LARGE, ALONE)
    sizes = ((SMALL, small), (WIDE, wide), (LARGE, large))
    found = [
        (size, figures, setting)
        for size, figures in sizes
        for setting in (ALONE, BESIDE, TWO, PLAIN, RELAXED)
        if (setting, "MB") in figures
    ]
    tables = [
        *(_throughput(kind, found) for kind in ("states", "choices")),
        *(_delays(kind, found) for kind in ("states", "choices")),
        _takeovers(sizes),
        _starts(sizes),
    ]
    killed, stopped = (median(small[how, "s until served"]) for how in ("killed", "stopped"))
    aims = [
        Aim(f"s until the group of a killed owner is served, {SMALL.users:,} users", killed, at_most=8.0),
        Aim(f"s until that of a stopped one is served, {SMALL.users:,} users", stopped, at_most=1.0),
    ]
    return Comparison(tables, aims)


_TITLES: Final = {
    "states": "Device states shown as hints on all nodes of the group",
    "choices": "Choices dialled, stored in PostgreSQL, installed and answered",
}
_OF_START: Final = ("s", "processor time, s", "MB", "MB of watchdogs", "actions")
_OF_TAKEOVER: Final = ("s until served", "s, the latest lamp", _OF_NEW)

Found = Sequence[tuple[Size, Figures, str]]
Sizes = Sequence[tuple[Size, Figures]]


def _middle(figures: Figures, setting: str, what: str, places: int | None = None) -> Cell:
    """The median over the rounds; a dash where nothing was measured."""
    rounds = figures.get((setting, what))
    return round(median(rounds), places) if rounds else "-"


def _throughput(kind: str, found: Found) -> Table:
    rows: list[Row] = [
        {
            "setting": setting,
            "users": size.users,
            "nodes": size.nodes,
            "events/s": _middle(figures, setting, f"{kind} a second"),
            "lowest": round(min(figures[setting, f"{kind} a second"])),
            "times alone": median(_ratios(figures, setting, f"{kind} a second")),
            "processor time, µs": _middle(figures, setting, f"{kind}, µs"),
            "PostgreSQL's, µs": _middle(figures, setting, f"{kind}, µs of PostgreSQL"),
            "lost": round(sum(figures[setting, f"{kind} lost"])),
            "MB": _middle(figures, setting, "MB"),
            "MB of standbys": _middle(figures, setting, "MB of standbys"),
        }
        for size, figures, setting in found
    ]
    return Table(_TITLES[kind], rows)


def _ratios(figures: Figures, setting: str, what: str) -> list[float]:
    pairs = zip(figures[setting, what], figures[ALONE, what], strict=True)
    return [one / alone for one, alone in pairs]


def _delays(kind: str, found: Found) -> Table:
    rows: list[Row] = [
        {
            "setting": setting,
            "users": size.users,
            "nodes": size.nodes,
            **{
                f"at {share:.0%}: {name}": median(figures[setting, f"{kind} {share:.0%} {name}"])
                for share in SHARES
                for name in ("p50, ms", "p99, ms")
            },
        }
        for size, figures, setting in found
    ]
    return Table(f"{_TITLES[kind]}: delays at a share of the setting's own most", rows)


def _takeovers(sizes: Sizes) -> Table:
    rows: list[Row] = [
        {
            "owner": how,
            "users": size.users,
            "nodes": size.nodes,
            **{what: _middle(figures, how, what, 2) for what in _OF_TAKEOVER},
        }
        for size, figures in sizes
        for how in ("stopped", "killed")
    ]
    return Table(f"Takeovers, with {SLOWLY} device states a second", rows)


def _starts(sizes: Sizes) -> Table:
    rows: list[Row] = [
        {
            "nodes have": setting,
            "users": size.users,
            "nodes": size.nodes,
            **{what: _middle(figures, setting, what, 1) for what in _OF_START},
        }
        for size, figures in sizes
        for setting in ("nothing there", "all plans there")
    ]
    return Table(f"Starts, until the process serves; a dash: not within {PATIENCE:.0f} s", rows)
