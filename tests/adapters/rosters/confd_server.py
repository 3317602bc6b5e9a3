"""A confd for tests, which answers as XiVO's public documentation says."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from unique_account.adapters.rosters.confd import ConfdOptions, ConfdRoster
from unique_account.core.user import User

Resources = dict[str, Any]


class Confd:
    """A confd with users, which a test changes and breaks.

    Attributes:
        resources: What it answers, by path.
        lines: Its SIP lines, which are listed.
        requests: The paths that were asked for, with their tokens.
        statuses: Other statuses than 200, by path.
    """

    def __init__(self) -> None:
        self.resources: Resources = {}
        self.lines: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str | None]] = []
        self.statuses: dict[str, int] = {}
        self.url = ""

    def user(self, number: int, name: str, *, option: str = "ua", mailbox: bool = False) -> None:
        """A user with a SIP line."""
        line = {"id": number, "username": name, "secret": "geheim", "type": "friend"}
        self.lines.append({**line, "options": [["qualify", "yes"], ["webrtc", option]]})
        of = self.resources
        of[f"/1.1/endpoints/sip/{number}/lines"] = items({"line_id": 10 + number, "endpoint_id": number})
        of[f"/1.1/lines/{10 + number}/users"] = items({"line_id": 10 + number, "user_id": 20 + number})
        of[f"/1.1/lines/{10 + number}/extensions"] = items({"extension_id": 30 + number})
        of[f"/1.1/users/{20 + number}"] = {"id": 20 + number, "username": name, "ring_seconds": 20}
        of[f"/1.1/extensions/{30 + number}"] = {"exten": str(1000 + number), "context": "default"}
        if mailbox:
            of[f"/1.1/users/{20 + number}/voicemail"] = {"voicemail_id": 40}
            of["/1.1/voicemails/40"] = {"number": "1001", "context": "default"}

    def answer(self, path: str, query: dict[str, list[str]], token: str | None) -> tuple[int, Any]:
        self.requests.append((path, token))
        if path in self.statuses:
            return self.statuses[path], {}
        if path == "/1.1/endpoints/sip":
            first, count = int(query["offset"][0]), int(query["limit"][0])
            return 200, {"total": len(self.lines), "items": self.lines[first : first + count]}
        return (200, self.resources[path]) if path in self.resources else (404, {"message": "not found"})

    def read(self, token: str = "", **reading: Any) -> tuple[User, ...]:
        return asyncio.run(ConfdRoster(self.url, token, ConfdOptions(**reading)).users())


def items(*items: dict[str, Any]) -> dict[str, Any]:
    return {"total": len(items), "items": list(items)}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that went away is no matter."""


@contextmanager
def running() -> Iterator[Confd]:
    at = Confd()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            token = self.headers.get("X-Auth-Token")
            status, document = at.answer(asked.path, parse_qs(asked.query), token)
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    at.url = f"http://127.0.0.1:{server.server_address[1]}/1.1"
    try:
        yield at
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
