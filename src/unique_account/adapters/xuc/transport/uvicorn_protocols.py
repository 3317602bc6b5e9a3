"""What uvicorn lacks for WebSockets that nobody trusts: every frame counts, and an end by force.

A token is in the address of every WebSocket, and uvicorn logs addresses: below a warning nothing is logged.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from unique_account.adapters.xuc.transport.rate_limit import RateLimit
from unique_account.http_server.connection_limit import ClientConnection
from unique_account.http_server.protocol import TAKEN_WITHIN, is_failure
from unique_account.http_server.small_reads import SmallReads

PING_EVERY: Final = 10.0
"""How many seconds lie between two pings of a WebSocket."""

PONG_WITHIN: Final = 5.0
"""In how many seconds each has to be answered."""

GONE_WITHIN: Final = 5.0
"""How many seconds a closing connection has to take what was sent before."""

CUT_OFF_WITHIN: Final = 0.2
"""How many seconds a client that was too slow or too fast has to see why it is closed."""

SLICE: Final = 256
"""How many bytes are decoded before it is looked at how many frames they were."""

COUNTS_AGAIN: Final = 4096
"""After how many bytes a frame counts once more."""

MOST_FRAGMENTS: Final = 64
"""Of how many frames a message may be made."""

TOO_FAST: Final = 4006
"""The close code of a client that sends more than may be."""

TOO_LARGE: Final = 1009

EXTENSION: Final = "unique_account.wire"
"""Under which name the wire is in the ``extensions`` of a WebSocket's scope."""

_QUIET: Final = logging.getLogger("uvicorn.error.unique_account")
_QUIET.setLevel(logging.WARNING)
_QUIET.addFilter(is_failure)


class SocketWire(WebSocketsSansIOProtocol, SmallReads):
    """A WebSocket whose frames are counted, that knows when its peer was last heard, and can be cut off.

    It is read no further while its client reads nothing, while the application has a message to take, and
    while it has sent more than may be.

    Attributes:
        connection: What it counts as among the connections.
        known: Whether it is logged in, so that it has to wait for no stranger.
        heard: When bytes last came, on the event loop's clock: a sign of life, whatever they were.
        fell_silent: Whether the peer was given up because it answered no more.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        state = kwargs["server_state"]
        self.logger = _QUIET
        self.conn.logger = _QUIET
        self.conn.debug = False
        self.connection: ClientConnection | None = None
        self.known = False
        self.received = self.loop.time()
        self.fell_silent = False
        self._limiter = state.limiter
        self._round_robin = state.round_robin
        self._unread = bytearray()
        self._queued = False
        self._deaf = False
        self._pace = RateLimit(self.loop.time())
        self._resting: asyncio.TimerHandle | None = None
        self._untaken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Let the kernel, too, give up on a peer that takes nothing."""
        super().connection_made(transport)
        with suppress(OSError, AttributeError):
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 20_000)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        for timer in (self._resting, self._untaken):
            if timer is not None:
                timer.cancel()
        self._deafen()
        if self.connection is not None:
            self._limiter.leaves(self.connection)
        super().connection_lost(exc)

    def eof_received(self) -> None:
        """A peer that sends nothing more takes what was sent soon, or not at all."""
        self.finish()

    # -- what comes ----------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take the request for the WebSocket, and after that frames."""
        self.received = self.loop.time()
        if not self.handshake_initiated:
            super().data_received(data)
            if not self.handshake_initiated:  # too long a line, or too many; nothing else comes of it
                self.transport.write(b"".join(self.conn.data_to_send()))
                self.dismiss()
        elif not self._deaf:
            self._unread += data
            self._go_on()

    def _go_on(self) -> None:
        """Decode what is there, in turn with others unless the client is logged in."""
        if not self._unread and self._may_read():
            self.transport.resume_reading()
        elif not self._unread or not self._may_read() or self._queued:
            self.transport.pause_reading()
        elif self.known:
            self._decode()
        else:
            self._queued = True
            self.transport.pause_reading()
            self._round_robin.enter(self._turn)

    def _turn(self) -> float:
        self._queued = False
        if self._unread and self._may_read():
            self._decode()
        return 0.0

    def _may_read(self) -> bool:
        return not (
            self._deaf
            or self._resting
            or self.read_paused
            or not self.writable.is_set()
            or self.transport.is_closing()
        )

    def _decode(self) -> None:
        """Decode a slice, and count its frames."""
        piece = bytes(self._unread[:SLICE])
        del self._unread[:SLICE]
        super().data_received(piece)
        self._go_on()

    def handle_events(self) -> None:
        """Count every frame, whatever it is, and a large one as several."""
        frames = sum(_weight(event) for event in self.conn.events if isinstance(event, Frame))
        super().handle_events()
        if frames and not self._deaf:
            self._count(frames)

    def _count(self, frames: int) -> None:
        now = self.loop.time()
        wait = self._pace.wait(now, frames)
        if self._pace.too_fast(now):
            self._end(TOO_FAST)
        elif wait and self._resting is None:
            self._resting = self.loop.call_later(wait, self._rested)

    def _rested(self) -> None:
        self._resting = None
        self._go_on()

    def handle_cont(self, event: Frame) -> None:
        """Take a part of a message, which has not too many."""
        if len(self.frames) < MOST_FRAGMENTS:
            super().handle_cont(event)
        else:
            self._end(TOO_LARGE)

    async def receive(self) -> Any:
        """What is next for the application; what was read after it is decoded then."""
        message = await super().receive()
        if not self.read_paused:
            self._go_on()
        return message

    # -- what goes -----------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        """Read nothing from a client that takes nothing, and wait for it, but not for ever."""
        super().pause_writing()
        self.transport.pause_reading()
        self._untaken = self.loop.call_later(TAKEN_WITHIN, self.abort)

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        if self._untaken is not None:
            self._untaken.cancel()
        self._go_on()

    def handle_connect(self, event: Any) -> None:
        """Show the wire to the application."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]

    # -- the end -------------------------------------------------------------------------------------

    def keepalive_timeout(self) -> None:
        """A peer that is silent will not take a close either."""
        self.fell_silent = True
        super().keepalive_timeout()
        self.abort()

    def _deafen(self) -> None:
        self._deaf = True
        self._unread.clear()
        self.transport.pause_reading()

    def _end(self, code: int) -> None:
        """Say why it is closed, read nothing more, and cut it off soon."""
        self._deafen()
        if self.handshake_complete and not self.close_sent and not self.transport.is_closing():
            self.conn.send_close(code)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        self.finish(CUT_OFF_WITHIN)

    def dismiss(self) -> None:
        """Read nothing more of a client that was refused; it is gone once it has taken what was sent."""
        self._deafen()
        self.transport.close()
        self.finish(CUT_OFF_WITHIN)

    def abort(self) -> None:
        """Cut the connection off now."""
        self.transport.abort()

    def finish(self, within: float = GONE_WITHIN) -> None:
        """Cut the connection off if it is not closed within so many seconds."""
        self.loop.call_later(within, self.transport.abort)


def _weight(frame: Frame) -> int:
    """As how many frames one counts."""
    return 1 + len(frame.data) // COUNTS_AGAIN
