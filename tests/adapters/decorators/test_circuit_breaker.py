"""A store of accounts that is looked after: whoever asks while it is lost is refused at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.event_loop import in_loop
from tests.service.installation import ALICE, BOB, Watched
from unique_account.adapters.decorators import circuit_breaker
from unique_account.adapters.decorators.circuit_breaker import AccountsCircuitBreaker
from unique_account.adapters.memory import MemoryAccounts, MemoryObserver
from unique_account.core.account import NOTHING_KEPT
from unique_account.core.errors import Unreachable
from unique_account.ports.accounts import Accounts, StoreDown
from unique_account.ports.observer import PortRequest
from unique_account.testing.contracts import AccountsContract

CONNECTION = PortRequest("accounts", "connection")

REQUESTS: dict[str, Callable[[Accounts], Awaitable[object]]] = {
    "load": lambda store: store.load("alice"),
    "add": lambda store: store.add([BOB]),
    "save": lambda store: store.save(ALICE, NOTHING_KEPT, 0),
    "remove": lambda store: store.remove("alice", 0),
}
GONE = Unreachable("the database is gone")


class TestWatchedAccounts(AccountsContract):
    """A store that is looked after is a store."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Accounts]:
        yield AccountsCircuitBreaker(MemoryAccounts(), MemoryObserver())


class Looked:
    """A store that is looked after and holds Alice's account; nothing passes before the next look."""

    def __init__(self) -> None:
        self.behind = Watched(MemoryAccounts())
        self.observer = MemoryObserver()
        self.store = AccountsCircuitBreaker(self.behind, self.observer)


@asynccontextmanager
async def looked() -> AsyncIterator[Looked]:
    at = Looked()
    await at.store.add([ALICE])
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LOOKS_EVERY", "LOOKS_AGAIN_AFTER"):
            patch.setattr(circuit_breaker, name, 0)
        looking = asyncio.create_task(at.store.look_after())
        yield at
        looking.cancel()


@pytest.mark.parametrize("name", REQUESTS)
class TestDown:
    """S2: while the store is lost nothing is written, and nobody waits to hear so."""

    @in_loop
    async def test_who_finds_it_lost_says_so_once(self, name: str) -> None:
        at = Looked()
        await at.store.add([ALICE])
        before = len(at.behind.asked(name))
        at.behind.fail(name, error=GONE)
        for _ in range(3):
            with pytest.raises(StoreDown, match="the database is gone"):
                await REQUESTS[name](at.store)
        assert len(at.behind.asked(name)) == before + 1
        assert at.observer.failures == [(CONNECTION, GONE)]
        assert not at.store.reachable

    @in_loop
    async def test_nobody_is_asked_while_it_is(self, name: str) -> None:
        at = Looked()
        await at.store.add([ALICE])
        at.behind.fail("load", error=GONE)
        with pytest.raises(StoreDown):
            await at.store.load("alice")
        before = list(at.behind.requests)
        with pytest.raises(StoreDown):
            await REQUESTS[name](at.store)
        with pytest.raises(StoreDown):
            async for _ in at.store.all():
                pass
        assert at.behind.requests == before


class TestLookingAfter:
    """S2: a store that is back is used again, and that it was lost and is back is told once each."""

    @pytest.mark.parametrize("error", [GONE, OSError("no such device")])
    @in_loop
    async def test_it_is_found_lost_and_back_with_nobody_asking(self, error: Exception) -> None:
        async with looked() as at:
            at.behind.fail("load", error=error)
            await _becomes(at, reachable=False)
            for _ in range(10):
                await asyncio.sleep(0)
            at.behind.heal()
            await _becomes(at, reachable=True)
            assert at.observer.failures == [(CONNECTION, error)]
            assert at.observer.recoveries == [CONNECTION]
            await at.store.save(ALICE, NOTHING_KEPT, 0)

    @in_loop
    async def test_what_it_refuses_does_not_make_it_lost(self) -> None:
        async with looked() as at:
            at.behind.fail("save", error=OSError("no space left"))
            with pytest.raises(OSError, match="no space left"):
                await at.store.save(ALICE, NOTHING_KEPT, 0)
            assert at.store.reachable
            assert at.observer.failures == []


async def _becomes(at: Looked, *, reachable: bool) -> None:
    while at.store.reachable is not reachable:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
