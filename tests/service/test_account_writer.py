"""Accounts that several processes write: what was acknowledged is stored, and nothing else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest
from attrs import evolve, frozen

from tests.service.installation import ALICE, BOB, Installation, in_loop, settle
from tests.service.writer_process import USERS, event_of, lines, store_at
from unique_account.adapters.memory import MemoryAccounts
from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import (
    DeviceSelected,
    DoNotDisturbSet,
    Event,
    ForwardingDialled,
    ForwardSet,
    LoggedIn,
    LoggedOut,
    SessionLost,
    UserChanged,
    apply,
)
from unique_account.core.forwarding_changes import Setting
from unique_account.core.machine import Device
from unique_account.ports.inbound.events import UnknownUser

WRITER = Path(__file__).with_name("writer_process.py")
IN = LoggedIn("tab-1", "first")


def written_by_two(address: str, seconds: float) -> list[Acknowledged]:
    """What two processes had acknowledged that wrote the same accounts at the same time."""
    processes = [
        Popen(
            [sys.executable, str(WRITER), address, str(number), str(seconds)],
            stdin=PIPE,
            stdout=PIPE,
            text=True,
        )
        for number in range(2)
    ]
    outputs = []
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        outputs.append(process.communicate(timeout=60)[0])
        assert process.returncode == 0
    return [Acknowledged(*line) for line in lines(outputs)]


@frozen
class Acknowledged:
    """A change that a process acknowledged."""

    user: str
    version: int
    wrote: bool
    asked: float
    answered: float
    kind: str
    said: list[Any]

    def changes(self, account: Account) -> bool:
        return apply(account, event_of(self.kind, self.said)).kept is not account.kept


def contradictions(acknowledged: list[Acknowledged], stored: dict[str, Account]) -> list[str]:
    """Where what was acknowledged is not what is stored.

    Every version is one acknowledged change, and what wrote no version had nothing to change in one of those
    that were there between its question and its answer.
    """
    return [
        f"{user.id}: {problem}"
        for user in USERS
        for problem in _contradictions([one for one in acknowledged if one.user == user.id], stored[user.id])
    ]


def _contradictions(acknowledged: list[Acknowledged], stored: Account) -> Iterator[str]:
    wrote = {one.version: one for one in acknowledged if one.wrote}
    yield from ["a version was written twice"] * (len(wrote) < sum(one.wrote for one in acknowledged))
    states = [Account(stored.user)]
    for version in range(1, stored.version + 1):
        if version not in wrote:
            yield f"nobody made version {version}"
            return
        states.append(apply(states[-1], event_of(wrote[version].kind, wrote[version].said)))
    if states[-1].kept != stored.kept:
        yield f"{states[-1].kept} was acknowledged, {stored.kept} is stored"
    for one in acknowledged:
        if not one.wrote and all(one.changes(states[there]) for there in _there(one, wrote)):
            yield f"{one.kind} {one.said} was acknowledged, and was never there"


def _there(one: Acknowledged, wrote: dict[int, Acknowledged]) -> range:
    """The versions that may have been there while a change was made."""
    first = max((version for version, other in wrote.items() if other.answered <= one.asked), default=0)
    last = max((version for version, other in wrote.items() if other.asked <= one.answered), default=0)
    return range(first, max(first, last) + 1)


async def _stored(address: str) -> dict[str, Account]:
    store = store_at(address)
    try:
        return {user.id: Account(user, kept) async for user, kept in store.all()}
    finally:
        await store.aclose()


async def _prepared(address: str) -> None:
    store = store_at(address)
    await store.add(USERS)
    await store.aclose()


def two_lose_nothing(address: str, seconds: float) -> int:
    """Let two processes write, and compare; returns how many changes were acknowledged."""
    asyncio.run(_prepared(address))
    acknowledged = written_by_two(address, seconds)
    stored = asyncio.run(_stored(address))
    assert contradictions(acknowledged, stored) == []
    return len(acknowledged)


class TestTwoProcesses:
    """S2: two processes on one store lose nothing that was acknowledged."""

    def test_two_on_one_file(self, tmp_path: Path) -> None:
        assert two_lose_nothing(str(tmp_path / "accounts.sqlite"), 4) > 100


FORWARDED = ForwardSet(Setting.BUSY, True, "3000")
OTHERS_AND_OURS: dict[str, tuple[list[Event], list[Event], Event, Callable[[Account], bool]]] = {
    "do-not-disturb": (
        [], [DoNotDisturbSet(True)], DoNotDisturbSet(False),
        lambda account: not account.forwarding.do_not_disturb,
    ),
    "a forward": (
        [FORWARDED], [ForwardSet(Setting.BUSY, False)], FORWARDED,
        lambda account: account.forwarding.busy is not None and account.forwarding.busy.enabled,
    ),
    "a dialled code": (
        [], [FORWARDED], ForwardingDialled(Setting.BUSY),
        lambda account: account.forwarding.busy is not None and not account.forwarding.busy.enabled,
    ),
    "a selection": (
        [IN], [DeviceSelected(Device.DESKPHONE)], DeviceSelected(Device.WEBRTC),
        lambda account: account.selection is Device.WEBRTC,
    ),
    "a selection that would be refused here": (
        [], [IN], DeviceSelected(Device.DESKPHONE), lambda account: account.selection is Device.DESKPHONE,
    ),
    "a log-out": ([], [IN], LoggedOut("tab-1"), lambda account: not account.sessions),
    "a lost session": (
        [], [IN], SessionLost("tab-1", Installation().clock.now(), "first"),
        lambda account: account.sessions[0].last_seen is not None,
    ),
    "a user": (
        [], [UserChanged(evolve(ALICE, ring_seconds=5))], UserChanged(ALICE),
        lambda account: account.user == ALICE,
    ),
}  # fmt: skip
"""What was before, what another process wrote meanwhile, what is asked here, and what is so after that."""


class TestWhatOthersWrote:
    """S2: a choice that has nothing to change here is compared with what another process stored."""

    @pytest.mark.parametrize("case", OTHERS_AND_OURS)
    @in_loop
    async def test_what_is_acknowledged_is_stored(self, case: str) -> None:
        before, others, ours, holds = OTHERS_AND_OURS[case]
        accounts = MemoryAccounts()
        here, there = Installation(accounts=accounts), Installation(accounts=accounts)
        async with here.running(ALICE) as service, there.running() as other:
            for event in before:
                await service.handle("alice", event)
            for event in others:
                await other.handle("alice", event)
            await service.handle("alice", ours)
            stored = await here.stored("alice")
            assert stored is not None
            assert holds(stored)
            assert service.account("alice").kept == stored.kept
            assert here.memory_cti.shown["alice"].version == stored.version

    @in_loop
    async def test_what_is_refused_is_refused_of_what_is_stored(self) -> None:
        accounts = MemoryAccounts()
        here, there = Installation(accounts=accounts), Installation(accounts=accounts)
        async with here.running(ALICE) as service, there.running() as other:
            await service.handle("alice", IN)
            await other.handle("alice", LoggedOut("tab-1"))
            with pytest.raises(Refused):
                await service.handle("alice", DeviceSelected(Device.DESKPHONE))

    @in_loop
    async def test_a_user_whom_another_removed_leaves_number_and_device(self) -> None:
        accounts = MemoryAccounts()
        here, there = Installation(accounts=accounts), Installation(accounts=accounts)
        async with here.running(ALICE) as service, there.running() as other:
            await other.remove("alice")
            with pytest.raises(UnknownUser):
                await service.handle("alice", UserChanged(evolve(ALICE, ring_seconds=5)))
            await service.add(evolve(BOB, extension=ALICE.extension, deskphone=ALICE.deskphone))


class TestCancelled:
    """S2: a change whose maker is cancelled before the answer came is found again."""

    @in_loop
    async def test_what_was_stored_is_taken_over(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", IN)
            save, stored = at.accounts._port.save, asyncio.Event()

            async def slowly(*what: Any) -> None:
                await save(*what)
                stored.set()
                await asyncio.Event().wait()

            at.accounts._port.save = slowly
            choosing = asyncio.create_task(service.handle("alice", DoNotDisturbSet(True)))
            await stored.wait()
            choosing.cancel()
            await asyncio.wait([choosing])
            at.accounts._port.save = save
            await at.advance(5)
            assert service.account("alice").forwarding.do_not_disturb
            assert await at.shows_everything(service)

    @in_loop
    async def test_a_session_that_nobody_here_knows_of_is_ended(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            save, stored = at.accounts._port.save, asyncio.Event()

            async def slowly(*what: Any) -> None:
                await save(*what)
                stored.set()
                await asyncio.Event().wait()

            at.accounts._port.save = slowly
            entering = asyncio.create_task(service.handle("alice", IN))
            await stored.wait()
            entering.cancel()
            await asyncio.wait([entering])
            at.accounts._port.save = save
            await service.handle("alice", SessionLost("tab-1", at.clock.now(), "first"))
            await at.advance(10)
            held = await at.stored("alice")
            assert held is not None
            assert held.sessions == ()


class TestLocks:
    """S2: users who are gone, refused or never there leave no lock behind."""

    @in_loop
    async def test_locks_go_with_their_users(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            for number in range(100):
                user = evolve(BOB, id=f"user{number}")
                await service.add(user)
                await service.handle(user.id, IN)
                await service.remove(user.id)
                with pytest.raises(UnknownUser):
                    await service.handle(f"nobody{number}", IN)
            await settle()
            assert len(service._locks) == 0
