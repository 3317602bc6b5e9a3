"""The WebSocket: from its token to its close, a frame at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from starlette.websockets import WebSocket

from unique_account.adapters.xuc.auth.tokens import BadToken, Token
from unique_account.adapters.xuc.handlers.dispatch import perform, say_error
from unique_account.adapters.xuc.hub import Hub, TooManySockets
from unique_account.adapters.xuc.protocol import incoming
from unique_account.adapters.xuc.protocol.incoming import Fields, Heartbeat, InvalidMessage
from unique_account.adapters.xuc.protocol.outgoing import HEARTBEAT
from unique_account.adapters.xuc.tab import CloseCode, Tab
from unique_account.adapters.xuc.transport.rate_limit import EntryRateLimit
from unique_account.adapters.xuc.transport.uvicorn_protocols import EXTENSION, SocketWire
from unique_account.ports.inbound.events import UnknownUser
from unique_account.ports.observer import PortRequest

ENTERS_WITHIN: Final = 30.0
"""In how many seconds the service has to take note of a login."""

MOST_WAITING: Final = 32
"""How many commands of one client may wait for the one that is being carried out."""

MOST_CHARACTERS: Final = 16 * 1024
"""How many characters they have together when no more is read; decoded, they may take eight times as much."""


async def serve(hub: Hub, entrance: EntryRateLimit, socket: WebSocket) -> None:
    """Serve one client until it is gone."""
    await socket.accept()
    wire: SocketWire = socket.scope["extensions"][EXTENSION]
    try:
        token = await hub.token(socket.query_params.get("token", ""))
    except BadToken:
        await _refuse(socket, "loggedOnFailed", CloseCode.BAD_TOKEN)
        wire.dismiss()
        return
    if not entrance.admits(token.user, asyncio.get_running_loop().time()):
        await _refuse(socket, "loggedOnFailed", CloseCode.COME_BACK)
        wire.dismiss()
        return
    tab = Tab(socket, token)
    try:
        wire.known = await _entered(hub, tab, token)
        if wire.known:
            await _listen(hub, socket, tab)
        else:
            wire.dismiss()
    finally:
        hub.leave(tab)


async def _refuse(socket: WebSocket, word: str, code: int) -> None:
    await socket.send_json({"msgType": "LoggedOnError", "ctiMessage": {"Error": word}})
    await socket.close(code)


async def _entered(hub: Hub, tab: Tab, token: Token) -> bool:
    """Whether the session is logged in and sees its account; the client is told why not."""
    word, code = "loggedOnFailed", CloseCode.BAD_TOKEN
    try:
        async with asyncio.timeout(ENTERS_WITHIN):
            await hub.enter(tab)
        if hub.tokens.is_good(token):  # it may have been revoked meanwhile
            return True
    except BadToken:  # logged out meanwhile
        code = CloseCode.BAD_TOKEN
    except TooManySockets:
        code = CloseCode.TOO_MANY
    except UnknownUser:
        code = CloseCode.ACCOUNT_GONE
    except TimeoutError as error:
        hub.observer.failed(PortRequest("cti", "log-in", user=token.user), error)
        word, code = "loggedOnTimeout", CloseCode.COME_BACK
    except Exception as error:
        hub.observer.failed(PortRequest("cti", "log-in", user=token.user), error)
        code = CloseCode.COME_BACK
    tab.report("LoggedOnError", {"Error": word})
    await tab.close(code)
    return False


async def _listen(hub: Hub, socket: WebSocket, tab: Tab) -> None:
    """Take frame after frame."""
    inbox = _Inbox(hub, tab)
    while (received := await socket.receive())["type"] == "websocket.receive":
        await _take(received.get("text"), tab, inbox)


async def _take(text: str | None, tab: Tab, inbox: _Inbox) -> None:
    try:
        said = incoming.read(text)
    except InvalidMessage as error:
        say_error(tab, "invalidMessage", str(error))
        return
    if isinstance(said, Heartbeat):
        tab.send(HEARTBEAT)
    else:
        await inbox.put(said, len(text or ""))


class _Inbox:
    """The commands of one client, carried out one after the other while more are read.

    Reading goes on, so that a ping is answered and a close seen while the PBX takes its time.
    """

    __slots__ = ("_characters", "_hub", "_tab", "_waiting", "_work")

    def __init__(self, hub: Hub, tab: Tab) -> None:
        self._hub = hub
        self._tab = tab
        self._waiting: deque[tuple[Fields, int]] = deque()
        self._characters = 0
        self._work: asyncio.Task[None] | None = None

    async def put(self, command: Fields, characters: int) -> None:
        """Carry a command out after those before it; waits while too many wait."""
        full = len(self._waiting) >= MOST_WAITING or self._characters >= MOST_CHARACTERS
        if self._work is not None and full:
            await asyncio.wait([self._work])
        self._waiting.append((command, characters))
        self._characters += characters
        if self._work is None or self._work.done():
            self._work = self._hub.spawn(self._perform())

    async def _perform(self) -> None:
        while self._waiting and not self._tab.is_closing:
            command, characters = self._waiting.popleft()
            self._characters -= characters
            await perform(self._hub, self._tab, command)
        self._work = None
        self._hub.drop_if_idle(self._tab.user)
