"""What everything has to be once all is quiet, by what is stored, and what it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from tests.cluster.checker.history import AtLast
from tests.cluster.schedules import audit
from tests.cluster.schedules.fake_node import FakeNode
from tests.cluster.schedules.members import LEASE
from tests.cluster.schedules.world import World
from unique_account.core.account import LINES, Account, Kept, Line, LineStatus, Observed
from unique_account.core.events import restore
from unique_account.core.presence import Presence, presence
from unique_account.core.projections import same_but_version
from unique_account.core.routing import plan
from unique_account.core.user import User
from unique_account.json_documents import from_document, from_json

AGREES_WITHIN: Final = 12.0
_LINES: Final = {
    "NOT_INUSE": LineStatus.NOT_IN_USE,
    "INUSE": LineStatus.IN_USE,
    "RINGING": LineStatus.RINGING,
}
_LAMPS: Final = {
    Presence.AVAILABLE: "NOT_INUSE",
    Presence.IN_USE: "INUSE",
    Presence.RINGING: "RINGING",
    Presence.RINGING_IN_USE: "RINGINUSE",
}


async def ending(at: World) -> list[AtLast]:
    """What everything is in the end; it is waited for until all is right, but not for long."""
    deadline = time.monotonic() + AGREES_WITHIN
    while True:
        found = list(_compared(at))
        if all(one.due == one.found for one in found) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.05)


def _compared(at: World) -> Iterator[AtLast]:
    owner, epoch = audit.lease_owner(at.url)
    living = at.owner
    yield AtLast(
        what="the owner",
        due=f"{owner} {epoch}",
        found=f"{living.name if living else ''} {living.epoch if living else 0}",
    )
    stored = audit.stored(at.url)
    yield AtLast(what="the users", due=" ".join(sorted(at.homes)), found=" ".join(sorted(stored)))
    for user, (administered, kept) in stored.items():
        if user in at.homes:
            yield from _of_user(at, from_document(User, administered), from_json(Kept, kept))


def _of_user(at: World, user: User, kept: Kept) -> Iterator[AtLast]:
    home = at.nodes[user.media_server]
    observed = Observed(deskphone=_line(home, user.id), webrtc=_line(home, f"{user.id}_w"))
    account = restore(user, kept, timedelta(seconds=LEASE), observed)
    numbers = at.numbers[user.id]
    yield AtLast(what=f"the number of {user.id}", due=numbers, found=user.extension)
    yield AtLast(what=f"the home of {user.id}", due=at.homes[user.id], found=user.media_server)
    for node in at.nodes.values():
        yield _plan(node, account)
        lamp = node.lamp(user.extension)
        yield AtLast(what=f"the lamp of {user.id} at {node.name}", due=_LAMPS[presence(account)], found=lamp)
    client = next(client for client in at.clients if client.user == user.id)
    held = " ".join(session.id for session in kept.sessions)
    yield AtLast(what=f"the sessions of {user.id}", due=client.session if client.is_in else "?", found=held)
    due = f"version {kept.version}, {kept.selection}"
    shown = client.account
    found = f"version {shown.get('version')}, {shown.get('selection')}" if client.is_in else "nothing"
    yield AtLast(what=f"the tab of {user.id}", due=due, found=found)


def _plan(node: FakeNode, account: Account) -> AtLast:
    """The plan of an account at a node: there is one at its home, and none elsewhere."""
    user = account.user
    held, due = node.plans().get(user.id), plan(account)
    if user.media_server != node.name:
        return AtLast(what=f"the plan of {user.id} at {node.name}", due="None", found=str(held))
    is_right = held is not None and same_but_version(held, due) and held.version <= due.version
    found = str(due) if is_right else str(held)
    return AtLast(what=f"the plan of {user.id} at {node.name}", due=str(due), found=found)


def _line(node: FakeNode, name: str) -> Line:
    return LINES[_LINES[node.devices[f"PJSIP/{name}"]], True]
