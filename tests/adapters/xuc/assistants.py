"""UC Assistants over real sockets: they log in, send frames, and record what they receive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx
from attrs import evolve
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.adapters.xuc.schema import check_answer, check_event, check_response
from unique_account.adapters.memory import MemoryDirectory, MemoryObserver, MemoryPbx, SettableClock
from unique_account.adapters.xuc import XucCti, XucSettings
from unique_account.adapters.xuc.login_endpoints import OUR_PAGE
from unique_account.bootstrap import bootstrap
from unique_account.core.account import Account
from unique_account.core.user import User
from unique_account.ports.sip_credentials import SipLine
from unique_account.service.service import Service

ALICE = User(
    id="alice",
    extension="1001",
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    dids=("+33123450001",),
    mailbox="1001@default",
)
BOB = User(id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w")
KEY = "a key for tests, and for tests alone"
PASSWORDS = {"alice": "sésame", "bob": "hunter2"}
NAMES = {"1001": "Alice Martin", "1002": "Bob Durand"}
PATIENCE = 30.0


class SipLines:
    """The lines of Alice and Bob."""

    async def line(self, user: User) -> SipLine | None:
        name = f"{user.id}_w"
        return SipLine(
            name=name, password=f"{name}-secret", url="wss://pbx.example.org/wssip", domain="pbx.example.org"
        )


def server(now: Callable[[], datetime] | None = None, **changes: Any) -> XucCti:
    """A CTI server on a port that is free."""
    observer, directory = changes.pop("observer", None), changes.pop("directory", None)
    store, attempts = changes.pop("shared", (None, None))
    processes, page = changes.pop("processes", None), changes.pop("page", None)
    return XucCti(
        evolve(XucSettings(key=KEY, port=0), **changes),
        directory or MemoryDirectory(PASSWORDS, NAMES, {"1001": "alice", "1002": "bob"}),
        changes.pop("lines", SipLines()),
        observer or MemoryObserver(),
        page,
        now=now or (lambda: datetime.now(UTC)),
        store=store,
        attempts=attempts,
        processes=processes,
    )


class Tab:
    """One WebSocket to the server, read all the time, whose frames both ways are compared with the schema.

    Attributes:
        frames: Every frame that came, decoded.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []
        self._came = asyncio.Condition()
        self._refs = count(1)
        self._silent = False
        self._forbidden: list[str] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for frame in self.socket:
                async with self._came:
                    self.frames.append(json.loads(frame))
                    self._check(self.frames[-1])
                    self._came.notify_all()
                await self._after_frame()
        except ConnectionClosed:
            pass
        finally:
            async with self._came:
                self._came.notify_all()

    def _check(self, frame: dict[str, Any]) -> None:
        """Keep what the schema says against a frame, for the end of the test."""
        try:
            check_event(frame)
        except AssertionError as error:
            self._forbidden.append(str(error))

    async def _after_frame(self) -> None:
        """A frame was taken; the next may come."""

    @property
    def open(self) -> bool:
        """Whether it is open."""
        return not self._reading.done()

    def reported(self, kind: str) -> list[Any]:
        """What messages of a kind said, in order."""
        return [frame["ctiMessage"] for frame in self.frames if frame.get("msgType") == kind]

    def last(self, kind: str) -> Any:
        """What the last message of a kind said; None: there was none."""
        return (self.reported(kind) or [None])[-1]

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait until the frames say so."""
        async with asyncio.timeout(PATIENCE), self._came:
            await self._came.wait_for(lambda: happened() or not self.open)
        assert happened(), f"the socket was closed before that, with {self.socket.close_code}"

    async def next(self, kind: str, after: int = 0) -> Any:
        """The first message of a kind that came after so many frames."""

        def found() -> list[Any]:
            return [frame["ctiMessage"] for frame in self.frames[after:] if frame.get("msgType") == kind]

        await self.until(found)
        return found()[0]

    async def send(self, frame: object) -> None:
        """Send a frame; what is no text is sent as JSON."""
        await self.socket.send(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))

    async def command(self, command: str, **fields: Any) -> list[dict[str, Any]]:
        """Give a command; returns what it was answered, from first to last."""
        ref, before = next(self._refs), len(self.frames)

        def answer() -> int | None:
            for index, frame in enumerate(self.frames[before:], before):
                content = frame.get("ctiMessage") or {}
                if frame.get("msgType") in ("Done", "Error") and content.get("ref") == ref:
                    return index
            return None

        frame = json.dumps({"claz": "web", "command": command, "ref": ref, **fields})
        await self.send(frame)
        await self.until(lambda: answer() is not None)
        answers = self.frames[before : (answer() or 0) + 1]
        check_answer(json.loads(frame), answers[-1])
        return answers

    async def ask(self, kind: str, command: str, **fields: Any) -> Any:
        """Give a command and return what the message of a kind says that answers it."""
        answers = [
            frame["ctiMessage"] for frame in await self.command(command, **fields) if frame["msgType"] == kind
        ]
        assert answers, self.frames[-1]
        return answers[-1]

    async def error(self, command: str, **fields: Any) -> tuple[str, str]:
        """Give a command that fails; returns the word and the sentence."""
        *_, answer = await self.command(command, **fields)
        assert answer["msgType"] == "Error", answer
        return answer["ctiMessage"]["Error"], answer["ctiMessage"]["message"]

    async def closed(self) -> int | None:
        """Wait until the server has closed it; returns the close code."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([self._reading])
        return self.socket.close_code

    def stop_reading(self) -> None:
        """Take nothing from the network any more, and so answer nothing: a page that hangs, a cut cable."""
        self._silent = True
        self.socket.transport.pause_reading()

    async def close(self) -> None:
        """Close it, as a page does that goes."""
        if self._silent:
            self.socket.transport.abort()
        await self.socket.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        assert self._forbidden == []


