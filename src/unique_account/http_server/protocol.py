"""HTTP with a deadline for everything: asking, being answered, and being gone."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import h11
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from unique_account.http_server.connection_limit import ClientConnection, ConnectionLimit
from unique_account.http_server.round_robin import RoundRobin
from unique_account.http_server.small_reads import SmallReads

REQUEST_WITHIN: Final = 10.0
"""In how many seconds a connection has to say what it wants."""

ANSWERED_WITHIN: Final = 30.0
"""In how many seconds after that it is answered."""

TAKEN_WITHIN: Final = 10.0
"""In how many seconds a client has to take an answer, from when it first did not."""

LINGERS: Final = 1.0
"""For how many seconds one is listened to that goes on with a request that is answered."""

MOST_LINES: Final = 128
"""How many lines the head of a request may have."""

SLICE: Final = 512
"""How many bytes of a stranger are looked at before those of the next one."""

ANSWER_TAKES: Final = 0.001
"""How many seconds of work an answer is."""

WAITS: Final = 16 * 1024
"""How many bytes of an answer may wait for the client before no more are made."""

_QUIET: Final = logging.getLogger("uvicorn.error.strangers")
_QUIET.setLevel(logging.ERROR)  # what strangers do wrong is nothing to warn of


def is_failure(line: logging.LogRecord) -> bool:
    """Whether a line is about more than an answer that is given up because the server stops."""
    return line.exc_info is None or not isinstance(line.exc_info[1], asyncio.CancelledError)


_QUIET.addFilter(is_failure)


class ConnectionState(ServerState):
    """What all connections of a server share.

    Attributes:
        limiter: Who is there.
        round_robin: In which turn strangers are read.
    """

    def __init__(self, limiter: ConnectionLimit, round_robin: RoundRobin) -> None:
        super().__init__()
        self.limiter = limiter
        self.round_robin = round_robin


class HttpProtocol(H11Protocol, SmallReads):
    """A stranger's connection."""

    def __init__(
        self, connection: ClientConnection, config: Config, state: ConnectionState, app_state: dict[str, Any]
    ) -> None:
        super().__init__(config, state, app_state)
        self.logger = _QUIET
        self._connection = connection
        self._limiter = state.limiter
        self._round_robin = state.round_robin
        self._unread = bytearray()
        self._lines = 0
        self._blocked = False
        self._answering = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Wait for a first request, but not for ever."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(WAITS)
        self._connection.transport = transport
        self._expect(REQUEST_WITHIN)
        self._connection.idle = self._connection.says() is None
        if not self._connection.here:  # it had to go meanwhile
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._expect(None)
        self._unread.clear()
        self._limiter.leaves(self._connection)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Let bytes wait for their turn."""
        if not self._unread:
            self._round_robin.enter(self._turn)
        self._unread += data
        self._connection.idle = False
        self.transport.pause_reading()

    def _turn(self) -> float:
        """Look at some of the bytes; the rest has to wait for its turn again."""
        if self.transport.is_closing():
            self._unread.clear()
            return 0.0
        piece = bytes(self._unread[:SLICE])
        del self._unread[:SLICE]
        if self._is_endless(piece):
            self.transport.abort()
            return 0.0
        under_way = len(self.tasks)
        super().data_received(piece)
        self._look()
        if self.transport.get_protocol() is self:
            self._go_on()
        return ANSWER_TAKES if len(self.tasks) > under_way else 0.0

    def _go_on(self) -> None:
        if self._unread:
            self._round_robin.enter(self._turn)
            return
        if not self.flow.read_paused:
            self.transport.resume_reading()
        self._connection.idle = self._blocked or not self._is_whole()

    def _is_endless(self, piece: bytes) -> bool:
        """Whether a head has more lines than any that means well."""
        if self.conn.their_state is not h11.IDLE:
            self._lines = 0
            return False
        self._lines += piece.count(b"\n")
        return self._lines > MOST_LINES

    def _is_whole(self) -> bool:
        """Whether a request is there as a whole, and its answer is not."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    def _look(self) -> None:
        """Notice a request that is being answered, and whether another one comes before that is done."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            return
        if not self._answering and not self.flow.write_paused:
            self._answering = True
            self._expect(ANSWERED_WITHIN)
        if not cycle.more_body and self.conn.trailing_data[0]:
            cycle.keep_alive = False

    def on_response_complete(self) -> None:
        """Wait for the next request; a client that goes on with this one is not waited for."""
        self._answering = self._blocked = False
        self._lines = 0
        self._limiter.again(self._connection)
        self._connection.idle = not self._unread
        self._expect(LINGERS if self.conn.their_state is h11.SEND_BODY else REQUEST_WITHIN)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Wait for the client to take what it is sent."""
        super().pause_writing()
        if not self._blocked:
            self._expect(TAKEN_WITHIN)
        self._blocked = self._connection.idle = True

    def resume_writing(self) -> None:
        """Go on; what it took so far is not forgotten."""
        super().resume_writing()
        self._connection.idle = not self._is_whole()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Be a stranger no more."""
        self._expect(None)
        self._limiter.settles(self._connection)
        super().handle_websocket_upgrade(event)
        self.transport.get_protocol().connection = self._connection  # type: ignore[attr-defined]

    def _expect(self, within: float | None) -> None:
        """Cut the connection off unless something else is expected within so many seconds."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if within is None else self.loop.call_later(within, self.transport.abort)
