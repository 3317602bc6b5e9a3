"""All invariants, and the verdict on a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tests.cluster.checker.history import AtLast, Change, History, Outcome, Takeover
from tests.cluster.checker.nodes import (
    acted_once,
    calls_use_new_plans,
    fenced_off,
    hand_over_unseen,
    keys_do_not_go_back,
)
from tests.cluster.checker.people import one_entry_a_call, sessions_live_and_end, stamps_grow
from tests.cluster.checker.store import one_user_each, stored_once, versions_grow


def right_at_last(history: History) -> Iterator[str]:
    """In the end everything is what the core says."""
    for one in history.of(AtLast):
        if one.due != one.found:
            yield f"{one.what} is {one.found} in the end; the core says {one.due}"


def within_promises(history: History) -> Iterator[str]:
    """The gap of each takeover is within its promise, and enough happened for the run to count."""
    promises, takeovers = history.promises, history.of(Takeover)
    for one in takeovers:
        gap, promised = one.served - one.gone, promises.takeover.get(one.why)
        if promised is None:
            yield f"a takeover after the owner was {one.why}, which is no reason"
        elif gap > promised:
            yield f"nobody served for {gap:.1f} s after the owner was {one.why}; {promised:g} s are promised"
    acknowledged = sum(one.outcome is Outcome.ACKNOWLEDGED for one in history.of(Change))
    if acknowledged < promises.changes:
        yield f"only {acknowledged} changes were acknowledged; the run counts from {promises.changes} on"
    if len(takeovers) < promises.takeovers:
        yield f"there were only {len(takeovers)} takeovers; the run counts from {promises.takeovers} on"


INVARIANTS: Final[Mapping[int, Callable[[History], Iterator[str]]]] = {
    1: stored_once,
    2: versions_grow,
    3: fenced_off,
    4: keys_do_not_go_back,
    5: acted_once,
    6: sessions_live_and_end,
    7: stamps_grow,
    8: one_user_each,
    9: one_entry_a_call,
    10: calls_use_new_plans,
    11: hand_over_unseen,
    12: right_at_last,
    13: within_promises,
}
"""The invariants by number."""


def violations(history: History) -> dict[int, list[str]]:
    """Which invariants a run violates, by number, with a sentence for each time."""
    found = {number: list(invariant(history)) for number, invariant in INVARIANTS.items()}
    return {number: sentences for number, sentences in found.items() if sentences}
