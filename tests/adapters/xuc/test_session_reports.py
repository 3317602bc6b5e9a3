"""Sessions that come, go, return and are logged out in any order, over a store that is slow, and fails."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import pytest

from tests.adapters.xuc.assistants import ALICE, KEY, NAMES, PASSWORDS, SipLines
from unique_account.adapters.memory import (
    MemoryAccounts,
    MemoryBus,
    MemoryCallLog,
    MemoryDirectory,
    MemoryObserver,
    MemoryPbx,
    SettableClock,
)
from unique_account.adapters.xuc import XucSettings, hub, websocket
from unique_account.adapters.xuc.hub import Hub
from unique_account.adapters.xuc.session_checks import check_sessions
from unique_account.adapters.xuc.storage.store import FileStore
from unique_account.adapters.xuc.transport.rate_limit import EntryRateLimit
from unique_account.adapters.xuc.transport.websocket_protocol import EXTENSION
from unique_account.core.account import Account
from unique_account.core.errors import Unreachable
from unique_account.core.machine import State
from unique_account.core.presence import Presence
from unique_account.core.view import View
from unique_account.service.service import Service

LEASE: Final = timedelta(seconds=10)


class FakeProtocol:
    """What a socket's protocol knows, where there is no network."""

    known = False
    fell_silent = False

    def dismiss(self) -> None:
        """Nothing is read anyway."""

    def finish(self, _: float = 0.0) -> None:
        """Nothing is sent anyway."""


class UnlimitedEntries(EntryRateLimit):
    """Counts nobody: a schedule has more entries in no time than a user's browser has."""

    def allows(self, user: str, now: float) -> bool:
        return True


class FakeWebSocket:
    """A WebSocket without a network: it is there until it is closed from either side."""

    def __init__(self, token: str) -> None:
        self.scope: dict[str, Any] = {"extensions": {EXTENSION: FakeProtocol()}}
        self.query_params = {"token": token}
        self._gone = asyncio.Event()

    async def accept(self) -> None:
        """Nothing is to be agreed on."""

    async def receive(self) -> dict[str, str]:
        await self._gone.wait()
        return {"type": "websocket.disconnect"}

    async def send_text(self, _: str) -> None:
        """Nobody reads."""

    async def send_json(self, _: object) -> None:
        """Nobody reads."""

    async def close(self, _: int = 1000) -> None:
        self.go()

    def go(self) -> None:
        self._gone.set()


class HubCti:
    """The port `Cti` on a hub, without a server."""

    def __init__(self, at: Hub) -> None:
        self._hub = at

    async def listen(self, *ports: Any) -> None:
        self._hub.service = hub.ServicePorts(*ports)
        await asyncio.Event().wait()

    async def show(self, view: View) -> None:
        await self._hub.show(view)

    async def publish(self, number: str, presence: Presence) -> None:
        self._hub.presence.publish(number, presence)

    async def history_changed(self, user: str) -> None:
        self._hub.history_changed(user)

    async def release(self, user: str) -> None:
        self._hub.release(user)

    async def forget(self, user: str) -> None:
        await self._hub.forget(user)


