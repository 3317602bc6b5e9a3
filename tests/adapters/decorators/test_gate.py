"""The gate before an account store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from unique_account.adapters.decorators.gate import GatedAccounts
from unique_account.adapters.memory import MemoryAccounts
from unique_account.core.account import Kept
from unique_account.ports.accounts import Accounts, StoreDown
from unique_account.testing.contracts import AccountsContract
from unique_account.testing.contracts.accounts import ALICE, BOB


class TestOpenGate(AccountsContract):
    """A store behind an open gate is a store."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Accounts]:
        yield GatedAccounts(MemoryAccounts(), lambda: True, "")


class TestClosedGate:
    """Behind a closed gate nothing is changed, and everything can be read."""

    def test_changes_are_refused_at_once(self) -> None:
        async def check() -> None:
            store = MemoryAccounts()
            await store.add([ALICE])
            gated = GatedAccounts(store, lambda: False, "the group may have another owner")
            for write in (
                gated.add([BOB]),
                gated.add_stored([(BOB, Kept())]),
                gated.save(ALICE, Kept(version=1), 0),
                gated.remove("alice", 0),
                gated.all_last_seen(datetime(2026, 1, 5, tzinfo=UTC)),
            ):
                with pytest.raises(StoreDown, match="another owner"):
                    await write
            assert [stored async for stored in gated.all()] == [(ALICE, Kept())]
            assert await gated.load("alice") == (ALICE, Kept())

        asyncio.run(check())
