"""A service on in-memory ports that a test can look into, slow down and break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from inspect import iscoroutinefunction
from typing import Any

from attrs import evolve

from unique_account.adapters.memory import (
    MemoryAccounts,
    MemoryBus,
    MemoryCallLog,
    MemoryCti,
    MemoryObserver,
    MemoryPbx,
    SettableClock,
)
from unique_account.core.account import Account
from unique_account.core.errors import Unreachable
from unique_account.core.presence import Presence, presence
from unique_account.core.routing import Plan, plan
from unique_account.core.user import User
from unique_account.core.view import view
from unique_account.service.service import Service

ALICE = User(
    id="alice",
    extension="1001",
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    dids=("+33123450001",),
    mailbox="1001@default",
)
BOB = User(id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w")

OWNER = "unique_account"


class Watched:
    """A port of which every request is kept, and may be made to fail or to hang."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self.requests: list[tuple[str, tuple[Any, ...]]] = []
        self.broken: dict[str, Exception] = {}
        self.hanging: dict[str, tuple[asyncio.Event, str]] = {}

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._port, name)
        if not iscoroutinefunction(attribute):
            return attribute

        async def request(*arguments: Any, **named: Any) -> Any:
            self.requests.append((name, arguments))
            if name in self.hanging:
                released, user = self.hanging[name]
                if not user or any(getattr(part, "id", part) == user for part in arguments):
                    await released.wait()
            if name in self.broken:
                raise self.broken[name]
            return await attribute(*arguments, **named)

        return request

    def asked(self, name: str) -> list[tuple[Any, ...]]:
        """What was asked with these requests."""
        return [arguments for asked, arguments in self.requests if asked == name]

    def hang(self, name: str, user: str = "") -> asyncio.Event:
        """Let a request hang, one about this user only or any, until the event returned is set."""
        released = asyncio.Event()
        self.hanging[name] = (released, user)
        return released

    def fail(self, *names: str, error: Exception | None = None) -> None:
        """Let requests fail."""
        self.broken |= {name: error or ConnectionError(f"{name} is broken") for name in names}

    def heal(self) -> None:
        """Neither fail nor hang any more."""
        self.broken, self.hanging = {}, {}


class Installation:
    """The ports, which outlive the services that run on them one after the other."""

    def __init__(self, nodes: tuple[str, ...] = ("default",), accounts: Any = None) -> None:
        self.clock = SettableClock()
        self.accounts = Watched(MemoryAccounts() if accounts is None else accounts)
        self.memory_pbxs = {name: MemoryPbx(self.clock, name) for name in nodes}
        self.pbxs = {name: Watched(pbx) for name, pbx in self.memory_pbxs.items()}
        self.memory_cti, self.memory_bus = MemoryCti(), MemoryBus()
        self.cti, self.bus = Watched(self.memory_cti), Watched(self.memory_bus)
        self.call_log = Watched(MemoryCallLog())
        self.observer = MemoryObserver()

    @property
    def pbx(self) -> MemoryPbx:
        """The first node, to be driven."""
        return next(iter(self.memory_pbxs.values()))

    @property
    def node(self) -> Watched:
        """The first node, as the service sees it."""
        return next(iter(self.pbxs.values()))

    def service(self, **changes: Any) -> Service:
        """A service on these ports."""
        ports: dict[str, Any] = {
            "accounts": self.accounts,
            "pbxs": tuple(self.pbxs.values()),
            "cti": self.cti,
            "bus": self.bus,
            "call_log": self.call_log,
            "clock": self.clock,
            "observer": self.observer,
        }
        return Service(**ports | changes)

    @asynccontextmanager
    async def running(self, *users: User, **changes: Any) -> AsyncIterator[Service]:
        """A service that runs, with these users."""
        async with self.service(**changes) as service:
            for user in users:
                await service.add(user)
            yield service

    @contextmanager
    def losing(self, name: str, *, done: bool) -> Iterator[None]:
        """Lose the store of accounts at a request, before it answers but with what was asked done, or not."""
        request = getattr(self.accounts._port, name)

        async def loses(*arguments: Any) -> None:
            if done:
                await request(*arguments)
            self.accounts.fail("load", "save", "add", "remove", error=Unreachable("gone"))
            raise Unreachable("gone")

        setattr(self.accounts._port, name, loses)
        try:
            yield
        finally:
            setattr(self.accounts._port, name, request)

    async def advance(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.advance(timedelta(seconds=seconds))

    async def plans(self, node: str = "default", owner: str = OWNER) -> dict[str, Plan]:
        """The plans on a node."""
        return dict(await self.memory_pbxs[node].installed(owner))

    async def follows(self, account: Account) -> bool:
        """Whether calls follow the account's plan: a change that says nothing new of it is not installed."""
        held = (await self.plans(account.user.media_server)).get(account.user.id)
        return held is not None and evolve(held, version=account.version) == plan(account)

    async def shows_everything(self, service: Service, user: str = "alice") -> bool:
        """Whether every port has every projection of a user."""
        account = service.account(user)
        shown = (self.hints(), self.memory_cti.presences, self.memory_bus.presences)
        return (
            await self.follows(account)
            and self.memory_cti.shown[user] == view(account)
            and self.memory_bus.forwardings[user] == account.forwarding
            and self.memory_bus.selections[user] is account.selection
            and all(by[number] is presence(account) for by in shown for number in account.user.numbers)
        )

    def hints(self, node: str = "default") -> dict[str, Presence]:
        """What phones on a node show."""
        return self.memory_pbxs[node].hints

    async def stored(self, user: str) -> Account | None:
        """The stored part of an account, as an account."""
        stored = await self.accounts.load(user)
        return None if stored is None else Account(*stored)

    @property
    def failures(self) -> list[str]:
        """What the observer heard that ports did not do."""
        return [str(request) for request, _ in self.observer.failures]


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)
