"""What can happen to an account, and `apply`, which makes the next account of it.

`apply` takes any event at any time. Facts of the PBX are never refused, in any order, however often
repeated (M4). An event that says nothing new gives the very same account. Only two things are refused: what
the table does not allow (M3), and a forward that cannot work (R13). Then nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import reduce
from typing import Any, Final

from attrs import evolve, field, frozen
from attrs.validators import in_

from unique_account.core.account import (
    DEFAULT_LEASE,
    NOTHING_OBSERVED,
    Account,
    Call,
    Kept,
    LineStatus,
    Messages,
    Observed,
    Session,
    utc,
)
from unique_account.core.diversions import CallDiverted
from unique_account.core.errors import RefusalId, Refused
from unique_account.core.forwarding import Forwarding
from unique_account.core.forwarding_changes import FORWARDS, Setting, choose, dialled, switched
from unique_account.core.machine import TABLE, Device, State, Trigger
from unique_account.core.observations import (
    call_changed,
    call_ended,
    contacts_changed,
    line_changed,
    messages_changed,
    nothing_observed,
)
from unique_account.core.sessions import entered, expire, log_in, log_out, lose
from unique_account.core.user import User
from unique_account.core.validators import a_text, an_id


@frozen(weakref_slot=False)
class LoggedIn:
    """A UC Assistant logged in, or came back within its lease, on this connection (S1, S3, S7)."""

    session: str = field(validator=an_id)
    connection: str = field(default="", validator=a_text)


@frozen(weakref_slot=False)
class LoggedOut:
    """A UC Assistant said goodbye."""

    session: str = field(validator=an_id)


@frozen(weakref_slot=False)
class SessionLost:
    """A connection broke without a logout; the session was last seen alive at ``last_seen``, in UTC (S5)."""

    session: str = field(validator=an_id)
    last_seen: datetime = field(converter=utc)
    connection: str = field(default="", validator=a_text)


@frozen(weakref_slot=False)
class LeaseExpired:
    """A timer went off: the leases that are due by ``at``, in UTC, are over (S7)."""

    at: datetime = field(converter=utc)


@frozen(weakref_slot=False)
class DeviceSelected:
    """The user chose a device (S6)."""

    device: Device


@frozen(weakref_slot=False)
class DeviceToggled:
    """The user dialled the code that switches the selection over (S6)."""


@frozen(weakref_slot=False)
class LineChanged:
    """The PBX reported a line's status."""

    device: Device
    status: LineStatus


@frozen(weakref_slot=False)
class ContactsChanged:
    """The PBX reported whether a line has at least one usable contact (R4)."""

    device: Device
    reachable: bool


@frozen(weakref_slot=False)
class CallChanged:
    """The PBX reported a live call; the whole call, so that the last report counts."""

    call: Call


@frozen(weakref_slot=False)
class CallEnded:
    """The PBX reported that a call is over since ``at``, in UTC."""

    call_id: str = field(validator=an_id)
    at: datetime = field(converter=utc)


@frozen(weakref_slot=False)
class FactsReplaced:
    """The facts that a media server reported are replaced, all at once; with none, the node is lost.

    Attributes:
        media_server: The node's name.
        facts: All that it reports now, so that nobody is shown half of it (P5).
    """

    media_server: str
    facts: tuple[Fact, ...] = ()


@frozen(weakref_slot=False)
class ForwardingChanged:
    """Do-not-disturb and all forwards are set at once (R11).

    The whole value replaces the one that is there. A user who changes one setting is a `DoNotDisturbSet`
    or a `ForwardSet`, which leaves the others as they are by then.
    """

    forwarding: Forwarding


@frozen(weakref_slot=False)
class DoNotDisturbSet:
    """The user switched do-not-disturb on or off (R10)."""

    on: bool


@frozen(weakref_slot=False)
class ForwardSet:
    """The user switched one forward on or off (R10).

    Attributes:
        setting: The forward: ``UNCONDITIONAL``, ``NO_ANSWER`` or ``BUSY``.
        enabled: Whether it is on.
        destination: Where to; empty: where it led before.
    """

    setting: Setting = field(validator=in_(FORWARDS))
    enabled: bool
    destination: str = ""


@frozen(weakref_slot=False)
class ForwardingDialled:
    """The user dialled the code of a setting, with a number or without (R10)."""

    setting: Setting
    number: str = ""


@frozen(weakref_slot=False)
class MessagesChanged:
    """The PBX reported how many voicemail messages wait (V2)."""

    new: int
    old: int


@frozen(weakref_slot=False)
class UserChanged:
    """The administrator changed the user's numbers, endpoints, times or destinations."""

    user: User


Fact = LineChanged | ContactsChanged | CallChanged | MessagesChanged
"""What the PBX reports again when it is asked for all that it knows; the last report of each counts."""

Reported = Fact | CallEnded | CallDiverted | FactsReplaced
"""What the PBX reports. It never changes what is stored."""

