"""What a user chooses about calls: do-not-disturb and forwards, one by one or all at once (R10).

A choice says what it changes and nothing else, so that two choices made at the same time both hold.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, Final

from attrs import evolve

from unique_account.core.account import Account, Kept
from unique_account.core.errors import NoDestination, RefusalId, Refused
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.number import IN_WORDS


class Setting(StrEnum):
    """What a user sets, by a dialled code or in the UC Assistant."""

    DO_NOT_DISTURB = "do_not_disturb"
    UNCONDITIONAL = "unconditional"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    ALL = "all"


FORWARDS: Final = (Setting.UNCONDITIONAL, Setting.NO_ANSWER, Setting.BUSY)
"""The settings that are forwards."""


def dialled(before: Forwarding, setting: Setting, number: str) -> Forwarding:
    """What a user's choice becomes when the code of a setting is dialled, with a number or without.

    Do-not-disturb is switched over. A forward is on with a number, and off without one; it keeps its
    destination for the next time. ``ALL`` puts everything off, do-not-disturb included.
    """
    if setting is Setting.DO_NOT_DISTURB:
        return evolve(before, do_not_disturb=not before.do_not_disturb)
    forwards = dict[str, Any](before.forwards)
    off = {name: evolve(forward, enabled=False) for name, forward in forwards.items()}
    if setting is Setting.ALL:
        return Forwarding(**off)
    forwards[setting] = Forward(number) if number else off.get(setting)
    return Forwarding(do_not_disturb=before.do_not_disturb, **forwards)


def switched(account: Account, setting: Setting, enabled: bool, destination: str) -> Forwarding:
    """A user's choice with one forward on or off; without a destination the one that is there stays.

    Raises:
        NoDestination: It is to be on, and there is no destination.
    """
    before = account.forwarding
    there: Forward | None = getattr(before, setting)
    number = destination or (there.destination if there else "")
    if number:
        changes = dict[str, Any]({setting: Forward(number, enabled)})
        return evolve(before, **changes)
    if enabled:
        reason = "no destination is given, and none was set before (R10)"
        way_out, why = "give a destination", RefusalId.NO_DESTINATION
        raise NoDestination(account.state, f"forward_{setting}", reason, way_out, why)
    return before


def choose(account: Account, forwarding: Forwarding) -> Account:
    """The account with another choice; the same object where it is the same one.

    Raises:
        Refused: A forward that is new and on cannot work (R10, R13), or one that is off cannot be kept.
    """
    kept = account.kept
    if forwarding == kept.forwarding:
        return account
    for name, forward in forwarding.forwards:
        if (name, forward) not in kept.forwarding.forwards:
            _validate(account, name, forward)
    kept = Kept(kept.version + 1, kept.selection, kept.sessions, forwarding)
    return Account(account.user, kept, account.observed, account.state, account.lease)


def _validate(account: Account, name: str, forward: Forward) -> None:
    user, number = account.user, forward.destination
    if not forward.enabled:
        if len(number) <= LONGEST_KEPT and not _UNKEPT(number):
            return
        why = RefusalId.NOT_KEPT
        reason, way_out = "it is too long, or has characters that cannot be kept", "keep a number"
    elif not number.is_dialable:
        why = RefusalId.NOT_DIALABLE
        reason, way_out = f"{number.written[:LONGEST_KEPT]!r} cannot be dialled", f"use {IN_WORDS}"
    elif number in user.numbers:
        why = RefusalId.OWN_NUMBER
        reason, way_out = f"{number} is the user's own number (R13)", "forward to another number"
    elif number == user.voicemail_code and user.mailbox is None:
        why = RefusalId.NO_MAILBOX
        reason, way_out = "the user has no mailbox (R10)", "forward to a number"
    else:
        return
    written = number.written[:LONGEST_KEPT]
    raise Refused(account.state, f"forward_{name}", reason, way_out, why, number=written)


LONGEST_KEPT: Final = 128
"""A forward that is off keeps so many characters."""

_UNKEPT: Final = re.compile(r"[\0\ud800-\udfff]").search
