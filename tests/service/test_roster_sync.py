"""Accounts come, change and go with what a roster says."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from tests.event_loop import in_loop
from tests.service.installation import ALICE, BOB, Installation
from unique_account.adapters.memory import MemoryRoster
from unique_account.core.events import DeviceSelected, LoggedIn
from unique_account.core.machine import Device
from unique_account.core.user import User
from unique_account.ports.observer import PortRequest
from unique_account.service.roster_sync import BrokenRoster, RosterSync

CAROL = User(id="carol", extension="1003", deskphone="PJSIP/carol", webrtc="PJSIP/carol_w")


class TestEnrolment:
    """A5: users come, change and go one at a time, and one that is refused harms nobody else."""

    @in_loop
    async def test_who_is_new_is_added_who_changed_is_changed_who_is_gone_is_removed(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            changed = evolve(BOB, ring_seconds=5)
            enrolled = await RosterSync(service, MemoryRoster(changed, CAROL), at.observer).agree()
            assert (enrolled.added, enrolled.changed, enrolled.removed) == (("carol",), ("bob",), ("alice",))
            assert str(enrolled) == "1 added, 1 changed, 1 removed"
            assert set(service.users) == {"bob", "carol"}
            assert service.account("bob").user == changed
            assert set(await at.plans()) == {"bob", "carol"}

    @in_loop
    async def test_agreeing_again_changes_nothing(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            version = service.account("alice").version
            assert (
                str(await RosterSync(service, MemoryRoster(ALICE), at.observer).agree()) == "nothing changed"
            )
            assert service.account("alice").version == version

    @in_loop
    async def test_who_changes_keeps_sessions_and_selection(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", LoggedIn("tab-1"))
            await service.handle("alice", DeviceSelected(Device.DESKPHONE))
            await RosterSync(service, MemoryRoster(evolve(ALICE, extension="1009")), at.observer).agree()
            account = service.account("alice")
            assert account.selection is Device.DESKPHONE
            assert [session.id for session in account.sessions] == ["tab-1"]

    @in_loop
    async def test_a_roster_that_cannot_be_read_changes_nothing(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            roster = MemoryRoster()
            roster.broken = ConnectionError("no answer")
            with pytest.raises(ConnectionError):
                await RosterSync(service, roster, at.observer).agree()
            assert service.users == ("alice",)
            assert at.observer.failures == [(PortRequest("users", "read"), roster.broken)]

    @pytest.mark.parametrize(
        "raised",
        [
            RecursionError("deep"),
            OverflowError("inf"),
            KeyError("id"),
            MemoryError(),
            ExceptionGroup("two", [ValueError("a")]),
        ],
    )
    @in_loop
    async def test_whatever_a_roster_raises_changes_nothing_and_is_an_error_of_ours(
        self, raised: Exception
    ) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            roster = MemoryRoster()
            roster.broken = raised
            with pytest.raises(BrokenRoster, match="the roster MemoryRoster is broken: ") as broken:
                await RosterSync(service, roster, at.observer).agree()
            assert broken.value.__cause__ is raised
            assert "\n" not in str(broken.value)
            assert service.users == ("alice",)
            assert at.observer.failures == [(PortRequest("users", "read"), broken.value)]

    @pytest.mark.parametrize("named", [None, (None,), ("alice",), 5])
    @in_loop
    async def test_what_a_roster_gives_that_is_no_user_changes_nothing(self, named: Any) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            roster = MemoryRoster()
            roster.named = named
            with pytest.raises(BrokenRoster):
                await RosterSync(service, roster, at.observer).agree()
            assert service.users == ("alice",)

    @in_loop
    async def test_a_number_passes_from_one_user_to_the_other_in_one_reading(self) -> None:
        at = Installation()
        async with at.running(evolve(ALICE, dids=()), BOB) as service:
            roster = MemoryRoster(evolve(ALICE, dids=(), extension="1002"), evolve(BOB, extension="1004"))
            enrolled = await RosterSync(service, roster, at.observer).agree()
            assert enrolled.refused == ()
            assert service.account("alice").user.extension == "1002"

    @in_loop
    async def test_two_that_swap_numbers_are_refused_and_keep_theirs(self) -> None:
        at = Installation()
        async with at.running(evolve(ALICE, dids=()), BOB) as service:
            swapped = (evolve(ALICE, dids=(), extension="1002"), evolve(BOB, extension="1001"), CAROL)
            enrolled = await RosterSync(service, MemoryRoster(*swapped), at.observer).agree()
            assert {user for user, _ in enrolled.refused} == {"alice", "bob"}
            assert enrolled.added == ("carol",)
            assert service.account("alice").user.extension == "1001"

    @in_loop
    async def test_a_user_of_an_unknown_node_is_refused_and_the_others_come(self) -> None:
        at = Installation()
        async with at.running() as service:
            roster = MemoryRoster(evolve(ALICE, media_server="mds9"), BOB)
            enrolled = await RosterSync(service, roster, at.observer).agree()
            assert enrolled.added == ("bob",)
            assert [str(request) for request, _ in at.observer.failures] == ["users: enrolment for alice"]
            assert str(enrolled) == "1 added, 1 refused"
