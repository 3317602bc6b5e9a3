"""What must be true of what people see: invariants 6, 7 and 9."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from tests.cluster.checker.history import (
    Accepted,
    Call,
    Entry,
    Frame,
    History,
    Presence,
    SessionIs,
    Taken,
    grouped,
)


def sessions_live_and_end(history: History) -> Iterator[str]:
    """No connected session expires; one that is lost does, on time; none is accepted after its end.

    A takeover counts as a sign of life of all sessions, since their connections died with the owner.
    """
    taken = [one.at for one in history.of(Taken)]
    ended: dict[str, float] = {}
    promises = history.promises
    for states in grouped(history.of(SessionIs), "session"):
        for one, after in pairwise(states):
            if one.presence is Presence.CONNECTED and after.presence is Presence.EXPIRED:
                yield f"{one.user}: the session {one.session} expired while it was connected"
            if one.presence is Presence.LOST and after.presence is Presence.EXPIRED:
                spent = after.at - max((at for at in taken if one.at < at < after.at), default=one.at)
                if not promises.lease - promises.early <= spent <= promises.lease + promises.slack:
                    yield f"{one.user}: the session {one.session} expired {spent:.1f} s after it was lost"
        if states[-1].presence is Presence.LOST:
            yield f"{states[-1].user}: the session {states[-1].session} was lost and never expired"
        ended |= {one.session: one.at for one in states if one.presence is Presence.LOGGED_OUT}
    for accepted in history.of(Accepted):
        if accepted.begun > ended.get(accepted.session, accepted.begun):
            yield f"the session {accepted.session} was accepted after it was logged out"


def stamps_grow(history: History) -> Iterator[str]:
    """What a tab shows of one thing is never older than what it showed of it before."""
    for frames in grouped(history.of(Frame), "tab", "subject"):
        for before, now in pairwise(frames):
            if (now.epoch, now.sequence) <= (before.epoch, before.sequence):
                stamps = f"{now.epoch}.{now.sequence} after {before.epoch}.{before.sequence}"
                yield f"{now.tab}: {now.subject} was shown with the stamp {stamps}"


def one_entry_a_call(history: History) -> Iterator[str]:
    """Each call of a user has one entry in the history, once the log of the PBX has come."""
    entries = Counter((entry.user, entry.call) for entry in history.of(Entry))
    calls = {(call.user, call.call) for call in history.of(Call) if call.is_logged}
    for user, call in sorted(calls | set(entries)):
        if entries[user, call] != 1:
            yield f"{user}: the call {call} has {entries[user, call]} entries in the history"
