"""UC Assistants over real sockets: they log in, send frames, and remember what they are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
from attrs import evolve
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from unique_account.adapters.memory import MemoryDirectory, MemoryObserver
from unique_account.adapters.xuc import XucCti, XucSettings
from unique_account.ports.lines import SipLine

KEY = "a key for tests, and for tests alone"
PASSWORDS = {"alice": "sésame", "bob": "hunter2"}
NAMES = {"1001": "Alice Martin", "1002": "Bob Durand"}
PATIENCE = 10.0


class SipLines:
    """The lines of Alice and Bob."""

    async def line(self, user: str) -> SipLine | None:
        name = f"{user}_w"
        return SipLine(
            name=name, password=f"{name}-secret", url="wss://pbx.example.org/wssip", domain="pbx.example.org"
        )


class SettableNow:
    """A present that is moved."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset


def server(now: Callable[[], datetime] | None = None, **changes: Any) -> XucCti:
    """A CTI server on a port that is free."""
    observer, directory = changes.pop("observer", None), changes.pop("directory", None)
    return XucCti(
        evolve(XucSettings(key=KEY, port=0), **changes),
        directory or MemoryDirectory(PASSWORDS, NAMES, {"1001": "alice", "1002": "bob"}),
        changes.pop("lines", SipLines()),
        observer or MemoryObserver(),
        now=now or SettableNow(),
    )


class Tab:
    """One WebSocket to the server, read all the time.

    Attributes:
        frames: Every frame that came, decoded.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []
        self._came = asyncio.Condition()
        self._refs = count(1)
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for frame in self.socket:
                async with self._came:
                    self.frames.append(json.loads(frame))
                    self._came.notify_all()
        except ConnectionClosed:
            pass
        finally:
            async with self._came:
                self._came.notify_all()

    @property
    def open(self) -> bool:
        """Whether it is open."""
        return not self._reading.done()

    def told(self, kind: str) -> list[Any]:
        """What messages of a kind said, in order."""
        return [frame["ctiMessage"] for frame in self.frames if frame.get("msgType") == kind]

    def last(self, kind: str) -> Any:
        """What the last message of a kind said; None: there was none."""
        return (self.told(kind) or [None])[-1]

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

        await self.send({"claz": "web", "command": command, "ref": ref, **fields})
        await self.until(lambda: answer() is not None)
        return self.frames[before : (answer() or 0) + 1]

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

    async def close(self) -> None:
        """Close it, as a page does that goes."""
        await self.socket.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


class Browser:
    """Everybody's browser: it knows where the server is."""

    def __init__(self, cti: XucCti) -> None:
        self._cti = cti
        self.tabs: list[Tab] = []

    async def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{await self._cti.port()}/xuc/api/2.0/{path}"

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Make one request."""
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
            return await client.request(method, await self.url(path), **more)

    async def log_in(self, user: str) -> str:
        """Log in; returns the token."""
        body = {"login": user, "password": PASSWORDS[user]}
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
        """Log in and open a WebSocket, which shows everything it is shown at first."""
        tab = await self.connect(await self.log_in(user))
        await tab.command("getIceConfig")
        return tab

    async def close(self) -> None:
        """Close every tab."""
        for tab in self.tabs:
            await tab.close()


@asynccontextmanager
async def browsing(cti: XucCti) -> AsyncIterator[Browser]:
    """A browser, whose tabs are closed at the end."""
    browser = Browser(cti)
    try:
        yield browser
    finally:
        await browser.close()
