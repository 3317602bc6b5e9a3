"""What uvicorn lacks for clients that nobody trusts: deadlines, an end by force, and silence in logs.

A token is in the address of every WebSocket, and uvicorn logs addresses: below a warning nothing is logged.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

PING_EVERY: Final = 10.0
"""How many seconds lie between two pings of a WebSocket."""

PONG_WITHIN: Final = 5.0
"""In how many seconds each has to be answered."""

REQUEST_WITHIN: Final = 10.0
"""In how many seconds a connection has to say what it wants."""

GONE_WITHIN: Final = 5.0
"""How many seconds a closing connection has to take what was sent before."""

EXTENSION: Final = "unique_account.wire"
"""Under which name the wire is in the ``extensions`` of a WebSocket's scope."""

_QUIET: Final = logging.getLogger("uvicorn.error.unique_account")
_QUIET.setLevel(logging.WARNING)


def _set(transport: Any, option: int, value: int) -> None:
    """Set an option of TCP, where the transport is one."""
    with suppress(OSError, AttributeError):
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, option, value)


class HttpWire(H11Protocol):
    """A connection that says soon what it wants, or is cut off."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Wait for a first request, but not for ever; send at once what is to be sent.

        One connection more than may be ends here: uvicorn counts requests only, and WebSockets are none.
        """
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            transport.abort()
        _set(transport, socket.TCP_NODELAY, 1)  # asyncio does so only for sockets that name their protocol
        self._deadline = self.loop.call_later(REQUEST_WITHIN, self._overdue)

    def data_received(self, data: bytes) -> None:
        """Take a request; one that has begun and is not whole is waited for, but not for ever."""
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle
        waiting = cycle is None or cycle.response_complete
        if not waiting and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        elif waiting and self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_WITHIN, self._overdue)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _overdue(self) -> None:
        self._deadline = None
        if self.transport.get_protocol() is self:  # else it is a WebSocket by now
            self.transport.abort()


class SocketWire(WebSocketsSansIOProtocol):
    """A WebSocket that knows when its peer was last heard, and can be cut off.

    Attributes:
        heard: When bytes last came, on the event loop's clock: a sign of life, whatever they were.
        fell_silent: Whether the peer was given up because it answered no more.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = _QUIET
        self.conn.logger = _QUIET
        self.conn.debug = False
        self.heard = self.loop.time()
        self.fell_silent = False

    def connection_made(self, transport: Any) -> None:
        """Let the kernel, too, give up on a peer that takes nothing."""
        super().connection_made(transport)
        _set(transport, socket.TCP_USER_TIMEOUT, 20_000)

    def data_received(self, data: bytes) -> None:
        """Notice a sign of life."""
        self.heard = self.loop.time()
        super().data_received(data)

    def handle_connect(self, event: Any) -> None:
        """Show the wire to the application."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]

    def keepalive_timeout(self) -> None:
        """A peer that is silent will not take a close either."""
        self.fell_silent = True
        super().keepalive_timeout()
        self.abort()

    def abort(self) -> None:
        """Cut the connection off now."""
        self.transport.abort()

    def finish(self, within: float = GONE_WITHIN) -> None:
        """Cut the connection off if it is not closed within so many seconds."""
        self.loop.call_later(within, self.transport.abort)
