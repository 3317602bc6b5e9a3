"""The checker: a right run violates nothing, and each fault violates the invariant that forbids it."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.cluster.checker.check import violations
from tests.cluster.checker.history import (
    Accepted,
    Acted,
    Action,
    AtLast,
    Call,
    Change,
    Command,
    Entry,
    FencePassed,
    Frame,
    HandOver,
    History,
    Lamp,
    Lift,
    Outcome,
    Presence,
    Promises,
    Record,
    Role,
    SessionIs,
    Stored,
    Taken,
    Takeover,
)

PLAN = "unique_account/1001@default"


def change(mark: str, begun: float, outcome: Outcome = Outcome.ACKNOWLEDGED, user: str = "alice") -> Change:
    return Change(user=user, mark=mark, begun=begun, ended=begun + 0.5, outcome=outcome)


def stored(version: int, mark: str, epoch: int = 1, user: str = "alice", *claims: str) -> Stored:
    return Stored(user=user, version=version, mark=mark, epoch=epoch, claims=frozenset(claims))


def put(version: int, epoch: int, at: float, role: Role = Role.SERVICE) -> Action:
    return Action(node="mds1", epoch=epoch, role=role, name="DBPut", key=PLAN, version=version, at=at)


def session(presence: Presence, at: float, name: str = "tab") -> SessionIs:
    return SessionIs(user="alice", session=name, presence=presence, at=at)


def frame(epoch: int, sequence: int, at: float) -> Frame:
    return Frame(tab="tab 1", subject="alice", epoch=epoch, sequence=sequence, at=at)


def lamp(shows: str, at: float) -> Lamp:
    return Lamp(node="mds1", number="1001", shows=shows, at=at)


RIGHT = History(
    [
        Taken(epoch=1, owner="a"),
        stored(0, "", 1, "alice", "1001"),
        stored(0, "", 1, "bob", "1002"),
        change("901", 1.0),
        stored(1, "901", 1, "alice", "1001"),
        put(1, 1, 1.2),
        change("902", 2.0, Outcome.REFUSED),
        change("903", 3.0, Outcome.UNKNOWN),
        stored(2, "903", 1, "alice", "1001"),
        change("904", 4.0, Outcome.UNKNOWN),
        Taken(epoch=2, owner="b"),
        FencePassed(node="mds1", epoch=2, at=10.0),
        put(2, 2, 10.1),
        Takeover(why="killed", gone=4.0, served=11.0),
        change("905", 12.0),
        stored(3, "905", 2, "alice", "1001"),
        put(3, 2, 12.2),
        Command(id="dial 1", begun=13.0, ended=13.5, outcome=Outcome.ACKNOWLEDGED),
        Acted(id="dial 1", at=13.2),
        Command(id="dial 2", begun=13.0, ended=13.5, outcome=Outcome.REFUSED),
        Command(id="dial 3", begun=13.0, ended=13.5, outcome=Outcome.UNKNOWN),
        session(Presence.CONNECTED, 0.0),
        session(Presence.LOST, 4.0),
        session(Presence.CONNECTED, 9.0),
        session(Presence.LOGGED_OUT, 20.0),
        session(Presence.CONNECTED, 0.0, "gone"),
        session(Presence.LOST, 4.0, "gone"),
        session(Presence.EXPIRED, 14.0, "gone"),
        Accepted(session="tab", begun=9.0),
        frame(1, 7, 3.0),
        frame(1, 8, 3.5),
        frame(2, 1, 11.0),
        Call(user="alice", call="1.1", invited=12.7, version=3),
        Entry(user="alice", call="1.1"),
        lamp("idle", 1.0),
        lamp("in use", 5.0),
        HandOver(begun=15.0, ended=16.0),
        lamp("in use", 15.5),
        AtLast(what="the plan of alice", due="version 3", found="version 3"),
    ],
    Promises(takeover={"killed": 8.0, "stopped": 1.0}, lease=10.0, changes=2, takeovers=1),
)

FAULTS: dict[str, tuple[set[int], list[Record], list[Record]]] = {
    "acknowledged before the commit, which never came": ({1}, [], [change("906", 14.0)]),
    "stored, though the client was answered that it failed": (
        {1},
        [],
        [stored(4, "902", 2, "alice", "1001")],
    ),
    "stored twice": ({1}, [], [stored(4, "906", 2), stored(5, "905", 2)]),
    "stored in another order than was answered": (
        {1},
        [],
        [change("907", 14.0), change("906", 15.0), stored(4, "906", 2), stored(5, "907", 2)],
    ),
    "a version left out": ({2}, [], [stored(5, "", 2)]),
    "a version given twice": ({2}, [], [stored(3, "", 2)]),
    "saved by an owner of before": ({2}, [], [stored(4, "", 1)]),
    "saved by an owner of before, after a takeover": (
        {2},
        [],
        [Taken(epoch=3, owner="c"), stored(4, "", 2)],
    ),
    "an epoch given twice": ({2}, [], [Taken(epoch=2, owner="c")]),
    "written after a pause": ({3, 4}, [], [put(1, 1, 14.0)]),
    "a kick that was not waited for": ({3}, [], [evolve(put(3, 1, 10.05), key="another")]),
    "a guard that comes late": (
        {3},
        [],
        [Action(node="mds1", epoch=1, role=Role.GUARD, name="Setvar", key="hint", at=14.0)],
    ),
    "a key that goes back": ({4}, [], [put(2, 2, 14.0)]),
    "carried out twice": ({5}, [], [Acted(id="dial 1", at=13.4)]),
    "carried out though refused": ({5}, [], [Acted(id="dial 2", at=13.4)]),
    "carried out much later": ({5}, [], [Acted(id="dial 3", at=20.0)]),
    "acknowledged and not carried out": ({5}, [Acted(id="dial 1", at=13.2)], []),
    "sessions expired at a takeover": (
        {6},
        [],
        [session(Presence.CONNECTED, 1.0, "tab 2"), session(Presence.EXPIRED, 10.0, "tab 2")],
    ),
    "a session that never ends": (
        {6},
        [],
        [session(Presence.CONNECTED, 1.0, "tab 2"), session(Presence.LOST, 10.0, "tab 2")],
    ),
    "a session that ends too soon after a takeover": (
        {6},
        [],
        [
            session(Presence.LOST, 21.0, "tab 2"),
            Taken(epoch=3, owner="c", at=25.0),
            session(Presence.EXPIRED, 31.0, "tab 2"),
        ],
    ),
    "a session that ends late": (
        {6},
        [session(Presence.EXPIRED, 14.0, "gone")],
        [session(Presence.EXPIRED, 40.0, "gone")],
    ),
    "a revoked token on another process": ({6}, [], [Accepted(session="tab", begun=21.0)]),
    "a view of the owner of before": ({7}, [], [frame(1, 9, 12.0)]),
    "a view of the same stamp": ({7}, [], [frame(2, 1, 12.0)]),
    "a number of two users": ({8}, [], [stored(1, "", 2, "bob", "1002", "1001")]),
    "a call without an entry": ({9}, [Entry(user="alice", call="1.1")], []),
    "a call with two entries": ({9}, [], [Entry(user="alice", call="1.1")]),
    "a call by an old plan": (
        {10},
        [],
        [Call(user="alice", call="1.2", invited=14.0, version=2), Entry(user="alice", call="1.2")],
    ),
    "a lamp that flickers": ({11}, [], [lamp("idle", 15.7), lamp("in use", 15.8)]),
    "wrong in the end": ({12}, [], [AtLast(what="the lamp of 1001", due="idle", found="in use")]),
    "a takeover that takes too long": ({13}, [], [Takeover(why="stopped", gone=15.0, served=17.0)]),
    "a takeover for no reason": ({13}, [], [Takeover(why="alive", gone=15.0, served=15.5)]),
    "too little happened": (
        {13},
        [Takeover(why="killed", gone=4.0, served=11.0)],
        [],
    ),
}
"""Faults of a run: which invariants they violate, and what is missing and is too much in its records."""


def test_a_right_run_has_no_violations() -> None:
    assert violations(RIGHT) == {}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_by_the_invariants_that_forbid_it(fault: str) -> None:
    numbers, gone, more = FAULTS[fault]
    assert set(violations(RIGHT.without(*gone).plus(*more))) == numbers


def test_each_invariant_is_violated_by_some_fault() -> None:
    assert set[int]().union(*(numbers for numbers, _, _ in FAULTS.values())) == set(range(1, 14))


def test_a_logged_lift_may_set_keys_back() -> None:
    lifted = RIGHT.plus(Lift(node="mds1", at=13.9), put(2, 2, 14.0))
    assert violations(lifted) == {}


def test_a_run_in_which_nothing_happened_does_not_count() -> None:
    assert set(violations(History([], RIGHT.promises))) == {13}