class Browser:
    """The browser of all users: it knows the server's address."""

    def __init__(self, cti: XucCti) -> None:
        self._cti = cti
        self._client = httpx.AsyncClient(timeout=PATIENCE, trust_env=False, verify=False)
        self.tabs: list[Tab] = []

    async def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{await self._cti.port()}/xuc/api/2.0/{path}"

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Make one request."""
        url = await self.url(path)
        answer = await self._client.request(method, url, **more)
        check_response(method, urlsplit(url).path, answer)
        return answer

    async def log_in(self, user: str, application: str | None = OUR_PAGE) -> str:
        """Log in, as the page does; returns the token."""
        body = {"login": user, "password": PASSWORDS[user], "applicationType": application}
        answer = await self.request("POST", "auth/login", json=body)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["token"]
        return token

    async def connect(self, token: str, **more: Any) -> Tab:
        """Open a WebSocket."""
        url = await self.url(f"cti?token={token}", "ws")
        self.tabs.append(tab := Tab(await connect(url, compression=None, proxy=None, **more)))
        return tab

    async def tab(self, user: str) -> Tab:
        """Log in, open a WebSocket, which shows everything it is shown at first, and ask for the line."""
        tab = await self.connect(await self.log_in(user))
        await tab.command("getConfig", objectType="line")
        return tab

    async def close(self) -> None:
        """Close every tab."""
        for tab in self.tabs:
            await tab.close()
        await self._client.aclose()


@asynccontextmanager
async def browsing(cti: XucCti) -> AsyncIterator[Browser]:
    """A browser, whose tabs are closed at the end."""
    browser = Browser(cti)
    try:
        yield browser
    finally:
        await browser.close()


class Installation:
    """A whole installation: a service on the PBX double, and the CTI server.

    Attributes:
        service: The service.
        cti: The CTI server.
        pbx: The PBX.
        clock: The time, which is moved.
        observer: Records failures.
        browser: The browser of all users.
    """

    def __init__(self, **changes: Any) -> None:
        self.clock = SettableClock(datetime.now(UTC))
        self.observer = MemoryObserver()
        self.pbx = MemoryPbx(self.clock)
        self.cti = server(self.clock.now, observer=self.observer, **changes)
        self.browser = Browser(self.cti)
        self.service: Service

    @property
    def alice(self) -> Account:
        """Alice's account."""
        return self.service.account("alice")

    async def advance(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.advance(timedelta(seconds=seconds))

    async def wait_until(self, happened: Callable[[], object]) -> None:
        """Wait until the world looks like this."""
        async with asyncio.timeout(PATIENCE):
            while not happened():  # noqa: ASYNC110 - an account gives no signal
                await asyncio.sleep(0.005)


@asynccontextmanager
async def installation(*users: User, **changes: Any) -> AsyncIterator[Installation]:
    """Alice and Bob with their deskphones registered, and nobody logged in."""
    at = Installation(**changes)
    async with bootstrap(cti=at.cti, pbxs=(at.pbx,), clock=at.clock, observer=at.observer) as at.service:
        for user in users or (ALICE, BOB):
            await at.service.add(user)
            await at.pbx.register(user.deskphone)
        try:
            yield at
        finally:
            await at.browser.close()
