"""The adapter: the port `Cti` on a WebSocket server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from unique_account.adapters.xuc.hub import Hub, ServicePorts
from unique_account.adapters.xuc.processes import Processes
from unique_account.adapters.xuc.routes import application
from unique_account.adapters.xuc.session_checks import check_periodically
from unique_account.adapters.xuc.settings import XucSettings
from unique_account.adapters.xuc.storage.store import FileStore
from unique_account.adapters.xuc.transport.client_logs import LARGEST_LOG
from unique_account.adapters.xuc.transport.websocket_protocol import (
    PING_EVERY,
    PONG_WITHIN,
    WebSocketProtocol,
)
from unique_account.core.presence import Presence
from unique_account.core.view import View
from unique_account.http_server.connection_limit import Limits, Proxies
from unique_account.http_server.file_descriptors import room
from unique_account.http_server.server import bind, config, serving
from unique_account.ports.assistant_store import AssistantStore
from unique_account.ports.directory import Directory
from unique_account.ports.group_leases import Fence
from unique_account.ports.inbound.commands import CommandHandler
from unique_account.ports.inbound.events import EventHandler
from unique_account.ports.inbound.histories import Histories
from unique_account.ports.login_attempts import LoginAttempts
from unique_account.ports.observer import Observer
from unique_account.ports.sip_credentials import SipCredentials

BACKLOG: Final = 2048
"""How many connections may wait to be accepted: after a restart all clients reconnect at once."""

STOPS_WITHIN: Final = 2
"""How many seconds clients have to disconnect when the server stops."""


def _now() -> datetime:
    return datetime.now(UTC)


class XucCti:
    """The server that UC Assistants connect to (see the page on the CTI server).

    It listens on its port while the service listens to it. To find out before whether the port is free,
    call `bind`.

    Args:
        settings: How it behaves.
        directory: The logins, the names, and the numbers that each user may see.
        lines: How a browser registers as a user's WebRTC line.
        observer: Notified of failures.
        page: An ASGI application that answers at all other addresses: the page.
        now: The present instant, in UTC.
        store: Sessions and preferences, where other processes share them; None: those of this process alone,
            in the file of the settings.
        attempts: The attempts to log in, where other processes share them; None: those at this process alone.
        processes: The processes that share the users; None: there is only this one.
    """

    def __init__(
        self,
        settings: XucSettings,
        directory: Directory,
        lines: SipCredentials,
        observer: Observer,
        page: ASGIApp | None = None,
        now: Callable[[], datetime] = _now,
        store: AssistantStore | None = None,
        attempts: LoginAttempts | None = None,
        processes: Processes | None = None,
    ) -> None:
        self._settings = settings
        store = store or FileStore(settings.store, observer, lambda: now().timestamp())
        self._hub = Hub(settings, directory, lines, observer, now, store, processes)
        self._standing_by: asyncio.Task[None] | None = None
        self._attempts = attempts
        self._page = page
        self._port: asyncio.Future[int] | None = None
        self._listener: socket.socket | None = None

    def bind(self) -> socket.socket:
        """Bind the address now; clients that connect before the service listens wait until it does.

        Returns:
            The socket, to be closed if the service never listens.

        Raises:
            OSError: The address cannot be listened on; the sentence names it.
        """
        if self._listener is None:
            self._listener = bind(self._settings.host, self._settings.port, BACKLOG)
        return self._listener

    async def listen(self, on_event: EventHandler, on_command: CommandHandler, histories: Histories) -> None:
        """Serve UC Assistants until cancelled.

        Raises:
            OSError: The address cannot be listened on.
        """
        service = ServicePorts(on_event, on_command, histories)
        if self._standing_by is not None:
            await self._serve_for(service, self._standing_by)
        else:
            self._hub.service = service
            async with self._serving() as task:
                await self._serve_for(service, task)

    async def stand_by(self) -> None:
        """Serve the page, log-ins and the way to the users' owner until cancelled, with or without a service.

        For a process that may own its group, or not: the service that it runs while it does listens within
        this time, and its clients have to come back when it stops listening.

        Raises:
            OSError: The address cannot be listened on.
        """
        async with self._serving() as self._standing_by:
            try:
                await asyncio.shield(self._standing_by)
            finally:
                self._standing_by = None

    def own(self, fence: Fence) -> None:
        """Stamp all messages with this fence, until the service that listens next ends."""
        self._hub.frames.fence = fence

    async def _serve_for(self, service: ServicePorts, task: asyncio.Task[None]) -> None:
        """Let a service serve the clients until cancelled."""
        hub = self._hub
        hub.service = service
        try:
            await asyncio.shield(task)
        finally:
            if hub.service is service and self._standing_by is not None:
                hub.stand_down()
            elif hub.service is service:
                hub.service = None

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[asyncio.Task[None]]:
        """Serve the address until the context is left."""
        hub, settings = self._hub, self._settings
        with self.bind() as listener:
            self._listener = None
            limits = _limits(settings)
            how = _config(settings, application(hub, limits, self._page, self._attempts))
            try:
                async with serving(how, limits, listener) as task:
                    hub.tasks.spawn(check_periodically(hub))
                    self._bound().set_result(listener.getsockname()[1])
                    try:
                        yield task
                    finally:
                        self._port = None
            finally:
                await hub.tasks.cancel()

    def _bound(self) -> asyncio.Future[int]:
        if self._port is None:
            self._port = asyncio.get_running_loop().create_future()
        return self._port

    async def port(self) -> int:
        """The port that the server listens on, once it does."""
        return await asyncio.shield(self._bound())

    @property
    def sockets(self) -> int:
        """How many WebSockets of logged-in users are open."""
        return len(self._hub.tabs)

    async def show(self, view: View) -> None:
        """Show a user's account in every session of that user (S4)."""
        await self._hub.show(view)

    async def publish(self, number: str, presence: Presence) -> None:
        """Show a number's presence to every session that watches it (P5)."""
        self._hub.presence.publish(number, presence)

    async def history_changed(self, user: str) -> None:
        """Notify every session of a user that the user's history has a new entry (H4)."""
        self._hub.history_changed(user)

    async def release(self, user: str) -> None:
        """Close the connections of a user whom another process serves now; clients come back."""
        self._hub.release(user)

    async def forget(self, user: str) -> None:
        """End the sessions of a user who has no account any more."""
        await self._hub.forget(user)


def _limits(settings: XucSettings) -> Limits:
    """How many connections are allowed: no more than the process has file descriptors for."""
    most = room(settings.sockets)
    return Limits(most, min(settings.sockets_per_address, most), Proxies(settings.proxies))


def _config(settings: XucSettings, app: ASGIApp) -> uvicorn.Config:
    return config(
        app,
        ws=WebSocketProtocol,
        ws_max_size=LARGEST_LOG,
        ws_ping_interval=PING_EVERY,
        ws_ping_timeout=PONG_WITHIN,
        ws_per_message_deflate=False,  # it takes more memory than all the rest of a session
        forwarded_allow_ips=list(settings.proxies),
        timeout_graceful_shutdown=STOPS_WITHIN,
    )
