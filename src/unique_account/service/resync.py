"""Resync: ports and accounts are made to agree, whatever a crash, a lost node or a backup left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from unique_account.core.account import Account
from unique_account.core.routing import Plan
from unique_account.ports.observer import PortRequest
from unique_account.ports.pbx import Pbx
from unique_account.service.account_writer import AccountWriter
from unique_account.service.projector import Projector
from unique_account.service.worker_pool import for_each


class Resync:
    """Resyncs users and nodes.

    Args:
        accounts: The accounts by the ids of users, as they are at each moment.
        writer: Writes the account of a user whose node holds a newer plan.
        projector: Publishes the projections.
        owner: The name under which plans are installed.
        lock: The lock of a user's account.
        keep: Puts a changed account among the accounts.

    Attributes:
        receiving: The users whose facts are received again just now, so that half of them may be missing.
    """

    def __init__(
        self,
        accounts: Mapping[str, Account],
        writer: AccountWriter,
        projector: Projector,
        owner: str,
        lock: Callable[[str], asyncio.Lock],
        keep: Callable[[Account], None],
    ) -> None:
        self._accounts = accounts
        self._writer = writer
        self._projector = projector
        self._owner = owner
        self._lock = lock
        self._keep = keep
        self.receiving: set[str] = set()

    async def nodes(self, nodes: Mapping[str, Pbx], seen: Iterable[Account]) -> list[str]:
        """Resync these nodes' plans and these accounts; returns what differed, a sentence each."""
        differed: list[str] = []
        plans: dict[str, Mapping[str, Plan] | None] = {}
        for name, pbx in nodes.items():
            plans[name] = held = await self._installed(name, pbx)
            for user in held or ():
                differed += await self._remove_orphan(pbx, user)
        return differed + await self._users(seen, plans)

    async def user(self, account: Account, pbx: Pbx) -> list[str]:
        """Resync one user, comparing the plan; returns what differed, a sentence each."""
        node = account.user.media_server
        return await self._users([account], {node: await self._installed(node, pbx)})

    async def _installed(self, node: str, pbx: Pbx) -> Mapping[str, Plan] | None:
        """The plans on a node; None where that is not known."""
        return await self._projector.ask(_request(node, "installed"), pbx.installed(self._owner))

    async def _users(
        self, accounts: Iterable[Account], plans: Mapping[str, Mapping[str, Plan] | None]
    ) -> list[str]:
        differed: list[str] = []

        async def resync(account: Account) -> None:
            resynced = self.account(account, plans.get(account.user.media_server))
            request = PortRequest("service", "resync", user=account.user.id)
            differed.extend(await self._projector.ask(request, resynced) or [])

        await for_each(accounts, resync)
        return differed

    async def account(self, seen: Account, plans: Mapping[str, Plan] | None = None) -> list[str]:
        """Resync one account; returns what differed, a sentence at most.

        Args:
            seen: The account before the plans were read; changes made since are on their way.
            plans: Those on the user's node; None where that is not known.
        """
        user, node = seen.user.id, seen.user.media_server
        self.receiving.add(user)
        try:
            await self._projector.ask(_request(node, "watch", user), self._projector.watch(seen.user))
        finally:
            self.receiving.discard(user)
        async with self._lock(user):
            account = self._accounts.get(user)
            if account is None:  # removed while it was watched
                forgotten = self._projector.node(seen.user).forget(user)
                await self._projector.ask(_request(node, "forget", user), forgotten)
                return []
            difference = None
            if plans is not None and self._projector.difference(seen, plans.get(user)):
                difference = self._projector.difference(account, plans.get(user))
                if difference:
                    self._keep(account := await self._writer.outrank(account, plans.get(user)))
            await self._projector.project(None, account, installed=plans.get(user) if plans else None)
        return [difference] if difference else []

    async def _remove_orphan(self, pbx: Pbx, user: str) -> list[str]:
        """Take away a plan of ours from a node that does not carry its user."""
        async with self._lock(user):  # a user who is being added has a plan soon
            account = self._accounts.get(user)
            if account is not None and account.user.media_server == pbx.media_server:
                return []
            await self._projector.ask(_request(pbx.media_server, "forget", user), pbx.forget(user))
        if account is None:
            return [f"{user}: a plan without an account"]
        return [f"{user}: a plan on {pbx.media_server}, which does not carry the user"]


def _request(name: str, request: str, user: str = "") -> PortRequest:
    return PortRequest("pbx", request, name, user)
