"""One open WebSocket of a user: what is sent to it, what it watches, and how it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from enum import IntEnum
from itertools import count
from secrets import token_hex
from typing import Final

from starlette.websockets import WebSocket

from unique_account.adapters.xuc.auth.tokens import Token
from unique_account.adapters.xuc.protocol.outgoing import Frames
from unique_account.adapters.xuc.transport.query_budget import QueryBudget
from unique_account.adapters.xuc.transport.send_queue import SendQueue
from unique_account.adapters.xuc.transport.websocket_closing import CUT_OFF_WITHIN
from unique_account.adapters.xuc.transport.websocket_protocol import EXTENSION, TOO_FAST, WebSocketProtocol
from unique_account.core.errors import Unreachable

CLOSES_WITHIN: Final = 2.0
"""How many seconds a client has to read what is queued for it, and a close, before it is cut off."""

_PROCESS: Final = token_hex(4)
_numbers = count(1)


class CloseCode(IntEnum):
    """Why the server closes a WebSocket, as its close code."""

    COME_BACK = 1013
    BAD_TOKEN = 4001
    LOGGED_OUT = 4002
    TOO_MANY = 4003
    TOO_SLOW = 4004
    ACCOUNT_GONE = 4005
    TOO_FAST = TOO_FAST
    MOVED = 4007


class Tab:
    """One WebSocket, usually a tab of a browser.

    Attributes:
        user: Its user's id.
        token: The token it logged in with.
        session: The session that it belongs to.
        connection: Its own name, never used twice.
        queue: The frames that wait to be sent.
        watched: The numbers whose presence it watches.
        rings: Whether it has the line.
        dials: Whether its browser dials when `WebRTCCmd` says so.
    """

    __slots__ = (
        "_closing",
        "_frames",
        "_protocol",
        "_socket",
        "connection",
        "dials",
        "queue",
        "rings",
        "session",
        "token",
        "user",
        "watched",
    )

    def __init__(self, socket: WebSocket, token: Token, frames: Frames) -> None:
        self.user = token.user
        self.token = token
        self.session = token.session
        self.connection = f"{_PROCESS}-{next(_numbers)}"
        self.watched: set[str] = set()
        self.rings = False
        self.dials = token.dials
        self._socket = socket
        self._frames = frames
        self._protocol: WebSocketProtocol | None = socket.scope["extensions"].get(EXTENSION)
        self.queue = SendQueue(socket.send_text, self._too_slow)
        self._closing: asyncio.Task[None] | None = None

    def report(self, kind: str, content: object) -> None:
        """Send a message."""
        self.queue.put(self._frames.message(kind, content))

    @property
    def is_gone(self) -> bool:
        """Whether nothing more can be sent."""
        return self.queue.closed

    @asynccontextmanager
    async def query(self, budget: QueryBudget) -> AsyncIterator[QueryBudget]:
        """Wait until a costly query may be answered, and let its lines be counted by the budget.

        The client has read what was sent to it before, and it is the user's turn.

        Raises:
            CommandFailed: Too many queries of this user are waiting.
            Unreachable: The client is gone.
        """
        await self.queue.flush()
        async with budget.query():
            if self.is_gone:
                raise Unreachable("the client is gone")
            yield budget

    @property
    def silent_for(self) -> timedelta:
        """How long ago the last sign of life was (S5); a close is one, and so is a broken connection."""
        if self._protocol is None or not self._protocol.fell_silent:
            return timedelta(0)
        return timedelta(seconds=asyncio.get_running_loop().time() - self._protocol.received)

    @property
    def is_closing(self) -> bool:
        """Whether it is being closed: commands that it sends now are ignored."""
        return self._closing is not None

    def close(self, code: CloseCode) -> asyncio.Task[None]:
        """Close it once the queue is sent, or cut it off if that takes too long."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(code))
        return self._closing

    async def _close(self, code: CloseCode) -> None:
        with suppress(Exception):  # it may be closed already, or the client gone
            async with asyncio.timeout(CLOSES_WITHIN):
                await self.queue.flush()
                self.queue.close()
                await self._socket.close(code)
        self.queue.close()
        if self._protocol is not None and code is CloseCode.TOO_SLOW:
            self._protocol.finish(CUT_OFF_WITHIN)
        elif self._protocol is not None:
            self._protocol.finish()

    def _too_slow(self) -> None:
        self.close(CloseCode.TOO_SLOW)

    def gone(self) -> None:
        """Nothing more can be sent."""
        self.queue.close()
        if self._protocol is not None:
            self._protocol.finish()
