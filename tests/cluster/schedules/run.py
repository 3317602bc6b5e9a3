"""One run, from a seed to the history that is judged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from typing import Final

from attrs import evolve, frozen

from tests.cluster.checker.check import violations
from tests.cluster.checker.history import (
    HandOver,
    History,
    Presence,
    Promises,
    Record,
    SessionIs,
    Takeover,
)
from tests.cluster.schedules.ending import ending
from tests.cluster.schedules.members import LEASE
from tests.cluster.schedules.troubles import Gone, Troubles
from tests.cluster.schedules.workload import Workload
from tests.cluster.schedules.world import World

PROMISED: Final = {"stopped": 8.0, "killed": 9.0, "paused": 9.0}
"""How many seconds a takeover may take here, by how the former owner ended."""
STOOD_STILL: Final = 0.4
"""On a machine that stood still for so many seconds times prove nothing."""
AFTERWARDS: Final = 3.0
"""How many seconds after a trouble a takeover still comes of it."""
_ALONE: Final = frozenset({"hand_over", "rolling_restart", "step_clock"})

Steps = Callable[[Troubles], Awaitable[None]]


@frozen(eq=False)
class Verdict:
    """What came of a run.

    Attributes:
        seed: Its seed.
        violations: What it violates, by invariant.
        history: What was recorded.
        story: What was done to it.
        logs: What the processes logged.
        seconds: How long it took.
    """

    seed: int
    violations: dict[int, list[str]]
    history: History
    story: list[tuple[float, str]]
    logs: str
    seconds: float

    @property
    def text(self) -> str:
        """All that was recorded."""
        story = [f"{when:8.3f} {what}" for when, what in self.story]
        return "\n".join((*story, *map(str, self.history.records), self.logs))


async def run(at: World, seed: int, steps: Steps | None = None) -> Verdict:
    """Run one schedule, as its seed draws it or as it is given."""
    await at.served()
    at.begin()
    begun = time.monotonic()
    work = Workload(at, Random(f"{seed} workload"))
    troubles = Troubles(at, work, Random(f"{seed} troubles"), [], [], [])
    async with work.under_way():
        await (steps or drawn)(troubles)
        await asyncio.sleep(0.3)
    await at.served()
    last = await ending(at)
    at.read_notes()
    records = [*_judged(at, troubles, begun), *last]
    promises = Promises(takeover=PROMISED, lease=LEASE, slack=8.0, changes=1)
    history = History(records, promises)
    story = [(when - begun, what) for when, what in at.story]
    return Verdict(seed, violations(history), history, story, at.logs, time.monotonic() - begun)


async def drawn(troubles: Troubles) -> None:
    """Twice trouble, one or two at once; what is drawn does not depend on what happens."""
    random = troubles.random
    for _ in range(2):
        names = random.sample(sorted(troubles.all()), random.choice((1, 1, 2)))
        if len(names) > 1 and _ALONE & set(names):
            names = names[:1]
        await asyncio.sleep(random.uniform(0.1, 0.4))
        await asyncio.gather(
            *(
                _delayed(troubles, name, place * random.uniform(0, 0.8), Random(random.random()))
                for place, name in enumerate(names)
            )
        )
        await troubles.at.served()


async def _delayed(troubles: Troubles, name: str, seconds: float, random: Random) -> None:
    await asyncio.sleep(seconds)
    await evolve(troubles, random=random).all()[name]()


# -- what is judged ----------------------------------------------------------------------------------


def _judged(at: World, troubles: Troubles, begun: float) -> Iterator[Record]:
    left_out: tuple[type[Record], ...] = (SessionIs,)
    if stood_still := at.delays.worst(begun) > STOOD_STILL:
        left_out += (HandOver,)  # it may have taken so long that the watchdog had to restore the hints
    yield from at.stored
    yield from (record for record in at.records if not isinstance(record, left_out))
    sessions = [record for record in at.records if isinstance(record, SessionIs)]
    known = [one for one in (*sessions, *_expired(at, begun)) if one.session not in _unclear(at)]
    yield from sorted(known, key=lambda record: record.at)
    for gone in troubles.gone:
        served = _served(at, gone)
        others = [until for since, until, _ in troubles.lasted if since < served and until > gone.at]
        if len(others) == 1 and not stood_still:  # nothing else kept another one from coming
            yield Takeover(why=gone.why, gone=gone.at, served=served)
    for note in at.notes:
        if note.former and note.at > begun and not _excused(at, troubles, note.at):
            yield Takeover(why="alive", gone=note.at, served=note.at)


def _unclear(at: World) -> set[str]:
    """The sessions that may end at any time, or not.

    Users asked to end them without an answer, or were with an owner after another one came, who knows nothing
    of that.
    """
    ended = {
        record.session
        for record in at.records
        if isinstance(record, SessionIs) and record.presence is Presence.LOGGED_OUT
    }
    return (_left(at) - ended).union(*(client.misled for client in at.clients))


def _left(at: World) -> set[str]:
    return set[str]().union(*(client.left for client in at.clients))


def _expired(at: World, begun: float) -> Iterator[SessionIs]:
    """The sessions that accounts held no more although nobody logged out."""
    held: dict[str, set[str]] = {}
    left = _left(at)
    for note in at.notes:
        if note.user is not None:
            now = {session.id for session in note.kept.sessions} if note.kept else set()
            for session in held.get(note.user, set()) - now - left:
                if note.at > begun:
                    yield SessionIs(user=note.user, session=session, presence=Presence.EXPIRED, at=note.at)
            held[note.user] = now


def _served(at: World, gone: Gone) -> float:
    """When the first change was acknowledged by an owner that came later."""
    later = [
        when
        for client in at.clients
        for when, epoch in client.answered
        if epoch > gone.epoch and when > gone.at
    ]
    return min(later, default=float("inf"))


def _excused(at: World, troubles: Troubles, when: float) -> bool:
    stood_still = at.delays.worst(when - AFTERWARDS) > STOOD_STILL
    return stood_still or any(
        since <= when <= until + AFTERWARDS for since, until, excuses in troubles.lasted if excuses
    )
