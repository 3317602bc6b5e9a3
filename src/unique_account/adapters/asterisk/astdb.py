"""Plans in a node's AstDB: written, taken away and read back through the manager interface.

The values are longer than `DBGet` is known to give back on every Asterisk, so they are read with `DBGetTree`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress

from unique_account.adapters.asterisk.connection import ActionRefused, Connection
from unique_account.adapters.asterisk.installed import plans
from unique_account.adapters.asterisk.plan_entries import FAMILY, Entry, entries
from unique_account.core.routing import Plan


class PlanBook:
    """The plans of one node.

    What is remembered is only which keys each user's plan has, so that those that a new plan lost are taken
    away; the versions are the node's own.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._users: dict[str, str] | None = None
        self._keys: defaultdict[str, set[str]] = defaultdict(set)

    async def installed(self, owner: str) -> Mapping[str, Plan]:
        """The plans of an owner, by user; entries that are none are not told."""
        return {user: plan for user, plan in (await self._all()).items() if plan.owner == owner}

    async def plan(self, user: str) -> Plan | None:
        """A user's plan; None where there is none."""
        return await self._held(user, await self._keys_of(user))

    async def install(self, plan: Plan) -> bool:
        """Write a plan, unless the node holds a newer one of its user.

        Raises:
            NotForDialplan: The plan holds what a dialplan cannot be given.
        """
        due = entries(plan)
        keys = {key for _, key, _ in due}
        before = await self._keys_of(plan.user)
        held = await self._held(plan.user, keys | before)
        if held is not None and held.version > plan.version:
            return False
        await asyncio.gather(*(self._write(*entry) for entry in due))
        for key in keys:
            self._belongs(key, plan.user)
        await self._remove(before - keys)
        return True

    async def forget(self, user: str) -> tuple[str, ...]:
        """Take a user's plan away; gives the numbers that it was for."""
        keys = await self._keys_of(user)
        await self._remove(keys)
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
        for row in rows:
            for user in plans([row]):
                self._belongs(row[1], user)
        return plans(rows)

    # -- the database --------------------------------------------------------------------------------

    async def _held(self, user: str, keys: Iterable[str]) -> Plan | None:
        rows = await asyncio.gather(*map(self._read, keys))
        return plans(row for row in rows if row is not None).get(user)

    async def _read(self, key: str) -> Entry | None:
        rows = await self._tree(("Family", FAMILY), ("Key", key))
        return next((row for row in rows if row[1] == key), None)

    async def _tree(self, *headers: tuple[str, str]) -> list[Entry]:
        """The readable entries of a part of the family."""
        prefix = f"/{FAMILY}/"
        told = await self._connection.collect("DBGetTree", *headers)
        found = [(FAMILY, item.get("Key", "").removeprefix(prefix), item.get("Val", "")) for item in told]
        return [row for row in found if _is_plan(row)]

    async def _write(self, family: str, key: str, value: str) -> None:
        await self._connection.act("DBPut", ("Family", family), ("Key", key), ("Val", value))

    async def _remove(self, keys: Iterable[str]) -> None:
        await asyncio.gather(*map(self._remove_one, keys))

    async def _remove_one(self, key: str) -> None:
        with suppress(ActionRefused):  # it was gone already
            await self._connection.act("DBDel", ("Family", FAMILY), ("Key", key))
        self._belongs(key, None)


def _is_plan(row: Entry) -> bool:
    """Whether an entry is a plan's; what somebody else wrote into the family is left alone."""
    try:
        plans([row])
    except ValueError:
        return False
    return True
