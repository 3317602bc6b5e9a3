"""What a file argument may turn out to be: each is a sentence and an exit code, never a traceback."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Final

import pytest
from click.testing import CliRunner

from tests.paths import DATA
from unique_account.cli import command

USERS: Final = DATA / "recordings" / "users.toml"
RECORDING: Final = DATA / "recordings" / "ringing.ami"
HUGE: Final = 65 << 20
"""More bytes than a file of people may have."""

# Nobody has the monitor's address, so that serve ends where nothing else is wrong.
CONFIG: Final = """
[users]
file = "{users}"

[accounts]
file = "{accounts}"

[monitor]
host = "192.0.2.1"

[[nodes]]
secret.file = "{secret}"

[assistant]
people.file = "{people}"
key.file = "{key}"
passwords.file = "{passwords}"
sip = "wss://pbx.example.org/ws"
port = 0
"""

ARGUMENTS: Final = (
    "replay {bad} --users {users}",
    "replay {recording} --users {bad}",
    "replay {recording} --users {bad}.csv",
    "explain {bad}",
    "import {bad}",
    "import {bad}.csv",
    "import {users} --into {bad}",
    "serve --config {bad}",
    "asterisk render --config {bad}",
    "asterisk render --config {config} --into {bad}",
    "doctor --config {bad}",
    "history list alice --store {bad}",
    "history ingest {bad} --users {users} --store {folder}/new.sqlite",
    "history ingest {cel} --users {bad} --store {folder}/new.sqlite",
    "history ingest {cel} --users {users} --store {bad}",
    "history forget --days 1 --store {bad}",
)
KEYS: Final = ("users", "accounts", "secret", "people", "key", "passwords")
"""The files that a configuration names."""


def _noise(seed: int) -> bytes:
    return random.Random(seed).randbytes(5000)


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, HUGE)


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


MADE: Final[dict[str, Callable[[Path], object]]] = {
    "noise": lambda path: path.write_bytes(_noise(1)),
    "text and noise": lambda path: path.write_bytes(b"[[users]]\nid = 1\n" + _noise(2)),
    "UTF-16": lambda path: path.write_bytes('{"user": 1}'.encode("utf-16")),
    "zeros": lambda path: path.write_bytes(bytes(70_000)),
    "lines": lambda path: path.write_bytes(b"\r\n" * 50_000),
    "brackets": lambda path: path.write_bytes(b"[" * 200_000),
    "empty": lambda path: path.touch(),
    "huge": _sparse,
    "a folder": lambda path: path.mkdir(),
    "a loop": _loop,
    "absent": lambda path: None,
    "a device": lambda path: path.symlink_to("/dev/null"),
}


@pytest.fixture
def good(tmp_path: Path) -> dict[str, object]:
    """Files of which nothing is wrong, by name."""
    (tmp_path / "config.toml").write_text(CONFIG.format(**_files(tmp_path)), "utf-8")
    header = "eventtype,eventtime,uniqueid,linkedid,channame,cid_num,cid_name,exten,context\n"
    (tmp_path / "cel.csv").write_text(header, "utf-8")
    return {
        "users": USERS,
        "recording": RECORDING,
        "config": tmp_path / "config.toml",
        "cel": tmp_path / "cel.csv",
        "folder": tmp_path,
    }


def _files(folder: Path) -> dict[str, str]:
    """What a configuration names, all of it good."""
    (folder / "secret").write_text("k" * 40, "utf-8")
    (folder / "passwords").write_text("[alice_w-auth](+)\npassword = secret\n", "utf-8")
    (folder / "people.toml").write_text("people = []\n", "utf-8")
    return {
        "users": str(USERS),
        "accounts": str(folder / "accounts.sqlite"),
        "secret": str(folder / "secret"),
        "people": str(folder / "people.toml"),
        "key": str(folder / "secret"),
        "passwords": str(folder / "passwords"),
    }


def words(arguments: str, bad: Path, good: dict[str, object]) -> list[str]:
    """The arguments of a command in which one file is bad."""
    return [word.format(bad=bad, **good) for word in arguments.split()]


def placed(bad: Path, arguments: str, make: Callable[[Path], object]) -> None:
    """Make the bad file, under the name that the arguments give it."""
    make(bad.with_name(f"{bad.name}.csv") if "{bad}.csv" in arguments else bad)


def check(arguments: list[str]) -> None:
    """Run a command, which is done or says what is wrong."""
    done = CliRunner().invoke(command, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code in (0, 1, 2)
    assert done.exit_code == 0 or "Error: " in done.stderr or done.stdout


class TestFiles:
    """A5: whatever a file is, the command says what is wrong with it."""

    @pytest.mark.parametrize("kind", MADE)
    @pytest.mark.parametrize("arguments", ARGUMENTS)
    def test_of_every_kind(self, arguments: str, kind: str, tmp_path: Path, good: dict[str, object]) -> None:
        bad = tmp_path / "bad"
        placed(bad, arguments, MADE[kind])
        check(words(arguments, bad, good))

    @pytest.mark.parametrize("kind", [kind for kind in MADE if kind not in ("a device", "absent", "empty")])
    @pytest.mark.parametrize("name", KEYS)
    @pytest.mark.parametrize("run", ["serve", "asterisk render", "doctor"])
    def test_that_a_configuration_names(self, run: str, name: str, kind: str, tmp_path: Path) -> None:
        MADE[kind](tmp_path / "bad")
        text = CONFIG.format(**(_files(tmp_path) | {name: "bad"}))
        (tmp_path / "config.toml").write_text(text, "utf-8")
        check([*run.split(), "--config", str(tmp_path / "config.toml")])

    @pytest.mark.parametrize("arguments", ARGUMENTS)
    def test_a_pipe(self, arguments: str, tmp_path: Path, good: dict[str, object]) -> None:
        bad = tmp_path / "bad"
        placed(bad, arguments, os.mkfifo)
        with _fed(bad if bad.exists() else bad.with_name("bad.csv"), _noise(3)):
            check(words(arguments, bad, good))

    @pytest.mark.parametrize("arguments", ARGUMENTS)
    def test_without_permission(self, arguments: str, tmp_path: Path, good: dict[str, object]) -> None:
        closed = tmp_path / "closed"
        closed.mkdir()
        for name in ("bad", "bad.csv"):
            shutil.copy(USERS, closed / name)
            (closed / name).chmod(0)
        _run_unprivileged(words(arguments, closed / "bad", good))
        closed.chmod(0)
        try:
            _run_unprivileged(words(arguments, closed / "bad", good))
        finally:
            closed.chmod(0o700)


@contextmanager
def _fed(pipe: Path, data: bytes) -> Iterator[None]:
    """Write bytes to a pipe and close it, as soon as a command reads it."""

    def write() -> None:
        with suppress(BrokenPipeError):  # the command read enough
            pipe.write_bytes(data)

    writer = Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        while writer.is_alive():  # the command never opened it
            os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
            writer.join(0.01)


def _run_unprivileged(arguments: list[str]) -> None:
    """Run a command to which the permissions of files apply, as they do not to root."""
    bare = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*bare, sys.executable, "-m", "unique_account", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in (1, 2), done.stdout
    assert "Error: " in done.stderr
