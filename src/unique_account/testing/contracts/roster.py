"""What every roster must do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pytest
from attrs import evolve

from unique_account.core.errors import UniqueAccountError
from unique_account.core.user import User
from unique_account.ports.roster import Roster
from unique_account.testing.contracts.scenario import Contract, scenario


class Source(Protocol):
    """What a roster reads, in the hands of the test."""

    async def write(self, users: Sequence[User]) -> None:
        """Let the source name these users and no others."""
        ...

    async def spoil(self) -> None:
        """Let the source say nothing that makes users, or nothing at all."""
        ...


class RosterContract(Contract[tuple[Roster, Source]]):
    """The contract of `unique_account.ports.roster.Roster`; a roster opens with its source, naming nobody."""

    alice = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
    bob = User(id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w")

    @scenario
    async def test_users_are_named(self, opened: tuple[Roster, Source]) -> None:
        """All users who are to have a Unique Account now."""
        roster, source = opened
        assert await roster.users() == ()
        await source.write([self.alice, self.bob])
        assert set(await roster.users()) == {self.alice, self.bob}

    @scenario
    async def test_a_change_is_seen(self, opened: tuple[Roster, Source]) -> None:
        """It names them as they are now."""
        roster, source = opened
        await source.write([self.alice, self.bob])
        await roster.users()
        moved = evolve(self.alice, extension="1003")
        await source.write([moved])
        assert await roster.users() == (moved,)

    @scenario
    async def test_what_cannot_be_read_is_an_error(self, opened: tuple[Roster, Source]) -> None:
        """Whole or not at all: an error says that the roster cannot be read, or makes no users."""
        roster, source = opened
        await source.write([self.alice])
        await source.spoil()
        with pytest.raises((UniqueAccountError, OSError)):
            await roster.users()

    @scenario
    async def test_it_can_be_read_again_after_an_error(self, opened: tuple[Roster, Source]) -> None:
        """An error changes nothing for the next reading."""
        roster, source = opened
        await source.spoil()
        with pytest.raises((UniqueAccountError, OSError)):
            await roster.users()
        await source.write([self.bob])
        assert await roster.users() == (self.bob,)
