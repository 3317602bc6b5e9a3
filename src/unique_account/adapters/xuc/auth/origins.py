"""Which origins may use the server."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

_PORTS: Final = {"http": 80, "https": 443}
_SCHEMES: Final = {"ws": "http", "wss": "https"}


def may_connect(connection: HTTPConnection, origins: Collection[str]) -> bool:
    """Whether a page of this origin may connect; a request without an origin is not from a page.

    A page of the server's own origin may: same scheme, host and port. Behind a trusted proxy, the scheme is
    that of the request to the proxy.

    Args:
        connection: A request, or the one for a WebSocket.
        origins: Other origins that may.
    """
    origin = connection.headers.get("origin")
    if origin is None or origin in origins:
        return True
    scheme = str(connection.scope["scheme"])
    own = f"{_SCHEMES.get(scheme, scheme)}://{connection.headers.get('host', '')}"
    parts = _parts(origin)
    return parts is not None and parts == _parts(own)


def _parts(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None if it is not an origin."""
    try:
        url = urlsplit(origin)
        port = url.port or _PORTS[url.scheme]
    except (ValueError, KeyError):
        return None
    if not url.hostname or url.path or url.query or url.fragment or "@" in url.netloc:
        return None
    return url.scheme, url.hostname, port
