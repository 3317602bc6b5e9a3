"""Calls that the PBX sent elsewhere from a user's number, and their entry in the history (H4).

Such a call need not have rung a device, so no live call is known of it.
"""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from unique_account.core.account import Account, Direction, utc
from unique_account.core.history import CallRecord, HistoryStatus
from unique_account.core.validators import a_text, an_id


@frozen(weakref_slot=False, kw_only=True)
class CallDiverted:
    """The PBX sent a call elsewhere from the user's number, whether or not a device rang before (H4).

    The account stays as it is; the call is in the history from then on.

    Attributes:
        linked_id: What all legs of the call share.
        started: When the call began, in UTC; what all its legs share (H6).
        at: When it was sent elsewhere, in UTC.
        peer: The caller's number, empty while unknown.
        peer_name: The caller's name, empty while unknown.
    """

    linked_id: str = field(validator=an_id)
    started: datetime = field(converter=utc)
    at: datetime = field(converter=utc)
    peer: str = field(default="", validator=a_text)
    peer_name: str = field(default="", validator=a_text)


def diverted(account: Account, event: CallDiverted) -> CallRecord:
    """The record of a call that was sent elsewhere from the user's number."""
    return CallRecord(
        id=event.linked_id,
        user=account.user.id,
        start=event.started,
        status=HistoryStatus.MISSED,
        direction=Direction.INCOMING,
        peer=event.peer,
        peer_name=event.peer_name,
        ended=event.at,
    )
