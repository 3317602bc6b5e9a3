"""WebSockets of untrusted clients in uvicorn: frames are read slowly enough, and every one counts."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from websockets.frames import Frame, Opcode

from unique_account.adapters.xuc.transport.client_logs import LogRate, is_log
from unique_account.adapters.xuc.transport.rate_limit import RateLimit
from unique_account.adapters.xuc.transport.websocket_closing import ClosableWebSocket
from unique_account.http_server.small_reads import SmallReads

PING_EVERY: Final = 10.0
"""How many seconds lie between two pings of a WebSocket."""

PONG_WITHIN: Final = 5.0
"""Within how many seconds each has to be answered."""

LARGEST: Final = 16 * 1024
"""How many bytes a message may have that is not a log."""

SLICE: Final = 256
"""How many bytes are decoded before their frames are counted."""

COUNTS_AGAIN: Final = 4096
"""After how many bytes a frame counts once more."""

LONGEST_BEGINNING: Final = 256
"""By how many bytes of a message a log is recognised."""

MOST_FRAGMENTS: Final = 64
"""Of how many frames a message may consist."""

TOO_FAST: Final = 4006
"""The close code for a client that sends more than allowed."""

TOO_LARGE: Final = 1009

EXTENSION: Final = "unique_account.websocket"
"""The name of the protocol in the ``extensions`` of a WebSocket's scope."""


class WebSocketProtocol(ClosableWebSocket, SmallReads):
    """A WebSocket whose frames are counted, and whose client's logs are thrown away.

    It pauses reading while its client reads nothing, while the application has a message to take, and while
    the client has sent more than allowed.

    Attributes:
        logged_in: Whether its client is logged in, and so is read without waiting for strangers.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logged_in = False
        self._round_robin = kwargs["server_state"].round_robin
        self._unread = bytearray()
        self._queued = False
        self._early = 0
        self._in_log = False  # of the frames that are counted
        self._logging = False  # of those that are handled
        self._rate_limit = RateLimit(self.loop.time())
        self._log_rate = LogRate(self.loop.time())
        self._rate_timer: asyncio.TimerHandle | None = None

    def handle_connect(self, event: Any) -> None:
        """Show the protocol to the application."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timer, too."""
        if self._rate_timer is not None:
            self._rate_timer.cancel()
        super().connection_lost(exc)

    def stop_reading(self) -> None:
        """Read nothing more, and drop what was not decoded."""
        super().stop_reading()
        self._unread.clear()

    def data_received(self, data: bytes) -> None:
        """Take the request for the WebSocket, and after that frames."""
        self.received = self.loop.time()
        if not self.handshake_initiated:
            super().data_received(data)
            if not self.handshake_initiated:  # too long a line, or too many: the request was refused
                self.transport.write(b"".join(self.conn.data_to_send()))
                self.dismiss()
        elif not self._stopped:
            self._unread += data
            if not self.logged_in and self._read_early(len(data)):
                return
            self._continue_reading()

    def _read_early(self, size: int) -> bool:
        """Close for a client that sends more than one message before it is logged in; True: it did."""
        self._early += size
        if self._early > 2 * LARGEST:
            self.close_now(TOO_LARGE)
        return self._stopped

    def _continue_reading(self) -> None:
        """Decode what is there, in turn with others unless the client is logged in."""
        if not self._unread and self._may_read():
            self.transport.resume_reading()
        elif not self._unread or not self._may_read() or self._queued:
            self.transport.pause_reading()
        elif self.logged_in:
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
            self._stopped
            or self._rate_timer
            or self.read_paused
            or not self.writable.is_set()
            or self.transport.is_closing()
        )

    def _decode(self) -> None:
        """Decode a slice, and count its frames."""
        piece = bytes(self._unread[:SLICE])
        del self._unread[:SLICE]
        super().data_received(piece)
        self._continue_reading()

    def handle_events(self) -> None:
        """Count every frame, of whatever kind, and a large one as several; logs by their bytes."""
        frames = logged = 0
        for event in self.conn.events:
            if isinstance(event, Frame):
                if self._is_of_log(event):
                    logged += len(event.data)
                else:
                    frames += _weight(event)
        super().handle_events()
        if frames and not self._stopped:
            self._count(frames)
        if logged and not self._stopped:
            self._pause(self._log_rate.wait(self.loop.time(), logged))

    def _is_of_log(self, event: Frame) -> bool:
        """Whether a frame is one of a log: its first one, or one that follows it."""
        if event.opcode is Opcode.TEXT:
            self._in_log = is_log(bytes(event.data[:LONGEST_BEGINNING]))
        elif event.opcode is Opcode.BINARY:
            self._in_log = False
        return self._in_log and event.opcode in (Opcode.TEXT, Opcode.CONT)

    def _count(self, frames: int) -> None:
        now = self.loop.time()
        wait = self._rate_limit.wait(now, frames)
        if self._rate_limit.too_fast(now):
            self.close_now(TOO_FAST)
        else:
            self._pause(wait)

    def _pause(self, seconds: float) -> None:
        """Read nothing for some seconds."""
        if seconds and self._rate_timer is None:
            self._rate_timer = self.loop.call_later(seconds, self._resume)

    def _resume(self) -> None:
        self._rate_timer = None
        self._continue_reading()

    def handle_text(self, event: Frame) -> None:
        """Take a message, or throw a log away."""
        if is_log(bytes(event.data[:LONGEST_BEGINNING])):
            self._logging = True
            self.frames = []
        elif self._fits(event):
            self._logging = False
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """Take a message that is no text."""
        self._logging = False
        if self._fits(event):
            super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        """Take a fragment of a message, unless it has too many, or throw that of a log away."""
        if self._logging:
            return
        if len(self.frames) >= MOST_FRAGMENTS:
            self.close_now(TOO_LARGE)
        elif self._fits(event, *self.frames):
            super().handle_cont(event)

    def _fits(self, event: Frame, *before: bytes) -> bool:
        """Whether a message is not too large so far; closes otherwise."""
        fits = len(event.data) + sum(map(len, before)) <= LARGEST
        if not fits:
            self.close_now(TOO_LARGE)
        return fits

    async def receive(self) -> Any:
        """The next message for the application; then what was read after it is decoded."""
        message = await super().receive()
        if not self.read_paused:
            self._continue_reading()
        return message

    def pause_writing(self) -> None:
        """Read nothing from a client that reads nothing."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on."""
        super().resume_writing()
        self._continue_reading()


def _weight(frame: Frame) -> int:
    """As how many frames one counts."""
    return 1 + len(frame.data) // COUNTS_AGAIN
