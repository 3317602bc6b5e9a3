"""Plans in a node's AstDB: written, taken away and read back through the manager interface.

One entry is read with `DBGet`, which finds it at once, but on older Asterisks gives back no more than its
first 255 characters. Then `DBGetTree` gives the whole of it, after a search through all entries.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection
from unique_account.adapters.asterisk.astdb_row import FAMILY, Entry
from unique_account.adapters.asterisk.plans.decode import plans
from unique_account.adapters.asterisk.plans.encode import entries
from unique_account.core.routing import Plan

READ_LASTS: Final = 10.0
"""For how many seconds what was read of all plans at once is what the node holds."""

Answer = Callable[[], Awaitable[object]]
"""Awaits the answer to an action that is given."""


class AstDbPlans:
    """The plans of one node, written in the order in which they are given.

    What is remembered is whose each key is, so that those that a new plan lost are taken away. The versions
    are the node's own: each plan is read before it is written, unless all were read since.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._users: dict[str, str] | None = None
        self._keys: defaultdict[str, set[str]] = defaultdict(set)
        self._just_read: dict[str, Plan] = {}
        self._written: set[str] = set()
        self._read_at = -READ_LASTS
        self._turn = asyncio.Lock()

    async def installed(self, owner: str) -> Mapping[str, Plan]:
        """The plans of an owner, by user; entries that are no plans are left out."""
        async with self._turn:
            found = await self._all()
        return {user: plan for user, plan in found.items() if plan.owner == owner}

    async def plan(self, user: str) -> Plan | None:
        """A user's plan; None where there is none."""
        async with self._turn:
            return await self._held(user, await self._keys_of(user))

    async def install(self, plan: Plan) -> bool:
        """Write a plan, unless the node holds a newer one of its user.

        Raises:
            NotForDialplan: The plan holds what a dialplan cannot be given.
        """
        due = entries(plan)
        keys = {key for _, key, _ in due}
        async with self._turn:
            before = await self._keys_of(plan.user)
            held = await self._newest(plan.user, keys | before)
            if held is not None and held.version > plan.version:
                return False
            started = [self._write(plan.user, key, value) for _, key, value in due]
            started += self._remove(before - keys)
        await asyncio.gather(*(answer() for answer in started))
        return True

    async def forget(self, user: str) -> tuple[str, ...]:
        """Take a user's plan away; gives the numbers that it was for."""
        async with self._turn:
            keys = await self._keys_of(user)
            self._just_read.pop(user, None)
            started = self._remove(keys)
        await asyncio.gather(*(answer() for answer in started))
        return tuple(key.partition("@")[0] for key in keys)

    # -- whose keys are whose ------------------------------------------------------------------------

    def _belongs(self, key: str, user: str | None) -> None:
        assert self._users is not None
        former = self._users.pop(key, None)
        if former is not None:
            self._keys[former].discard(key)
        if user is not None:
            self._users[key] = user
            self._keys[user].add(key)

    async def _keys_of(self, user: str) -> set[str]:
        if self._users is None:
            await self._all()
        return set(self._keys[user])

    async def _all(self) -> dict[str, Plan]:
        rows = await self._tree(("Family", FAMILY))
        self._users = {}
        self._keys.clear()
        self._read_at = asyncio.get_running_loop().time()
        by_user: defaultdict[str, list[tuple[Entry, Plan]]] = defaultdict(list)
        for row, plan in rows:
            self._belongs(row[1], plan.user)
            by_user[plan.user].append((row, plan))
        self._just_read = {user: _joined(own) for user, own in by_user.items()}
        self._written.clear()
        return dict(self._just_read)

    # -- the database --------------------------------------------------------------------------------

    async def _newest(self, user: str, keys: Iterable[str]) -> Plan | None:
        """The plan of a user before it is written: as all plans were read a moment ago, or read again."""
        is_new = asyncio.get_running_loop().time() - self._read_at < READ_LASTS
        if is_new and user not in self._written:
            held = self._just_read.get(user)
        else:
            held = await self._held(user, keys)
        self._written.add(user)
        return held

    async def _held(self, user: str, keys: Iterable[str]) -> Plan | None:
        found = await asyncio.gather(*map(self._read, keys))
        own = [read for read in found if read is not None and read[1].user == user]
        return _joined(own) if own else None

    async def _read(self, key: str) -> tuple[Entry, Plan] | None:
        try:
            reported = await self._connection.collect("DBGet", ("Family", FAMILY), ("Key", key))
        except ActionRefused:  # there is none
            return None
        row = (FAMILY, key, reported[0].get("Val", "") if reported else "")
        for plan in _alone(row):
            return row, plan
        rows = await self._tree(("Family", FAMILY), ("Key", key))
        return next((read for read in rows if read[0][1] == key), None)

    async def _tree(self, *headers: tuple[str, str]) -> list[tuple[Entry, Plan]]:
        """The entries of a part of the family that are plans', each with the plan that it is alone."""
        prefix = f"/{FAMILY}/"
        reported = await self._connection.collect("DBGetTree", *headers)
        rows = ((FAMILY, item.get("Key", "").removeprefix(prefix), item.get("Val", "")) for item in reported)
        return [(row, plan) for row in rows for plan in _alone(row)]

    def _write(self, user: str, key: str, value: str) -> Answer:
        self._belongs(key, user)
        return self._connection.start("DBPut", ("Family", FAMILY), ("Key", key), ("Val", value))

    def _remove(self, keys: Iterable[str]) -> list[Answer]:
        return [self._remove_one(key) for key in keys]

    def _remove_one(self, key: str) -> Answer:
        self._belongs(key, None)
        answer = self._connection.start("DBDel", ("Family", FAMILY), ("Key", key))

        async def removed() -> None:
            with suppress(ActionRefused):  # it was gone already
                await answer()

        return removed


def _alone(row: Entry) -> Iterable[Plan]:
    """The plan that an entry is by itself; none for what somebody else wrote, which is left alone."""
    try:
        return plans([row]).values()
    except ValueError:
        return ()


def _joined(rows: list[tuple[Entry, Plan]]) -> Plan:
    """The plan of one user's entries."""
    if len(rows) == 1:
        return rows[0][1]
    (plan,) = plans(row for row, _ in rows).values()
    return plan
