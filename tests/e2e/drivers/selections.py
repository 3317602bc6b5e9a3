"""A program that selects one device and the other as fast as that is acknowledged, by any process."""

from __future__ import annotations

import asyncio
import json
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from lab.ports import LOOPBACK
from lab.waiting import until

DEVICES: Final = ("deskphone", "webrtc")
ANSWERS_WITHIN: Final = 1.0
"""After how many seconds without an answer the program connects again."""


class Selections:
    """A program that is logged in as a user, and what it was told of its selections.

    Args:
        api: Where the CTI server is.
        user: The user, whose login and password are the same.

    Attributes:
        acknowledged: The selection that was acknowledged last.
        unknown: The selection that was asked for since, and whose answer is missing.
        instants: When each acknowledgement came.
    """

    def __init__(self, api: str, user: str) -> None:
        self.acknowledged = ""
        self.unknown = ""
        self.instants: list[float] = []
        self._api = api
        self._user = user
        self._token = ""
        self._count = 0

    def possible(self) -> set[str]:
        """Which selections may be in force."""
        return {self.acknowledged, self.unknown} - {""}

    async def goes_on(self, *, after: float) -> None:
        """Wait until a selection is acknowledged after an instant."""

        async def acknowledged() -> bool:
            return bool(self.instants) and self.instants[-1] >= after

        await until(acknowledged, "a selection that is acknowledged")

    def longest_gap(self, *, since: float) -> float:
        """The longest time between two acknowledgements, in seconds; from one before an instant on."""
        first = max(bisect_left(self.instants, since) - 1, 0)
        return max(later - earlier for earlier, later in pairwise(self.instants[first:]))

    @asynccontextmanager
    async def direct(self, port: int) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
        """A connection to a process of its own, by which to ask for a selection without waiting."""
        await self._log_in()
        url = f"ws://{LOOPBACK}:{port}/xuc/api/2.0/cti?token={self._token}"
        async with connect(url, proxy=None, close_timeout=0.1) as socket:

            async def ask(device: str) -> None:
                await socket.send(json.dumps({"claz": "web", "command": "selectDevice", "device": device}))

            yield ask

    @asynccontextmanager
    async def storm(self) -> AsyncIterator[None]:
        """Select again and again until the block is left; the last selection is acknowledged then."""
        leaving = asyncio.Event()
        task = asyncio.create_task(self._select_until(leaving))
        try:
            yield
        finally:
            leaving.set()
            await task

    async def select(self, device: str) -> None:
        """Select a device, and wait until it is acknowledged."""
        leaving = asyncio.Event()
        leaving.set()
        await self._select_until(leaving, device)

    async def _select_until(self, leaving: asyncio.Event, device: str = "") -> None:
        first = len(self.instants)
        while not leaving.is_set() or len(self.instants) == first or self.unknown:
            with suppress(OSError, TimeoutError, WebSocketException, httpx.HTTPError, KeyError):
                await self._log_in()
                await self._connected(leaving, device)
            await asyncio.sleep(0.02)

    async def _log_in(self) -> None:
        if not self._token:
            body = {"login": self._user, "password": self._user}
            async with httpx.AsyncClient(trust_env=False, timeout=ANSWERS_WITHIN) as client:
                answer = await client.post(f"{self._api}/auth/login", json=body)
            self._token = answer.json()["token"]

    async def _connected(self, leaving: asyncio.Event, device: str) -> None:
        url = f"{self._api.replace('http:', 'ws:')}/cti?token={self._token}"
        async with connect(url, proxy=None, open_timeout=ANSWERS_WITHIN, close_timeout=0.1) as socket:
            while True:
                await self._one(socket, device or DEVICES[self._count % 2])
                if leaving.is_set():
                    return

    async def _one(self, socket: ClientConnection, device: str) -> None:
        self._count += 1
        self.unknown = device
        command = {"claz": "web", "command": "selectDevice", "device": device, "ref": self._count}
        await socket.send(json.dumps(command))
        async with asyncio.timeout(ANSWERS_WITHIN):
            while (answer := await _answer(socket))["ref"] != self._count:
                pass
        if answer["msgType"] == "Done":
            self.acknowledged, self.unknown = device, ""
            self.instants.append(time.monotonic())


async def _answer(socket: ClientConnection) -> dict[str, Any]:
    """The type of the next frame, and to which command it is an answer."""
    frame = json.loads(await socket.recv())
    content = frame.get("ctiMessage")
    ref = content.get("ref") if isinstance(content, dict) else None
    return {"msgType": frame.get("msgType"), "ref": ref}
