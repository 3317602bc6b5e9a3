"""Accounts with live calls, as their users see them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import reduce

from unique_account.core.account import Account, Call, CallStatus, Direction
from unique_account.core.events import CallChanged, LoggedIn, apply
from unique_account.core.machine import Device
from unique_account.core.user import User
from unique_account.core.view import View, view

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")

RINGING, DIALLING, TALKING, HELD = (
    CallStatus.RINGING,
    CallStatus.DIALLING,
    CallStatus.TALKING,
    CallStatus.HELD,
)
IN, OUT = Direction.INCOMING, Direction.OUTGOING


def seen(*calls: tuple[CallStatus, Direction] | tuple[CallStatus, Direction, Device]) -> View:
    """Alice's account with calls 1, 2, 3 ..., of the deskphone if nothing else is said."""
    account = apply(Account(ALICE), LoggedIn("tab-1"))
    events = (
        CallChanged(
            Call(
                id=str(number),
                device=device[0] if device else Device.DESKPHONE,
                direction=direction,
                status=status,
                started=NOON,
                peer="1002",
            )
        )
        for number, (status, direction, *device) in enumerate(calls, 1)
    )
    return view(reduce(apply, events, account))
