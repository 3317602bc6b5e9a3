"""Health and metrics over HTTP, for whoever watches the process: two pages that change nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unique_account.http_server.connection_limit import Limits, Proxies
from unique_account.http_server.server import Server, config

CLOSES_WITHIN: Final = 2
"""How many seconds those who are being answered have when the server is stopped."""

MOST: Final = 128
"""How many connections there may be; those that say nothing go first when there are more."""

MOST_OF_ADDRESS: Final = 32
"""How many of them may be from one address of another machine."""

HERE: Final = Proxies(("127.0.0.0/8", "::1"))
"""This machine, from which probes and attacks come alike."""


def application(
    nodes: Callable[[], Mapping[str, bool]], store: Callable[[], bool], metrics: Callable[[], bytes]
) -> Starlette:
    """The two pages, ``/health`` and ``/metrics``.

    Args:
        nodes: Which nodes are connected.
        store: Whether the store of the accounts can be reached.
        metrics: The metrics, in Prometheus' text format.
    """

    async def health(_: Request) -> Response:
        connected, stores = nodes(), store()
        whole = stores and all(connected.values())
        said = {
            "status": "ok" if whole else "degraded",
            "nodes": {name: _word(up) for name, up in connected.items()},
            "store": _word(stores),
        }
        return JSONResponse(said, 200 if whole else 503)

    async def measured(_: Request) -> Response:
        return Response(metrics(), media_type="text/plain; version=0.0.4")

    return Starlette(routes=[Route("/health", health), Route("/metrics", measured)])


def _word(up: bool) -> str:
    return "connected" if up else "disconnected"


@asynccontextmanager
async def serving(app: Starlette, host: str, port: int) -> AsyncIterator[str]:
    """Serve an application until the context is left.

    Args:
        app: What is served.
        host: The address to listen on.
        port: The port; 0 for any that is free.

    Yields:
        Where it is served, such as ``http://127.0.0.1:9415``.

    Raises:
        OSError: The address cannot be listened on.
    """
    with _listening(host, port) as listener:
        limits = Limits(MOST, MOST_OF_ADDRESS, HERE)
        server = Server(config(app, ws="none", timeout_graceful_shutdown=CLOSES_WITHIN), limits)
        running = asyncio.create_task(server.serve([listener]))
        address, number = listener.getsockname()[:2]
        try:
            yield f"http://{f'[{address}]' if ':' in address else address}:{number}"
        finally:
            server.stop()
            await running


def _listening(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)  # so that whoever comes before the server has begun waits, and is not refused
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"{host}:{port} cannot be listened on: {error.strerror}") from error
    return listener
