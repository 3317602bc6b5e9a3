"""Fake nodes in a process of their own, which load what is connected: ``python -m benchmarks.groups.load``.

Its arguments are how many nodes and users there are. It prints the nodes' ports, reads one order a line,
and prints what came of each, as JSON. Two kinds of load:

- ``states``: a deskphone's state changes; done once the hint of its number shows it at its own node.
- ``choices``: a user switches do-not-disturb by a code; done once the caller has the answer, so it is stored.

A flood keeps so many under way and gives the most that is done a second. A rate sends at set times, whatever
is answered, and gives the delays since these times: what waits before it is sent waited, too.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
from statistics import median, quantiles
from typing import Any, Final

from benchmarks.groups.fake_node import FakeNode, number_of

PATIENCE: Final = 20.0
"""How many seconds the last answers of a load may take."""

_CODE: Final = "\r\n".join(
    (
        "Channel: PJSIP/u{user}-00000001",
        "ChannelState: 4",
        "ChannelStateDesc: Ring",
        "CallerIDNum: {number}",
        "CallerIDName: u{user}",
        "ConnectedLineNum: <unknown>",
        "ConnectedLineName: <unknown>",
        "Language: en",
        "AccountCode: ",
        "Context: default",
        "Exten: *25",
        "Priority: 1",
        "Uniqueid: 1767600000.{user}",
        "Linkedid: 1767600000.{user}",
        "UserEvent: UniqueAccountCode",
        "Key: 5f3b",
        "Account: u{user}",
        "Asks: do_not_disturb",
        "Number: ",
    )
)
"""What the dialplan reports when a user dials a code."""

WARM_UP: Final = 0.2
"""The part of a flood at its beginning that is not counted."""


class Load:
    """All nodes, and what they wait for."""

    def __init__(self, nodes: int, users: int) -> None:
        self._users = users
        self.nodes = [
            FakeNode(index, range(index, users, nodes), self._shown, self._answered) for index in range(nodes)
        ]
        self._turns = cycle(range(users))
        self._pending: dict[int, tuple[float, bytes | None]] = {}
        self._done: list[tuple[float, float]] = []
        self._room = asyncio.Event()

    async def flood(self, kind: str, events: int, window: int) -> dict[str, object]:
        """So many events, so many of them under way at any moment."""
        self._begin()
        sent = 0
        last = time.perf_counter()
        while len(self._done) < events and time.perf_counter() < last + PATIENCE:
            while sent < events and len(self._pending) < window:
                self._send(kind, time.perf_counter())
                sent += 1
            await self._some_done()
            last = self._done[-1][0] if self._done else last
        counted = self._done[int(WARM_UP * len(self._done)) :]
        if len(counted) < 2:
            return {"a second": 0.0, "lost": events - len(self._done)}
        seconds = counted[-1][0] - counted[0][0]
        return {"a second": (len(counted) - 1) / seconds, "lost": events - len(self._done)}

    async def rate(self, kind: str, rate: float, seconds: float) -> dict[str, object]:
        """Events at set times."""
        self._begin()
        begun, events = time.perf_counter(), int(rate * seconds)
        for number in range(events):
            due = begun + number / rate
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            elif number % 50 == 0:
                await asyncio.sleep(0)
            while len(self._pending) == self._users:
                await self._some_done()
            self._send(kind, due)
        deadline = time.perf_counter() + PATIENCE
        while self._pending and time.perf_counter() < deadline:
            await self._some_done()
        now = time.perf_counter()
        delays = sorted([delay for _, delay in self._done] + [now - due for due, _ in self._pending.values()])
        per_cent = quantiles(delays, n=100) if len(delays) > 1 else [0.0] * 99
        return {
            "p50, ms": median(delays) * 1000,
            "p99, ms": per_cent[98] * 1000,
            "longest, ms": delays[-1] * 1000,
            "lost": len(self._pending),
        }

    def actions(self) -> dict[str, object]:
        """How many actions the nodes were given so far."""
        return {"actions": sum(node.actions for node in self.nodes)}

    def empty(self) -> dict[str, object]:
        """Forget AstDB, as new nodes."""
        for node in self.nodes:
            node.database.clear()
        return {}

    async def _some_done(self) -> None:
        self._room.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await self._room.wait()

    def _begin(self) -> None:
        self._pending.clear()
        self._done.clear()

    def _send(self, kind: str, due: float) -> None:
        user = next(user for user in self._turns if user not in self._pending)
        node = self.nodes[user % len(self.nodes)]
        if kind == "states":
            state = b"NOT_INUSE" if node.states[user] == b"INUSE" else b"INUSE"
            node.states[user] = state
            self._pending[user] = due, state
            text = f"Device: PJSIP/u{user}\r\nState: {state.decode()}"
            name = "DeviceStateChange"
        else:
            self._pending[user] = due, None
            text, name = _CODE.format(user=user, number=number_of(user)), "UserEvent"
        node.report(
            f"Event: {name}\r\nPrivilege: call,all\r\nTimestamp: {time.time():.6f}\r\n{text}\r\n\r\n".encode()
        )

    def _shown(self, node: FakeNode, user: int, state: bytes) -> None:
        waiting = self._pending.get(user)
        if waiting is not None and waiting[1] == state and user % len(self.nodes) == node.index:
            self._is_done(user)

    def _answered(self, channel: bytes) -> None:
        user = int(channel.removeprefix(b"PJSIP/u").partition(b"-")[0])
        if user in self._pending:
            self._is_done(user)

    def _is_done(self, user: int) -> None:
        now = time.perf_counter()
        due, _ = self._pending.pop(user)
        self._done.append((now, now - due))
        self._room.set()


async def main(nodes: int, users: int) -> None:
    """Listen, and carry out orders until the input ends."""
    load = Load(nodes, users)
    orders: dict[str, Callable[..., Any]] = {
        "flood": load.flood,
        "rate": load.rate,
        "actions": load.actions,
        "empty": load.empty,
    }
    print(json.dumps([await node.listen() for node in load.nodes]), flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        name, arguments = json.loads(line)
        found = orders[name](*arguments)
        print(json.dumps(await found if asyncio.iscoroutine(found) else found), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
