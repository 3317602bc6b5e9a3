"""What an account observes of its PBX: facts replace what was known, and nothing of it is stored (M4).

Each function gives the same account where a fact says nothing new.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve

from unique_account.core.account import (
    LINES,
    NOTHING_OBSERVED,
    Account,
    Call,
    Line,
    LineStatus,
    Messages,
    Observed,
)
from unique_account.core.machine import TABLE, Device, Trigger

ENDED_CALLS_REMEMBERED: Final = 32
"""How many ended calls an account remembers: more than the 20 that a user can have at once (R8)."""


def line_changed(account: Account, device: Device, status: LineStatus) -> Account:
    """The account after a line changed its status."""
    line = account.line(device)
    return account if status == line.status else _with_line(account, device, LINES[status, line.reachable])


def contacts_changed(account: Account, device: Device, reachable: bool) -> Account:
    """The account after a line got its first contact, or lost its last one."""
    line = account.line(device)
    return (
        account if reachable == line.reachable else _with_line(account, device, LINES[line.status, reachable])
    )


def _with_line(account: Account, device: Device, line: Line) -> Account:
    seen = account.observed
    if device == Device.DESKPHONE:
        return _observing(account, Observed(line, seen.webrtc, seen.calls, seen.ended, seen.messages))
    return _observing(account, Observed(seen.deskphone, line, seen.calls, seen.ended, seen.messages))


def call_changed(account: Account, call: Call) -> Account:
    """The account after a call began or changed; one that has ended stays ended."""
    seen = account.observed
    if call in seen.calls or call.id in seen.ended:
        return account
    index = next((index for index, known in enumerate(seen.calls) if known.id == call.id), len(seen.calls))
    calls = (*seen.calls[:index], call, *seen.calls[index + 1 :])
    return _observing(account, Observed(seen.deskphone, seen.webrtc, calls, seen.ended, seen.messages))


def call_ended(account: Account, call_id: str) -> Account:
    """The account after a call ended."""
    seen = account.observed
    if call_id in seen.ended:
        return account
    calls = tuple(call for call in seen.calls if call.id != call_id)
    ended = (*seen.ended, call_id)[-ENDED_CALLS_REMEMBERED:]
    return _observing(account, Observed(seen.deskphone, seen.webrtc, calls, ended, seen.messages))


def messages_changed(account: Account, messages: Messages) -> Account:
    """The account after the mailbox's counts changed."""
    if messages == account.observed.messages:
        return account
    return _observing(account, evolve(account.observed, messages=messages))


def nothing_observed(account: Account) -> Account:
    """The account of which the PBX has said nothing."""
    return _observing(account, NOTHING_OBSERVED)


def _observing(account: Account, observed: Observed) -> Account:
    """The account with other facts of the PBX; the in-call fact of the deskphone moves the machine (M5)."""
    state, line, before = account.state, observed.deskphone, account.observed.deskphone
    if line is not before and (in_call := line.in_call) is not before.in_call:
        trigger = Trigger.DESKPHONE_OFF_HOOK if in_call else Trigger.DESKPHONE_ON_HOOK
        state = TABLE[state, trigger, account.kept.selection].state
    return Account(account.user, account.kept, observed, state, account.lease)
