"""Hands the page's files out over HTTP, with their headers."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from os import PathLike, stat_result
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from unique_account.assistant import PAGE, headers

CHUNK: Final = 16 * 1024
"""How many bytes are sent before it is looked at whether the client takes them."""

COMPRESSED: Final = frozenset({".css", ".html", ".js", ".svg", ".webmanifest"})
"""The kinds of files that are sent with gzip; fonts and pictures are compressed already."""

TYPES: Final[Mapping[str, str]] = {
    ".js": "text/javascript; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
"""The types that do not depend on the tables of this machine."""

_NOTHING_ELSE: Final[Mapping[str, Path]] = {}


class PageFiles(StaticFiles):
    """An ASGI application that serves the page; ``/`` is its ``index.html``.

    A file is in memory once for all who ask for it, so that a client that takes nothing holds none open.

    Args:
        servers: The origins that the browser's phone connects to by SIP.
        folder: Where the files are.
        instead: Files to serve in the place of the page's own, by their path within the page.
    """

    def __init__(
        self, *servers: str, folder: Path = PAGE, instead: Mapping[str, Path] = _NOTHING_ELSE
    ) -> None:
        super().__init__(directory=folder, html=True)
        self._headers = headers(*servers)
        self._instead = dict(instead)
        self._read: dict[tuple[str, bool], tuple[tuple[float, int], bytes]] = {}

    def lookup_path(self, path: str) -> tuple[str, stat_result | None]:
        """The file that a path of the page stands for."""
        instead = self._instead.get(path)
        return (str(instead), instead.stat()) if instead else super().lookup_path(path)

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """A file with the headers of the page, with gzip if that helps and the client accepts it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(self._headers)
        path, compressible = Path(full_path), Path(full_path).suffix in COMPRESSED
        if compressible:
            response.headers["Vary"] = "Accept-Encoding"
        if not isinstance(response, FileResponse):
            return response
        response.headers["Content-Type"] = TYPES.get(path.suffix, response.headers["Content-Type"])
        compressed = compressible and accepts_gzip(Headers(scope=scope).get("accept-encoding", ""))
        if compressed:
            response.headers["Content-Encoding"] = "gzip"
            response.headers["ETag"] = f"W/{response.headers['ETag']}"
        changed = (stat_result.st_mtime, stat_result.st_size)
        return _Whole(self._content(str(path), compressed, changed), response.headers, status_code)

    def _content(self, path: str, compressed: bool, changed: tuple[float, int]) -> bytes:
        known = self._read.get((path, compressed))
        if known is None or known[0] != changed:
            content = Path(path).read_bytes()
            known = changed, gzip.compress(content, mtime=0) if compressed else content
            self._read[path, compressed] = known
        return known[1]


def accepts_gzip(encodings: str) -> bool:
    """Whether an ``Accept-Encoding`` header names gzip and does not forbid it by ``q=0``."""
    for encoding in encodings.split(","):
        name, _, quality = encoding.replace(" ", "").lower().partition(";q=")
        if name == "gzip":
            return quality.rstrip("0") not in ("0.", "") if quality else True
    return False


class _Whole(Response):
    """A file as a whole, whatever range of it was asked for."""

    def __init__(self, content: bytes, headers: MutableHeaders, status_code: int) -> None:
        super().__init__(None, status_code)
        self._content = content
        self.raw_headers = headers.raw
        self.headers["Accept-Ranges"] = "none"
        self.headers["Content-Length"] = str(len(content))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, no faster than the client takes it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        content = b"" if scope["method"] == "HEAD" else self._content
        for start in range(0, len(content), CHUNK):
            part = content[start : start + CHUNK]
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
