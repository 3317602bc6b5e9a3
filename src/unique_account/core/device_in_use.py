"""The device in use, and how long a session that vanished still holds the account (R1 to R5, S5)."""

from __future__ import annotations

from datetime import datetime

from unique_account.core.account import LAST_INSTANT, Account
from unique_account.core.machine import Device, State


def device_in_use(account: Account) -> Device:
    """The device that the next call rings.

    Logged out, the deskphone, whatever is saved (R1). Logged in, the saved selection (R2, R3); but a
    WebRTC line that is not registered falls back to the deskphone at once, without touching what is
    saved (R4, S2). A deskphone in a call changes nothing (R5).
    """
    if account.state is State.LOGGED_OUT or account.kept.selection is Device.DESKPHONE:
        return Device.DESKPHONE
    return Device.WEBRTC if account.observed.webrtc.registered else Device.DESKPHONE


def fallen_back(account: Account) -> bool:
    """Whether calls ring on the deskphone although the user is logged in and selected WebRTC."""
    return (
        account.state is not State.LOGGED_OUT
        and account.kept.selection is Device.WEBRTC
        and not account.observed.webrtc.registered
    )


def deadline(account: Account) -> datetime | None:
    """When the next lease is over, so when to apply `LeaseExpired`; None while no session is lost (S5)."""
    lost = [session.last_seen for session in account.kept.sessions if session.last_seen is not None]
    if not lost:
        return None
    first = min(lost)
    return first + account.lease if account.lease < LAST_INSTANT - first else LAST_INSTANT
