"""What the fake nodes are served by: processes of the product, or the plain baseline; each one measured."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg

from benchmarks.groups.fake_node import number_of

T = TypeVar("T")

PATIENCE: Final = 600.0
"""How many seconds a start may take."""

ROOT: Final = Path(__file__).parents[2]
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_CONFIG: Final = """
users.file = "users.toml"
monitor.port = 0
[accounts.postgresql]
url = "{url}"
password.file = "database.secret"
[cluster]
group = "{group}"
name = "{name}"
"""
_NODE: Final = """
[[nodes]]
name = "node{node}"
port = {port}
secret.file = "ami.secret"
sip = "127.0.0.1:{port}"
proxy_path = "node{node}"
"""
_USER: Final = """
[[users]]
id = "u{user}"
extension = "{number}"
deskphone = "PJSIP/u{user}"
webrtc = "PJSIP/u{user}_w"
media_server = "node{node}"
"""


_TABLE: Final = """
    CREATE TABLE plain (user_id text PRIMARY KEY, state text, do_not_disturb boolean, version bigint)
"""


class Nodes:
    """The fake nodes and the load on them, in a process of their own.

    Attributes:
        ports: Where the nodes are.
        users: How many users they have.
    """

    def __init__(self, nodes: int, users: int) -> None:
        command = [sys.executable, "-m", "benchmarks.groups.load", str(nodes), str(users)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.users = users
        self.ports: list[int] = json.loads(self._line())

    def order(self, name: str, *arguments: object) -> None:
        """Begin something; `found` is what comes of it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([name, arguments]) + "\n")
        self._process.stdin.flush()

    def found(self) -> dict[str, float]:
        """What came of the last order."""
        found: dict[str, float] = json.loads(self._line())
        return found

    def ask(self, name: str, *arguments: object) -> dict[str, float]:
        """Give an order and wait for what comes of it."""
        self.order(name, *arguments)
        return self.found()

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def processor_seconds(process: int) -> float:
    """How much processor time a process has had."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def processor_seconds_of_all(process: int) -> float:
    """The same of a process with all that it started and that has ended since."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    ended = (int(fields[13]) + int(fields[14])) / _TICKS
    return processor_seconds(process) + ended + sum(map(processor_seconds, children(process)))


def megabytes(process: int) -> float:
    """How much memory a process has now."""
    text = Path(f"/proc/{process}/status").read_text("utf-8")
    return int(re.findall(r"^VmRSS:\s+(\d+)", text, re.MULTILINE)[0]) / 1024


def children(process: int) -> list[int]:
    """The processes that a process started, each with its own."""
    own = [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text("utf-8").split()]
    return own + [one for child in own for one in children(child)]


class Served:
    """A process of the product.

    Args:
        folder: Where its files are made.
        url: Its database, with the password.
        group: The group that it belongs to.
        name: Its own name.
        nodes: The indexes of the group's nodes, each with its port.
        every: How many nodes all groups have together.
        users: How many users they have.
    """

    def __init__(
        self, folder: Path, url: str, group: str, name: str, nodes: dict[int, int], every: int, users: int
    ) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        password = url.partition("://")[2].partition("@")[0].partition(":")[2]
        bare = url.replace(f":{password}@", "@")
        (folder / "database.secret").write_text(password, "utf-8")
        (folder / "ami.secret").write_text("any", "utf-8")
        own = (user for user in range(users) if user % every in nodes)
        text = (_USER.format(user=user, number=number_of(user), node=user % every) for user in own)
        (folder / "users.toml").write_text("".join(text), "utf-8")
        tables = "".join(_NODE.format(node=node, port=port) for node, port in nodes.items())
        config = _CONFIG.format(url=bare, group=group, name=name) + tables
        (folder / "unique_account.toml").write_text(config, "utf-8")
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start it; `wait` says when it is what it is to be."""
        (self._folder / "log").write_text("", "utf-8")
        command = [sys.executable, "-m", "unique_account", "serve", "--config", "unique_account.toml"]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self._folder, stderr=log, env=environment)

    def wait(self, role: str) -> None:
        """Wait until it has this role."""
        until(lambda: self.role == role, f"{self._folder.name} as {role}")

    @property
    def role(self) -> str:
        """What it is in its group; empty while it does not answer."""
        log = (self._folder / "log").read_text("utf-8")
        found = re.search(r"ready: .*; (http://\S+)/health", log)
        if self.process.poll() is not None:
            raise RuntimeError(f"{self._folder.name} ended: {log[-2000:]}")
        if found is None:
            return ""
        try:
            with urlopen(f"{found[1]}/ready", timeout=PATIENCE) as answer:
                return str(json.load(answer)["role"])
        except HTTPError as error:
            with error:
                return str(json.load(error)["role"])

    def stop(self) -> None:
        """Stop it in order, so that it gives its group up."""
        self.process.terminate()
        self.process.wait()

    def end(self) -> None:
        """Kill it, with its watchdogs."""
        for process in (*children(self.process.pid), self.process.pid):
            os.kill(process, signal.SIGKILL)
        self.process.wait()


class Plain:
    """The plain baseline."""

    def __init__(self, url: str, commits: str, nodes: Nodes) -> None:
        self._command = (url, commits, str(nodes.users), *map(str, nodes.ports))
        with psycopg.connect(url, autocommit=True) as database:
            database.execute("DROP TABLE IF EXISTS plain")
            database.execute(_TABLE)
            insert = "INSERT INTO plain SELECT 'u' || n, 'logged_out', false, 0 FROM generate_series(0, %s) n"
            database.execute(insert, (nodes.users - 1,))

    def start(self) -> None:
        """Start it, and wait until it follows all nodes."""
        command = [sys.executable, "-m", "benchmarks.groups.plain", *self._command]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()


def until(true: Callable[[], T], what: str) -> T:
    """Wait for something, and return it."""
    deadline = time.monotonic() + PATIENCE
    while not (found := true()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"never: {what}")
        time.sleep(0.02)
    return found


@contextmanager
def ended(contenders: Iterable[Served | Plain]) -> Iterator[None]:
    """Whatever of these runs when the context is left is killed."""
    try:
        yield
    finally:
        for one in contenders:
            if hasattr(one, "process") and one.process.poll() is None:
                one.end()
