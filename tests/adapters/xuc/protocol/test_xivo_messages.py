"""XiVO's messages, made."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest

from unique_account.adapters.xuc import TurnServer
from unique_account.adapters.xuc.protocol import xivo_messages
from unique_account.core.account import Account, Call, CallStatus, Direction
from unique_account.core.events import CallChanged, LoggedIn, apply
from unique_account.core.machine import Device
from unique_account.core.user import User
from unique_account.core.view import View, view
from unique_account.ports.sip_credentials import SipLine

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
            )
        )
        for number, (status, direction, *device) in enumerate(calls, 1)
    )
    return view(reduce(apply, events, account))


class TestMessages:
    """C2: what a browser needs to register and to reach the media is sent as XiVO sends it."""

    def test_a_turn_server_knows_the_credentials_by_its_secret(self) -> None:
        turn = TurnServer(urls=("turn:turn.example.org:3478",), secret="s3cret", ttl=timedelta(hours=1))
        reported = xivo_messages.ice_config((), turn, "alice", NOON)["turnConfig"]
        until = int(NOON.timestamp()) + 3600
        digest = hmac.new(b"s3cret", f"{until}:alice".encode(), hashlib.sha1).digest()
        assert reported == {
            "urls": ["turn:turn.example.org:3478"], "username": f"{until}:alice",
            "credential": base64.b64encode(digest).decode(), "ttl": 3600,
        }  # fmt: skip
        assert "s3cret" not in repr(turn)

    @pytest.mark.parametrize(
        ("url", "host", "port"),
        [
            ("wss://pbx.example.org/wssip", "pbx.example.org", 443),
            ("ws://127.0.0.1:8088/ws", "127.0.0.1", 8088),
            ("ws://pbx/ws", "pbx", 80),
        ],
    )
    def test_a_line_says_where_it_is(self, url: str, host: str, port: int) -> None:
        line = SipLine(name="alice_w", password="s3cret", url=url, domain="pbx", proxy="mds1")
        reported = xivo_messages.line_config(line)
        assert (reported["xivoIp"], reported["sipPort"], reported["sipProxyName"]) == (host, port, "mds1")
        assert "s3cret" not in repr(line)

    def test_events_come_of_what_changed(self) -> None:
        before, after = seen((RINGING, IN), (TALKING, OUT)), seen((TALKING, IN))
        events = xivo_messages.phone_events(before, after)
        assert [(event["uniqueId"], event["eventType"]) for event in events] == [
            ("2", "EventReleased"), ("1", "EventEstablished"),
        ]  # fmt: skip
        assert xivo_messages.phone_events(after, after) == []
