"""Scenes of transferred calls that come back, are not taken, or go by the browser (H7)."""

from __future__ import annotations

import time
from typing import Final

from lab.browser import Tab
from lab.parties import Party
from lab.phones import Phone
from tests.e2e.fixtures.recording_stage import Actor, Stage
from tests.e2e.scenes.calls import IN, TAB, Scene, answered, emitted, ended, missed, parked, speak, taken
from tests.e2e.scenes.people import ALICE, Truth

_FOR_LONG: Final = "700"
_NOT_FOR_LONG: Final = "710"


async def _again(at: Stage, actor: Actor, since: float) -> None:
    """A phone is up once more, as part of the same call, until bob hangs up."""
    kept = dict(actor.at)
    await actor.wait_for("up")
    await at.pbx.ami.event("BridgeEnter", after=since, BridgeNumChannels="2")
    await speak()
    await at["bob"].hang_up()
    kept["over"] = await actor.wait_for("over")
    actor.at = kept


async def parking_comes_back(at: Stage) -> tuple[Truth, ...]:
    """Alice parks bob, nobody takes him, and he comes back to alice, who answers again."""
    await parked(at, _NOT_FOR_LONG)
    alice = at["alice"]
    kept, alice.since = dict(alice.at), time.monotonic()
    await alice.wait_for("rings")
    await speak()
    start = time.monotonic()
    await alice.answer()
    alice.at = kept
    await _again(at, alice, start)
    return emitted("bob", "1001", actor=at["bob"]), answered("alice", "1002", alice)


async def parking_comes_back_in_vain(at: Stage) -> tuple[Truth, ...]:
    """Alice parks bob, nobody takes him, and alice does not answer when he comes back."""
    await parked(at, _NOT_FOR_LONG)
    alice = at["alice"]
    kept, alice.since = dict(alice.at), time.monotonic()
    await alice.wait_for("rings")
    await alice.wait_for("over")
    await at["bob"].wait_for("over")
    alice.at = kept
    return (
        emitted("bob", "1001", actor=at["bob"]),
        answered("alice", "1002", alice, transferred_to=_NOT_FOR_LONG),
    )


async def parked_and_taken_back(at: Stage) -> tuple[Truth, ...]:
    """Alice parks bob, and takes him from the lot herself."""
    space = await parked(at, _FOR_LONG)
    alice = at["alice"]
    kept, start = dict(alice.at), time.monotonic()
    await alice.dial(space)
    alice.at = kept
    await _again(at, alice, start)
    return emitted("bob", "1001", actor=at["bob"]), answered("alice", "1002", alice)


async def parked_caller_gives_up(at: Stage) -> tuple[Truth, ...]:
    """Alice parks bob, who hangs up while nobody takes him."""
    await parked(at, _FOR_LONG)
    await at["bob"].hang_up()
    return (
        emitted("bob", "1001", actor=at["bob"]),
        answered("alice", "1002", at["alice"], transferred_to=_FOR_LONG),
    )


async def transfer_unanswered(at: Stage) -> tuple[Truth, ...]:
    """Alice transfers bob to carol, unseen, and carol does not answer."""
    await taken(at, "bob", "1001", "alice")
    phone = at["alice"].phone
    assert isinstance(phone, Phone)
    await phone.transfer(f"sip:1003@{at.pbx.sip}")
    await at["alice"].wait_for("over")
    await at["carol"].wait_for("rings")
    await at["carol"].wait_for("over")
    await at["bob"].wait_for("over")
    return (
        emitted("bob", "1001", actor=at["bob"]),
        answered("alice", "1002", at["alice"], transferred_to="1003"),
        missed("carol", "1002", rang=at["carol"].rang),
    )


async def consultation_refused(at: Stage) -> tuple[Truth, ...]:
    """Carol speaks with bob, asks dave, who refuses, and goes on with bob."""
    await taken(at, "bob", "1003", "carol")
    carol, dave = at["carol"], at["dave"].phone
    assert isinstance(carol.phone, Party)
    assert isinstance(dave, Party)
    first = carol.phone.calls[-1]
    await carol.phone.hold(first)
    carol.phone.dial("1004")
    await at["dave"].wait_for("rings")
    await speak()
    dave.reject()
    await carol.phone.wait_for("refused", after=carol.since)
    await carol.phone.resume(first)
    await speak()
    await ended(at, "bob", "carol")
    return (
        emitted("bob", "1003", actor=at["bob"]),
        answered("carol", "1002", carol),
        emitted("carol", "1004"),
        missed("dave", "1003"),
    )


# -- by the browser ----------------------------------------------------------------------------------


async def _in_the_browser(at: Stage) -> tuple[Actor, Tab]:
    """Bob calls alice, who answers in the browser."""
    tab = await at.tab()
    await at.plan(ALICE, IN)
    await taken(at, "bob", "1001", "tab")
    assert isinstance(tab.phone, Tab)
    return tab, tab.phone


async def transferred_by_browser(at: Stage) -> tuple[Truth, ...]:
    """Alice's browser transfers bob to carol, unseen."""
    tab, page = await _in_the_browser(at)
    await page.transfer("1003")
    await tab.wait_for("over")
    await at["carol"].wait_for("rings")
    await speak()
    await at["carol"].answer()
    await speak()
    await ended(at, "bob", "carol")
    return (
        emitted("bob", "1003", actor=at["bob"]),
        answered("alice", "1002", tab, TAB, transferred_to="1003"),
        answered("carol", "1002", at["carol"]),
    )


async def joined_by_browser(at: Stage) -> tuple[Truth, ...]:
    """Alice speaks with bob in the browser, asks carol, and joins the two."""
    tab, page = await _in_the_browser(at)
    start = time.monotonic()
    await page.hold()
    await at.pbx.ami.event("Hold", after=start)
    kept, start = dict(tab.at), time.monotonic()
    await page.dial("1003")
    await at["carol"].wait_for("rings")
    await speak()
    await at["carol"].answer()
    await at.pbx.ami.event("BridgeEnter", after=start, BridgeNumChannels="2")
    await page.event("confirmed", after=start)
    await speak()
    tab.since = time.monotonic()
    await page.join()
    kept["over"] = await tab.wait_for("over")
    tab.at = kept
    await speak()
    await ended(at, "bob", "carol")
    return (
        emitted("bob", "1003", actor=at["bob"]),
        answered("alice", "1002", tab, TAB, transferred_to="1003"),
        answered("carol", "1002", at["carol"]),
    )


MOVED: Final[tuple[Scene, ...]] = (
    parking_comes_back,
    parking_comes_back_in_vain,
    parked_and_taken_back,
    parked_caller_gives_up,
    transfer_unanswered,
    consultation_refused,
    transferred_by_browser,
    joined_by_browser,
)
"""Every scene of this module, those without a browser first."""
