"""The end of a WebSocket that uvicorn serves: a close, a deadline after it, and a cut.

A token is in the address of every WebSocket, and uvicorn logs addresses: below a warning nothing is logged.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from unique_account.http_server.connection_limit import ClientConnection
from unique_account.http_server.protocol import TAKEN_WITHIN, is_failure

GONE_WITHIN: Final = 5.0
"""How many seconds a closing connection has to read what was sent before."""

CUT_OFF_WITHIN: Final = 0.2
"""How many seconds a client that was too slow or too fast has to read why it is closed."""

_QUIET: Final = logging.getLogger("uvicorn.error.unique_account")
_QUIET.setLevel(logging.WARNING)
_QUIET.addFilter(is_failure)


class ClosableWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that can be cut off, and that waits for no client for ever.

    Attributes:
        connection: Its place in the connection limit.
        received: When bytes last arrived, on the event loop's clock: a sign of life, whatever they were.
        fell_silent: Whether it was cut off because the client answered no ping.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = _QUIET
        self.conn.logger = _QUIET
        self.conn.debug = False
        self.connection: ClientConnection | None = None
        self.received = self.loop.time()
        self.fell_silent = False
        self._limiter = kwargs["server_state"].limiter
        self._stopped = False
        self._write_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Let the kernel, too, give up on a client that reads nothing."""
        super().connection_made(transport)
        with suppress(OSError, AttributeError):
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 20_000)

    def connection_lost(self, exc: Exception | None) -> None:
        """Free the place in the connection limit."""
        self._cancel_write_deadline()
        self.stop_reading()
        if self.connection is not None:
            self._limiter.leaves(self.connection)
        super().connection_lost(exc)

    def eof_received(self) -> None:
        """A client that sends nothing more has a deadline for reading."""
        self.finish()

    def pause_writing(self) -> None:
        """Wait for a client that does not read, but not for ever."""
        super().pause_writing()
        self._write_deadline = self.loop.call_later(TAKEN_WITHIN, self.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._cancel_write_deadline()

    def _cancel_write_deadline(self) -> None:
        if self._write_deadline is not None:
            self._write_deadline.cancel()

    def keepalive_timeout(self) -> None:
        """Cut a silent client off: it would not read a close either."""
        self.fell_silent = True
        super().keepalive_timeout()
        self.abort()

    def stop_reading(self) -> None:
        """Read nothing more."""
        self._stopped = True
        self.transport.pause_reading()

    def close_now(self, code: int) -> None:
        """Send a close with this code, read nothing more, and cut the connection off soon."""
        self.stop_reading()
        if self.handshake_complete and not self.close_sent and not self.transport.is_closing():
            self.conn.send_close(code)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        self.finish(CUT_OFF_WITHIN)

    def dismiss(self) -> None:
        """Read nothing more from a refused client; close once it has read the answer."""
        self.stop_reading()
        self.transport.close()
        self.finish(CUT_OFF_WITHIN)

    def abort(self) -> None:
        """Cut the connection off now."""
        self.transport.abort()

    def finish(self, within: float = GONE_WITHIN) -> None:
        """Cut the connection off if it is not closed within so many seconds."""
        self.loop.call_later(within, self.transport.abort)
