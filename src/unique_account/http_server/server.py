"""A uvicorn server that is part of a process, and lets in no more than may be."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from unique_account.http_server.connection_limit import ClientConnection, ConnectionLimit, Limits
from unique_account.http_server.listener import Listener
from unique_account.http_server.protocol import ConnectionState, HttpProtocol
from unique_account.http_server.round_robin import RoundRobin


class Server(uvicorn.Server):
    """A server that leaves signals to the process that it is part of, and stops when it is asked to.

    Args:
        config: How it serves.
        limits: How many connections there may be.
    """

    def __init__(self, config: uvicorn.Config, limits: Limits) -> None:
        super().__init__(config)
        self._state = ConnectionState(ConnectionLimit(limits), RoundRobin(asyncio.get_running_loop()))
        self.server_state = self._state
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Stop."""
        self.should_exit = True
        self._stopped.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Let connections in."""
        await self.lifespan.startup()
        listeners = [
            Listener(sock, self._state.limiter, self._state.round_robin, self._protocol)
            for sock in sockets or ()
        ]
        for listener in listeners:
            listener.open()
        self.servers = cast(Any, listeners)  # uvicorn closes its servers and waits for that, no more
        self.started = True

    def _protocol(self, connection: ClientConnection) -> HttpProtocol:
        return HttpProtocol(connection, self.config, self._state, self.lifespan.state)

    async def main_loop(self) -> None:
        """Wait until it is asked to stop."""
        await self._stopped.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def config(app: ASGIApp, **more: Any) -> uvicorn.Config:
    """How an application is served to strangers: nothing of what they send is logged."""
    quiet = {"lifespan": "off", "log_config": None, "access_log": False, "server_header": False}
    return uvicorn.Config(app, **{**quiet, "http": HttpProtocol, **more})
