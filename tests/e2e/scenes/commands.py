"""Scenes in which the UC Assistant commands a deskphone's calls through the adapter (C1)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from attrs import field, frozen

from lab.parties import Party
from lab.waiting import until
from tests.e2e.fixtures.live_service import manager_login
from tests.e2e.fixtures.recording_stage import Stage
from tests.e2e.scenes.calls import Scene, answered, emitted, ended, speak, taken
from tests.e2e.scenes.people import ALICE, CAROL, Truth
from unique_account.adapters.asterisk import AsteriskPbx
from unique_account.adapters.memory import MemoryObserver
from unique_account.core.account import Call
from unique_account.core.events import CallChanged, Event
from unique_account.core.user import User
from unique_account.testing.contracts.pbx.node import one_by_one


@frozen(weakref_slot=False)
class Assistant:
    """Commands a user's deskphone, and records the calls reported to it, in order."""

    pbx: AsteriskPbx
    calls: dict[str, Call] = field(factory=dict)

    async def on_event(self, _: str, event: Event) -> None:
        for one in one_by_one(event):
            if isinstance(one, CallChanged):
                self.calls[one.call.id] = one.call

    async def call(self, place: int) -> Call:
        """The user's first call, or a later one, once it is answered."""

        async def there() -> bool:
            return len(self.calls) > place and list(self.calls.values())[place].answered is not None

        await until(there, f"call {place} of the assistant")
        return list(self.calls.values())[place]


@asynccontextmanager
async def assistant(at: Stage, user: User) -> AsyncIterator[Assistant]:
    """The UC Assistant of a user, which installs nothing."""
    made = Assistant(AsteriskPbx(manager_login(at.pbx), MemoryObserver()))
    listening = asyncio.create_task(made.pbx.listen(made.on_event, lambda: None))
    try:
        await made.pbx.watch(user)
        yield made
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


def _party(at: Stage, name: str) -> Party:
    phone = at[name].phone
    assert isinstance(phone, Party)
    return phone


async def transferred_by_command(at: Stage) -> tuple[Truth, ...]:
    """Bob calls alice, whose UC Assistant transfers him to carol, unseen."""
    async with assistant(at, ALICE) as alices:
        await taken(at, "bob", "1001", "alice")
        await alices.pbx.transfer((await alices.call(0)).id, "1003")
        await at["alice"].wait_for("over")
        await at["carol"].wait_for("rings")
        await speak()
        await at["carol"].answer()
        await speak()
        await ended(at, "bob", "carol")
    return (
        emitted("bob", "1003", actor=at["bob"]),
        answered("alice", "1002", at["alice"], transferred_to="1003"),
        answered("carol", "1002", at["carol"]),
    )


async def joined_by_command(at: Stage) -> tuple[Truth, ...]:
    """Carol speaks with bob, asks dave, and her UC Assistant joins the two."""
    async with assistant(at, CAROL) as carols:
        await taken(at, "bob", "1003", "carol")
        await _joined_with_dave(at, carols)
        await ended(at, "bob", "dave")
    return (
        emitted("bob", "1004", actor=at["bob"]),
        answered("carol", "1002", at["carol"], transferred_to="1004"),
        answered("dave", "1002", at["dave"]),
    )


async def called_both_and_joined_by_command(at: Stage) -> tuple[Truth, ...]:
    """Carol calls alice, then dave, and her UC Assistant joins the two whom she called."""
    async with assistant(at, CAROL) as carols:
        await taken(at, "carol", "1001", "alice")
        await _joined_with_dave(at, carols)
        await ended(at, "alice", "dave")
    return (
        emitted("carol", "1001", actor=at["carol"], transferred_to="1004"),
        answered("alice", "1004", at["alice"]),
        answered("dave", "1001", at["dave"]),
    )


async def callers_joined_by_command(at: Stage) -> tuple[Truth, ...]:
    """Alice calls carol, bob does so meanwhile, and her UC Assistant joins the two callers."""
    async with assistant(at, CAROL) as carols:
        await taken(at, "alice", "1003", "carol")
        carol, kept, start = _party(at, "carol"), dict(at["carol"].at), time.monotonic()
        await carol.hold(carol.calls[0])
        at["bob"].since = at["carol"].since = start
        await at["bob"].dial("1003")
        await at["carol"].wait_for("rings")
        await speak()
        await at["carol"].answer()
        await at.connected("bob", after=start)
        await speak()
        await _joined(at, carols, kept)
        await ended(at, "bob", "alice")
    return (
        emitted("alice", "1002", actor=at["alice"]),
        answered("carol", "1001", at["carol"], transferred_to="1002"),
        emitted("bob", "1001", actor=at["bob"]),
    )


async def _joined_with_dave(at: Stage, carols: Assistant) -> None:
    """Carol holds her call and calls dave, who answers; her UC Assistant joins the two."""
    carol, kept = _party(at, "carol"), dict(at["carol"].at)
    await carol.hold(carol.calls[0])
    start = time.monotonic()
    carol.dial("1004")
    await at["dave"].wait_for("rings")
    await speak()
    await at["dave"].answer()
    await at.pbx.ami.event("BridgeEnter", after=start, BridgeNumChannels="2")
    await speak()
    await _joined(at, carols, kept)


async def _joined(at: Stage, carols: Assistant, kept: dict[str, float]) -> None:
    """Carol's two calls are joined, and over for her; of the first is kept when it rang and was up."""
    at["carol"].since = time.monotonic()
    first, second = [await carols.call(place) for place in (0, 1)]
    at.joined.append((len(at.pbx.ami.messages), (first.linked_id, second.linked_id)))
    await carols.pbx.join(first.id, second.id)
    kept["over"] = await at["carol"].wait_for("over")
    at["carol"].at = kept
    await speak()


COMMANDED: Final[tuple[Scene, ...]] = (
    transferred_by_command,
    joined_by_command,
    called_both_and_joined_by_command,
    callers_joined_by_command,
)
"""Every scene in which the UC Assistant commands."""
