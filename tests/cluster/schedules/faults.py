"""Faults that are planted into the product, each of which an invariant has to find."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import evolve, frozen

from unique_account.adapters.asterisk.ami.connection import Connection
from unique_account.adapters.asterisk.fence import node_fence
from unique_account.adapters.asterisk.fence.manager_sessions import (
    ManagerSession,
    end_session,
    manager_sessions,
)
from unique_account.adapters.asterisk.fence.node_fence import NodeFence
from unique_account.adapters.asterisk.hints import watchdog
from unique_account.adapters.asterisk.plans.astdb import AstDbPlans
from unique_account.adapters.postgresql import PostgresqlAccounts, PostgresqlAssistantStore, database, fences
from unique_account.adapters.rosters import users_file
from unique_account.cluster.contender import Contender
from unique_account.cluster.member import GroupMember
from unique_account.core.account import Kept
from unique_account.core.presence import Presence
from unique_account.core.user import User
from unique_account.ports.group_leases import GroupLease
from unique_account.service.projector import Projector
from unique_account.service.reservations import Reservations


@frozen
class Fault:
    """A fault.

    Attributes:
        invariants: Those that it violates, any of which may find it.
        plant: Changes the product in this process.
        statement: Changes the database.
    """

    invariants: frozenset[int]
    plant: Callable[[], None]
    statement: str = ""


def replace(of: object, name: str, value: object) -> None:
    """Replace an attribute of a class or of a module."""
    setattr(of, name, value)


def _acknowledged_before_commit() -> None:
    save = PostgresqlAccounts.save
    begun = set[asyncio.Task[None]]()

    async def soon(self: PostgresqlAccounts, user: User, kept: Kept, expected: int) -> None:
        async def later() -> None:
            await asyncio.sleep(0.1)
            await save(self, user, kept, expected)

        begun.add(asyncio.create_task(later()))

    replace(PostgresqlAccounts, "save", soon)


def _pause_between_reading_and_writing() -> None:
    newest = AstDbPlans._newest

    async def slowly(self: AstDbPlans, *given: Any) -> Any:
        held = await newest(self, *given)
        await asyncio.sleep(0.1)
        return held

    async def nobody(self: NodeFence, connection: Connection) -> set[ManagerSession]:
        return set()

    replace(AstDbPlans, "_newest", slowly)
    replace(NodeFence, "_end_others", nobody)


def _kick_without_waiting() -> None:
    async def ask(self: NodeFence, connection: Connection) -> set[ManagerSession]:
        there = await manager_sessions(connection, self._username)
        others = there.keys() - {node_fence._newest(there)}
        await asyncio.gather(*(end_session(connection, session) for session in others))
        return set(others)

    replace(NodeFence, "_end_others", ask)


def _reconnect_without_reading_the_epoch() -> None:
    hold = NodeFence.hold

    async def once(self: NodeFence, connection: Connection) -> None:
        if not self._has_taken:
            await hold(self, connection)

    replace(NodeFence, "hold", once)


def _late_guard() -> None:
    replace(watchdog, "_PROCESS", "tests.cluster.schedules.late_guard")


def _exists_without_a_lock() -> None:
    replace(fences, "_HELD", fences._HELD.replace("FOR KEY SHARE", ""))


def _takeover_by_a_stepped_clock() -> None:
    from tests.cluster.schedules.process import wall_clock

    begin = GroupMember.__init__

    def by_wall_clock(self: GroupMember, *given: Any, **named: Any) -> None:
        begin(self, *given, **named, now=wall_clock)

    def read(self: Contender, lease: GroupLease | None, asked: float, answered: float) -> Contender:
        if not self.is_known or lease != self.lease:
            return evolve(self, is_known=True, lease=lease, unchanged=0.0, counted=answered)
        return evolve(self, unchanged=self.unchanged + max(asked - self.counted, 0), counted=asked)

    replace(GroupMember, "__init__", by_wall_clock)
    replace(Contender, "read", read)


def _idle_transaction_holds_the_lock() -> None:
    write = PostgresqlAccounts._write

    async def slowly(self: PostgresqlAccounts, connection: database.Connection, *given: Any) -> bool:
        async with connection.transaction():
            await self._fence.lock(connection)
            await asyncio.sleep(0.2)
            return await write(self, connection, *given)

    replace(PostgresqlAccounts, "_write", slowly)
    replace(database, "IDLE_AT_MOST", 3600)


def _sessions_expire_at_a_takeover() -> None:
    all_last_seen = PostgresqlAccounts.all_last_seen

    async def long_ago(self: PostgresqlAccounts, instant: datetime) -> None:
        await all_last_seen(self, instant - timedelta(hours=1))

    replace(PostgresqlAccounts, "all_last_seen", long_ago)


def _late_number_gone() -> None:
    begun = set[asyncio.Task[None]]()

    async def late(self: Projector, user: User, numbers: Any) -> bool:
        async def publish() -> None:
            await asyncio.sleep(0.5)
            for number in list(numbers):
                for pbx in self._pbxs.values():
                    await pbx.hint(number, Presence.UNEXISTING)

        begun.add(asyncio.create_task(publish()))
        return True

    replace(Projector, "_withdraw", late)


def _revoked_token_elsewhere() -> None:
    async def all_of_them(self: PostgresqlAssistantStore, sessions: Any) -> Any:
        return set(sessions)

    replace(PostgresqlAssistantStore, "living", all_of_them)


def _duplicate_claim() -> None:
    replace(users_file, "collisions", lambda _: ())
    replace(Reservations, "problems", lambda *_: ())


def _fault(plant: Callable[[], None], *invariants: int, statement: str = "") -> Fault:
    return Fault(frozenset(invariants), plant, statement)


FAULTS: Final[dict[str, Fault]] = {
    "acknowledged before the commit": _fault(_acknowledged_before_commit, 1),
    "a pause between reading a version and DBPut": _fault(_pause_between_reading_and_writing, 3, 4),
    "a kick without waiting": _fault(_kick_without_waiting, 3),
    "a reconnection without reading the epoch": _fault(_reconnect_without_reading_the_epoch, 3),
    "a late guard": _fault(_late_guard, 3),
    "EXISTS without a lock": _fault(_exists_without_a_lock, 2),
    "a takeover by a stepped clock": _fault(_takeover_by_a_stepped_clock, 13),
    "an idle transaction that holds the lock": _fault(_idle_transaction_holds_the_lock, 13),
    "sessions expired at a takeover": _fault(_sessions_expire_at_a_takeover, 6),
    "a late 'number gone'": _fault(_late_number_gone, 12),
    "a revoked token on another process": _fault(_revoked_token_elsewhere, 6),
    "a duplicate claim": _fault(
        _duplicate_claim,
        8,
        statement="DROP TRIGGER inserted ON unique_account.accounts;"
        "DROP TRIGGER updated ON unique_account.accounts",
    ),
}
"""The faults by name."""
