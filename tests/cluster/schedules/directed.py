"""Schedules that are not drawn: for each planted fault one in which it shows."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Final

from tests.cluster.schedules.troubles import OUTLIVES, Gone, Troubles
from tests.cluster.schedules.world import USERS

Steps = Callable[[Troubles], Awaitable[None]]


async def kills(troubles: Troubles) -> None:
    """The owner is killed, twice."""
    for _ in range(2):
        await asyncio.sleep(0.5)
        await troubles.kill_owner()
        await troubles.at.served()


async def pauses(troubles: Troubles) -> None:
    """The owner is paused, three times."""
    for _ in range(3):
        await asyncio.sleep(0.5)
        await troubles.pause_owner()
        await troubles.at.served()
        await asyncio.sleep(0.5)


async def silent_database(troubles: Troubles) -> None:
    """The owner gets no answer from the database, until another process has long taken its nodes."""
    await asyncio.sleep(0.5)
    owner = troubles.at.owner
    assert owner is not None
    async with troubles.trouble(f"{owner.name} gets no answer from the database", excuses=True):
        owner.database.silence()
        await asyncio.sleep(OUTLIVES + 5.0)
        owner.database.mend()
    await troubles.at.served()


async def late_commands(troubles: Troubles) -> None:
    """What the owner tells the nodes arrives only after another process has taken them."""
    at = troubles.at
    await asyncio.sleep(0.5)
    await troubles.work.quiet()
    owner = at.owner
    assert owner is not None
    async with troubles.trouble(f"{owner.name} is cut off, and users dial", excuses=True):
        troubles.work.doubted |= at.nodes.keys()
        for node in at.nodes.values():
            node.looks = (3,)
        for wire in (owner.database, *owner.nodes.values()):
            wire.silence()
        dialling = [asyncio.create_task(client.dial()) for client in at.clients]
        epoch = owner.epoch
        await at.until(lambda: all(node.fence > epoch for node in at.nodes.values()), "nodes are taken")
        for wire in (owner.database, *owner.nodes.values()):
            wire.mend()
        await asyncio.gather(*dialling)
    troubles.work.go_on()
    await at.served()


async def killed_within_a_change(troubles: Troubles) -> None:
    """The owner is paused while the database carries out changes of it, which takes longer than its lease."""
    await asyncio.sleep(0.5)
    owner = troubles.at.owner
    assert owner is not None
    async with troubles.trouble("the database is slow, and the owner paused", excuses=True):
        await troubles.pace(3.0)
        await asyncio.sleep(0.5)
        owner.signal(signal.SIGSTOP)
        await troubles.pace(0)
        await asyncio.sleep(4.0)
        owner.signal(signal.SIGCONT)
    await troubles.at.served()


async def clock_steps(troubles: Troubles) -> None:
    """The wall clock is stepped forward and back."""
    for seconds in (3600, 0, 7200):
        await asyncio.sleep(0.5)
        async with troubles.trouble(f"the wall clock is {seconds} s ahead", excuses=False):
            troubles.at.step_clock(seconds)
            await asyncio.sleep(1.0)


async def long_pause(troubles: Troubles) -> None:
    """The owner is paused for longer than a takeover may take."""
    await asyncio.sleep(1.0)
    owner = troubles.at.owner
    assert owner is not None
    async with troubles.trouble(f"{owner.name} is paused", excuses=True):
        troubles.gone.append(Gone("paused", time.monotonic(), owner.epoch))
        owner.signal(signal.SIGSTOP)
        await asyncio.sleep(10.0)
        owner.signal(signal.SIGCONT)
    await troubles.at.served()


async def numbers_move(troubles: Troubles) -> None:
    """A user gets another number, and another user the former one; nobody else does anything."""
    await asyncio.sleep(0.5)
    await troubles.work.quiet()
    await troubles.renumber({**USERS, "alice": "1011", "bob": "1001"})
    await asyncio.sleep(1.5)


async def one_number_for_two(troubles: Troubles) -> None:
    """Two users are to have one number."""
    await asyncio.sleep(0.5)
    await troubles.renumber({**USERS, "bob": "1001"})
    await asyncio.sleep(0.5)
    await troubles.renumber(USERS)


async def log_outs(troubles: Troubles) -> None:
    """Users log out, and their tokens are tried at every process, before and after a takeover."""
    for _ in range(2):
        await asyncio.sleep(0.5)
        await asyncio.gather(*(client.log_out() for client in troubles.at.clients))
        await troubles.at.served()
        await troubles.kill_owner()
        await troubles.at.served()


DIRECTED: Final[dict[str, Steps]] = {
    "acknowledged before the commit": kills,
    "a pause between reading a version and DBPut": pauses,
    "a kick without waiting": late_commands,
    "a reconnection without reading the epoch": silent_database,
    "a late guard": kills,
    "EXISTS without a lock": killed_within_a_change,
    "a takeover by a stepped clock": clock_steps,
    "an idle transaction that holds the lock": long_pause,
    "sessions expired at a takeover": kills,
    "a late 'number gone'": numbers_move,
    "a revoked token on another process": log_outs,
    "a duplicate claim": one_number_for_two,
}
"""By the name of the fault."""
