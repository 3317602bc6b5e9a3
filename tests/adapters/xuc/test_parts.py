"""The small parts of the CTI server: settings, messages, and which call is meant."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.xuc import TurnServer, XucSettings
from unique_account.adapters.xuc.handlers import call_selection
from unique_account.adapters.xuc.protocol import outgoing
from unique_account.adapters.xuc.store import Store
from unique_account.core.account import Account, Call, CallStatus, Direction
from unique_account.core.events import CallChanged, LoggedIn, apply
from unique_account.core.machine import Device
from unique_account.core.user import User
from unique_account.core.view import View, view
from unique_account.ports.inbound.commands import NoSuchCall
from unique_account.ports.pbx import CommandFailed
from unique_account.ports.sip_credentials import SipLine

KEY = "k" * 32
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


class TestChoosing:
    """C1: a command that names no call means the one call that it can mean."""

    def test_the_call_that_rings_is_answered(self) -> None:
        assert call_selection.to_answer(seen((TALKING, IN), (RINGING, IN), (RINGING, OUT))).id == "2"
        with pytest.raises(CommandFailed, match="no call rings"):
            call_selection.to_answer(seen((TALKING, IN), (RINGING, OUT)))
        with pytest.raises(CommandFailed, match="more than one call rings"):
            call_selection.to_answer(seen((RINGING, IN), (RINGING, IN)))

    def test_the_call_that_keeps_the_user_busy_is_hung_up(self) -> None:
        calls = [(HELD, IN), (RINGING, IN), (DIALLING, OUT), (TALKING, IN)]
        for most_busy in ("4", "3", "2", "1"):
            assert call_selection.to_hang_up(seen(*calls)).id == most_busy
            calls.pop()
        with pytest.raises(CommandFailed, match="there is no call for this"):
            call_selection.to_hang_up(seen())

    def test_the_call_that_is_talked_on_is_held_and_the_held_one_taken_back(self) -> None:
        assert call_selection.to_hold(seen((HELD, IN), (TALKING, IN))).id == "2"
        assert call_selection.to_hold(seen((HELD, IN), (RINGING, IN))).id == "1"
        with pytest.raises(CommandFailed, match="there is no call for this"):
            call_selection.to_hold(seen((RINGING, IN)))

    def test_a_named_call_has_to_be_there(self) -> None:
        assert call_selection.named(seen((HELD, IN)), "1").id == "1"
        with pytest.raises(NoSuchCall):
            call_selection.named(seen((HELD, IN)), "2")

    def test_a_consultation_is_one_held_and_one_dialled_of_one_device(self) -> None:
        pair = call_selection.consultation(seen((HELD, IN), (TALKING, OUT), (RINGING, IN)))
        assert (pair.held.id, pair.asked.id) == ("1", "2")
        for calls in (
            [(HELD, IN), (TALKING, IN)],
            [(TALKING, OUT)],
            [(HELD, IN), (HELD, IN), (TALKING, OUT)],
            [(HELD, IN), (TALKING, OUT, Device.WEBRTC)],
        ):
            with pytest.raises(CommandFailed, match="no transfer is under way"):
                call_selection.consultation(seen(*calls))


class TestMessages:
    """C2: what a browser needs to register and to find its way is told as XiVO tells it."""

    def test_a_turn_server_knows_the_credentials_by_its_secret(self) -> None:
        turn = TurnServer(urls=("turn:turn.example.org:3478",), secret="s3cret", ttl=timedelta(hours=1))
        reported = outgoing.ice_config((), turn, "alice", NOON)["turnConfig"]
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
        reported = outgoing.line_config(line)
        assert (reported["xivoIp"], reported["sipPort"], reported["sipProxyName"]) == (host, port, "mds1")
        assert "s3cret" not in repr(line)

    def test_events_come_of_what_changed(self) -> None:
        before, after = seen((RINGING, IN), (TALKING, OUT)), seen((TALKING, IN))
        events = outgoing.phone_events(before, after)
        assert [(event["uniqueId"], event["eventType"]) for event in events] == [
            ("2", "EventReleased"), ("1", "EventEstablished"),
        ]  # fmt: skip
        assert outgoing.phone_events(after, after) == []


class TestSettings:
    """S7: what cannot be is refused by name."""

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"key": "short"}, "key: has 5 characters; 32 or more"),
            ({"ttl": timedelta(seconds=1)}, "ttl: is 1 s; 60 or more"),
            ({"sockets": 0}, "sockets: is 0; 1 or more"),
            ({"ringing_tabs": 0}, "ringing_tabs: is 0; 1 or more"),
            ({"time_zone": "Nowhere/Land"}, "time_zone: 'Nowhere/Land' is not known here"),
            ({"time_zone": "../etc"}, "time_zone: '../etc' is not known here"),
        ],
    )
    def test_a_wrong_one_is_named(self, wrong: dict[str, Any], sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence.partition(";")[0]):
            XucSettings(**{"key": KEY, **wrong})

    def test_the_key_is_not_shown(self) -> None:
        assert KEY not in repr(XucSettings(key=KEY))


class TestRights:
    """The file of the store is its owner's alone, whatever the umask is, an older one too."""

    def test_a_new_one_and_an_older_one(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            for _ in range(2):
                Store(tmp_path / "xuc.sqlite", MemoryObserver(), lambda: 0.0).close()
                assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
                (tmp_path / "xuc.sqlite").chmod(0o666)
        finally:
            os.umask(before)
