"""Accounts that several processes write: what was acknowledged is stored, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from tests.event_loop import in_loop
from tests.service.installation import ALICE, BOB, Installation, settle
from tests.service.two_writers import two_lose_nothing
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
)
from unique_account.core.forwarding_changes import Setting
from unique_account.core.machine import Device
from unique_account.ports.inbound.events import UnknownUser

IN = LoggedIn("tab-1", "first")


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
