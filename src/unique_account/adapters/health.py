"""Health, readiness and metrics over HTTP: pages that change nothing."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unique_account.http_server import server
from unique_account.http_server.connection_limit import Limits, Proxies
from unique_account.ports.bus import BusStanding
from unique_account.ports.group_leases import GroupRole, GroupStanding

CLOSES_WITHIN: Final = 2
"""How many seconds requests under way have to end when the server stops."""

MOST: Final = 128
"""How many connections there may be; of more, idle ones are closed first."""

BACKLOG: Final = 1024
"""How many connections may wait to be accepted, as while the server starts."""

MOST_OF_ADDRESS: Final = 32
"""How many of them may be from one address of another machine."""

_AT_REST: Final = (GroupRole.STANDBY, GroupRole.STARTING)
"""What a process is that is well though it is connected to no node."""

HERE: Final = Proxies(("127.0.0.0/8", "::1"))
"""This machine, where probes and attacks may both come from."""


def application(
    nodes: Callable[[], Mapping[str, bool]],
    store: Callable[[], bool],
    metrics: Callable[[], bytes],
    group: Callable[[], GroupStanding] | None = None,
    bus: Callable[[], BusStanding | None] = lambda: None,
) -> Starlette:
    """The pages ``/health`` and ``/metrics``, and for a process of a group ``/ready``.

    Args:
        nodes: Which nodes are connected.
        store: Whether the store of the accounts can be reached.
        metrics: The metrics, in Prometheus' text format.
        group: How things stand in the group of the process; None: it is of no group.
        bus: How the bus stands; None where there is none. Calls need none, so it leaves the status.
    """

    async def health(_: Request) -> Response:
        if group is not None and group().role in _AT_REST:
            return JSONResponse({"status": "ok", "role": group().role})
        connected, stores = nodes(), store()
        whole = stores and all(connected.values())
        report = {
            **({"role": group().role} if group else {}),
            "status": "ok" if whole else "degraded",
            "nodes": {name: _word(up) for name, up in connected.items()},
            "store": _word(stores),
        }
        if (standing := bus()) is not None:
            report["bus"] = _word(standing.is_connected)
        return JSONResponse(report, 200 if whole else 503)

    async def measured(_: Request) -> Response:
        return Response(metrics(), media_type="text/plain; version=0.0.4")

    async def ready(_: Request) -> Response:
        return _readiness(group()) if group else Response(status_code=404)

    routes = [Route("/health", health), Route("/metrics", measured)]
    return Starlette(routes=routes + [Route("/ready", ready)] * (group is not None))


def _readiness(standing: GroupStanding) -> Response:
    """Whether the process serves users, and which one owns the group."""
    report = {
        "role": standing.role,
        "group": standing.group,
        "name": standing.name,
        "owner": standing.owner or None,
        "address": standing.address or None,
        "epoch": standing.epoch,
        "since": standing.since.isoformat(timespec="seconds") if standing.since else None,
    }
    return JSONResponse(report, 200 if standing.role is GroupRole.OWNER else 503)


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
    limits = Limits(MOST, MOST_OF_ADDRESS, HERE)
    how = server.config(app, ws="none", timeout_graceful_shutdown=CLOSES_WITHIN)
    with server.bind(host, port, BACKLOG, ipv4_too=True) as listener:
        async with server.serving(how, limits, listener):
            yield _url(listener)


def _url(listener: socket.socket) -> str:
    address, port = listener.getsockname()[:2]
    return f"http://{f'[{address}]' if ':' in address else address}:{port}"
