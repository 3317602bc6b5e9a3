"""Asterisk's words, and what they mean to the core."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from unique_account.core.account import LineStatus
from unique_account.core.machine import Device

END_OF_TIME: Final = datetime(9998, 12, 31, tzinfo=UTC).timestamp()
DEVICES: Final = {str(device): device for device in Device}
LINE_STATUSES: Final = {
    "UNKNOWN": LineStatus.UNKNOWN,
    "NOT_INUSE": LineStatus.NOT_IN_USE,
    "INUSE": LineStatus.IN_USE,
    "BUSY": LineStatus.BUSY,
    "INVALID": LineStatus.INVALID,
    "UNAVAILABLE": LineStatus.UNAVAILABLE,
    "RINGING": LineStatus.RINGING,
    "RINGINUSE": LineStatus.RINGING_IN_USE,
    "ONHOLD": LineStatus.ON_HOLD,
}
USABLE: Final = {
    # A contact that nobody qualifies is dialled like one that answered.
    "Reachable": True,
    "NonQualified": True,
    "Unqualified": True,
    "Unknown": True,
    "Created": True,
    "Updated": True,
    "Unreachable": False,
    "Removed": False,
}
PEER_REACHABLE: Final = {"Reachable": True, "Unreachable": False}


def full_mailbox(mailbox: str) -> str:
    """A voicemail box as Asterisk names it in events."""
    return mailbox if "@" in mailbox else f"{mailbox}@default"
