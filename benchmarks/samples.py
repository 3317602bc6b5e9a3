"""The accounts that several comparisons are made with."""

from __future__ import annotations

from typing import Final

from unique_account.core.account import Account, LineStatus
from unique_account.core.events import ContactsChanged, Event, LineChanged, LoggedIn, apply
from unique_account.core.machine import Device
from unique_account.core.user import User

ALICE: Final = User(
    id="alice",
    extension="1001",
    dids=("+33123450001",),
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    mailbox="1001@default",
)

_BOTH_LINES_KNOWN: Final[tuple[Event, ...]] = (
    ContactsChanged(Device.DESKPHONE, reachable=True),
    LineChanged(Device.DESKPHONE, LineStatus.NOT_IN_USE),
    ContactsChanged(Device.WEBRTC, reachable=True),
    LineChanged(Device.WEBRTC, LineStatus.NOT_IN_USE),
)


def known_lines(account: Account) -> Account:
    """The account with both its lines reachable and free."""
    for event in _BOTH_LINES_KNOWN:
        account = apply(account, event)
    return account


LOGGED_OUT: Final = known_lines(Account(ALICE))
LOGGED_IN: Final = apply(LOGGED_OUT, LoggedIn("tab-1", "connection-1"))
