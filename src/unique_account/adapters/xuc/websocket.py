"""The WebSocket of one client, from its token to its close."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from unique_account.adapters.xuc.auth.tokens import BadToken, Token
from unique_account.adapters.xuc.elsewhere import Elsewhere
from unique_account.adapters.xuc.handlers.dispatch import perform, send_error
from unique_account.adapters.xuc.hub import Hub, TooManySockets
from unique_account.adapters.xuc.protocol import incoming
from unique_account.adapters.xuc.protocol.error_messages import described
from unique_account.adapters.xuc.protocol.incoming import Fields, Heartbeat, InvalidMessage
from unique_account.adapters.xuc.protocol.outgoing import HEARTBEAT
from unique_account.adapters.xuc.tab import CloseCode, Tab
from unique_account.adapters.xuc.transport.rate_limit import EntryRateLimit
from unique_account.adapters.xuc.transport.websocket_protocol import EXTENSION, WebSocketProtocol
from unique_account.ports.assistant_store import StoreFailed
from unique_account.ports.inbound.events import UnknownUser
from unique_account.ports.observer import PortRequest

ENTERS_WITHIN: Final = 30.0
"""Within how many seconds the service has to store a login."""

MOST_WAITING: Final = 32
"""How many commands of one client may wait for the one under way."""

MOST_CHARACTERS: Final = 16 * 1024
"""How many characters they may have together; decoded, they may take eight times as much."""


async def serve(hub: Hub, entry_limit: EntryRateLimit, socket: WebSocket) -> None:
    """Serve one client until it is gone."""
    await socket.accept()
    protocol: WebSocketProtocol = socket.scope["extensions"][EXTENSION]
    try:
        token = await hub.log_ins.token(socket.query_params.get("token", ""))
    except BadToken:
        await _refuse(socket, "loggedOnFailed", CloseCode.BAD_TOKEN)
        protocol.dismiss()
        return
    except StoreFailed:
        await _refuse(socket, "loggedOnFailed", CloseCode.COME_BACK)
        protocol.dismiss()
        return
    if not entry_limit.allows(token.user, asyncio.get_running_loop().time()):
        await _refuse(socket, "loggedOnFailed", CloseCode.COME_BACK)
        protocol.dismiss()
        return
    if hub.processes is not None and not hub.serves(token.user):
        protocol.logged_in = True
        if not await _served_elsewhere(Elsewhere(hub, hub.processes, socket, token)):
            protocol.dismiss()
            return
        protocol.logged_in = False
    tab = Tab(socket, token, hub.frames)
    try:
        protocol.logged_in = await _enter(hub, tab, token)
        if protocol.logged_in:
            await _read_frames(hub, socket, tab)
        else:
            protocol.dismiss()
    finally:
        hub.leave(tab)


async def _served_elsewhere(elsewhere: Elsewhere) -> bool:
    """Serve a client by another process; True: its user is served here by now."""
    try:
        return await elsewhere.serve()
    except (WebSocketDisconnect, RuntimeError, OSError):  # the client is gone
        return False


async def _refuse(socket: WebSocket, word: str, code: int) -> None:
    await socket.send_json({"msgType": "LoggedOnError", "ctiMessage": {"Error": word}})
    await socket.close(code)


async def _enter(hub: Hub, tab: Tab, token: Token) -> bool:
    """Log the session in and show its account; False: it failed, and the client got the error."""
    word, code = "loggedOnFailed", CloseCode.BAD_TOKEN
    try:
        async with asyncio.timeout(ENTERS_WITHIN):
            await hub.enter(tab)
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
    else:
        return True
    tab.report("LoggedOnError", {"Error": word})
    await tab.close(code)
    return False


async def _read_frames(hub: Hub, socket: WebSocket, tab: Tab) -> None:
    commands = _CommandQueue(hub, tab)
    while (received := await socket.receive())["type"] == "websocket.receive":
        await _handle(received.get("text"), tab, commands)


async def _handle(text: str | None, tab: Tab, commands: _CommandQueue) -> None:
    try:
        message = incoming.read(text)
    except InvalidMessage as error:
        send_error(tab, "invalidMessage", described(error))
        return
    if isinstance(message, Heartbeat):
        tab.queue.put(HEARTBEAT)
    else:
        await commands.put(message, len(text or ""))


class _CommandQueue:
    """The commands of one client, carried out one after the other while more are read.

    Reading goes on, so that a ping is answered and a close noticed while the PBX is slow.
    """

    __slots__ = ("_characters", "_hub", "_tab", "_task", "_waiting")

    def __init__(self, hub: Hub, tab: Tab) -> None:
        self._hub = hub
        self._tab = tab
        self._waiting: deque[tuple[Fields, int]] = deque()
        self._characters = 0
        self._task: asyncio.Task[None] | None = None

    async def put(self, command: Fields, characters: int) -> None:
        """Carry a command out after those before it; blocks while too many wait."""
        full = len(self._waiting) >= MOST_WAITING or self._characters >= MOST_CHARACTERS
        if self._task is not None and full:
            await asyncio.wait([self._task])
        self._waiting.append((command, characters))
        self._characters += characters
        if self._task is None or self._task.done():
            self._task = self._hub.tasks.spawn(self._perform())

    async def _perform(self) -> None:
        while self._waiting and not self._tab.is_closing:
            command, characters = self._waiting.popleft()
            self._characters -= characters
            await perform(self._hub, self._tab, command)
        self._task = None
        self._hub.drop_if_idle(self._tab.user)
