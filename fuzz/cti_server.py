"""A real CTI server on a port in this process, with users, and clients that speak raw bytes to it."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

from attrs import frozen

from fuzz.target import Broken, require
from fuzz.users import BYSTANDER, INSIDERS, USERS, check_installable
from unique_account.adapters.memory import MemoryDirectory, MemoryObserver, MemoryPbx, SettableClock
from unique_account.adapters.xuc import XucCti, XucSettings
from unique_account.bootstrap import bootstrap
from unique_account.core.user import User
from unique_account.ports.sip_credentials import SipLine
from unique_account.service.service import Service

KEY: Final = "a key for fuzzers, and for those alone"
ROOT: Final = "/xuc/api/2.0"
PATIENCE: Final = 20.0
PASSWORD: Final = "sésame"

ERRORS: Final = ("invalidMessage", "unknownCommand", "refused", "commandFailed", "noSuchCall")
"""The errors that a command may be answered with; an unexpected one is not among them."""


class Lines:
    """The WebRTC lines of all users."""

    async def line(self, user: User) -> SipLine | None:
        """The line of a user."""
        return SipLine(name=f"{user.id}_w", password="x" * 24, url="wss://pbx.example.org/ws", domain="pbx")


def server(observer: MemoryObserver, *users: User) -> XucCti:
    """A CTI server on a port that is free, for users with the same password."""
    directory = MemoryDirectory(
        {user.id: PASSWORD for user in users},
        {user.extension: user.id.title() for user in users},
        {user.extension: user.id for user in users},
    )
    return XucCti(XucSettings(key=KEY, port=0), directory, Lines(), observer)


class ErrorLog(logging.Handler):
    """Keeps the errors that servers log."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.said.append(self.format(record).strip().rpartition("\n")[2])


class CtiServer:
    """A running server, and the service behind it.

    Attributes:
        service: The service behind it.
        server_port: Its port.
    """

    def __init__(self, service: Service, port: int, observer: MemoryObserver, log: ErrorLog) -> None:
        self.service = service
        self.server_port = ServerPort(port)
        self._observer = observer
        self._log = log
        self._bystander = service.account(BYSTANDER.id)

    def note(self) -> None:
        """Remember the bystander's account as it is now, which has to stay."""
        self._bystander = self.service.account(BYSTANDER.id)

    def check(self) -> None:
        """Nothing failed, nothing was logged, and nothing happened to the bystander."""
        failures, said = self._observer.failures[:], self._log.said[:]
        self._observer.failures.clear()
        self._log.said.clear()
        if failures:
            what, error = failures[0]
            raise Broken(f"a failure of {what} with {type(error).__name__}: {error}") from error
        require(not said, f"an error in the log: {said}")
        require(self.service.account(BYSTANDER.id) == self._bystander, "something happened to a bystander")
        for user in ("alice", *(user.id for user in INSIDERS)):
            check_installable(self.service.account(user))


