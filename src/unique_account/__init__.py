"""One number, two devices: the Unique Account of a XiVO PBX as a pure library.

An account is one immutable value; `apply` makes the next one from an event; `plan`, `route`, `presence`
and the other functions project what the world outside sees of it.

Importing the package imports nothing else. A name is imported when it is first used.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unique_account.core.account import (
        Account,
        Call,
        CallStatus,
        Direction,
        Line,
        LineStatus,
        Messages,
        Session,
    )
    from unique_account.core.device_in_use import deadline, device_in_use
    from unique_account.core.diversions import CallDiverted
    from unique_account.core.errors import (
        Ineligible,
        InvalidCursor,
        InvalidImport,
        InvalidUser,
        Refused,
        UniqueAccountError,
    )
    from unique_account.core.events import (
        CallChanged,
        CallEnded,
        ContactsChanged,
        DeviceSelected,
        DeviceToggled,
        DoNotDisturbSet,
        Event,
        FactsReplaced,
        ForwardingChanged,
        ForwardingDialled,
        ForwardSet,
        LeaseExpired,
        LineChanged,
        LoggedIn,
        LoggedOut,
        MessagesChanged,
        SessionLost,
        UserChanged,
        apply,
        restore,
    )
    from unique_account.core.forwarding import (
        Destination,
        Extension,
        Fallbacks,
        Forward,
        Forwarding,
        Mailbox,
        Outcome,
        Refusal,
    )
    from unique_account.core.forwarding_changes import Setting
    from unique_account.core.history import CallRecord, HistoryStatus, Page, merge, page
    from unique_account.core.machine import Device, State, Trigger
    from unique_account.core.presence import Presence, join, presence
    from unique_account.core.reasons import Reason
    from unique_account.core.routing import Candidate, Facts, Plan, Route, plan, resolve, route
    from unique_account.core.user import User
    from unique_account.core.view import View, view

__all__ = [
    "Account",
    "Call",
    "CallChanged",
    "CallDiverted",
    "CallEnded",
    "CallRecord",
    "CallStatus",
    "Candidate",
    "ContactsChanged",
    "Destination",
    "Device",
    "DeviceSelected",
    "DeviceToggled",
    "Direction",
    "DoNotDisturbSet",
    "Event",
    "Extension",
    "Facts",
    "FactsReplaced",
    "Fallbacks",
    "Forward",
    "ForwardSet",
    "Forwarding",
    "ForwardingChanged",
    "ForwardingDialled",
    "HistoryStatus",
    "Ineligible",
    "InvalidCursor",
    "InvalidImport",
    "InvalidUser",
    "LeaseExpired",
    "Line",
    "LineChanged",
    "LineStatus",
    "LoggedIn",
    "LoggedOut",
    "Mailbox",
    "Messages",
    "MessagesChanged",
    "Outcome",
    "Page",
    "Plan",
    "Presence",
    "Reason",
    "Refusal",
    "Refused",
    "Route",
    "Session",
    "SessionLost",
    "Setting",
    "State",
    "Trigger",
    "UniqueAccountError",
    "User",
    "UserChanged",
    "View",
    "apply",
    "deadline",
    "device_in_use",
    "join",
    "merge",
    "page",
    "plan",
    "presence",
    "resolve",
    "restore",
    "route",
    "view",
]

_MODULES = (
    "unique_account.core.account",
    "unique_account.core.device_in_use",
    "unique_account.core.errors",
    "unique_account.core.events",
    "unique_account.core.forwarding",
    "unique_account.core.forwarding_changes",
    "unique_account.core.history",
    "unique_account.core.machine",
    "unique_account.core.presence",
    "unique_account.core.reasons",
    "unique_account.core.routing",
    "unique_account.core.user",
    "unique_account.core.view",
)
"""Where the names come from."""

if not TYPE_CHECKING:  # or no wrong name would be an error of types

    def __getattr__(name):
        if name in __all__:
            for module in map(_import_module, _MODULES):
                if hasattr(module, name):
                    return globals().setdefault(name, getattr(module, name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *__all__})