class SlowAccounts(MemoryAccounts):
    """A store whose answers wait for somebody to let them through, or to let them fail.

    Attributes:
        waiting: What waits, as the ways in which it may go on.
        hurried: Whether nothing waits any more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[asyncio.Future[str]] = []
        self.hurried = True

    async def _turn(self) -> str:
        if self.hurried:
            return "pass"
        self.waiting.append(turn := asyncio.get_running_loop().create_future())
        answer: str = await turn
        return answer

    async def load(self, user: str) -> Any:
        if await self._turn() != "pass":
            raise Unreachable("gone")
        return await super().load(user)

    async def save(self, *what: Any) -> None:
        match await self._turn():
            case "fail":
                raise OSError("the disk is full")
            case "lose":
                raise Unreachable("gone before it was done")
            case "lose the answer":
                await super().save(*what)
                raise Unreachable("gone after it was done")
            case "hang":
                await super().save(*what)
                await asyncio.Event().wait()
            case _:
                await super().save(*what)


class UnwrittenStore(FileStore):
    """Sessions that no disk delays."""

    async def save(self) -> None:
        """Nothing outlives a schedule."""


class RandomSchedule:
    """Alice's sessions, steered at random by a seed, and what was done so far."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.clock, self.observer, self.accounts = SettableClock(), MemoryObserver(), SlowAccounts()
        settings = XucSettings(key=KEY, port=0, sockets_per_user=4)
        self.directory = MemoryDirectory(PASSWORDS, NAMES)
        self.store = UnwrittenStore(None, self.observer, self.clock.now().timestamp)
        self.hub = Hub(settings, self.directory, SipLines(), self.observer, self.clock.now, self.store)
        self.service = Service(
            accounts=self.accounts,
            pbxs=(MemoryPbx(self.clock),),
            cti=HubCti(self.hub),
            bus=MemoryBus(),
            call_log=MemoryCallLog(),
            clock=self.clock,
            observer=self.observer,
            lease=LEASE,
        )
        self.tokens: list[str] = []
        self.revoked: list[str] = []
        self.sockets: list[FakeWebSocket] = []
        self.serving: list[asyncio.Task[None]] = []
        self.others: list[asyncio.Task[None]] = []
        self.done: list[str] = []

    @property
    def alice(self) -> Account:
        return self.service.account("alice")

    # -- what may happen -----------------------------------------------------------------------------

    async def enter(self) -> None:
        if not self.tokens or self.chance.random() < 0.3:
            credential = await self.directory.credential("alice") or ""
            self.tokens.append(await self.hub.log_ins.log_in("alice", "alice", credential))
        socket = FakeWebSocket(self.chance.choice(self.tokens[-2:]))
        self.sockets.append(socket)
        self.serving.append(self._task(websocket.serve(self.hub, UnlimitedEntries(), socket)))  # type: ignore[arg-type]
        await asyncio.sleep(0)  # one that is cancelled before it began is no socket

    async def leave(self) -> None:
        if self.sockets:
            self.sockets.pop(self.chance.randrange(len(self.sockets))).go()

    async def log_out(self) -> None:
        if self.tokens:
            token = self.hub.log_ins._tokens.read(self.chance.choice(self.tokens[-2:]))
            self.others.append(self._task(self.hub.log_out("alice", token.session)))

    async def remove(self) -> None:
        self.others.append(self._task(self._removed()))

    async def _removed(self) -> None:
        tokens = list(self.tokens)
        await self.service.remove("alice")
        await self.service.add(ALICE)
        self.revoked += tokens

    async def change_password(self) -> None:
        self.directory._passwords = {**self.directory._passwords, "alice": str(len(self.done))}

    async def check_sessions_now(self) -> None:
        self.others.append(self._task(check_sessions(self.hub)))

    async def cancel(self) -> None:
        if self.serving:
            self.chance.choice(self.serving[-3:]).cancel()

    async def answer(self) -> None:
        waiting = [turn for turn in self.accounts.waiting if not turn.done()]
        if waiting:
            self.chance.choice(waiting).set_result("pass")

    async def fail(self) -> None:
        waiting = [turn for turn in self.accounts.waiting if not turn.done()]
        if waiting:
            self.chance.choice(waiting).set_result(self.chance.choice(["fail", "lose", "lose the answer"]))

    async def wait(self) -> None:
        self.others.append(self._task(self.clock.advance(timedelta(seconds=self.chance.choice((1, 4, 11))))))

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.create_task(_ignore_errors(work))

    # -- the schedule --------------------------------------------------------------------------------

    async def run_random_steps(self, steps: int) -> None:
        """Let so much happen, at random."""
        may: list[tuple[Callable[[], Coroutine[Any, Any, None]], int]] = [
            (self.enter, 4), (self.leave, 3), (self.log_out, 2), (self.cancel, 1),
            (self.answer, 8), (self.fail, 1), (self.wait, 1), (self.remove, 1),
            (self.change_password, 1), (self.check_sessions_now, 1),
        ]  # fmt: skip
        happenings, weights = zip(*may, strict=True)
        self.accounts.hurried = False
        for _ in range(steps):
            (happening,) = self.chance.choices(happenings, weights)
            self.done.append(happening.__name__)
            try:
                await happening()
            except Exception as error:
                self.done.append(str(error))
            for _ in range(self.chance.randrange(6)):
                await asyncio.sleep(0)

    async def settle(self) -> None:
        """Let everything that waits for the store come to its end."""
        self.accounts.hurried = True
        for turn in self.accounts.waiting:
            if not turn.done():
                turn.set_result("pass")
        if self.others:
            await asyncio.wait(self.others)
        for _ in range(100):
            await asyncio.sleep(0)

    @property
    def connected(self) -> set[str]:
        return {tab.session for tab in self.hub.tabs}

    def sessions_without_lease(self) -> list[str]:
        """The sessions that are neither connected nor within their lease."""
        return [
            session.id
            for session in self.alice.sessions
            if session.id not in self.connected
            and (session.last_seen is None or session.last_seen + LEASE < self.clock.now())
        ]

    def valid_tokens(self) -> list[str]:
        """The tokens that are valid although their account was removed since."""
        return [token for token in self.revoked if self._is_valid(token)]

    def _is_valid(self, token: str) -> bool:
        read = self.hub.log_ins._tokens.read(token)
        return self.store._sessions.has(read.user, read.session)

    def unreported(self) -> set[str]:
        """The sessions that are connected and that the account does not hold."""
        return self.connected - {session.id for session in self.alice.sessions}

    async def leave_all(self) -> None:
        for socket in self.sockets:
            socket.go()
        for task in self.serving:
            await asyncio.wait([task])


async def _ignore_errors(work: Coroutine[Any, Any, None]) -> None:
    with suppress(Exception):  # the caller got the error; what matters is what is left
        await work


async def run_schedule(seed: int, steps: int) -> None:
    """Follow one schedule: the invariant holds whenever nothing is under way, and nobody is left at last."""
    at = RandomSchedule(seed)
    async with at.service:
        await at.service.add(ALICE)
        for _ in range(3):
            await at.run_random_steps(steps)
            await at.settle()
            await at.clock.advance(timedelta(seconds=5))  # whatever was in doubt is asked for
            await at.settle()
            assert (at.sessions_without_lease(), at.unreported(), at.valid_tokens()) == ([], set(), []), (
                seed,
                at.done,
            )
        await at.leave_all()
        await at.settle()
        for _ in range(3):
            await at.clock.advance(LEASE)
            await at.settle()
        stored = await at.accounts.load("alice")
        assert stored is not None
        assert (at.alice.sessions, stored[1].sessions) == ((), ()), (seed, at.done)
        assert at.alice.state is State.LOGGED_OUT
        assert at.hub.sessions_of("alice").by_id == {}
    await at.hub.tasks.cancel()


class TestInvariant:
    """S5, S7: at every instant a session is connected, or within its lease, or gone."""

    @pytest.mark.parametrize("seed", range(12))
    def test_random_schedules(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hub, "REPORT_RETRY", 0)
        for one in range(25):
            asyncio.run(run_schedule(seed * 1000 + one, 25))
