"""Where the played phones of browsers connect to: what SIP over a WebSocket is to the real ones."""

from __future__ import annotations

import asyncio
from hmac import compare_digest
from itertools import count
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from unique_account.adapters.memory import MemoryPbx
from unique_account.core.account import CallStatus
from unique_account.core.errors import UniqueAccountError
from unique_account.demo.change_stream import ChangeStream, own_page
from unique_account.demo.phones import DemoPhones
from unique_account.ports.pbx import CommandFailed, Failure

_KEYS = frozenset({"dial", "answer", "hang_up", "hold", "resume", "transfer", "join"})


class SipSockets:
    """The WebRTC lines; each connection is one contact of a line, as each tab is one in SIP."""

    def __init__(self, pbx: MemoryPbx, phones: DemoPhones, news: ChangeStream, secret: str) -> None:
        self._pbx = pbx
        self._phones = phones
        self._news = news
        self._secret = secret
        self._contacts = (f"tab-{number}" for number in count(1))
        self._holders: dict[str, str] = {}

    async def connect(self, socket: WebSocket) -> None:
        """Serve the phone of one tab, until it goes."""
        if not own_page(socket):
            await socket.close()
            return
        await socket.accept()
        try:
            hello = await socket.receive_json()
            if not compare_digest(str(hello.get("password", "")), self._secret):
                await socket.close(4001)
                return
            await self._registered(socket, f"PJSIP/{hello.get('name')}", next(self._contacts))
        except (WebSocketDisconnect, ValueError, AttributeError):
            return

    async def _registered(self, socket: WebSocket, line: str, contact: str) -> None:
        await self._pbx.register(line, contact)
        showing = asyncio.create_task(self._show(socket, line, contact))
        try:
            while True:
                await self._take(socket, line, contact, await socket.receive_json())
        finally:
            showing.cancel()
            await self._pbx.unregister(line, contact)
            await self._drop_calls(line, contact)

    async def _take(self, socket: WebSocket, line: str, contact: str, asked: dict[str, Any]) -> None:
        key, argument = str(asked.get("key", "")), str(asked.get("argument", ""))
        answer: dict[str, Any] = {"ref": asked.get("ref")}
        try:
            if key not in _KEYS:
                await socket.close(4002)
                return
            if key == "answer":
                self._holders[argument] = contact
            leg = await self._phones.press(line, key, argument)
            if key == "dial":
                self._holders[leg] = contact
            # With the calls as they are now: the page must not get a call that it cannot find.
            answer |= {"id": leg, "calls": self._own(line, contact)}
        except UniqueAccountError as error:
            answer["error"] = _trouble_of(error)
        self._news.spread()
        await socket.send_json(answer)

    async def _show(self, socket: WebSocket, line: str, contact: str) -> None:
        """Show the tab its calls at every change: those that ring, and those that are its own."""
        ringing: set[str] = set()
        async for _ in self._news.follow():
            calls, own = self._phones.calls(line), self._own(line, contact)
            taken = any(call["id"] in ringing and call not in own for call in calls)
            ringing = {call["id"] for call in own if call["status"] is CallStatus.RINGING}
            failed = self._phones.failures(self._held_by(contact))
            await socket.send_json({"calls": own, "taken": taken, "failed": failed})

    def _held_by(self, contact: str) -> set[str]:
        """The legs that a tab holds, those that are over included."""
        return {leg for leg, holder in self._holders.items() if holder == contact}

    def _own(self, line: str, contact: str) -> list[dict[str, Any]]:
        return [call for call in self._phones.calls(line) if self._is_own(call, contact)]

    def _is_own(self, call: dict[str, Any], contact: str) -> bool:
        return (
            self._holders.get(call["id"], contact if call["status"] is CallStatus.RINGING else "") == contact
        )

    async def _drop_calls(self, line: str, contact: str) -> None:
        """End the calls of a tab that is gone."""
        for leg in [leg for leg, holder in self._holders.items() if holder == contact]:
            del self._holders[leg]
            if any(call["id"] == leg for call in self._phones.calls(line)):
                await self._phones.press(line, "hang_up", leg)


def _trouble_of(error: UniqueAccountError) -> str:
    """What went wrong on a played phone, by the name of the page's notice."""
    nowhere = isinstance(error, CommandFailed) and error.failure is Failure.NO_SUCH_NUMBER
    return "no_such_number" if nowhere else "try_again"
