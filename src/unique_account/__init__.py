"""One number, two devices: the Unique Account of a XiVO PBX as a pure library.

An account is one immutable value; `apply` makes the next one from an event; `plan`, `route`, `presence`
and the other functions project what the world outside sees of it.
"""

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
