"""One open WebSocket of a user: what it was sent, what it watches, and how it ends."""

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
from unique_account.adapters.xuc.protocol.outgoing import message
from unique_account.adapters.xuc.transport.query_budget import QueryBudget
from unique_account.adapters.xuc.transport.send_queue import SendQueue
from unique_account.adapters.xuc.transport.uvicorn_protocols import (
    CUT_OFF_WITHIN,
    EXTENSION,
    TOO_FAST,
    SocketWire,
)

CLOSES_WITHIN: Final = 2.0
"""How many seconds a client has to take what waits for it, and a close, before it is cut off."""

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


class Tab:
    """One WebSocket, mostly a tab of a browser.

    Attributes:
        user: Its user's id.
        token: What it logged in with.
        session: The session that it belongs to.
        connection: Its own name, never given twice.
        watched: The numbers whose presence it watches.
        rings: Whether it has the line.
    """

    __slots__ = (
        "_closing",
        "_outbox",
        "_socket",
        "_wire",
        "connection",
        "rings",
        "session",
        "token",
        "user",
        "watched",
    )

    def __init__(self, socket: WebSocket, token: Token) -> None:
        self.user = token.user
        self.token = token
        self.session = token.session
        self.connection = f"{_PROCESS}-{next(_numbers)}"
        self.watched: set[str] = set()
        self.rings = False
        self._socket = socket
        self._wire: SocketWire | None = socket.scope["extensions"].get(EXTENSION)
        self._outbox = SendQueue(socket.send_text, self._too_slow)
        self._closing: asyncio.Task[None] | None = None

    def send(self, frame: str, number: str | None = None) -> None:
        """Send a frame, in place of one that waits if it shows the presence of a number; never waits."""
        self._outbox.put(frame, number)

    def report(self, kind: str, content: object) -> None:
        """Send a message."""
        self.send(message(kind, content))

    @property
    def is_gone(self) -> bool:
        """Whether nothing more can be sent."""
        return self._outbox.closed

    @asynccontextmanager
    async def question(self, budget: QueryBudget) -> AsyncIterator[QueryBudget]:
        """Wait until a costly question may be answered; the lines of the answer are counted by the budget.

        The client has taken what it was sent before, and it is the user's turn.

        Raises:
            CommandFailed: Too many questions of this user are waiting.
            ConnectionError: The client is gone.
        """
        await self._outbox.flush()
        async with budget.question():
            if self.is_gone:
                raise ConnectionError("the client is gone")
            yield budget

    @property
    def silent_for(self) -> timedelta:
        """How long ago the last sign of life came (S5); a close is one, and so is a connection torn down."""
        if self._wire is None or not self._wire.fell_silent:
            return timedelta(0)
        return timedelta(seconds=asyncio.get_running_loop().time() - self._wire.received)

    @property
    def is_closing(self) -> bool:
        """Whether it is being closed: what comes from it now is too late."""
        return self._closing is not None

    def close(self, code: CloseCode) -> asyncio.Task[None]:
        """Close it once all is sent that waits, or cut it off if that takes too long."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(code))
        return self._closing

    async def _close(self, code: CloseCode) -> None:
        with suppress(Exception):  # it may be closed already, or the client gone
            async with asyncio.timeout(CLOSES_WITHIN):
                await self._outbox.flush()
                self._outbox.close()
                await self._socket.close(code)
        self._outbox.close()
        if self._wire is not None and code is CloseCode.TOO_SLOW:
            self._wire.finish(CUT_OFF_WITHIN)
        elif self._wire is not None:
            self._wire.finish()

    def _too_slow(self) -> None:
        self.close(CloseCode.TOO_SLOW)

    def gone(self) -> None:
        """Nothing more can be sent."""
        self._outbox.close()
        if self._wire is not None:
            self._wire.finish()
