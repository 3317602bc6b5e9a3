"""What a client sends to a real CTI server: commands, log-ins, HTTP, and bytes for a WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from ipaddress import ip_address
from itertools import count
from random import Random
from typing import Final

from fuzz.clients import WORDS, frames
from fuzz.cti_server import (
    ERRORS,
    PASSWORD,
    ROOT,
    Client,
    CtiServer,
    cti_server,
    frame,
    handshake,
    messages,
)
from fuzz.target import Check, Target, is_text, require
from tests.adapters.xuc.schema import check_event

_Checks = Callable[[CtiServer, bytes], Awaitable[None]]


@contextmanager
def _on(checks: Callable[[CtiServer], _Checks]) -> Iterator[Check]:
    """A check on a server that runs all the while."""
    with asyncio.Runner() as runner:
        running = cti_server()
        at = runner.run(running.__aenter__())
        begun = checks(at)

        async def one(data: bytes) -> None:
            await begun(at, data)
            at.check()

        try:
            yield lambda data: runner.run(one(data))
        finally:
            runner.run(running.__aexit__(None, None, None))


def _server(checks: Callable[[CtiServer], _Checks]) -> Callable[[], AbstractContextManager[Check]]:
    return partial(_on, checks)


class _Speaker:
    """Alice, whose frames are the inputs; a new socket each time the pace of one would be used up."""

    _EACH = 45

    def __init__(self, _: CtiServer) -> None:
        self._socket: Client | None = None
        self._token = ""
        self._numbers = count()

    async def __call__(self, at: CtiServer, data: bytes) -> None:
        number = next(self._numbers)
        if number % self._EACH == 0 or self._socket is None or self._over(self._socket):
            await self._renew(at)
        assert self._socket is not None
        end = f"end {number}"
        self._socket.said = b""
        self._socket.write(frame(data, 0x1 if is_text(data) else 0x2))
        self._socket.write(frame(json.dumps({"claz": "web", "command": "getIceConfig", "ref": end}).encode()))
        ending = f'"{end}"'.encode()
        await self._socket.until(lambda said: ending in said)
        self._check(data)

    def _check(self, data: bytes) -> None:
        assert self._socket is not None
        said = messages(self._socket.said)
        require(
            not self._over(self._socket) or b"logout" in data or len(data) > 16384,
            "a frame closes the socket",
        )
        for each in said:
            check_event(each)
        wrong = {each["ctiMessage"]["Error"] for each in said if each.get("msgType") == "Error"}
        require(wrong <= set(ERRORS), f"an unexpected error: {wrong}")

    @staticmethod
    def _over(socket: Client) -> bool:
        return socket.closed or socket.goodbye

    async def _renew(self, at: CtiServer) -> None:
        if self._socket is not None:
            self._socket.abort()
        # A log-out makes a token bad; a new one costs no more than looking whether it did.
        self._token = await at.server_port.log_in("alice")
        self._socket = await at.server_port.socket(self._token)


async def _log_in(at: CtiServer, data: bytes) -> None:
    # Each from an address of its own, so that failures limit no later ones.
    behind = f"X-Forwarded-For: {ip_address(Random(data).getrandbits(32))}"
    status, _ = await at.server_port.request(f"POST {ROOT}/auth/login HTTP/1.1\r\n{behind}", data)
    require(status in (200, 400, 401, 413, 429), f"a log-in is answered with {status}")
    if status == 200:
        said = json.loads(data)
        require((said["login"], said["password"]) in _KNOWN, "a log-in with another password")


_KNOWN: Final = tuple((user, PASSWORD) for user in ("alice", "bob", "bystander"))


async def _http(at: CtiServer, data: bytes) -> None:
    client = await at.server_port.connect()
    client.write(data)
    await _barrier(at)
    await asyncio.sleep(0)
    statuses = [line.split(b" ")[1:2] for line in client.said.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    require(
        all(status[0] < b"500" for status in statuses), f"an answer of the server's own fault: {statuses}"
    )
    client.abort()


async def _barrier(at: CtiServer) -> None:
    """Wait until the server has looked at what was sent before."""
    await at.server_port.request(f"GET {ROOT}/auth/check HTTP/1.1")


class _Wire:
    """Bytes after a real handshake, as frames or as none."""

    def __init__(self, _: CtiServer) -> None:
        self._token = ""

    async def __call__(self, at: CtiServer, data: bytes) -> None:
        self._token = self._token or await at.server_port.log_in("bob")
        client = await at.server_port.connect()
        client.write(handshake(self._token) + data)
        await _barrier(at)
        client.abort()


_LINES: Final = (
    "POST {}/auth/login",
    "GET {}/auth/check",
    "POST {}/auth/logout",
    "GET {}/cti?token=x",
    "GET /",
)
_HEADS: Final = ("Origin: http://x", "Authorization: Bearer x.y.z", "X-Forwarded-For: 10.0.0.1, 10.0.0.2")


@cache
def _requests() -> tuple[bytes, ...]:
    body = json.dumps({"login": "alice", "password": PASSWORD}).encode()
    end = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    requests = (
        f"{line.format(ROOT)} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode() + end
        for line in _LINES
        for head in _HEADS
    )
    sockets = (handshake("x.y.z"), handshake("x").replace(b"Host: x", b"Host: x\r\nOrigin: http://x"))
    return (*requests, *sockets)


def _wire() -> tuple[bytes, ...]:
    text = b'{"claz":"web","command":"getIceConfig","ref":1}'
    whole = (frame(text), frame(b"", 0x9), frame(b"\x03\xe8bye", 0x8), frame(b"x" * 300, 0x2))
    pieces = frame(text)[1:], frame(b"more", 0x0)
    return (
        *whole,
        b"".join(whole),
        b"\x01" + pieces[0] + pieces[1],
        b"\x01" + pieces[0] + frame(b"", 0x9) + pieces[1],
    )


_HTTP: Final = (
    *(b"Origin: http://[\r\n", b"//[", b"http://["),
    *(b"Host: [::1", b"Transfer-Encoding: chunked", b"Content-Length: -1", b"Expect: 100-continue"),
    *(b"Upgrade: h2c", b"HTTP/0.9", b"%", b"%zz"),
    *(b"?token=%ff", b"\r\n\r\n", b"Cookie: ", b"Authorization: Bearer "),
)  # fmt: skip

TARGETS: Final = (
    Target(
        name="commands", samples=frames, opened=_server(_Speaker), words=WORDS, largest=1 << 14, rounds=120
    ),
    Target(
        name="log-ins",
        samples=lambda: (json.dumps({"login": "alice", "password": PASSWORD}, ensure_ascii=False).encode(),),
        opened=_server(lambda _: _log_in),
        words=(b'"login"', b'"password"', b"bob"),
        largest=8192,
        rounds=100,
    ),
    Target(
        name="http",
        samples=_requests,
        opened=_server(lambda _: _http),
        words=_HTTP,
        largest=1 << 14,
        rounds=120,
    ),
    Target(name="wire", samples=_wire, opened=_server(_Wire), largest=1 << 15, rounds=80),
)
