"""The stage: the page and everybody's phones, from one command."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import Any
from urllib.request import urlopen

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from tests.event_loop import in_loop
from tests.paths import ROOT
from unique_account.demo.company import PORT, stage


@asynccontextmanager
async def watching(address: str) -> AsyncIterator[ClientConnection]:
    """A page of the stage."""
    async with at(address, "stage/watch", address.rstrip("/")) as socket:
        yield socket


def at(address: str, path: str, origin: str) -> connect:
    """A connection that a page of an origin asks for."""
    return connect(f"{address.replace('http', 'ws')}{path}", origin=Origin(origin))


async def shown(socket: ClientConnection, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What the stage shows of everybody, once it fits."""
    async with asyncio.timeout(60):
        while True:
            reported = json.loads(await socket.recv())
            people = {person["user"]: person for person in reported.get("people", ())}
            if people and fits(people):
                return people


def statuses(person: dict[str, Any]) -> list[str]:
    return [call["status"] for call in person["calls"]]


class TestHands:
    """R1: nobody is logged in, so what a hand dials rings a deskphone."""

    @in_loop
    async def test_let_bob_call_alice(self) -> None:
        async with stage(0) as address, watching(address) as hands:
            await hands.send(json.dumps({"line": "PJSIP/bob", "key": "dial", "argument": "1001"}))
            people = await shown(hands, lambda people: statuses(people["alice"]) == ["ringing"])
            ringing = people["alice"]["calls"][0]
            assert ringing["peerName"] == "Bob Durand"
            await hands.send(json.dumps({"line": "PJSIP/alice", "key": "answer", "argument": ringing["id"]}))
            await shown(hands, lambda people: statuses(people["bob"]) == ["talking"])
            await hands.send(json.dumps({"line": "PJSIP/alice", "key": "hang_up", "argument": ringing["id"]}))
            await shown(hands, lambda people: statuses(people["bob"]) == [])

    @in_loop
    async def test_unplug_a_phone_and_its_calls_go_to_the_mailbox(self) -> None:
        async with stage(0) as address, watching(address) as hands:
            await hands.send(json.dumps({"line": "PJSIP/alice", "key": "unplug"}))
            await hands.send(json.dumps({"line": "PJSIP/bob", "key": "dial", "argument": "1001"}))
            people = await shown(hands, lambda people: statuses(people["bob"]) == ["talking"])
            call = people["bob"]["calls"][0]
            assert call["peerName"] == "Voicemail"
            await hands.send(json.dumps({"line": "PJSIP/bob", "key": "hang_up", "argument": call["id"]}))
            await shown(hands, lambda people: people["alice"]["messages"] == 3)

    @in_loop
    async def test_are_told_what_cannot_be_done(self) -> None:
        async with stage(0) as address, watching(address) as hands:
            for key in ("answer", "sing"):
                await hands.send(json.dumps({"line": "PJSIP/alice", "key": key, "argument": "1.1"}))
                async with asyncio.timeout(60):
                    while "error" not in (reported := json.loads(await hands.recv())):
                        pass
                assert reported["error"] == "the call is over"


class TestStrangers:
    """S7: other pages of the same browser play nothing here."""

    @pytest.mark.parametrize("path", ["stage/watch", "stage/line"])
    @in_loop
    async def test_are_refused(self, path: str) -> None:
        async with stage(0) as address:
            with pytest.raises((InvalidStatus, ConnectionClosed)):
                async with at(address, path, "http://elsewhere") as socket:
                    await socket.recv()

    @in_loop
    async def test_a_phone_needs_the_password_of_its_line(self) -> None:
        async with stage(0) as address, at(address, "stage/line", address.rstrip("/")) as socket:
            await socket.send(json.dumps({"name": "alice_w", "password": "guessed"}))
            with pytest.raises(ConnectionClosed):
                await socket.recv()


class TestCommand:
    """S1: one command, and a newcomer can log in."""

    def test_serves_until_it_is_interrupted(self) -> None:
        command = [sys.executable, "-m", "unique_account", "demo", "--web", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            address = re.search(r"http://127\.0\.0\.1:\d+/", running.stdout.readline())
            assert address is not None
            with urlopen(address[0]) as answer:
                assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
                assert b"UC Assistant" in answer.read()
            with urlopen(f"{address[0]}js/phone.js") as answer:
                assert b"static played = true" in answer.read()
            running.send_signal(signal.SIGINT)
            assert running.wait(10) == 0


class TestPort:
    """S1: a port that nobody can have is a sentence, and not a process that waits for ever."""

    @pytest.mark.parametrize("port", ["taken", "70000", "-1"])
    def test_of_no_use_ends_the_command(self, port: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = str(other.getsockname()[1]) if port == "taken" else port
            command = [sys.executable, "-m", "unique_account", "demo", "--web", "--port", port]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"Error: 127.0.0.1:{port} cannot be listened on: ")
        assert len(done.stderr.splitlines()) == 1

    def test_of_serve_without_a_configuration_is_the_same(self) -> None:
        with ExitStack() as held:
            with suppress(OSError):  # where something else listens on it already
                held.enter_context(socket.create_server(("127.0.0.1", PORT)))
            command = [sys.executable, "-m", "unique_account", "serve"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith(f"Error: 127.0.0.1:{PORT} cannot be listened on: ")


class TestTheDemoScript:
    """S1: whoever sets the project up by its script can serve the page at once."""

    def test_brings_what_the_page_needs(self) -> None:
        text = (ROOT / "scripts" / "demo").read_text("utf-8")
        (extras,) = re.findall(r"-e '\.\[(.*)\]'", text)
        assert {"assistant", "cli"} <= set(extras.split(","))
        assert ".venv/bin/unique-account demo --web" in text
