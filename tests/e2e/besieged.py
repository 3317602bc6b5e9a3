"""A real ``unique-account serve`` on a double of a PBX, a user who works, and 50 clients that mean harm."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any, Final
from urllib.request import Request, urlopen

from attrs import frozen
from websockets.asyncio.client import ClientConnection, connect

from lab.ports import LOOPBACK, port
from lab.processes import Process, start
from unique_account.adapters.people import hash_password

CLIENTS: Final = 50
PROCESSES: Final = 2
USERS: Final = ("bob", *(f"mallory{number}" for number in range(4)))
FOR: Final = 3.0
"""For how many seconds it is measured."""

FIRST: Final = -15
"""How nice the service and who measures it are: a busy machine is not what is measured."""

BETWEEN: Final = 0.06
"""How many seconds lie between two commands: no more than a client may give."""

_CONFIG: Final = """
users.file = "users.toml"
accounts.file = "accounts.sqlite"
[monitor]
port = {monitor}
[[nodes]]
kind = "memory"
[assistant]
people.file = "people.toml"
key.file = "tokens.key"
passwords.file = "secrets.conf"
sip = "wss://pbx.example.org/ws"
port = {server}
"""
_USER: Final = '[[users]]\nid = "{0}"\nextension = "{1}"\ndeskphone = "PJSIP/{0}"\nwebrtc = "PJSIP/{0}_w"\n'
_PERSON: Final = (
    '[[people]]\nlogin = "{0}"\nuser = "{0}"\nname = "{0}"\nnumbers = ["{1}"]\npassword = "{2}"\n'
)


@frozen
class Harm:
    """What an attack did to others.

    Attributes:
        command: In how many seconds 99 of 100 commands of a bystander were carried out.
        health: In how many seconds the slowest look at the health page was answered, with 200 each.
        grown: By how many bytes the server's memory grew.
        logged: How many bytes of log were written.
    """

    command: float
    health: float
    grown: int
    logged: int


class Besieged:
    """The service, and bob's socket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server, self._monitor = port(), port()
        self._process: Process
        self._refs = 0

    def configure(self) -> None:
        """Write what the service is to serve."""
        folder, password = self._folder, hash_password("secret")
        config = _CONFIG.format(server=self._server, monitor=self._monitor)
        people = (_PERSON.format(user, 1000 + n, password) for n, user in enumerate(USERS))
        users = (_USER.format(user, 1000 + n) for n, user in enumerate(USERS))
        files = {
            "unique_account.toml": config,
            "people.toml": "".join(people),
            "users.toml": "".join(users),
            "tokens.key": "k" * 32,
            "secrets.conf": "[bob_w-auth](+)\npassword = secret\n",
        }
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")

    async def start(self) -> None:
        """Start the service; it may open no more files at first than systemd lets it."""
        config = str(self._folder / "unique_account.toml")
        python = f'exec nice -n {FIRST} "{sys.executable}"'
        serve = f'ulimit -Sn 1024; {python} -m unique_account serve --config "{config}"'
        self._process = await start("sh", "-c", serve, log=self._folder / "log")
        while "ready: " not in self._log.read_text("utf-8"):  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.05)

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    async def stop(self) -> None:
        """Stop the service."""
        await self._process.stop()

    def _token(self, login: str) -> str:
        body = json.dumps({"login": login, "password": "secret"}).encode()
        asked = Request(f"http://{LOOPBACK}:{self._server}/xuc/api/2.0/auth/login", body)
        with urlopen(asked, timeout=10) as answer:
            return str(json.load(answer)["token"])

    def _memory(self) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text("utf-8")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024

    async def under(self, attack: str) -> Harm:
        """What an attack does to others while it goes on."""
        tokens = [await asyncio.to_thread(self._token, user) for user in USERS]
        before = self._memory()
        async with self._bob(tokens[0]) as bob:
            for _ in range(20):
                await self._command(bob)
            clients = [await self._attacker(attack, tokens[1:], n) for n in range(PROCESSES)]
            usual = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, 0, FIRST)
            try:
                return await self._measured(bob, before)
            finally:
                os.setpriority(os.PRIO_PROCESS, 0, usual)
                for one in clients:
                    await one.kill()

    @asynccontextmanager
    async def _bob(self, token: str) -> AsyncIterator[ClientConnection]:
        url = f"ws://{LOOPBACK}:{self._server}/xuc/api/2.0/cti?token={token}"
        async with connect(url, proxy=None) as bob:
            yield bob

    async def _attacker(self, attack: str, tokens: list[str], number: int) -> Process:
        ports = (str(self._server), str(self._monitor))
        command = (sys.executable, "-m", "tests.e2e.hostile", attack, str(CLIENTS // PROCESSES), *ports)
        return await start(*command, *tokens, log=self._folder / f"attacker{number}.log")

    async def _measured(self, bob: ClientConnection, before: int) -> Harm:
        over = time.monotonic() + FOR
        commands, (healths, memories) = await asyncio.gather(
            self._commands(bob, over), asyncio.to_thread(self._looked_at, over)
        )
        slow = quantiles(commands, n=100, method="inclusive")[98]
        return Harm(slow, max(healths), max(memories) - before, self._log.stat().st_size)

    async def _commands(self, bob: ClientConnection, until: float) -> list[float]:
        taken = []
        while time.monotonic() < until:
            taken.append(await self._command(bob))
            await asyncio.sleep(BETWEEN)
        return taken

    async def _command(self, bob: ClientConnection) -> float:
        self._refs += 1
        device = ("webrtc", "deskphone")[self._refs % 2]
        began = time.monotonic()
        asked = {"claz": "web", "command": "selectDevice", "device": device, "ref": self._refs}
        await bob.send(json.dumps(asked))
        while not self._is_answer(json.loads(await asyncio.wait_for(bob.recv(), 30))):
            pass
        return time.monotonic() - began

    def _is_answer(self, frame: dict[str, Any]) -> bool:
        return frame.get("msgType") == "Done" and frame["ctiMessage"]["ref"] == self._refs

    def _looked_at(self, until: float) -> tuple[list[float], list[int]]:
        healths, memories = [], []
        while time.monotonic() < until:
            began = time.monotonic()
            with urlopen(f"http://{LOOPBACK}:{self._monitor}/health", timeout=30) as answer:
                assert answer.status == 200
            healths.append(time.monotonic() - began)
            memories.append(self._memory())
            time.sleep(0.3)
        return healths, memories


@asynccontextmanager
async def besieged(folder: Path) -> AsyncIterator[Besieged]:
    """The service is ready."""
    at = Besieged(folder)
    at.configure()
    await at.start()
    try:
        yield at
    finally:
        await at.stop()
