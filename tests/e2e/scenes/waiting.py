"""Scenes in which a phone is up while nobody speaks, and calls that a click begins (H4, H7)."""

from __future__ import annotations

import time
from typing import Final

from attrs import evolve

from lab.phones import Phone
from tests.e2e.fixtures.recording_stage import Stage
from tests.e2e.scenes.calls import Scene, answered, emitted, ended, missed, speak, taken
from tests.e2e.scenes.people import Truth


async def _clicked(at: Stage, local: str) -> None:
    """Alice's deskphone rings through a Local channel, she picks it up, and the PBX calls bob."""
    at.begin()
    where = (("Context", "default"), ("Exten", "1002"), ("Priority", "1"), ("Timeout", "30000"))
    await at.pbx.ami.act("Originate", ("Channel", local), *where, ("Async", "true"))
    await at["alice"].wait_for("rings")
    await speak()
    await at["alice"].answer()
    await at["bob"].wait_for("rings")
    await speak()


async def clicked_through_local(at: Stage) -> tuple[Truth, ...]:
    """A program dials for alice through a Local channel, and bob answers."""
    await _clicked(at, "Local/1001@default")
    await at["bob"].answer()
    await at.connected("alice", "bob")
    await speak()
    await ended(at, "bob", "alice")
    return emitted("alice", "1002", actor=at["bob"]), answered("bob", "1001", at["bob"])


async def clicked_in_vain(at: Stage) -> tuple[Truth, ...]:
    """A program dials for alice through a Local channel that stays; bob does not answer, and she hangs up."""
    await _clicked(at, "Local/1001@default/n")
    await ended(at, "alice", "bob")
    return emitted("alice", "1002"), missed("bob", "1001", rang=at["bob"].rang)


async def queue_with_a_pause(at: Stage) -> tuple[Truth, ...]:
    """Bob waits in a queue, which rings carol twice with a pause between; she answers the second time."""
    await at.call("bob", "2002")
    await at["carol"].wait_for("rings")
    await at["carol"].wait_for("over")
    first = at["carol"].rang
    start = at["carol"].since = time.monotonic()
    at["carol"].at = {}
    await at["carol"].wait_for("rings")
    await speak()
    await at["carol"].answer()
    await at.connected("carol", after=start)
    await speak()
    await ended(at, "bob", "carol")
    rang = first + at["carol"].rang
    both = emitted("bob", "1003", actor=at["carol"]), answered("carol", "1002", at["carol"])
    return tuple(evolve(one, rang=rang) for one in both)


async def played_announcement(at: Stage) -> tuple[Truth, ...]:
    """Bob listens to an announcement before carol's phone rings, and she does not answer."""
    await at.call("bob", "2003")
    await at["carol"].wait_for("rings")
    await speak()
    await ended(at, "bob", "carol")
    truth = emitted("bob", "2003"), missed("carol", "1002", rang=at["carol"].rang)
    return (evolve(truth[0], talked=0.0, rang=at["carol"].rang), truth[1])


async def parked_first(at: Stage) -> tuple[Truth, ...]:
    """Bob dials into a parking lot, where alice picks him up."""
    start = time.monotonic()
    await at.call("bob", "700")
    space = (await at.pbx.ami.event("ParkedCall", after=start)).what["ParkingSpace"]
    await speak()
    await at["alice"].dial(space)
    await at["alice"].wait_for("up")
    await speak()
    await ended(at, "bob", "alice")
    return emitted("bob", "1001"), emitted("alice", "1002")


async def transferred_to_a_conference(at: Stage) -> tuple[Truth, ...]:
    """Alice gives bob away to a conference."""
    await taken(at, "bob", "1001", "alice")
    phone = at["alice"].phone
    assert isinstance(phone, Phone)
    await phone.transfer(f"sip:4000@{at.pbx.sip}")
    await at["alice"].wait_for("over")
    await speak()
    await at["bob"].hang_up()
    truth = answered("alice", "1002", at["alice"], transferred_to="4000")
    return emitted("bob", "4000", actor=at["bob"]), truth


WAITING: Final[tuple[Scene, ...]] = (
    clicked_through_local,
    clicked_in_vain,
    queue_with_a_pause,
    played_announcement,
    parked_first,
    transferred_to_a_conference,
)
"""Every scene of this module."""
