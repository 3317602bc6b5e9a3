"""Scenes in which the called user is not reached, or another user takes the call (H4, H7)."""

from __future__ import annotations

import time
from typing import Final

from tests.e2e.fixtures.recording_stage import Stage
from tests.e2e.scenes.calls import TAB, Scene, answered, emitted, ended, fallen_back, missed, speak, taken
from tests.e2e.scenes.people import ALICE, CAROL, DAVE, OUTSIDE, Truth
from unique_account.core.events import ForwardingChanged
from unique_account.core.forwarding import Forward, Forwarding


def _to(number: str) -> Forward:
    return Forward(number, enabled=True)


async def forward_to_outside(at: Stage) -> tuple[Truth, ...]:
    """Alice forwards every call to her mobile phone, and answers there."""
    await at.plan(ALICE, ForwardingChanged(Forwarding(unconditional=_to(OUTSIDE))))
    await taken(at, "bob", "1001", "carrier")
    await ended(at, "bob", "carrier")
    return emitted("bob", OUTSIDE, actor=at["bob"]), missed("alice", "1002", None, rang=0.0)


async def busy_forward(at: Stage) -> tuple[Truth, ...]:
    """Dave may have one call, has it, and forwards others to carol, who answers."""
    await at.plan(DAVE, ForwardingChanged(Forwarding(busy=_to("1003"))))
    await taken(at, "bob", "1004", "dave")
    bob, dave = dict(at["bob"].at), dict(at["dave"].at)
    start = time.monotonic()
    await at["alice"].dial("1004")
    await at["carol"].wait_for("rings")
    await speak()
    await at["carol"].answer()
    await at.connected("alice", after=start)
    await speak()
    await ended(at, "alice", "carol")
    at["bob"].at, at["dave"].at = bob, dave
    await ended(at, "bob", "dave")
    return (
        emitted("bob", "1004", actor=at["bob"]),
        answered("dave", "1002", at["dave"]),
        emitted("alice", "1003", actor=at["alice"]),
        missed("dave", "1001", None, rang=0.0),
        answered("carol", "1001", at["carol"], forwarded_from="1004"),
    )


async def no_answer_chain(at: Stage) -> tuple[Truth, ...]:
    """Alice does not answer, nor does carol, to whom she forwards; carol forwards to dave, who does."""
    await at.plan(ALICE, ForwardingChanged(Forwarding(no_answer=_to("1003"))))
    await at.plan(CAROL, ForwardingChanged(Forwarding(no_answer=_to("1004"))))
    await at.call("bob", "1001")
    for name in ("alice", "carol"):
        await at[name].wait_for("rings")
        await at[name].wait_for("over")
    await at["dave"].wait_for("rings")
    await speak()
    await at["dave"].answer()
    await at.connected("bob", "dave")
    await speak()
    await ended(at, "bob", "dave")
    return (
        emitted("bob", "1004", actor=at["bob"]),
        missed("alice", "1002", rang=at["alice"].rang),
        missed("carol", "1002", rang=at["carol"].rang, forwarded_from="1001"),
        answered("dave", "1002", at["dave"], forwarded_from="1001"),
    )


async def group_unanswered(at: Stage) -> tuple[Truth, ...]:
    """Three deskphones ring for a group, and nobody answers."""
    await at.call("bob", "2000")
    group = ("alice", "carol", "dave")
    for word in ("rings", "over"):
        for name in group:
            await at[name].wait_for(word)
    await at["bob"].wait_for("over")
    return emitted("bob", "2000"), *(missed(name, "1002", rang=at[name].rang) for name in group)


async def group_picked_up(at: Stage) -> tuple[Truth, ...]:
    """Three deskphones ring for a group that a party outside calls, and bob picks the call up."""
    await at.call("carrier", "2000")
    group = ("alice", "carol", "dave")
    for name in group:
        await at[name].wait_for("rings")
    await speak()
    await at["bob"].dial("*8")
    await at.connected("carrier", "bob")
    for name in group:
        await at[name].wait_for("over")
    await speak()
    await ended(at, "bob", "carrier")
    picked = answered("bob", "0198765432", at["bob"])
    return picked, *(missed(name, "0198765432", rang=at[name].rang) for name in group)


async def caller_gives_up_after_fallback(at: Stage) -> tuple[Truth, ...]:
    """The browser is killed while it rings; the deskphone rings on (R15), until the caller hangs up."""
    began = await fallen_back(at)
    await ended(at, "bob", "alice")
    at["alice"].at["rings"] = began
    return emitted("bob", "1001"), missed("alice", "1002", TAB, rang=at["alice"].rang)


UNREACHED: Final[tuple[Scene, ...]] = (
    forward_to_outside,
    busy_forward,
    no_answer_chain,
    group_unanswered,
    group_picked_up,
    caller_gives_up_after_fallback,
)
"""Every scene of this module, those without a browser first."""
