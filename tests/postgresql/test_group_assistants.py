"""Browsers and the processes of one group: any takes them, and the owner serves them."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import define, field
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from lab.ports import port
from lab.postgresql import PostgresqlServer
from tests.postgresql.group_processes import GroupProcess, processes, until_owner
from tests.serve.serve_process import wait
from unique_account.adapters.people_file import hash_password

ASSISTANT = """
[assistant]
people.file = "people.toml"
key.file = "tokens.key"
passwords.file = "secrets.conf"
sip = "wss://pbx.example.org/ws"
port = {}
"""
PERSON = '[[people]]\nlogin = "alice"\nuser = "alice"\nname = "Alice"\npassword = "{}"\n'
PASSWORD = hash_password("sésame")
"""One hash for all processes: a token is good as long as the hash of its user is the same."""
PATIENCE = 15.0


FILES = {
    "people.toml": PERSON.format(PASSWORD),
    "tokens.key": "k" * 32,
    "secrets.conf": "[alice_w-auth](+)\npassword = secret\n",
}


@define
class Office:
    """Two processes with a server for browsers each, and Alice's browser."""

    processes: dict[str, GroupProcess]
    ports: dict[str, int]
    token: str = field(default="")

    def log_in(self, name: str, **more: str) -> None:
        url = f"http://127.0.0.1:{self.ports[name]}/xuc/api/2.0/auth/login"
        asked = {"login": "alice", "password": "sésame", **more}
        self.token = str(httpx.post(url, json=asked, trust_env=False).json()["token"])

    @contextmanager
    def socket(self, name: str) -> Iterator[ClientConnection]:
        url = f"ws://127.0.0.1:{self.ports[name]}/xuc/api/2.0/cti?token={self.token}"
        with connect(url, proxy=None) as socket:
            yield socket

    def frames(self, name: str) -> tuple[list[dict[str, Any]], int | None]:
        """What a process sends until it closes a socket, and with which code."""
        found: list[dict[str, Any]] = []
        with self.socket(name) as socket, suppress(ConnectionClosed):
            while True:
                found.append(json.loads(socket.recv(PATIENCE)))
        return found, socket.close_code

    def selects(self, name: str, device: str) -> dict[str, Any]:
        """Let Alice select a device by a process; gives the last message with a stamp."""
        with self.socket(name) as socket:
            asked = {"claz": "web", "command": "selectDevice", "device": device, "ref": 7}
            socket.send(json.dumps(asked))
            while True:
                frame: dict[str, Any] = json.loads(socket.recv(PATIENCE))
                if frame.get("msgType") == "Done":
                    return frame


@pytest.fixture
def ports() -> dict[str, int]:
    return {"one": port(), "two": port()}


@contextmanager
def office(server: PostgresqlServer, url: str, folder: Path, ports: dict[str, int]) -> Iterator[Office]:
    more = {name: ASSISTANT.format(port) for name, port in ports.items()}
    group = processes(folder, url, server.password, "one", "two", browsers=ports, more=more, files=FILES)
    with group as running:
        yield Office({one.name: one for one in running}, ports)


def test_a_page_is_sent_to_the_owner(
    server: PostgresqlServer, url: str, tmp_path: Path, ports: dict[str, int]
) -> None:
    with office(server, url, tmp_path, ports) as at:
        at.log_in("two", applicationType="unique-account")
        frames, code = at.frames("two")
        owner = f"http://127.0.0.1:{ports['one']}"
        assert (frames[-1]["ctiMessage"]["owner"], code) == (owner, 4007)
        assert at.selects("one", "deskphone")["stamp"][:2] == ["paris", 1]


def test_after_a_takeover_its_token_is_good_at_the_new_owner(
    server: PostgresqlServer, url: str, tmp_path: Path, ports: dict[str, int]
) -> None:
    with office(server, url, tmp_path, ports) as at:
        at.log_in("one", applicationType="unique-account")
        at.selects("one", "deskphone")
        at.processes["one"].signal(signal.SIGKILL)
        until_owner(at.processes["two"], epoch=2)
        assert at.selects("two", "webrtc")["stamp"][:2] == ["paris", 2]


def test_another_client_is_passed_through(
    server: PostgresqlServer, url: str, tmp_path: Path, ports: dict[str, int]
) -> None:
    with office(server, url, tmp_path, ports) as at:
        at.log_in("two")
        at.selects("two", "deskphone")
        at.processes["one"].signal(signal.SIGTERM)
        wait(lambda: at.processes["one"].process.poll() is not None, "a planned stop")
        until_owner(at.processes["two"], epoch=2)
        at.selects("two", "webrtc")