@frozen(weakref_slot=False)
class ServerPort:
    """A server's port on loopback; the server may be in another process."""

    port: int

    async def connect(self) -> Client:
        """A new connection."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(Client, "127.0.0.1", self.port)
        return client

    async def request(self, head: str, body: bytes = b"") -> tuple[int, bytes]:
        """Make one request; returns the status and the body of the answer."""
        client = await self.connect()
        length = f"Content-Length: {len(body)}\r\n" if head.startswith("POST") else ""
        client.write(f"{head}\r\nHost: x\r\nConnection: close\r\n{length}\r\n".encode() + body)
        answer = await client.ended()
        first, _, rest = answer.partition(b"\r\n")
        return int(first.split()[1]), rest.partition(b"\r\n\r\n")[2]

    async def log_in(self, user: str) -> str:
        """Log in; returns the token."""
        body = json.dumps({"login": user, "password": PASSWORD}).encode()
        status, said = await self.request(f"POST {ROOT}/auth/login HTTP/1.1", body)
        assert status == 200, said
        token: str = json.loads(said)["token"]
        return token

    async def socket(self, token: str) -> Client:
        """A WebSocket, past its handshake."""
        client = await self.connect()
        client.write(handshake(token))
        await client.until(lambda said: b"\r\n\r\n" in said)
        client.answer_pings()
        return client


def handshake(token: str) -> bytes:
    """The request for a WebSocket."""
    return (
        f"GET {ROOT}/cti?token={token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n"
    ).encode()


def frame(payload: bytes, opcode: int = 0x1) -> bytes:
    """A whole frame as a client sends it, under a mask of zeros, which is one and changes nothing."""
    size = len(payload)
    if size < 126:
        length = bytes((0x80 | size,))
    else:
        length = b"\xfe" + size.to_bytes(2, "big") if size < 65536 else b"\xff" + size.to_bytes(8, "big")
    return bytes((0x80 | opcode,)) + length + bytes(4) + payload


class Client(asyncio.Protocol):
    """One connection, and all that was said on it.

    Attributes:
        said: What came.
        closed: Whether the server has closed it.
        goodbye: Whether the server has sent a close.
    """

    def __init__(self) -> None:
        self.said = b""
        self.closed = False
        self.goodbye = False
        self._came = asyncio.Event()
        self._frames: bytes | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be able to write."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what comes."""
        self.said += data
        if self._frames is not None:
            self._frames += data
            self._look()
        self._came.set()

    def connection_lost(self, _: Exception | None) -> None:
        """Note that nothing more comes."""
        self.closed = True
        self._came.set()

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    def answer_pings(self) -> None:
        """Answer the server's pings from now on, and before that what came behind the handshake."""
        self._frames = self.said.partition(b"\r\n\r\n")[2]
        self._look()

    def _look(self) -> None:
        """Look at the frames that are whole: answer pings, and notice a close."""
        done = 0
        for opcode, payload, end in frames_in(self._frames or b""):
            done = end
            if opcode == 0x9:
                self.write(frame(payload, 0xA))
            self.goodbye = self.goodbye or opcode == 0x8
        self._frames = (self._frames or b"")[done:]

    def abort(self) -> None:
        """Be gone."""
        self._transport.abort()

    async def until(self, happened: Callable[[bytes], object]) -> None:
        """Wait until what was said is enough, or the server has closed the connection, or says so."""
        async with asyncio.timeout(PATIENCE):
            while not happened(self.said) and not self.closed and not self.goodbye:
                self._came.clear()
                await self._came.wait()

    async def ended(self) -> bytes:
        """All bytes until the server closes the connection."""
        await self.until(lambda _: False)
        return self.said


@asynccontextmanager
async def cti_server() -> AsyncIterator[CtiServer]:
    """A server with all users, none of them logged in."""
    observer, log, clock = MemoryObserver(), ErrorLog(), SettableClock(datetime.now(UTC))
    cti, pbx = server(observer, *USERS, *INSIDERS), MemoryPbx(clock)
    loop, root = asyncio.get_running_loop(), logging.getLogger()
    loop.set_exception_handler(
        lambda _, context: log.said.append(f"unhandled: {context.get('exception') or context['message']}")
    )
    root.addHandler(log)
    try:
        async with bootstrap(cti=cti, pbxs=(pbx,), clock=clock, observer=observer) as service:
            for user in (*USERS, *INSIDERS):
                await service.add(user)
                await pbx.register(user.deskphone)
            yield CtiServer(service, await cti.port(), observer, log)
    finally:
        root.removeHandler(log)
        loop.set_exception_handler(None)


def frames_in(said: bytes) -> Iterator[tuple[int, bytes, int]]:
    """The whole frames of what a server sent, each as its opcode, its payload and where it ends."""
    at = said.find(b"\r\n\r\n") + 4 if said.startswith(b"HTTP") else 0
    while len(said) >= at + 2:
        start, size = at + 2, said[at + 1]
        if size > 125:
            start = at + (4 if size == 126 else 10)
            size = int.from_bytes(said[at + 2 : start], "big")
        if len(said) < start + size:
            return
        yield said[at] & 0xF, said[start : start + size], start + size
        at = start + size


def messages(said: bytes) -> list[dict[str, Any]]:
    """The messages in a server's frames; other frames are left out."""
    found = []
    for _, payload, _ in frames_in(said):
        with suppress(ValueError):
            message = json.loads(payload)
            found += [message] if isinstance(message, dict) else []
    return found
