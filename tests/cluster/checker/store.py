"""What must be true of what is stored: invariants 1, 2 and 8."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from tests.cluster.checker.history import Change, History, Outcome, Stored, Taken, grouped

_VERSIONS = {Outcome.ACKNOWLEDGED: (1,), Outcome.REFUSED: (0,), Outcome.UNKNOWN: (0, 1)}


def stored_once(history: History) -> Iterator[str]:
    """An acknowledged change has one stored version, a failed one none, an unknown one none or one.

    What was asked for after another change was answered has the later version.
    """
    versions = _versions(history)
    for change in history.of(Change):
        found = versions.get((change.user, change.mark), [])
        if len(found) not in _VERSIONS[change.outcome]:
            yield f"{change.user}: {change.mark} was {change.outcome.value} and is stored {len(found)} times"
    for changes in grouped(history.of(Change), "user"):
        placed = [(change, versions.get((change.user, change.mark), [])) for change in changes]
        for one, at in placed:
            for other, later in placed:
                if at and later and one.ended < other.begun and at[0] >= later[0]:
                    yield f"{one.user}: {other.mark} was asked for after {one.mark}, and is stored before it"


def _versions(history: History) -> dict[tuple[str, str], list[int]]:
    """In which versions the mark of a change first stands, by user and mark."""
    found: dict[tuple[str, str], list[int]] = {}
    for before, now in _steps(history):
        if before is None or before.mark != now.mark:
            found.setdefault((now.user, now.mark), []).append(now.version)
    return found


def versions_grow(history: History) -> Iterator[str]:
    """Versions grow by one, from 0; epochs never fall, and each has one owner."""
    for one, after in _steps(history):
        due = 0 if one is None or one.version < 0 else one.version + 1
        if after.version not in (due, -1):
            yield f"{after.user}: version {after.version} is stored where {due} was due"
    newest = 0
    for record in history.records:
        if isinstance(record, Stored) and record.epoch < newest:
            yield f"{record.user}: stored by epoch {record.epoch}, after epoch {newest}"
        if isinstance(record, Stored | Taken):
            newest = max(newest, record.epoch)
    for earlier, later in pairwise(history.of(Taken)):
        if later.epoch <= earlier.epoch:
            yield f"{later.owner} took over with epoch {later.epoch}, after epoch {earlier.epoch}"


def one_user_each(history: History) -> Iterator[str]:
    """No number and no device has two users, after any commit."""
    claimed: dict[str, frozenset[str]] = {}
    owners: Counter[str] = Counter()
    for stored in history.of(Stored):
        owners.subtract(claimed.get(stored.user, frozenset()))
        claimed[stored.user] = stored.claims
        owners.update(stored.claims)
        for claim in sorted(stored.claims):
            if owners[claim] > 1:
                yield f"{claim} is that of {stored.user} and of another user"


def _steps(history: History) -> Iterator[tuple[Stored | None, Stored]]:
    """Each stored version with the one before it of the same user; None before the first."""
    for versions in grouped(history.of(Stored), "user"):
        yield None, versions[0]
        yield from pairwise(versions)
