"""Processes ``unique-account serve`` of one group, each with a configuration of its own."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.serve.serve_process import ALICE, BOB, Serve, wait

CONFIG = """
users.file = "users.toml"
monitor.port = 0
cluster.group = "paris"
cluster.name = "{name}"
cluster.address = "{address}"
cluster.addresses = {addresses}
[accounts.postgresql]
url = "{url}"
password.file = "database.secret"
[[nodes]]
kind = "memory"
[cluster.times]
{times}
"""
NONE: Final[Mapping[str, str]] = {}
SHORT = "renew = 0.3\nlook = 0.1\nstop = 1.2\ntakeover = 1.8\ntenure = 1.0\nrest = 0.5"


class GroupProcess(Serve):
    """A process of a group."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        super().__init__(folder)

    @property
    def url(self) -> str:
        return str(self.logs(r"ready: .*; (http://\S+)/health")[1])

    def page(self, path: str) -> tuple[int, str]:
        try:
            with urlopen(f"{self.url}/{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    @property
    def standing(self) -> dict[str, Any]:
        standing: dict[str, Any] = json.loads(self.page("ready")[1])
        return standing

    @property
    def role(self) -> str:
        return str(self.standing["role"])

    def metric(self, name: str) -> float:
        lines = self.page("metrics")[1].splitlines()
        (value,) = (line.split()[-1] for line in lines if line.startswith(f"unique_account_group_{name}{{"))
        return float(value)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def processes(
    folder: Path,
    url: str,
    password: str,
    *names: str,
    times: str = SHORT,
    browsers: Mapping[str, int] | None = None,
    more: Mapping[str, str] = NONE,
    files: Mapping[str, str] = NONE,
) -> Iterator[list[GroupProcess]]:
    """Processes of one group, the first of which owns it.

    Args:
        folder: Where their files are.
        url: The database.
        password: Its password, which is in the address.
        names: Their names.
        times: The times of the group.
        browsers: The ports at which browsers reach them, by name; None: they have addresses of no use.
        more: More of the configuration of a process, by its name.
        files: More files for each process, by their names.
    """
    running: list[GroupProcess] = []
    try:
        for name in names:
            home = folder / name
            home.mkdir()
            (home / "users.toml").write_text(ALICE + BOB, "utf-8")
            (home / "database.secret").write_text(password, "utf-8")
            bare = url.replace(f":{password}@", "@")
            for file, content in files.items():
                (home / file).write_text(content, "utf-8")
            text = CONFIG.format(url=bare, name=name, times=times, **_addressed(name, browsers))
            text += more.get(name, "")
            (home / "unique_account.toml").write_text(text, "utf-8")
            running.append(GroupProcess(home, name))
            if name == names[0]:
                wait(lambda: running[0].role == "owner", "an owner")
        wait(lambda: all(one.standing["owner"] == names[0] for one in running), "standbys")
        yield list(running)
    finally:
        for one in running:
            one.ended()


def _addressed(name: str, browsers: Mapping[str, int] | None) -> dict[str, object]:
    """Where browsers reach a process, and all of them."""
    if browsers is None:
        return {"address": f"https://{name}.example.org", "addresses": []}
    where = {one: f"http://127.0.0.1:{port}" for one, port in browsers.items()}
    return {"address": where[name], "addresses": list(where.values())}


def until_owner(*candidates: GroupProcess, epoch: int) -> GroupProcess:
    """The one of these that owns the group in this epoch."""

    def owner() -> GroupProcess | None:
        for one in candidates:
            standing = one.standing
            if (standing["role"], standing["epoch"]) == ("owner", epoch):
                return one
        return None

    found: GroupProcess = wait(owner, f"an owner of epoch {epoch}")
    return found


def seconds_of(wanted: Callable[[], object]) -> float:
    """How long something takes."""
    begun = time.monotonic()
    wanted()
    return time.monotonic() - begun
