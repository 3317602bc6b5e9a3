"""H4: the record of a call that was sent elsewhere before any device rang."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from unique_account.core.account import Account, Direction
from unique_account.core.diversions import CallDiverted, diverted
from unique_account.core.history import CallRecord, HistoryStatus
from unique_account.core.user import User

ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_it_is_a_missed_call_of_the_user_that_ended_where_it_was_sent_on() -> None:
    sent = NOON + timedelta(seconds=1)
    event = CallDiverted(linked_id="n1-7", started=NOON, at=sent, peer="2001", peer_name="Bob")
    assert diverted(Account(ALICE), event) == CallRecord(
        id="n1-7",
        user="alice",
        start=NOON,
        status=HistoryStatus.MISSED,
        direction=Direction.INCOMING,
        peer="2001",
        peer_name="Bob",
        ended=sent,
    )
