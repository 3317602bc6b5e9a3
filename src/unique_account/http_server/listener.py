"""Lets connections in, a few at a time; where the system has no room for more, they wait."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Final

from unique_account.http_server.connection_limit import ClientConnection, ConnectionLimit
from unique_account.http_server.round_robin import RoundRobin

AT_ONCE: Final = 16
"""How many connections are accepted before everybody else is served."""

MOST_UNMET: Final = 64
"""How many may be accepted and not served yet."""

LOOKS_AGAIN: Final = 0.002
"""After how many seconds those are let in who had to wait for others."""

RESTS: Final = 1.0
"""For how many seconds nobody is let in after the system had no room."""

MEETING_TAKES: Final = 0.0003
"""How many seconds of work it is to begin to serve one."""

BUFFER: Final = 64 * 1024
"""How many bytes the kernel keeps for a connection in each direction; it takes twice as many."""

_OF_EACH: Final = (
    (socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER),
    (socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)
"""Options that a connection has from the socket that it came by."""

LOGGER: Final = logging.getLogger("unique_account")


class Listener:
    """Accepts the connections of a listening socket.

    Args:
        sock: The socket.
        limiter: Who may come in.
        round_robin: In which turn.
        protocol: What serves a connection.
    """

    def __init__(
        self,
        sock: socket.socket,
        limiter: ConnectionLimit,
        round_robin: RoundRobin,
        protocol: Callable[[ClientConnection], asyncio.BaseProtocol],
    ) -> None:
        self._sock = sock
        self._limiter = limiter
        self._round_robin = round_robin
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        sock.setblocking(False)
        for level, option, value in _OF_EACH:
            sock.setsockopt(level, option, value)
        self._unmet = 0
        self._later: asyncio.TimerHandle | None = None
        self._meeting: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Let connections in from now on."""
        self._later = None
        self._loop.add_reader(self._sock, self._accept)

    def close(self) -> None:
        """Let nobody in any more."""
        self._loop.remove_reader(self._sock)
        if self._later is not None:
            self._later.cancel()

    async def wait_closed(self) -> None:
        """Wait until every accepted connection is served or closed."""
        await asyncio.gather(*self._meeting, return_exceptions=True)

    def _rest(self, seconds: float) -> None:
        self._loop.remove_reader(self._sock)
        self._later = self._loop.call_later(seconds, self.open)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            if self._unmet >= MOST_UNMET or self._limiter.patient:
                self._rest(LOOKS_AGAIN)
                return
            try:
                raw, peer = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                LOGGER.warning("no more connections can be accepted for now: %s", error.strerror)
                self._rest(RESTS)
                return
            self._admit(raw, peer)

    def _admit(self, raw: socket.socket, peer: object) -> None:
        raw.setblocking(False)
        connection = ClientConnection(str(peer[0]) if isinstance(peer, tuple) else "", raw)
        if connection.says() != b"" and self._limiter.admits(connection):
            self._unmet += 1
            self._round_robin.enter(partial(self._meet, connection))
        else:
            raw.close()

    def _meet(self, connection: ClientConnection) -> float:
        self._unmet -= 1
        if connection.says() == b"":
            self._limiter.leaves(connection)
            connection.raw.close()
            return 0.0
        task = self._loop.create_task(self._serve(connection))
        self._meeting.add(task)
        task.add_done_callback(self._meeting.discard)
        return MEETING_TAKES

    async def _serve(self, connection: ClientConnection) -> None:
        try:
            await self._loop.connect_accepted_socket(partial(self._protocol, connection), connection.raw)
        except OSError:  # it is gone already
            self._limiter.leaves(connection)
            connection.raw.close()
