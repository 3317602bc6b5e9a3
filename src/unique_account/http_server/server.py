"""A uvicorn server inside a process: the one way to run one, with bounded connections."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp

from unique_account.http_server.connection_limit import ClientConnection, ConnectionLimit, Limits
from unique_account.http_server.listener import Listener
from unique_account.http_server.protocol import ConnectionState, HttpProtocol
from unique_account.http_server.round_robin import RoundRobin

_LAST_PORT: Final = 65535


class Server(uvicorn.Server):
    """A server that leaves signals to its process, and stops on `stop`.

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
        """Wait for `stop`."""
        await self._stopped.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def config(app: ASGIApp, **more: Any) -> uvicorn.Config:
    """How an application is served to strangers: nothing that they send is logged."""
    quiet = {"lifespan": "off", "log_config": None, "access_log": False, "server_header": False}
    return uvicorn.Config(app, **{**quiet, "http": HttpProtocol, **more})


def bind(host: str, port: int, backlog: int, *, ipv4_too: bool = False) -> socket.socket:
    """A socket that listens; clients that connect before a server runs on it wait.

    Args:
        host: The address to listen on.
        port: The port; 0 for any that is free.
        backlog: How many connections may wait to be accepted.
        ipv4_too: Whether an IPv6 address takes IPv4 clients as well.

    Raises:
        OSError: The address cannot be listened on; the sentence names it.
    """
    if not 0 <= port <= _LAST_PORT:
        raise OSError(errno.EINVAL, f"{host}:{port} cannot be listened on: ports are 0 to {_LAST_PORT}")
    try:
        (family, *_), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        both = ipv4_too and family is socket.AF_INET6 and socket.has_dualstack_ipv6()
        return socket.create_server((host, port), family=family, backlog=backlog, dualstack_ipv6=both)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise OSError(error.errno, f"{host}:{port} cannot be listened on: {reason}") from error


@asynccontextmanager
async def serving(
    how: uvicorn.Config, limits: Limits, listener: socket.socket
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve on a socket until the context is left; yields the task that serves."""
    server = Server(how, limits)
    task = asyncio.create_task(server.serve([listener]))
    try:
        yield task
    finally:
        server.stop()
        await task
