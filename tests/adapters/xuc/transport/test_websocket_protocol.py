"""Frames over bare sockets: each counts, whatever it is, and who is refused is read no further."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from struct import pack

import pytest

from tests.adapters.xuc.assistants import PATIENCE, Installation, installation
from tests.event_loop import in_loop
from unique_account.adapters.xuc import websocket
from unique_account.adapters.xuc.transport import (
    client_logs,
    rate_limit,
    websocket_closing,
    websocket_protocol,
)
from unique_account.adapters.xuc.transport.rate_limit import ENTRIES_AT_ONCE, EntryRateLimit, RateLimit

MASK = bytes(4)
CONT, TEXT, CLOSE, PING, PONG = 0, 1, 8, 9, 10
HEARTBEAT = b'{"claz":"ping"}'


def frame(opcode: int, payload: bytes = b"", flags: int = 0x80) -> bytes:
    return pack("!BB", flags | opcode, 0x80 | len(payload)) + MASK + payload


@asynccontextmanager
async def bare(
    at: Installation, token: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A WebSocket by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", await at.cti.port())
    writer.write(
        f"GET /xuc/api/2.0/cti?token={token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    try:
        await reader.readuntil(b"\r\n\r\n")
        yield reader, writer
    finally:
        writer.transport.abort()


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """All bytes until the connection ends."""
    got = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while part := await reader.read(65536):
                got += part
    except ConnectionError:
        pass
    return got


def close_of(code: int) -> bytes:
    return pack("!BB", 0x88, 2) + pack("!H", code)


class TestEveryFrameCounts:
    """S5: a flood of frames of any kind ends its connection, and most of it is never decoded."""

    @pytest.mark.parametrize(
        ("first", "flood"),
        [
            (b"", frame(PING)),
            (b"", frame(PING, b"x" * 125)),
            (b"", frame(PONG)),
            (b"", frame(TEXT)),
            (b"", frame(TEXT, HEARTBEAT)),
            (frame(TEXT, flags=0), frame(CONT, flags=0)),
            (frame(TEXT, b"x", flags=0), frame(CONT, b"x", flags=0) + frame(PING)),
        ],
        ids=["pings", "long pings", "pongs", "empty texts", "heartbeats", "fragments", "fragments and pings"],
    )
    @in_loop
    async def test_a_flood_ends(self, first: bytes, flood: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        decoded = list[int]()
        count = RateLimit.wait

        def counted(of: RateLimit, now: float, frames: int = 1) -> float:
            decoded.append(frames)
            return count(of, now, frames)

        monkeypatch.setattr(RateLimit, "wait", counted)
        monkeypatch.setattr(rate_limit, "SLOWED_FOR", 0.2)
        async with installation() as at, bare(at, await at.browser.log_in("alice")) as (reader, writer):
            await reader.readuntil(b"CurrentCalls")
            writer.write(first + flood * 10_000)
            got = await all_of(reader)
            assert close_of(4006)[2:] in got or close_of(1009)[2:] in got or not got.endswith(b"}")
        assert sum(decoded) < 2 * rate_limit.AT_ONCE

    @in_loop
    async def test_large_ones_count_more(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            for _ in range(2 * rate_limit.AT_ONCE // 3):
                await tab.send("x" * 2 * websocket_protocol.COUNTS_AGAIN)
            began = asyncio.get_running_loop().time()
            await tab.command("getIceConfig")
            assert asyncio.get_running_loop().time() - began > 1.0

    @in_loop
    async def test_it_counts_before_the_log_in_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rate_limit, "SLOWED_FOR", 0.2)
        entering = asyncio.Event()

        async def never(*_: object) -> bool:
            await entering.wait()
            return False

        monkeypatch.setattr(websocket, "_enter", never)
        async with installation() as at, bare(at, await at.browser.log_in("alice")) as (reader, writer):
            writer.write(frame(PING) * 10_000)
            await all_of(reader)
            entering.set()

    @in_loop
    async def test_a_message_has_not_too_many_parts(self) -> None:
        async with installation() as at, bare(at, await at.browser.log_in("alice")) as (reader, writer):
            await reader.readuntil(b"CurrentCalls")
            writer.write(
                frame(TEXT, flags=0) + frame(CONT, flags=0) * (websocket_protocol.MOST_FRAGMENTS + 1)
            )
            assert close_of(1009) in await all_of(reader)


class TestNobodyReads:
    """S5: a client that reads nothing is read no further, and is gone in the end."""

    @in_loop
    async def test_pongs_that_nobody_takes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(websocket_closing, "TAKEN_WITHIN", 0.3)
        monkeypatch.setattr(rate_limit, "AT_ONCE", 10**9)  # so that it is not sent away for its pace
        async with installation() as at, bare(at, await at.browser.log_in("alice")) as (_, writer):
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await at.wait_until(lambda: at.cti.sockets == 1)
            (tab,) = at.cti._hub.tabs
            assert tab._protocol is not None
            waiting = tab._protocol.transport.get_write_buffer_size
            most = 0
            while at.cti.sockets:
                if writer.transport.get_write_buffer_size() < 2**20:
                    writer.write(frame(PING, b"x" * 125) * 1000)
                most = max(most, waiting())
                await asyncio.sleep(0.001)
            assert most < 2**18


class TestRefused:
    """S5: who is refused is cut off at once, whatever it goes on to send."""

    @in_loop
    async def test_a_bad_token_that_floods(self) -> None:
        async with installation() as at, bare(at, "bad") as (reader, writer):
            writer.write(frame(PING) * 100_000)
            began = asyncio.get_running_loop().time()
            await all_of(reader)
            assert asyncio.get_running_loop().time() - began < 2.0

    @in_loop
    async def test_it_sees_why(self) -> None:
        async with installation() as at, bare(at, "bad") as (reader, _):
            got = await all_of(reader)
            assert b"loggedOnFailed" in got
            assert close_of(4001) in got

    @pytest.mark.parametrize(
        ("path", "header"), [("/" + "x" * 9000, ""), ("/", f"a: {'x' * 9000}\r\n"), ("/\x7f", "")]
    )
    @in_loop
    async def test_a_request_that_is_too_long_or_odd(self, path: str, header: str) -> None:
        async with installation() as at:
            reader, writer = await asyncio.open_connection("127.0.0.1", await at.cti.port())
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"{header}\r\n".encode()
            )
            began = asyncio.get_running_loop().time()
            assert b" 101 " not in await all_of(reader)
            assert asyncio.get_running_loop().time() - began < 2.0
            writer.close()


class TestEntryRate:
    """S5: one user logs in by WebSocket so often; others as they like."""

    def test_some_at_once_and_then_two_a_second(self) -> None:
        entry_limit = EntryRateLimit()
        assert all(entry_limit.allows("alice", 0.0) for _ in range(ENTRIES_AT_ONCE))
        assert not entry_limit.allows("alice", 0.25)
        assert entry_limit.allows("bob", 0.25)
        assert entry_limit.allows("alice", 0.5)
        assert not entry_limit.allows("alice", 0.75)

    @in_loop
    async def test_one_more_has_to_come_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rate_limit, "ENTRIES_AT_ONCE", 1)
        monkeypatch.setattr(rate_limit, "ENTRIES_PER_SECOND", 0.0)
        async with installation() as at:
            await at.browser.tab("alice")
            again = await at.browser.connect(await at.browser.log_in("alice"))
            assert await again.closed() == 1013


class TestLogs:
    """S5: the logs of XiVO's client are thrown away, close nothing, and are bounded."""

    @staticmethod
    def log(size: int) -> str:
        return '{"claz":"web","command":"pushLogToServer","log":"' + "x" * size + '"}'

    @in_loop
    async def test_many_and_large_ones_get_no_answer_and_close_nothing(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            before = len(tab.frames)
            for _ in range(300):
                await tab.send(self.log(1000))
            await tab.send(self.log(100_000))
            assert (await tab.command("getIceConfig"))[-1]["msgType"] == "Done"
            assert [frame["msgType"] for frame in tab.frames[before:]] == ["IceConfig", "Done"]

    @in_loop
    async def test_one_may_come_in_pieces_with_others_between(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await tab.socket.send([self.log(20_000)[:30_000], "y" * 20_000, "z" * 70])
            assert (await tab.command("getIceConfig"))[-1]["msgType"] == "Done"

    @in_loop
    async def test_more_than_allowed_is_read_slowly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client_logs, "AT_ONCE", 10_000)
        async with installation() as at:
            tab = await at.browser.tab("alice")
            began = asyncio.get_running_loop().time()
            for _ in range(15):
                await tab.send(self.log(10_000))
            await tab.command("getIceConfig")
            assert asyncio.get_running_loop().time() - began > 0.4

    @in_loop
    async def test_no_other_message_may_be_as_large(self) -> None:
        async with installation() as at:
            for large in (self.log(300_000), '{"claz":"web","command":"pushLog","log":"' + "x" * 20_000):
                tab = await at.browser.tab("alice")
                await tab.send(large)
                assert await tab.closed() in (1009, 1006)

    @in_loop
    async def test_nobody_may_send_much_before_the_log_in(self) -> None:
        async with installation() as at, bare(at, "none") as (reader, writer):
            writer.write(frame(TEXT, b"x", flags=0) + b"\x00" * 64 * 1024)
            assert close_of(1009)[:2] in await all_of(reader)
