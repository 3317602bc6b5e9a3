"""Hands the page's files out over HTTP, with their headers."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, stat_result
from pathlib import Path
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from unique_account.assistant import PAGE, headers

CHUNK: Final = 16 * 1024
"""How many bytes are sent before it is looked at whether the client takes them."""

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
        self._read: dict[str, tuple[tuple[float, int], bytes]] = {}

    def lookup_path(self, path: str) -> tuple[str, stat_result | None]:
        """The file that a path of the page stands for."""
        instead = self._instead.get(path)
        return (str(instead), instead.stat()) if instead else super().lookup_path(path)

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """A file with the headers of the page, whose types do not depend on this machine."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(self._headers)
        if not isinstance(response, FileResponse):
            return response
        if str(full_path).endswith(".js"):
            response.headers["Content-Type"] = "text/javascript; charset=utf-8"
        return _Whole(
            self._content(str(full_path), (stat_result.st_mtime, stat_result.st_size)),
            response.headers,
            status_code,
        )

    def _content(self, path: str, changed: tuple[float, int]) -> bytes:
        if path not in self._read or self._read[path][0] != changed:
            self._read[path] = changed, Path(path).read_bytes()
        return self._read[path][1]


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
