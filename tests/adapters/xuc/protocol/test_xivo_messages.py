"""XiVO's messages, made."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta

import pytest
from attrs import evolve

from tests.adapters.xuc.views import DIALLING, IN, NOON, OUT, RINGING, TALKING, seen
from unique_account.adapters.xuc import TurnServer
from unique_account.adapters.xuc.protocol import xivo_messages
from unique_account.ports.sip_credentials import SipLine


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
        reported = xivo_messages.line_config(line, "1001", webrtc=True)
        assert (reported["xivoIp"], reported["sipPort"], reported["sipProxyName"]) == (host, port, "mds1")
        assert "s3cret" not in repr(line)

    def test_events_come_of_what_changed(self) -> None:
        before, after = seen((RINGING, IN), (TALKING, OUT)), seen((TALKING, IN))
        events = xivo_messages.phone_events(before, after)
        assert [(event["uniqueId"], event["eventType"]) for event in events] == [
            ("2", "EventReleased"), ("1", "EventEstablished"),
        ]  # fmt: skip
        assert xivo_messages.phone_events(after, after) == []

    def test_one_that_comes_in_begins_with_its_ringing(self) -> None:
        reached, rings = seen((DIALLING, IN)), seen((RINGING, IN))
        assert xivo_messages.phone_events(None, reached) == []
        assert xivo_messages.phone_events(reached, seen()) == []
        (event,) = xivo_messages.phone_events(reached, rings)
        assert (event["eventType"], event["callDirection"]) == ("EventRinging", "Incoming")

    def test_one_that_is_dialled_for_the_user_never_rings(self) -> None:
        (event,) = xivo_messages.phone_events(None, seen((RINGING, OUT)))
        assert (event["eventType"], event["callDirection"]) == ("EventDialing", "Outgoing")
        assert xivo_messages.phone_events(seen((RINGING, OUT)), seen((DIALLING, OUT))) == []

    def test_one_that_is_dialled_begins_with_its_number(self) -> None:
        known = seen((DIALLING, OUT))
        unknown = evolve(known, calls=tuple(evolve(call, peer="") for call in known.calls))
        assert xivo_messages.phone_events(None, unknown) == []
        (event,) = xivo_messages.phone_events(unknown, known)
        assert (event["eventType"], event["otherDN"]) == ("EventDialing", "1002")

    def test_a_line_follows_the_selection_and_its_password_is_text(self) -> None:
        line = SipLine(name="alice_w", password="s3cret", url="wss://pbx/wssip", domain="pbx")
        for given, webrtc, expected in (
            (line, True, ("alice_w", "s3cret", "default", True, False)),
            (line, False, ("alice_w", "s3cret", "default", False, True)),
            (None, True, ("1001", "", "default", False, True)),
        ):
            config = xivo_messages.line_config(given, "1001", webrtc=webrtc)
            names = ("id", "password", "sipProxyName", "webRtc", "hasDevice")
            assert tuple(config[name] for name in names) == expected

    def test_ice_leaves_out_what_is_not_set(self) -> None:
        assert xivo_messages.ice_config((), None, "alice", NOON) == {}
