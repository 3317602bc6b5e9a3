"""The sessions that an account holds: how they come, are lost, return and end (S)."""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from unique_account.core.account import Account, Kept, Session
from unique_account.core.machine import TABLE, State, Trigger


def log_in(account: Account, session: Session) -> Account:
    """The account that holds a session, new or connected again (S4, S7)."""
    sessions = account.kept.sessions
    for index, held in enumerate(sessions):
        if held.id == session.id:
            if held == session:
                return account
            return _holding(account, (*sessions[:index], session, *sessions[index + 1 :]), account.state)
    return _holding(account, (*sessions, session), entered(account))


def entered(account: Account) -> State:
    """Where a login leads; at once in use if the deskphone is in a call (M1)."""
    selection = account.kept.selection
    state = TABLE[account.state, Trigger.LOG_IN, selection].state
    if account.observed.deskphone.in_call:
        state = TABLE[state, Trigger.DESKPHONE_OFF_HOOK, selection].state
    return state


def log_out(account: Account, session: str) -> Account:
    """The account without a session; one that it does not hold changes nothing (S7)."""
    return _left(account, tuple([held for held in account.kept.sessions if held.id != session]))


def lose(account: Account, session: str, connection: str, last_seen: datetime) -> Account:
    """The account whose session was last seen at an instant, if it is on this connection (S5, S7)."""
    sessions = tuple(
        evolve(held, last_seen=last_seen)
        if held.id == session
        and held.connection == connection
        and (held.last_seen is None or held.last_seen < last_seen)
        else held
        for held in account.kept.sessions
    )
    return account if sessions == account.kept.sessions else _holding(account, sessions, account.state)


def last_seen(kept: Kept, instant: datetime) -> Kept:
    """A kept part in its next version, with every session last seen at an instant (S5)."""
    sessions = tuple(evolve(session, last_seen=instant) for session in kept.sessions)
    return evolve(kept, version=kept.version + 1, sessions=sessions)


def expire(account: Account, at: datetime) -> Account:
    """The account without the sessions whose leases are due by an instant (S7)."""
    alive = tuple(
        held
        for held in account.kept.sessions
        if held.last_seen is None or at - held.last_seen < account.lease
    )
    return _left(account, alive)


def _left(account: Account, sessions: tuple[Session, ...]) -> Account:
    """The account with these sessions left; the last one that goes logs it out (M5)."""
    if len(sessions) == len(account.kept.sessions):
        return account
    state = account.state
    if not sessions:
        state = TABLE[state, Trigger.LOG_OUT, account.kept.selection].state
    return _holding(account, sessions, state)


def _holding(account: Account, sessions: tuple[Session, ...], state: State) -> Account:
    kept = account.kept
    kept = Kept(kept.version + 1, kept.selection, sessions, kept.forwarding)
    return Account(account.user, kept, account.observed, state, account.lease)
