"""The servers of the comparison `cti`, each in a process of its own: the CTI server, and a bare WebSocket."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from unique_account.adapters.log_observer import LogObserver
from unique_account.adapters.memory import MemoryDirectory
from unique_account.adapters.sqlite import SqliteAccounts
from unique_account.adapters.xuc import XucCti, XucSettings
from unique_account.adapters.xuc.server import BACKLOG, _config, _limits
from unique_account.bootstrap import bootstrap
from unique_account.core.account import LineStatus
from unique_account.core.events import LineChanged
from unique_account.core.machine import Device
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.core.routing import Plan
from unique_account.core.user import User
from unique_account.http_server.server import bind, serving
from unique_account.ports.inbound.events import EventHandler
from unique_account.ports.sip_credentials import SipLine

KEY = "a key for benchmarks, and for those alone"
PASSWORD = "x"
WATCHED = "9999"
TOLD = 2300
"""How many bytes the CTI server tells a newcomer, about; the bare one sends as many."""


class StandingPbx:
    """A PBX on which nothing happens, and which costs nothing."""

    media_server = "default"

    async def listen(self, on_event: EventHandler, on_return: Callable[[], None]) -> None:
        await asyncio.Event().wait()

    async def watch(self, user: User) -> None:
        pass

    async def forget(self, user: str) -> None:
        pass

    async def install(self, plan: Plan) -> bool:
        return True

    async def installed(self, owner: str) -> Mapping[str, Plan]:
        return {}

    async def hint(self, number: Number, presence: Presence) -> None:
        pass


class Lines:
    async def line(self, user: User) -> SipLine | None:
        return SipLine(
            name=f"{user.id}_w", password="x" * 24, url="wss://pbx.example.org/wssip", domain="pbx"
        )


def users(count: int) -> list[User]:
    numbers = [WATCHED, *(str(10_000 + number) for number in range(1, count))]
    return [
        User(id=f"user{n}", extension=number, deskphone=f"PJSIP/u{n}", webrtc=f"PJSIP/u{n}_w")
        for n, number in enumerate(numbers)
    ]


def usage(sockets: int) -> dict[str, float]:
    status = Path("/proc/self/statm").read_text("ascii").split()
    return {
        "cpu": time.process_time(),
        "memory": int(status[1]) * os.sysconf("SC_PAGESIZE"),
        "sockets": sockets,
    }


async def questions() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


def answer(said: Any) -> None:
    print(json.dumps(said), flush=True)


async def cti(count: int, folder: Path) -> None:
    """The CTI server, with so many accounts, in a file that may be there already."""
    people = users(count)
    directory = MemoryDirectory(
        {user.id: PASSWORD for user in people},
        {user.extension: user.id for user in people},
        {user.extension: user.id for user in people},
    )
    most = count + 100
    settings = XucSettings(
        key=KEY, port=0, sockets=most, sockets_per_address=most, store=folder / "cti.sqlite"
    )
    server, pbx = XucCti(settings, directory, Lines(), LogObserver()), StandingPbx()
    file = folder / "accounts.sqlite"
    known = file.exists()
    store = SqliteAccounts(file)
    if not known:
        await store.add(people)
    async with bootstrap(cti=server, pbxs=(pbx,), accounts=store) as service:  # type: ignore[arg-type]
        reader = await questions()
        answer(await server.port())
        status = LineStatus.NOT_IN_USE
        while question := (await reader.readline()).decode().strip():
            if question == "tokens":
                answer(await tokens(server, people, folder / "tokens.json"))
                await server._hub.store.save()
            elif question == "usage":
                answer(usage(server.sockets))
            else:
                status = LineStatus.IN_USE if status is LineStatus.NOT_IN_USE else LineStatus.NOT_IN_USE
                reported = time.monotonic()
                await service.handle("user0", LineChanged(Device.DESKPHONE, status))
                answer(reported)


async def tokens(server: XucCti, people: list[User], file: Path) -> list[str]:
    """A token for everybody, the same ones after a restart."""
    if not file.exists():  # noqa: ASYNC240 - nobody waits yet
        log_in = server._hub.log_ins.log_in
        made = await asyncio.gather(*(log_in(user.id, user.id, PASSWORD) for user in people))
        file.write_text(json.dumps(made), "ascii")  # noqa: ASYNC240
    issued: list[str] = json.loads(file.read_text("ascii"))  # noqa: ASYNC240
    return issued


async def bare(count: int, _: Path) -> None:
    """A WebSocket that sends one frame to each newcomer, and waits."""

    async def serve(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("CurrentCallsPhoneEvents" + "x" * TOLD)
        while (await socket.receive())["type"] == "websocket.receive":
            pass

    app = Starlette(routes=[WebSocketRoute("/xuc/api/2.0/cti", serve)])
    settings = XucSettings(key=KEY, port=0, sockets=count + 100)
    listener, reader = bind("127.0.0.1", 0, BACKLOG), await questions()
    async with serving(_config(settings, app), _limits(settings), listener):
        answer(listener.getsockname()[1])
        while question := (await reader.readline()).decode().strip():
            answer(["x"] * count if question == "tokens" else usage(-1))


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run({"cti": cti, "bare": bare}[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3])))
