"""An account with all that is seen of it, worked out again only where a change touches it.

Each projection is compared by the values that it rests on, so an event costs what it changes: a line's
status makes a presence and a view, and no plan.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from unique_account.core.account import Account
from unique_account.core.device_in_use import device_in_use
from unique_account.core.machine import State
from unique_account.core.number import Number
from unique_account.core.presence import Presence, presence
from unique_account.core.routing import DEFAULT_OWNER, Plan, facts, plan, resolve
from unique_account.core.view import NextCall, View, next_call, view_of


@frozen(weakref_slot=False)
class Projected:
    """An account and its projections.

    Attributes:
        account: The account.
        numbers: The user's numbers: the extension, then the DIDs.
        plan: What its media server installs.
        presence: What colleagues see, once something is known of its lines.
        view: What its user sees.
    """

    account: Account
    numbers: tuple[Number, ...]
    plan: Plan
    presence: Presence
    view: View


def projected(account: Account, former: Projected | None = None, *, owner: str = DEFAULT_OWNER) -> Projected:
    """An account with its projections.

    Args:
        account: The account.
        former: Another state of the same user's account; what rests on equal values is taken from it.
        owner: Which installation makes the plan.
    """
    if former is None or former.plan.owner != owner:
        due, shown = plan(account, owner=owner), presence(account)
        view = view_of(account, due, shown, _next_call(due, account))
        return Projected(account, due.numbers, due, shown, view)
    known = former.account
    due = former.plan if _choices(known) == _choices(account) else plan(account, owner=owner)
    same_way = due is former.plan and _reach(known) == _reach(account)
    if due.version != account.version:
        due = evolve(due, version=account.version)
    shown = former.presence if _lines(known) == _lines(account) else presence(account)
    view = former.view
    if _seen(known) != _seen(account):
        view = view_of(account, due, shown, view.next_call if same_way else _next_call(due, account))
    return Projected(account, due.numbers, due, shown, view)


def same_but_version(one: Plan, other: Plan) -> bool:
    """Whether two plans say the same, whatever version of the account they were made from."""
    return one is other or evolve(one, version=other.version) == other


def _choices(account: Account) -> tuple[Any, ...]:
    """What a plan rests on, its version apart."""
    kept = account.kept
    return account.user, account.state is State.LOGGED_OUT, kept.selection, kept.forwarding


def _next_call(due: Plan, account: Account) -> NextCall:
    """Where a call would go, and why."""
    return next_call(resolve(due, facts(account)))


def _reach(account: Account) -> tuple[Any, ...]:
    """What decides where a call would ring now, beside the plan."""
    deskphone, webrtc = account.observed.deskphone, account.observed.webrtc
    contacts = webrtc.registered, webrtc.known, deskphone.registered, deskphone.known
    return contacts, account.observed.calls


def _lines(account: Account) -> tuple[Any, ...]:
    """What a presence rests on."""
    return device_in_use(account), account.observed.deskphone, account.observed.webrtc


def _seen(account: Account) -> tuple[Any, ...]:
    """What a view rests on, with the plan and the presence in it."""
    kept, seen = account.kept, account.observed
    choices = account.user, account.state, kept.version, kept.selection, kept.forwarding
    return *choices, seen.deskphone, seen.webrtc, seen.calls, seen.messages
