"""The stage over HTTP: the product's page, and beside it the one that plays everybody's deskphone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from unique_account.adapters.memory import MemoryPbx
from unique_account.assistant.static_files import PageFiles
from unique_account.core.errors import UniqueAccountError
from unique_account.core.user import User
from unique_account.demo.change_stream import ChangeStream, own_page
from unique_account.demo.phones import DemoPhones
from unique_account.demo.sip_socket import SipSockets

FILES: Final = Path(__file__).with_name("page")
LINE: Final = "/stage/line"
"""Where the played phones of browsers connect to."""


class DemoApp:
    """Shows everybody's deskphone, and lets a hand play it."""

    def __init__(self, phones: DemoPhones, news: ChangeStream) -> None:
        self._phones = phones
        self._news = news

    def _users(self) -> list[User]:
        return [account.user for account in self._news.accounts.values()]

    async def connect(self, socket: WebSocket) -> None:
        """Serve one page of the stage, until it goes."""
        if not own_page(socket):
            await socket.close()
            return
        await socket.accept()
        showing = asyncio.create_task(self._show(socket))
        try:
            while True:
                await self._take(socket, await socket.receive_json())
        except (WebSocketDisconnect, ValueError):
            return
        finally:
            showing.cancel()

    async def _show(self, socket: WebSocket) -> None:
        async for _ in self._news.follow():
            await self._phones.play_machines()
            await socket.send_json({"people": [self._phones.person(user) for user in self._users()]})

    async def _take(self, socket: WebSocket, asked: dict[str, Any]) -> None:
        line = str(asked.get("line", ""))
        try:
            if any(user.deskphone == line for user in self._users()):
                await self._phones.press(line, str(asked.get("key", "")), str(asked.get("argument", "")))
        except UniqueAccountError as error:
            await socket.send_json({"error": str(error)})
        self._news.spread()


def application(pbx: MemoryPbx, news: ChangeStream, secret: str) -> Starlette:
    """The product's page with a played phone, and the stage under ``/stage/``."""
    phones = DemoPhones(pbx, news)
    return Starlette(
        routes=[
            WebSocketRoute(LINE, SipSockets(pbx, phones, news, secret).connect),
            WebSocketRoute("/stage/watch", DemoApp(phones, news).connect),
            Mount("/stage", PageFiles(folder=FILES)),
            Mount("/", PageFiles(instead={"js/phone.js": FILES / "phone.js"})),
        ]
    )
