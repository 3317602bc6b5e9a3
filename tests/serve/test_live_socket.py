"""What administrators ask of a running service, over the socket beside its store."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.event_loop import in_loop
from tests.serve.serve_process import ALICE, BOB, Serve
from unique_account.bootstrap import bootstrap
from unique_account.cli import command
from unique_account.core.user import User
from unique_account.serve import live_answers, live_socket
from unique_account.serve.live_answers import LiveAnswers
from unique_account.serve.live_socket import LARGEST_REQUEST, answering, short_path


def ask(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--config", str(folder / "unique_account.toml")])


class TestRunningService:
    """R17: a running service says where a call would go now, and why, and which accounts it has."""

    @pytest.fixture
    def running(self, folder: Path, serve: Serve) -> Iterator[Serve]:
        (folder / "users.toml").write_text(ALICE + BOB, "utf-8")
        assert serve.url
        serve.process.send_signal(signal.SIGHUP)
        serve.logs("resync: PBX and accounts agree")
        yield serve
        serve.process.send_signal(signal.SIGTERM)
        assert serve.ends() == 0
        assert not (folder / "accounts.sqlite.sock").exists()

    def test_is_asked(self, running: Serve, folder: Path) -> None:
        mode = (folder / "accounts.sqlite.sock").stat().st_mode
        assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o600)
        said = ask(folder, "explain", "alice")
        assert said.exit_code == 0
        assert said.stdout.startswith("A call to 1001 goes to refusal with cause 20.\n  R1: ")
        answer = json.loads(ask(folder, "explain", "1002", "--json").stdout)
        assert (answer["user"], answer["state"]) == ("bob", "logged_out")
        lines = ask(folder, "accounts").stdout.splitlines()
        assert [line.split()[:3] for line in lines] == [
            ["alice", "1001", "logged_out"],
            ["bob", "1002", "logged_out"],
        ]
        first = json.loads(ask(folder, "accounts", "--json").stdout.splitlines()[0])
        assert first["deskphone"] == {"status": "unavailable", "reachable": False}
        assert (first["sessions"], first["calls"]) == (0, 0)

    def test_names_what_it_cannot_answer(self, running: Serve, folder: Path) -> None:
        for arguments, problem in (
            (("explain", "carol"), "there is no Unique Account of carol"),
            (("explain", "alice", "--dialled", "1002"), "1002 is no number of alice, who has 1001"),
        ):
            said = ask(folder, *arguments)
            assert (said.exit_code, said.stderr) == (1, f"Error: {problem}\n")
        assert ask(folder, "explain").exit_code == 2
        assert ask(folder, "explain", "alice", "--logged-in").exit_code == 2


class TestNobodyAnswers:
    """R17: where no service runs, the command says so."""

    @pytest.mark.parametrize("arguments", [("explain", "alice"), ("accounts",)])
    def test_is_a_sentence(self, folder: Path, arguments: tuple[str, ...]) -> None:
        said = ask(folder, *arguments)
        assert said.exit_code == 1
        assert "Error: no service runs with " in said.stderr
        with socket.socket(socket.AF_UNIX) as stale, short_path(folder / "accounts.sqlite.sock") as address:
            stale.bind(address)
        said = ask(folder, *arguments)
        assert said.exit_code == 1
        assert "Error: no service runs with " in said.stderr

    def test_a_database_has_no_folder(self, folder: Path) -> None:
        config = folder / "unique_account.toml"
        text = config.read_text("utf-8").replace(
            'file = "accounts.sqlite"', 'postgresql.url = "postgresql://u@h/n"'
        )
        config.write_text(text, "utf-8")
        assert "names no file of a store" in ask(folder, "accounts").stderr


USERS = [
    User(id=f"u{number}", extension=f"1{number:03}", deskphone=f"PJSIP/d{number}", webrtc=f"PJSIP/w{number}")
    for number in range(5)
]


@asynccontextmanager
async def answers(path: Path) -> AsyncIterator[None]:
    async with bootstrap() as service:
        for user in USERS:
            await service.add(user)
        async with answering(path, LiveAnswers(service).answer):
            yield


async def converse(path: Path, request: bytes) -> bytes:
    reader, writer = await _connect(path)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def _connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    with short_path(path) as address:
        return await asyncio.open_unix_connection(address)


class TestBounds:
    """S7: the socket answers small requests of its own user, a few at a time."""

    @in_loop
    async def test_a_page_at_a_time(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(live_answers, "PAGE", 2)
        async with answers(path := tmp_path / "s"):
            found, after = [], 0
            while after is not None:
                request = json.dumps({"ask": "accounts", "after": after}).encode() + b"\n"
                page = json.loads(await converse(path, request))
                assert len(page["answer"]) <= 2
                found += [account["user"] for account in page["answer"]]
                after = page["after"]
        assert found == [user.id for user in USERS]

    @pytest.mark.parametrize(
        ("request_", "problem"),
        [
            (b"\n", ""),
            (b"\xff\xfe\n", ""),
            (b"[]\n", ""),
            (b"[" * 3000 + b"\n", ""),
            (b'{"ask": "stop"}\n', "ask: is 'stop', not one of explain, accounts"),
            (b'{"ask": 1}\n', "ask: is a whole number, not text"),
            (b'{"ask": "accounts", "after": -1}\n', "after: "),
            (b'{"ask": "explain", "user": "\\ud800"}\n', "user: has half a character"),
        ],
    )
    @in_loop
    async def test_nonsense_is_an_error(self, tmp_path: Path, request_: bytes, problem: str) -> None:
        async with answers(path := tmp_path / "s"):
            assert problem in json.loads(await converse(path, request_))["error"]

    @in_loop
    async def test_what_is_too_long_or_takes_too_long_gets_no_answer(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live_socket, "PATIENCE", 0.05)
        async with answers(path := tmp_path / "s"):
            for request in (b"x" * (LARGEST_REQUEST + 2), b'{"ask": "acc'):
                with suppress(ConnectionError):
                    assert await converse(path, request) == b""

    @in_loop
    async def test_only_so_many_are_answered_at_a_time(self, tmp_path: Path) -> None:
        async with answers(path := tmp_path / "s"):
            waiting = [await _connect(path) for _ in range(live_socket.MOST)]
            await asyncio.sleep(0.05)
            reader, writer = await _connect(path)
            assert await reader.read() == b""
            for _, each in (*waiting, (reader, writer)):
                each.close()
            await asyncio.sleep(0.05)
            assert b"answer" in await converse(path, b'{"ask": "accounts"}\n')

    @in_loop
    async def test_another_user_gets_no_answer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async with answers(path := tmp_path / "s"):
            monkeypatch.setattr(os, "geteuid", lambda: 12345)
            with suppress(ConnectionError):
                assert await converse(path, b'{"ask": "accounts"}\n') == b""

    @in_loop
    async def test_a_deep_folder_has_room(self, tmp_path: Path) -> None:
        folder = tmp_path / ("d" * 100) / ("e" * 100)
        folder.mkdir(parents=True)
        async with answers(path := folder / "accounts.sqlite.sock"):
            assert b"answer" in await converse(path, b'{"ask": "accounts"}\n')
        assert list(folder.iterdir()) == []

    @in_loop
    async def test_a_folder_without_room_stops_no_service(self, tmp_path: Path) -> None:
        async with answers(tmp_path / "nowhere" / "s"):
            pass

    @in_loop
    async def test_a_later_service_takes_the_place(self, tmp_path: Path) -> None:
        path = tmp_path / "s"
        async with answers(path):
            pass
        async with answers(path):
            async with answers(path):
                assert b"u0" in await converse(path, b'{"ask": "accounts"}\n')
            assert not path.exists()
