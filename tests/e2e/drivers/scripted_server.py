"""A CTI server for the page that sends what a script says, so that the page always looks the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from lab.ports import LOOPBACK
from unique_account.assistant import PAGE, headers
from unique_account.core.reasons import Because

if TYPE_CHECKING:
    from playwright.async_api import Page, Route, WebSocketRoute

ORIGIN: Final = f"http://{LOOPBACK}"
TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
FILES: Final = {file: file.read_bytes() for file in PAGE.rglob("*") if file.is_file()}
WRONG_PASSWORD: Final = {"error": "InvalidCredentials", "message": "No.", "id": "wrong_password"}
NOW: Final = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
SILENT_PHONE: Final = """
export class Phone {
  static played = false;
  constructor(hooks) { Object.assign(this, hooks); globalThis.phone = this; }
  start() { this.changed("registered", []); }
  async stop() { this.changed("off", []); }
  leave() {}
  renew() {}
}
globalThis.actions = [];
for (const action of ["dial", "answer", "hangUp", "hold", "resume", "mute", "press", "transfer"]) {
  Phone.prototype[action] = async (...what) => void actions.push([action, ...what]);
}
"""
"""A phone that only records its commands, in ``actions``; a test shows calls on it by ``phone.changed``."""


class ScriptedServer:
    """What the server sends, and what it received.

    Attributes:
        commands: The commands of the page, in their order.
        newest: The newest page of the history.
        colleagues: Whom it knows.
        files: The page's files; a test may put others in their place.
        favourites: The user's, each a name and a number.
        connections: How often the page connected.
        refuses: The commands that it refuses, and with what error.
    """

    def __init__(self, account: Mapping[str, Any]) -> None:
        self.commands: list[dict[str, Any]] = []
        self.newest: Mapping[str, Any] = HISTORY
        self.colleagues: list[dict[str, Any]] = COLLEAGUES
        self.files = dict(FILES)
        self.refuses: dict[str, dict[str, Any]] = {}
        self.favourites: list[tuple[str, str]] = []
        self._account = account
        self._socket: WebSocketRoute | None = None
        self.connections = 0
        self._away = False

    async def serve(self, page: Page) -> None:
        """Stand in for the server of a page."""
        await page.route(f"{ORIGIN}/**", self._answer)
        await page.route_web_socket(f"ws://{LOOPBACK}/**", self._connected)

    def report(self, kind: str, message: object, stamp: tuple[str, int, int] | None = None) -> None:
        """Send one message to the page."""
        assert self._socket is not None
        more = {} if stamp is None else {"stamp": stamp}
        self._socket.send(json.dumps({"msgType": kind, "ctiMessage": message, **more}))

    def of(self, command: str) -> list[dict[str, Any]]:
        """What the page sent of one command."""
        return [reported for reported in self.commands if reported["command"] == command]

    async def hang_up(self, code: int) -> None:
        """Close the connection."""
        assert self._socket is not None
        await self._socket.close(code=code)

    def first_day(self) -> None:
        """Know of no calls, no colleagues and no messages."""
        self.newest, self.colleagues = {"entries": [], "next": None}, []
        self._account = {**self._account, "messages": {"new": 0, "old": 0}}

    async def goes_away(self) -> None:
        """Close the connection, and every one that follows."""
        self._away = True
        await self.hang_up(1001)

    def account(self, **changes: object) -> None:
        """Show the account with some fields changed."""
        self.report("UniqueAccount", {**self._account, **changes})

    async def _answer(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path == "/xuc/api/2.0/auth/login":
            if '"right"' not in (route.request.post_data or ""):
                await route.fulfill(status=401, json=WRONG_PASSWORD)
                return
            await route.fulfill(json={"login": "alice", "token": "a-token", "TTL": 3600})
        elif path.startswith("/xuc"):
            await route.fulfill(status=204)
        elif path == "/js/phone.js":
            await route.fulfill(content_type=TYPES[".js"], body=SILENT_PHONE)
        else:
            file = PAGE / (path.lstrip("/") or "index.html")
            await _file(route, self.files.get(file), file.suffix)

    async def _connected(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        self.connections += 1
        if self._away:
            await socket.close(code=1001)
            return
        socket.on_message(self._take)
        self.report("LoggedOn", {})
        self.report("UserConfigUpdate", {"userId": "alice", "fullName": "Alice Martin"})
        self.report("SipLine", {"url": "wss://pbx.example.org/wssip", "uri": "sip:alice_w@pbx.example.org"})
        self.report("IceConfig", {"stunConfig": None, "turnConfig": None})
        self.account()

    def _take(self, text: str | bytes) -> None:
        reported = json.loads(text)
        if reported["claz"] == "ping":
            return
        self.commands.append(reported)
        if reported["command"] == "getColleagues":
            words = reported.get("words", "")
            found = [one for one in self.colleagues if words in f"{one['name']} {one['number']}"]
            self.report("Colleagues", {"entries": found, "words": words})
        if reported["command"] in self.refuses:
            error = {"Error": "refused", "message": "INSIDE", **self.refuses[reported["command"]]}
            self.report("Error", {**error, "command": reported["command"], "ref": reported["ref"]})
            return
        if reported["command"] == "getHistoryPage":
            page = OLDER if reported.get("cursor") else self.newest
            self.report("HistoryPage", {**page, "cursor": reported.get("cursor")})
        if reported["command"] == "directoryLookUp":
            self.report("DirectoryResult", people(*(one for one in DIRECTORY if reported["term"] in one[0])))
        if reported["command"] == "getFavorites":
            self.report("Favorites", people(*self.favourites))
        if reported["command"] in ("addFavorite", "removeFavorite"):
            action = "Added" if reported["command"] == "addFavorite" else "Removed"
            contact = {"contact_id": reported["contactId"], "source": reported["source"]}
            self.report("FavoriteUpdated", {"action": action, **contact})
        self.report("Done", {"command": reported["command"], "ref": reported["ref"]})


async def _file(route: Route, content: bytes | None, suffix: str) -> None:
    if content is None:
        await route.fulfill(status=404)
    else:
        kind = {"Content-Type": TYPES[suffix]}
        await route.fulfill(headers={**headers("wss://pbx.example.org"), **kind}, body=content)


def reason(rule: str, text: str, *facts: str) -> dict[str, Any]:
    known = text in frozenset(Because)
    name = Because(text).name.lower() if known else "goes_to_voicemail"
    return {"rule": rule, "text": text, "facts": list(facts), "id": name, "parameters": {}}


def call(number: int, **fields: object) -> dict[str, Any]:
    """A live call of the deskphone."""
    return {
        "uniqueId": f"1699999999.{number}",
        "linkedId": f"1699999999.{number}",
        "device": "deskphone",
        "direction": "incoming",
        "status": "talking",
        "otherDN": "1002",
        "otherName": "Bob Durand",
        "started": (NOW - timedelta(seconds=100)).isoformat(),
        "answered": (NOW - timedelta(seconds=94)).isoformat(),
        **fields,
    }


ACCOUNT: Final[Mapping[str, Any]] = {
    "user": "alice",
    "number": "1001",
    "version": 7,
    "state": "webrtc_active",
    "selection": "webrtc",
    "deviceInUse": "webrtc",
    "fallback": False,
    "presence": 0,
    "deskphone": {"status": "not_in_use", "reachable": True},
    "webrtc": {"status": "not_in_use", "reachable": True},
    "calls": [],
    "forwarding": {
        "doNotDisturb": False,
        "unconditional": None,
        "noAnswer": {"destination": "1002", "enabled": True},
        "busy": None,
    },
    "mailbox": "1001@default",
    "messages": {"new": 2, "old": 5},
    "nextCall": {"rings": "webrtc", "goesTo": None},
    "forward": None,
    "because": [
        reason("R2", "WebRTC is selected", "logged_in=true", "selection=webrtc"),
        reason("R2", "the WebRTC line is registered, so the browser rings", "webrtc.reachable=true"),
    ],
}
FALLEN_BACK: Final[Mapping[str, Any]] = {
    "deviceInUse": "deskphone",
    "nextCall": {"rings": "deskphone", "goesTo": None},
    "fallback": True,
    "webrtc": {"status": "unavailable", "reachable": False},
    "because": [
        reason("R2", "WebRTC is selected", "logged_in=true", "selection=webrtc"),
        reason("R4", "the WebRTC line is not registered", "webrtc.reachable=false"),
        reason("R4", "so the deskphone rings", "deskphone.reachable=true"),
    ],
}
ON_DESKPHONE: Final[Mapping[str, Any]] = {
    "state": "deskphone_selected",
    "selection": "deskphone",
    "deviceInUse": "deskphone",
    "nextCall": {"rings": "deskphone", "goesTo": None},
    "because": [reason("R3", "the deskphone is selected", "logged_in=true", "selection=deskphone")],
}
CAROL: Final = "Carol Nguyen"
ELODIE: Final = "Élodie Lefebvre-Saint-Amand"
COLLEAGUES: Final[list[dict[str, Any]]] = [
    {"number": "1002", "name": "Bob Durand", "status": 0},
    {"number": "1003", "name": CAROL, "status": 1},
    {"number": "1004", "name": "David Okafor", "status": 8},
    {"number": "1005", "name": ELODIE, "status": 16},
    {"number": "1006", "name": "Fatima Zahra", "status": 4},
    {"number": "1007", "name": "Georges", "status": None},
]


DIRECTORY: Final = (("Georgette Muller", "1042"), ("Gaston Petit", "+33611223344"))


def people(*of: tuple[str, str]) -> dict[str, Any]:
    """A ``DirectoryResult`` or ``Favorites`` as XiVO has it: a table, whose last columns are not text."""
    headers = ["Nom", "Numéro", "Mobile", "Autre numéro", "Favoris", "Personnel"]
    entries = [
        {
            "status": 0,
            "entry": [name, number, "", "", False, False],
            "contact_id": number,
            "source": "internal",
            "favorite": False,
        }
        for name, number in of
    ]
    return {"headers": headers, "entries": entries}


def entry(number: int, minutes: int, **fields: object) -> dict[str, Any]:
    """A call of so many minutes ago."""
    start = NOW - timedelta(minutes=minutes)
    return {
        "id": f"1699999000.{number}",
        "start": start.isoformat(),
        "status": "answered",
        "direction": "incoming",
        "device": "webrtc",
        "peer": "1002",
        "peerName": "Bob Durand",
        "answered": start.isoformat(),
        "ended": (start + timedelta(seconds=187)).isoformat(),
        "duration": 187,
        **fields,
    }


HISTORY: Final[dict[str, Any]] = {
    "entries": [
        entry(6, 12, status="missed", peer="+33123450099", peerName="", device="deskphone", duration=0),
        entry(5, 48),
        entry(
            4, 95, status="emitted", direction="outgoing", peer="1003", peerName="Carol Nguyen", duration=42
        ),
        entry(
            3, 1400, device="deskphone", peer="1005", peerName="Élodie Lefebvre-Saint-Amand", duration=3725
        ),
        entry(2, 1460, status="missed", device=None, peer="1004", peerName="David Okafor", duration=0),
    ],
    "next": "older",
}
OLDER: Final[dict[str, Any]] = {
    "entries": [entry(1, 5000, peer="1006", peerName="Fatima Zahra")],
    "next": None,
}
