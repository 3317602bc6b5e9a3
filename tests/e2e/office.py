"""An office: a node, the deskphones of a user and a colleague, and the user's browser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from typing import Final, ParamSpec

from attrs import frozen

from lab.asterisk import Node, node
from lab.browser import Browser, Tab, browser
from lab.config import Endpoint
from lab.phones import Phone, phone
from unique_account import (
    User,
)

USER: Final = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
DESKPHONE: Final = Endpoint(name="alice", caller_id="1001")
WEBRTC: Final = Endpoint(name="alice_w", caller_id="1001", webrtc=True)
COLLEAGUE: Final = Endpoint(name="bob", caller_id="1002")
WATCHER: Final = Endpoint(name="lamp", password="")
ENDPOINTS: Final = (DESKPHONE, WEBRTC, COLLEAGUE)
EXTENSIONS: Final = """
[default]
exten = 1001,1,Set(contacts=${PJSIP_DIAL_CONTACTS(alice_w)})
 same = n,ExecIf($["${contacts}" != ""]?Dial(${contacts},30):Dial(PJSIP/alice,30))
exten = 1002,1,Dial(PJSIP/bob,30)
"""

P = ParamSpec("P")


def live(scenario: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """A test that is a coroutine, within a time that only a fault exceeds."""

    @wraps(scenario)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def in_time() -> None:
            async with asyncio.timeout(300):
                await scenario(*args, **kwargs)

        asyncio.run(in_time())

    return run


@frozen(weakref_slot=False)
class Desks:
    """A node with the user's deskphone and a colleague's."""

    pbx: Node
    alice: Phone
    bob: Phone


@asynccontextmanager
async def desks() -> AsyncIterator[Desks]:
    async with (
        node(ENDPOINTS, EXTENSIONS) as pbx,
        phone(pbx, DESKPHONE) as alice,
        phone(pbx, COLLEAGUE) as bob,
    ):
        yield Desks(pbx, alice, bob)


@frozen(weakref_slot=False)
class Office:
    """A node with both deskphones, and the user's browser with one tab."""

    pbx: Node
    alice: Phone
    bob: Phone
    chromium: Browser
    tab: Tab


@asynccontextmanager
async def office() -> AsyncIterator[Office]:
    async with desks() as at, browser() as chromium:
        yield Office(at.pbx, at.alice, at.bob, chromium, await chromium.tab(at.pbx, WEBRTC))


async def talk(pbx: Node, caller: Phone, callee: Phone, number: str) -> None:
    """A call from one deskphone to the other, which stays up."""
    start = time.monotonic()
    await caller.dial(number)
    await callee.event("CALL_INCOMING", after=start)
    await callee.accept()
    for party in (caller, callee):
        await party.event("CALL_ESTABLISHED", after=start)
    # A hold that comes before the other party is in the bridge reaches nobody.
    await pbx.ami.event("BridgeEnter", after=start, BridgeNumChannels="2")
