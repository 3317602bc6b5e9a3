"""A PostgreSQL server of one's own: a new database on a port of loopback, gone when the block is left.

The server does not run as root, so root runs it as the user ``postgres``, whom the Debian package brings.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from lab.ports import LOOPBACK, port
from lab.processes import own_folder
from lab.programs import POSTGRESQL, NotInstalled, postgresql
from lab.waiting import PATIENCE

USER: Final = "lab"
_OWNER: Final = "postgres"
_POLL: Final = 0.02

QUICK: Final[Mapping[str, str]] = {"fsync": "off", "full_page_writes": "off"}
"""Settings under which nothing is lost as long as the machine lives, which is all that tests need."""


class PostgresqlServer:
    """A server that can be stopped, killed and started again on the same data.

    Attributes:
        port: Where it listens on loopback.
        password: What its user needs there.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.port = port()
        self.password = secrets.token_urlsafe(12)
        self._folder = folder
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._make()

    def url(self, database: str = USER) -> str:
        """The address of one of its databases, password included."""
        return f"postgresql://{USER}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """The number of its process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it takes connections.

        Raises:
            RuntimeError: It ended instead, or takes too long; the sentence holds the end of its log.
        """
        options = {**self._settings, "listen_addresses": LOOPBACK, "unix_socket_directories": ""}
        arguments = [f"--{name}={value}" for name, value in options.items()]
        command = _command("postgres", "-D", str(self._data), "-p", str(self.port), *arguments)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        patience = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > patience:
                raise RuntimeError(f"PostgreSQL does not start: {self._log.read_text('utf-8')[-1000:]}")
            time.sleep(_POLL)

    def stop(self) -> None:
        """End it, its connections included."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it hang: its connections stay open, and nothing is answered."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        """Signal the server and its children, each of which is a session of its own."""
        assert self._process is not None
        _signal(_family(self._process.pid), number)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        family = _family(process.pid)
        _signal(family if number is signal.SIGKILL else family[:1], number)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            _signal(family, signal.SIGKILL)
            process.wait()
        # Its children may be a moment behind it, and until then they hold the data.
        while any(map(_lives, family)):
            time.sleep(_POLL)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _make(self) -> None:
        passwords = self._folder / "password"
        passwords.write_text(self.password, "utf-8")
        if os.geteuid() == 0:
            for path in (self._folder, passwords):
                shutil.chown(path, _OWNER)
        options = ("--username", USER, "--pwfile", str(passwords), "--auth", "scram-sha-256")
        command = _command(
            "initdb", "-D", str(self._data), "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", *options
        )
        made = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise RuntimeError(f"initdb fails: {made.stderr[-1000:]}")
        passwords.unlink()
        # The server waits for its own user's database; initdb makes it for nobody but "postgres".
        self._single("CREATE DATABASE lab;")

    def _single(self, statement: str) -> None:
        """Have a statement carried out before the server listens."""
        command = _command("postgres", "--single", "-D", str(self._data), "postgres")
        subprocess.run(command, cwd="/", input=statement.encode(), capture_output=True, check=True)

    def _answers(self) -> bool:
        """Whether it takes connections: one that is up asks for the password, one that starts refuses."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=PATIENCE) as probe:
                parameters = f"user\0{USER}\0database\0{USER}\0\0".encode()
                length = len(parameters) + 8
                probe.sendall(length.to_bytes(4, "big") + (196608).to_bytes(4, "big") + parameters)
                return probe.recv(1) == b"R"
        except OSError:
            return False


def _family(server: int) -> tuple[int, ...]:
    """A server's process, and those of its children."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text("ascii")
    return (server, *map(int, children.split()))


def _signal(processes: Iterable[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def _lives(process: int) -> bool:
    """Whether a process holds anything yet; one that nobody has asked about after its end does not."""
    try:
        status = Path(f"/proc/{process}/stat").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def _command(name: str, *arguments: str) -> list[str]:
    """How one of the server's programs is run: never as root."""
    programs = postgresql()
    if programs is None:
        raise NotInstalled((POSTGRESQL,))
    command = [str(programs / name), *arguments]
    if os.geteuid() != 0:
        return command
    return [
        "setpriv",
        f"--reuid={_OWNER}",
        f"--regid={_OWNER}",
        "--clear-groups",
        "--pdeathsig=INT",
        *command,
    ]


@contextmanager
def postgresql_server(settings: Mapping[str, str] = QUICK) -> Iterator[PostgresqlServer]:
    """Run a server until the block is left.

    Raises:
        NotInstalled: This machine has no PostgreSQL.
    """
    with own_folder("postgresql") as folder:
        server = PostgresqlServer(folder, settings)
        try:
            server.start()
            yield server
        finally:
            server.stop()
