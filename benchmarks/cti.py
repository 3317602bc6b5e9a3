"""What the CTI server costs: ten thousand logged-in sockets, login storms, and presence for a thousand.

The server runs in a process of its own, with a service, a SQLite file and a PBX that only stands there; the
clients are in this process. The file is on a RAM disk: each log-in is one commit, and how long a disk takes
for that is the disk's. Everybody logs in; then the process is killed, another one starts on the same file,
and everybody comes back at once with the same token. Beside it, in the same run, a bare WebSocket endpoint on
the same uvicorn, which sends as many bytes to each newcomer and does nothing else.

Delays are from the moment at which the service hears of a line to the moment at which a client's event loop
has the frame, so the clients' own work is in them.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from statistics import median, quantiles
from typing import Any, Final

from benchmarks.cti_server import WATCHED
from benchmarks.report import Comparison, Row, Table

SOCKETS: Final = 10_000
WATCHERS: Final = 1_000
ROUNDS: Final = 20
ANSWERS_WITHIN = 30.0
"""How many seconds the first presences may take."""

AT_ONCE: Final = 200
IDLE: Final = 10.0
LAST: Final = b"CurrentCallsPhoneEvents"
"""What a server tells a newcomer last."""

_HANDSHAKE: Final = (
    "GET /xuc/api/2.0/cti?token={} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_MASK: Final = bytes(4)  # a mask of zeros is a mask, and costs the client nothing
_PING, _TEXT = 0x9, 0x1


class Client(asyncio.Protocol):
    """A WebSocket client that does as little as may be: it answers pings and looks at frames."""

    def __init__(self, token: str, saw: Callable[[bytes], object]) -> None:
        self._token = token
        self._saw = saw
        self._buffer = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(_HANDSHAKE.format(self._token).encode())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head.partition(b"\r\n")[0], head
            self._open, self._buffer = True, rest
        while (frame := _frame(self._buffer)) is not None:
            opcode, payload, self._buffer = frame
            if opcode == _PING:
                self.transport.write(bytes((0x8A, 0x80 | len(payload))) + _MASK + payload)
            else:
                self._saw(payload)

    def connection_lost(self, error: Exception | None) -> None:
        self._saw(b"LoggedOnError: the connection was lost")

    def send(self, message: object) -> None:
        """Send a message."""
        text = json.dumps(message).encode()
        length = bytes((0x80 | len(text),)) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
        self.transport.write(b"\x81" + length + _MASK + text)


def _frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """The first frame of what a server sent, and the rest; None while it is not whole."""
    if len(data) < 2:
        return None
    start, length = 2, data[1]
    if length == 126:
        start, length = 4, int.from_bytes(data[2:4], "big")
    elif length == 127:
        start, length = 10, int.from_bytes(data[2:10], "big")
    if len(data) < start + length:
        return None
    return data[0] & 0xF, data[start : start + length], data[start + length :]


# -- the server in its own process -------------------------------------------------------------------


class ServerProcess:
    """A server that is asked by lines on its input, and answers each with one line of JSON."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port

    async def ask(self, question: str) -> Any:
        """Ask it something."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{question}\n".encode())
        return json.loads(await self._process.stdout.readline())


@asynccontextmanager
async def server(kind: str, folder: str) -> AsyncIterator[ServerProcess]:
    """Run a server, with its file in a folder, until the block is left; then it is killed."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.cti_server",
        kind,
        str(SOCKETS),
        folder,
        stdin=pipe,
        stdout=pipe,
        limit=2**26,
    )
    assert process.stdout is not None
    try:
        yield ServerProcess(process, json.loads(await process.stdout.readline()))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


# -- the clients -------------------------------------------------------------------------------------


async def storm(at: ServerProcess, tokens: Iterable[str], last: bytes) -> list[Client]:
    """Connect with every token, some at once, each until it has seen what is told last."""
    gate, loop = asyncio.Semaphore(AT_ONCE), asyncio.get_running_loop()

    async def connect(token: str) -> Client:
        async with gate:
            there = loop.create_future()

            def saw(payload: bytes) -> None:
                if b"LoggedOnError" in payload and not there.done():
                    there.set_exception(ConnectionError(payload.decode()))
                if last in payload and not there.done():
                    there.set_result(None)

            _, client = await loop.create_connection(lambda: Client(token, saw), "127.0.0.1", at.port)
            await there
            return client

    return list(await asyncio.gather(*map(connect, tokens)))


