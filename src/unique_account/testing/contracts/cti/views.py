"""What every CTI shows its users."""

from __future__ import annotations

from attrs import evolve

from unique_account.core.account import Account
from unique_account.core.presence import Presence
from unique_account.core.view import view
from unique_account.testing.contracts.accounts import BOB
from unique_account.testing.contracts.cti.fixtures import ACTIVE, OUT, AssistantsContract, Opened
from unique_account.testing.contracts.scenario import scenario


class ViewsContract(AssistantsContract):
    """Sessions show the account and the presences last passed to the CTI."""

    @scenario
    async def test_the_last_view_is_shown(self, opened: Opened) -> None:
        """Show a user's account in every session of that user, and in those that connect later (S4)."""
        cti, assistants = opened
        async with self.listening(cti, self.on_event):
            await cti.show(view(OUT))
            await cti.show(view(ACTIVE))
            await cti.show(view(Account(BOB)))
            await self.shows(assistants, view(ACTIVE))
            await self.shows(assistants, view(Account(BOB)))

    @scenario
    async def test_a_view_of_an_older_version_is_dropped(self, opened: Opened) -> None:
        """A view of an older version than the last one shown is dropped."""
        cti, assistants = opened
        async with self.listening(cti, self.on_event):
            await cti.show(view(ACTIVE))
            await cti.show(view(OUT))
            await self.shows(assistants, view(ACTIVE))

    @scenario
    async def test_a_view_of_the_same_version_is_shown(self, opened: Opened) -> None:
        """What the PBX reports makes no new version, but is shown."""
        cti, assistants = opened
        changed = evolve(view(ACTIVE), presence=Presence.RINGING)
        async with self.listening(cti, self.on_event):
            await cti.show(view(ACTIVE))
            await cti.show(changed)
            await self.shows(assistants, changed)

    # -- history_changed -----------------------------------------------------------------------------

    @scenario
    async def test_a_new_entry_of_the_history_is_reported(self, opened: Opened) -> None:
        """Notify every session of a user that the user's history has a new entry (H4)."""
        cti, assistants = opened

        async def so() -> bool:
            return await assistants.history_changes("alice") == 1

        async with self.listening(cti, self.on_event):
            await cti.show(view(ACTIVE))
            await cti.show(view(Account(BOB)))
            assert await assistants.history_changes("alice") == 0
            assert await assistants.history_changes("bob") == 0
            await cti.history_changed("alice")
            await self.until(so)
            assert await assistants.history_changes("bob") == 0

    # -- publish -------------------------------------------------------------------------------------

    @scenario
    async def test_the_last_presence_is_shown(self, opened: Opened) -> None:
        """Show a number's presence to every session that watches it and may see it (P5)."""
        cti, assistants = opened

        async def so() -> bool:
            return await assistants.presence("1001") is presence

        async with self.listening(cti, self.on_event):
            for presence in (Presence.AVAILABLE, Presence.IN_USE, Presence.UNEXISTING):
                await cti.publish("1001", presence)
                await self.until(so)

    # -- forget --------------------------------------------------------------------------------------

    @scenario
    async def test_a_forgotten_user_is_shown_nothing(self, opened: Opened) -> None:
        """The user has no account any more; a new one of the user's begins with version 0."""
        cti, assistants = opened

        async def gone() -> bool:
            return await assistants.shown("alice") is None

        async with self.listening(cti, self.on_event):
            await cti.show(view(ACTIVE))
            await cti.forget("alice")
            await self.until(gone)
            await cti.show(view(OUT))
            await self.shows(assistants, view(OUT))

    @scenario
    async def test_a_released_user_is_shown_nothing_until_it_is_back(self, opened: Opened) -> None:
        """The user is on a node of another group now; unknown users are no error."""
        cti, assistants = opened

        async def gone() -> bool:
            return await assistants.shown("alice") is None

        async with self.listening(cti, self.on_event):
            await cti.release("nobody")
            await cti.show(view(ACTIVE))
            await cti.release("alice")
            await self.until(gone)
            await cti.show(view(OUT))
            await self.shows(assistants, view(OUT))

    @scenario
    async def test_forgetting_a_stranger_is_no_error(self, opened: Opened) -> None:
        """Unknown users are no error."""
        cti, _ = opened
        async with self.listening(cti, self.on_event):
            await cti.forget("nobody")