Event = (
    LoggedIn
    | LoggedOut
    | SessionLost
    | LeaseExpired
    | DeviceSelected
    | DeviceToggled
    | Reported
    | ForwardingChanged
    | DoNotDisturbSet
    | ForwardSet
    | ForwardingDialled
    | UserChanged
)


def apply(account: Account, event: Event) -> Account:
    """The account after an event; the same object where the event says nothing new.

    Raises:
        Refused: A selection while logged out (S6), or a forward that cannot work (R13).
        TypeError: Not an event.
    """
    try:
        handle = _HANDLERS[type(event)]
    except KeyError:
        raise TypeError(f"{event!r} is not an event of an account") from None
    return handle(account, event)


def restore(
    user: User, kept: Kept, lease: timedelta = DEFAULT_LEASE, observed: Observed = NOTHING_OBSERVED
) -> Account:
    """The account that a user, its stored part and what the PBX reported make (S2)."""
    account = Account(user, kept, observed, State.LOGGED_OUT, lease)
    return Account(user, kept, observed, entered(account), lease) if kept.sessions else account


# -- sessions (S) ------------------------------------------------------------------------------------


def _logged_in(account: Account, event: LoggedIn) -> Account:
    return log_in(account, Session(event.session, event.connection))


def _logged_out(account: Account, event: LoggedOut) -> Account:
    return log_out(account, event.session)


def _session_lost(account: Account, event: SessionLost) -> Account:
    return lose(account, event.session, event.connection, event.last_seen)


def _lease_expired(account: Account, event: LeaseExpired) -> Account:
    return expire(account, event.at)


# -- the user's choices ------------------------------------------------------------------------------

_SELECTS: Final = {Device.WEBRTC: Trigger.SELECT_WEBRTC, Device.DESKPHONE: Trigger.SELECT_DESKPHONE}


def _device_selected(account: Account, event: DeviceSelected) -> Account:
    kept = account.kept
    step = TABLE.get((account.state, trigger := _SELECTS[event.device], kept.selection))
    if step is None:
        why = "selecting a device needs a session (S6)", "log in first", RefusalId.NOT_LOGGED_IN
        raise Refused(account.state, trigger, *why)
    state, selection = step
    if selection is kept.selection and state is account.state:
        return account
    kept = Kept(kept.version + 1, selection, kept.sessions, kept.forwarding)
    return Account(account.user, kept, account.observed, state, account.lease)


def _device_toggled(account: Account, _: DeviceToggled) -> Account:
    return _device_selected(account, DeviceSelected(account.kept.selection.other))


def _forwarding_changed(account: Account, event: ForwardingChanged) -> Account:
    return choose(account, event.forwarding)


def _do_not_disturb_set(account: Account, event: DoNotDisturbSet) -> Account:
    return choose(account, evolve(account.kept.forwarding, do_not_disturb=event.on))


def _forward_set(account: Account, event: ForwardSet) -> Account:
    return choose(account, switched(account, event.setting, event.enabled, event.destination))


def _forwarding_dialled(account: Account, event: ForwardingDialled) -> Account:
    return choose(account, dialled(account.kept.forwarding, event.setting, event.number))


def _user_changed(account: Account, event: UserChanged) -> Account:
    if event.user == account.user:
        return account
    if event.user.id != account.user.id:
        raise ValueError(f"{event.user.id} is another user than {account.user.id}")
    kept = evolve(account.kept, version=account.kept.version + 1)
    return Account(event.user, kept, account.observed, account.state, account.lease)


# -- facts of the PBX (M4) ---------------------------------------------------------------------------


def _line_changed(account: Account, event: LineChanged) -> Account:
    return line_changed(account, event.device, event.status)


def _contacts_changed(account: Account, event: ContactsChanged) -> Account:
    return contacts_changed(account, event.device, event.reachable)


def _call_changed(account: Account, event: CallChanged) -> Account:
    return call_changed(account, event.call)


def _call_ended(account: Account, event: CallEnded) -> Account:
    return call_ended(account, event.call_id)


def _messages_changed(account: Account, event: MessagesChanged) -> Account:
    return messages_changed(account, Messages(event.new, event.old))


def _facts_replaced(account: Account, event: FactsReplaced) -> Account:
    if event.media_server != account.user.media_server:
        return account
    after = reduce(apply, event.facts, nothing_observed(account))
    return account if after == account else after


_HANDLERS: Final[Mapping[type[Event], Callable[[Account, Any], Account]]] = {
    LoggedIn: _logged_in,
    LoggedOut: _logged_out,
    SessionLost: _session_lost,
    LeaseExpired: _lease_expired,
    DeviceSelected: _device_selected,
    DeviceToggled: _device_toggled,
    LineChanged: _line_changed,
    ContactsChanged: _contacts_changed,
    CallChanged: _call_changed,
    CallEnded: _call_ended,
    CallDiverted: lambda account, _: account,
    FactsReplaced: _facts_replaced,
    ForwardingChanged: _forwarding_changed,
    DoNotDisturbSet: _do_not_disturb_set,
    ForwardSet: _forward_set,
    ForwardingDialled: _forwarding_dialled,
    MessagesChanged: _messages_changed,
    UserChanged: _user_changed,
}