async def held(what: str, kind: str, folder: str, *, watch: bool = False) -> tuple[Row, Row]:
    """A login storm, and what the sockets cost while they are there; and the fan-out, if it is wanted."""
    async with server(kind, folder) as at:
        tokens = await at.ask("tokens")
        before = await at.ask("usage")
        start = time.perf_counter()
        clients = await storm(at, tokens, LAST)
        seconds, after = time.perf_counter() - start, await at.ask("usage")
        await asyncio.sleep(IDLE)
        idle = await at.ask("usage")
        fan_out: Row = await presence(at, clients[:WATCHERS]) if watch else {}
        assert (await at.ask("usage"))["sockets"] in (len(clients), -1), "sockets were lost"
        for client in clients:
            client.transport.abort()
    return {
        "server": what,
        "sockets": len(clients),
        "storm, s": seconds,
        "log-ins/s": len(clients) / seconds,
        "server CPU per log-in, ms": (after["cpu"] - before["cpu"]) / len(clients) * 1e3,
        "memory per session, kB": (after["memory"] - before["memory"]) / len(clients) / 1e3,
        "CPU while idle, % of a core": (idle["cpu"] - after["cpu"]) / IDLE * 100,
    }, fan_out


async def presence(at: ServerProcess, watchers: list[Client]) -> Row:
    """How long a line's status takes to every watcher of its number."""
    delays, rounds = [], []
    arrived: list[float] = []
    there = asyncio.Event()

    def saw(payload: bytes) -> None:
        if b"PhoneHintStatusEvent" in payload:
            arrived.append(time.monotonic())
            if len(arrived) == len(watchers):
                there.set()

    await at.ask("line")  # so that there is a presence to begin with
    for watcher in watchers:
        watcher._saw = saw
        watcher.send({"claz": "web", "command": "subscribeToPhoneHints", "phoneNumbers": [WATCHED]})
    async with asyncio.timeout(ANSWERS_WITHIN):
        await there.wait()
    for _ in range(ROUNDS):
        await asyncio.sleep(0.2)
        arrived.clear()
        there.clear()
        reported = await at.ask("line")
        await there.wait()
        since = [moment - reported for moment in arrived]
        delays += since
        rounds.append(max(since))
    percentiles = quantiles(delays, n=100)
    return {
        "watchers": len(watchers),
        "rounds": ROUNDS,
        "p50, ms": median(delays) * 1e3,
        "p99, ms": percentiles[98] * 1e3,
        "the last one, median, ms": median(rounds) * 1e3,
    }


async def passwords() -> Row:
    """How many passwords a second are checked."""
    from argon2 import PasswordHasher

    hasher = PasswordHasher()
    hashed = hasher.hash("sésame")
    start = time.perf_counter()
    for _ in range(20):
        await asyncio.gather(*(asyncio.to_thread(hasher.verify, hashed, "sésame") for _ in range(2)))
    each = (time.perf_counter() - start) / 40
    return {
        "passwords checked, two at once": 40,
        "per second": 1 / each,
        "a storm of 10,000, s": 10_000 * each,
    }


def compare() -> Comparison:
    """Hold the sockets, and measure."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    assert most > SOCKETS + 100, f"{most} open files are too few for {SOCKETS} sockets"

    async def all_of_it(folder: str) -> tuple[list[Row], Row, Row]:
        bare, _ = await held("bare WebSocket", "bare", folder)
        first, _ = await held("cti, everybody logs in", "cti", folder)
        again, fan_out = await held("cti, restarted: everybody comes back", "cti", folder, watch=True)
        return [bare, first, again], fan_out, await passwords()

    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        sockets, fan_out, checked = asyncio.run(all_of_it(folder))
    return Comparison(
        (
            Table("Sockets held by one process, and login storms with tokens", sockets),
            Table("From a line's status to the watchers of its number", (fan_out,)),
            Table("A login storm with passwords would wait for argon2", (checked,)),
        )
    )
