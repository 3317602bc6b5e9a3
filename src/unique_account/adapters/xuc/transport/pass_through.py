"""A plain proxy of one WebSocket to the process that serves its user.

Frames go both ways as they come, one at a time, so that a slow reader slows the sender down. The process
behind has to answer pings: one that is paused is left within `PING_EVERY` and `ANSWERS_WITHIN`, and the
client is asked to come back.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from unique_account.core.errors import Unreachable

PASSED: Final = "x-unique-account-passed"
"""The header of a WebSocket that was passed through already; it is passed no further."""

CONNECTS_WITHIN: Final = 2.0
"""Within how many seconds the process behind has to accept the WebSocket."""

PING_EVERY: Final = 2.0
"""How many seconds lie between two pings of it."""

ANSWERS_WITHIN: Final = 2.0
"""Within how many seconds it has to answer one."""

LOOK_EVERY: Final = 0.25
"""How many seconds lie between two looks at whether it still serves the user."""

CLOSES_WITHIN: Final = 1.0
"""Within how many seconds it has to confirm a close."""

LARGEST: Final = 2**20
"""How many bytes a message of it may have."""

COME_BACK: Final = 1013

_OURS: Final = range(4000, 5000)
"""Close codes that mean something to clients, and are passed on."""


async def behind(socket: WebSocket, address: str) -> ClientConnection:
    """Connect to the process behind, for a client.

    Raises:
        Unreachable: It does not accept the WebSocket in time.
    """
    url = urlsplit(address)
    secure = url.scheme in ("https", "wss")
    place = f"{'wss' if secure else 'ws'}://{url.netloc}{socket.url.path}"
    client = {"X-Forwarded-For": socket.client.host} if socket.client else {}
    try:
        return await connect(
            f"{place}?token={quote(socket.query_params.get('token', ''))}",
            additional_headers={PASSED: "1", **client},
            compression=None,
            open_timeout=CONNECTS_WITHIN,
            ping_interval=PING_EVERY,
            ping_timeout=ANSWERS_WITHIN,
            close_timeout=CLOSES_WITHIN,
            max_size=LARGEST,
            max_queue=4,
            proxy=None,
            ssl=ssl.create_default_context() if secure else None,
        )
    except (OSError, TimeoutError, WebSocketException, ValueError) as error:
        raise Unreachable(f"{address} takes no WebSocket: {error}") from error


async def pass_through(socket: WebSocket, upstream: ClientConnection, serves: Callable[[], bool]) -> int:
    """Pass frames both ways until either side closes, or the process behind serves the user no more.

    Returns:
        With what code to close the client's WebSocket.
    """
    ways = (_up(socket, upstream), _down(socket, upstream), _look(serves))
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        code = upstream.close_code
        await _close(upstream)
    return code if code is not None and code in _OURS else COME_BACK


async def _close(upstream: ClientConnection) -> None:
    """Close the connection behind, within bounds even if nobody answers there."""
    try:
        async with asyncio.timeout(CLOSES_WITHIN):
            await upstream.close()
    except TimeoutError:
        upstream.transport.abort()


async def _up(socket: WebSocket, upstream: ClientConnection) -> None:
    while (received := await socket.receive())["type"] == "websocket.receive":
        text = received.get("text")
        try:
            await upstream.send(received.get("bytes") or b"" if text is None else text)
        except ConnectionClosed:
            return


async def _down(socket: WebSocket, upstream: ClientConnection) -> None:
    async for frame in upstream:
        if isinstance(frame, str):
            await socket.send_text(frame)


async def _look(serves: Callable[[], bool]) -> None:
    while serves():  # noqa: ASYNC110 - a lease gives no signal
        await asyncio.sleep(LOOK_EVERY)
