"""Hands the page's files out over HTTP, with their headers."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, stat_result
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from unique_account.assistant import PAGE, headers

_NOTHING_ELSE: Final[Mapping[str, Path]] = {}


class PageFiles(StaticFiles):
    """An ASGI application that serves the page; ``/`` is its ``index.html``.

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
        if isinstance(response, FileResponse) and str(full_path).endswith(".js"):
            response.headers["Content-Type"] = "text/javascript; charset=utf-8"
        return response
