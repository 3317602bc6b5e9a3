"""What must be true of what nodes did: invariants 3, 4, 5, 10 and 11."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.cluster.checker.history import (
    Acted,
    Action,
    Call,
    Change,
    Command,
    FencePassed,
    HandOver,
    History,
    Lamp,
    Lift,
    Outcome,
    Stored,
    grouped,
)


def fenced_off(history: History) -> Iterator[str]:
    """After a fence, no action of an earlier epoch is carried out, the guard's included."""
    for fence in history.of(FencePassed):
        for action in history.of(Action):
            if action.node == fence.node and action.epoch < fence.epoch and action.at > fence.at:
                late = f"{action.at - fence.at:.3f} s after the fence of epoch {fence.epoch}"
                yield f"{action.node}: {action.name} by {action.role.value} of epoch {action.epoch}, {late}"


def keys_do_not_go_back(history: History) -> Iterator[str]:
    """No key of AstDB goes back to an earlier version, but by a logged lift."""
    lifts = history.of(Lift)
    versioned = (action for action in history.of(Action) if action.version is not None)
    for actions in grouped(versioned, "node", "key"):
        for before, now in pairwise(actions):
            lifted = any(one.node == now.node and before.at <= one.at <= now.at for one in lifts)
            if (now.version or 0) < (before.version or 0) and not lifted:
                yield f"{now.node}: {now.key} went from version {before.version} to {now.version}"


def acted_once(history: History) -> Iterator[str]:
    """A command acts at most once, never after it was refused, and not long after it was given up."""
    acted = history.of(Acted)
    for command in history.of(Command):
        at = [one.at for one in acted if one.id == command.id]
        if len(at) > 1:
            yield f"{command.id} was carried out {len(at)} times"
        if at and command.outcome is Outcome.REFUSED:
            yield f"{command.id} was refused, and carried out"
        if not at and command.outcome is Outcome.ACKNOWLEDGED:
            yield f"{command.id} was acknowledged, and never carried out"
        if any(one > command.ended + history.promises.answer for one in at):
            yield f"{command.id} was carried out {max(at) - command.ended:.1f} s after it was given up"


def calls_use_new_plans(history: History) -> Iterator[str]:
    """Each call uses a plan at least as new as the last change acknowledged before its INVITE."""
    versions = {(one.user, one.mark): one.version for one in reversed(history.of(Stored))}
    acknowledged = [one for one in history.of(Change) if one.outcome is Outcome.ACKNOWLEDGED]
    for call in history.of(Call):
        before = [one for one in acknowledged if one.user == call.user and one.ended < call.invited]
        due = max((versions.get((one.user, one.mark), 0) for one in before), default=0)
        if call.version < due:
            yield f"{call.call} used {call.user}'s plan of version {call.version}; {due} was acknowledged"


def hand_over_unseen(history: History) -> Iterator[str]:
    """A planned hand-over changes no lamp."""
    for lamps in grouped(history.of(Lamp), "node", "number"):
        for before, now in pairwise(lamps):
            for planned in history.of(HandOver):
                if planned.begun <= now.at <= planned.ended and now.shows != before.shows:
                    yield f"{now.node}: the lamp of {now.number} went from {before.shows} to {now.shows}"
