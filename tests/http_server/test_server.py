"""HTTP over real sockets, for clients that mean harm."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from tests.event_loop import in_loop
from unique_account.http_server import listener, protocol
from unique_account.http_server.connection_limit import Limits, Proxies
from unique_account.http_server.server import Server, config

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = b"x" * 16_384
PATIENCE = 10.0


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says hello; at ``/large`` two megabytes."""
    if scope["path"] != "/large":
        await PlainTextResponse("hello")(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(128):
        await send({"type": "http.response.body", "body": LARGE, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class Served:
    """A server."""

    def __init__(self, listener: socket.socket, server: Server) -> None:
        self.address = listener.getsockname()
        self.server = server

    async def connect(self, first: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self.address)
        writer.write(first)
        return reader, writer

    async def answer(self, asked: bytes) -> bytes:
        """All that comes until the server closes the connection."""
        reader, writer = await self.connect(asked)
        try:
            return await all_of(reader)
        finally:
            writer.close()

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)


async def all_of(reader: asyncio.StreamReader) -> bytes:
    got = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while part := await reader.read(65536):
                got += part
    except ConnectionError:
        pass
    return got


async def becomes(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - a server reports nothing
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(most: int = 100) -> AsyncIterator[Served]:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        limits = Limits(most, most, Proxies(()))
        server = Server(config(app, ws="none", timeout_graceful_shutdown=1), limits)
        running = asyncio.create_task(server.serve([listener]))
        try:
            yield Served(listener, server)
        finally:
            server.stop()
            await running


class TestAnswers:
    """S5: an answer is taken in time, or the connection ends."""

    @in_loop
    async def test_who_takes_no_answer_is_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(protocol, "TAKEN_WITHIN", 0.3)
        async with serving() as at:
            _, writer = await at.connect(GET.replace(b"/ ", b"/large "))
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await becomes(lambda: at.connections == 1)
            await becomes(lambda: at.connections == 0)
            writer.close()

    @in_loop
    async def test_nor_does_one_stay_that_closed_its_side(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(protocol, "TAKEN_WITHIN", 0.3)
        async with serving() as at:
            _, writer = await at.connect(GET.replace(b"/ ", b"/large "))
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await becomes(lambda: at.connections == 1)
            writer.write_eof()
            await becomes(lambda: at.connections == 0)
            writer.close()

    @in_loop
    async def test_a_slow_reader_gets_all(self) -> None:
        async with serving() as at:
            asked = GET.replace(b"/ ", b"/large ").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            assert len(await at.answer(asked)) > 128 * len(LARGE)

    @in_loop
    async def test_a_body_without_end_is_not_read_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(protocol, "LINGERS", 0.2)
        async with serving() as at:
            reader, writer = await at.connect(GET[:-2] + b"Content-Length: 99999999\r\n\r\n")
            ended = asyncio.create_task(all_of(reader))
            while not ended.done():
                writer.write(b"x" * 100)
                await asyncio.sleep(0.01)
            assert b"200 OK" in await ended
            writer.close()


class TestRequests:
    """S5: a request is small, comes soon, and after the answer to the one before."""

    @in_loop
    async def test_pipelined_requests_are_answered_once(self) -> None:
        async with serving() as at:
            assert (await at.answer(GET * 10)).count(b"200 OK") <= 1

    @in_loop
    async def test_one_after_the_other_they_all_are(self) -> None:
        async with serving() as at:
            reader, writer = await at.connect()
            for _ in range(20):
                writer.write(GET[:-2] + b"A: b\r\n" * 20 + b"\r\n")
                assert b"200 OK" in await reader.readuntil(b"hello")
            writer.close()

    @in_loop
    async def test_a_head_has_not_too_many_lines(self) -> None:
        async with serving() as at:
            assert await at.answer(GET[:-2] + b"a:\r\n" * (protocol.MOST_LINES + 1) + b"\r\n") == b""

    @in_loop
    async def test_every_stranger_gets_a_turn_beside_one_that_pours(self) -> None:
        async with serving() as at:
            _, pouring = await at.connect(GET[:-2] + b"Transfer-Encoding: chunked\r\n\r\n")
            pouring.write(b"1\r\nx\r\n" * 100_000)
            asked = GET[:-2] + b"Connection: close\r\n\r\n"
            assert b"200 OK" in await at.answer(asked)
            pouring.transport.abort()

    @in_loop
    async def test_what_strangers_do_wrong_is_not_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        async with serving() as at:
            assert b"400" in await at.answer(b"rubbish\r\n\r\n")
            await at.answer(GET[:-2] + b"Upgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n")
        assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


class TestListener:
    """S5: where there is no room, newcomers wait or replace those that say nothing."""

    @in_loop
    async def test_silent_connections_go_for_those_that_ask(self) -> None:
        async with serving(most=5) as at:
            silent = [await at.connect() for _ in range(20)]
            asked = GET[:-2] + b"Connection: close\r\n\r\n"
            for _ in range(5):
                assert b"200 OK" in await at.answer(asked)
            for _, writer in silent:
                writer.close()

    @in_loop
    async def test_a_system_without_room_is_logged_once_a_rest(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(listener, "RESTS", 0.2)
        accept, refused = socket.socket.accept, list[int]()

        def fails(listener: socket.socket) -> object:
            if len(refused) < 2:
                refused.append(1)
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return accept(listener)

        monkeypatch.setattr(socket.socket, "accept", fails)
        async with serving() as at:
            asked = GET[:-2] + b"Connection: close\r\n\r\n"
            assert b"200 OK" in await at.answer(asked)
        said = [each.getMessage() for each in caplog.records]
        assert said == ["no more connections can be accepted for now: Too many open files"] * 2
