"""An owner takes a node: from then on no action of an earlier owner is carried out there.

It writes its epoch, and then ends every session of the account that there is. A session that begins later
reads the epoch before it does anything. So sessions that come and go meanwhile need not be waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from random import random
from typing import Final

from unique_account.adapters.asterisk.ami.connection import Connection
from unique_account.adapters.asterisk.fence.epoch import OwnEpoch
from unique_account.adapters.asterisk.fence.manager_sessions import (
    ManagerSession,
    end_session,
    manager_sessions,
)
from unique_account.core.errors import Unreachable

ENDS_WITHIN: Final = 8.0
"""How many seconds the sessions of earlier owners may take to end."""

COMMITS_WITHIN: Final = 1.1
"""How many seconds Asterisk may take until an entry of AstDB outlives its death."""

LOOKS_EVERY: Final = 0.005
"""After how many seconds the sessions are listed again that were asked to end."""

Taken = Callable[[int, float], object]
"""Called with how many sessions were ended, and how many seconds that took."""


class NodeFence:
    """Takes one node once, and finds on each later connection whether a newer owner has taken it.

    Args:
        own: The epoch of this process.
        username: The manager account that all processes of the installation share.
        taken: Called when the node was taken.
        commits_within: How many seconds AstDB may take to store the epoch.
    """

    def __init__(
        self, own: OwnEpoch, username: str, taken: Taken, *, commits_within: float = COMMITS_WITHIN
    ) -> None:
        self.own = own
        self._username = username
        self._taken = taken
        self._commits_within = commits_within
        self._has_taken = False
        self._stored_at = 0.0

    async def hold(self, connection: Connection) -> None:
        """Take the node over a new connection, or find that it is still this process's.

        Raises:
            Fenced: A newer owner has taken it.
            ActionRefused: The account may not list or end sessions.
            Unreachable: The connection is lost, or sessions do not end in time.
        """
        is_there = await self.own.is_at(connection)
        if is_there and self._has_taken:
            return
        began = asyncio.get_running_loop().time()
        self._has_taken = False
        ended = await self._take(connection, is_there)
        self._has_taken = True
        self._taken(len(ended), asyncio.get_running_loop().time() - began)

    async def stored(self) -> None:
        """Wait until the epoch outlives the death of Asterisk."""
        await asyncio.sleep(self._stored_at - asyncio.get_running_loop().time())

    async def _take(self, connection: Connection, is_there: bool) -> set[ManagerSession]:
        """Write the epoch and end the other sessions, until the epoch is still there when they are gone."""
        ended: set[ManagerSession] = set()
        while True:
            if not is_there:
                await self.own.write(connection)
                self._stored_at = asyncio.get_running_loop().time() + self._commits_within
            ended |= await self._end_others(connection)
            # An earlier owner may have written its own epoch just before its session ended.
            if is_there := await self.own.is_at(connection):
                return ended

    async def _end_others(self, connection: Connection) -> set[ManagerSession]:
        """End all sessions that there are now, but this one."""
        there = await manager_sessions(connection, self._username)
        others = there.keys() - {_newest(there)}
        left = set(others)
        try:
            async with asyncio.timeout(ENDS_WITHIN):
                while left:
                    await asyncio.gather(*(end_session(connection, session) for session in left))
                    left &= (await manager_sessions(connection, self._username)).keys()
                    await asyncio.sleep(LOOKS_EVERY if left else 0)
        except TimeoutError:
            raise Unreachable(self._still_there(left)) from None
        return others

    def _still_there(self, left: set[ManagerSession]) -> str:
        descriptors = ", ".join(str(session.descriptor) for session in sorted(left, key=_descriptor))
        return (
            f"sessions of the manager account {self._username} did not end within {ENDS_WITHIN:g} s: "
            f"{descriptors}; end them on the console: manager show connected, manager kick session"
        )


def _newest(ages: Mapping[ManagerSession, int]) -> ManagerSession:
    """The session that is most likely the one that lists them; after a step of the clock, ages are below 0.

    If it is another one of the same second, this session is ended, too. Then the node is taken over the next
    connection.
    """
    return min(ages, key=lambda session: (ages[session] < 0, ages[session], random()))


def _descriptor(session: ManagerSession) -> int:
    return session.descriptor
