"""The proxy of the page on deployment: its text, on a real HAProxy, before two processes of a group."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from lab.haproxy import InvalidConfiguration, haproxy
from lab.ports import LOOPBACK, port
from lab.postgresql import PostgresqlServer
from tests.paths import ROOT
from tests.postgresql.group_processes import GroupProcess, processes, seconds_of, until_owner
from tests.serve.serve_process import wait
from unique_account.adapters.people_file.passwords import hash_password

PAGE: Final = (ROOT / "docs/deployment-groups.md").read_text("utf-8")
TEXTS: Final = re.findall(r"^```text\n(defaults\n.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

ASSISTANT: Final = """
[assistant]
people.file = "people.toml"
key.file = "tokens.key"
passwords.file = "passwords.conf"
sip = "wss://pbx.example.org/ws"
port = {port}
"""
PERSON: Final = """
[[people]]
login = "alice"
user = "alice"
name = "Alice"
numbers = ["1001"]
password = "{hash}"
"""


@contextmanager
def proxied(server: PostgresqlServer, url: str, folder: Path) -> Iterator[tuple[str, list[GroupProcess]]]:
    """The address of the proxy, and two processes behind it."""
    ports = {name: port() for name in ("one", "two")}
    tables = {name: ASSISTANT.format(port=number) for name, number in ports.items()}
    people = PERSON.format(hash=hash_password("for this test alone"))
    files = {"people.toml": people, "tokens.key": "0123456789abcdef" * 2, "passwords.conf": ""}
    started = processes(folder, url, server.password, *ports, more=tables, files=files)
    with started as running:
        number = port()
        (text,) = TEXTS
        text = text.replace("127.0.0.1:8080", f"{LOOPBACK}:{number}").replace("check port 9415 ", "")
        for index, one in enumerate(running, 1):
            health = one.url.rpartition(":")[2]
            server_line = f"{LOOPBACK}:{ports[one.name]} check port {health}"
            text = text.replace(f"10.0.0.{index}:8090", server_line)
        with haproxy(text, folder):
            yield f"http://{LOOPBACK}:{number}/", running


def answers(address: str) -> bool:
    """Whether the page comes through the proxy."""
    try:
        with urlopen(address, timeout=5) as answer:
            return b"<html" in answer.read()
    except (URLError, OSError):
        return False


class TestProxy:
    def test_browsers_reach_the_owner_and_no_standby(
        self, server: PostgresqlServer, url: str, tmp_path: Path
    ) -> None:
        with proxied(server, url, tmp_path) as (address, (one, two)):
            wait(lambda: answers(address), "the page")
            one.signal(signal.SIGTERM)
            until_owner(two, epoch=2)
            assert seconds_of(lambda: wait(lambda: answers(address), "the page again")) < 3

    def test_an_owner_that_hangs_is_left(self, server: PostgresqlServer, url: str, tmp_path: Path) -> None:
        with proxied(server, url, tmp_path) as (address, (one, two)):
            wait(lambda: answers(address), "the page")
            one.signal(signal.SIGSTOP)
            until_owner(two, epoch=2)
            assert seconds_of(lambda: wait(lambda: answers(address), "the page again")) < 3


def test_a_configuration_that_is_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="nowhere"), haproxy("nowhere\n", tmp_path):
        pass
