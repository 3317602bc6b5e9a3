"""What every PBX must do with the plans and hints that it is handed."""

from __future__ import annotations

from attrs import evolve

from unique_account.core.account import Account
from unique_account.core.events import DeviceSelected, ForwardingChanged
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.machine import Device
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.testing.contracts.pbx.node import OWNER, NodeContract, Opened, planned
from unique_account.testing.contracts.scenario import scenario


class ProjectionsContract(NodeContract):
    """Plans and hints: handed over again and again, with the same result."""

    @scenario
    async def test_a_plan_is_in_force_from_the_next_call_on(self, opened: Opened) -> None:
        """Let the user's calls follow this plan; True if the plan is in force now."""
        pbx, phones = opened
        async with self.listening(pbx):
            await self.all_registered(phones)
            assert await pbx.install(planned(self.logged_in())) is True
            await self.rings(phones, await phones.call("1001"), self.alice.webrtc)
            assert await pbx.install(planned(self.logged_in(), DeviceSelected(Device.DESKPHONE))) is True
            await self.rings(phones, await phones.call("1001"), self.alice.deskphone)

    @scenario
    async def test_a_call_that_rings_keeps_its_plan(self, opened: Opened) -> None:
        """From the next call on: one that rings stays where it is (R7)."""
        pbx, phones = opened
        async with self.listening(pbx):
            await self.all_registered(phones)
            await pbx.install(planned(self.logged_in()))
            call = await phones.call("1001")
            await self.rings(phones, call, self.alice.webrtc)
            await pbx.install(planned(self.logged_in(), DeviceSelected(Device.DESKPHONE)))
            assert await phones.ringing(call) == self.alice.webrtc

    @scenario
    async def test_a_plan_may_be_installed_again(self, opened: Opened) -> None:
        """Projections may be handed over again at any time with the same result."""
        pbx, _ = opened
        due = planned(self.logged_in())
        async with self.listening(pbx):
            assert [await pbx.install(due) for _ in range(3)] == [True, True, True]
            assert await pbx.installed(OWNER) == {"alice": due}

    @scenario
    async def test_an_older_plan_replaces_no_newer_one(self, opened: Opened) -> None:
        """False if the node holds a newer version, which stays."""
        pbx, phones = opened
        newer = planned(self.logged_in(), DeviceSelected(Device.DESKPHONE))
        async with self.listening(pbx):
            await self.all_registered(phones)
            await pbx.install(newer)
            assert await pbx.install(planned(self.logged_in())) is False
            assert await pbx.installed(OWNER) == {"alice": newer}
            await self.rings(phones, await phones.call("1001"), self.alice.deskphone)

    @scenario
    async def test_a_plan_replaces_one_of_its_version(self, opened: Opened) -> None:
        """Only a newer version stays: the last of equal ones is in force."""
        pbx, _ = opened
        due = planned(self.logged_in())
        async with self.listening(pbx):
            await pbx.install(evolve(due, candidates=due.candidates[1:]))
            assert await pbx.install(due) is True
            assert await pbx.installed(OWNER) == {"alice": due}

    @scenario
    async def test_plans_are_told_by_owner(self, opened: Opened) -> None:
        """The plans that this owner installed on the node, by user, each as it was installed."""
        pbx, _ = opened
        ours = planned(self.logged_in(), ForwardingChanged(Forwarding(busy=Forward("3000"))))
        theirs = evolve(planned(Account(self.bob)), owner="another")
        async with self.listening(pbx):
            await pbx.install(ours)
            await pbx.install(theirs)
            assert await pbx.installed(OWNER) == {"alice": ours}
            assert await pbx.installed("another") == {"bob": theirs}
            assert await pbx.installed("nobody") == {}

    @scenario
    async def test_a_forgotten_plan_is_gone(self, opened: Opened) -> None:
        """Take its plan and hints away; a plan of any version may follow."""
        pbx, phones = opened
        newer = planned(self.logged_in(), DeviceSelected(Device.DESKPHONE))
        async with self.listening(pbx):
            await pbx.install(newer)
            await pbx.hint(Number("1001"), Presence.IN_USE)
            await pbx.forget("alice")
            assert await pbx.installed(OWNER) == {}
            assert await phones.hint("1001") is None
            assert await pbx.install(planned(self.logged_in())) is True

    @scenario
    async def test_forgetting_a_stranger_is_no_error(self, opened: Opened) -> None:
        """Unknown users are no error."""
        pbx, _ = opened
        async with self.listening(pbx):
            await pbx.forget("nobody")

    @scenario
    async def test_a_hint_is_shown(self, opened: Opened) -> None:
        """Show this presence to the phones that watch a number, any number, until the next word on it."""
        pbx, phones = opened

        async def shows(presence: Presence | None) -> None:
            async def so() -> bool:
                return await phones.hint("7777") is presence

            await self.until(so)

        async with self.listening(pbx):
            for presence in (Presence.AVAILABLE, Presence.IN_USE, Presence.IN_USE, Presence.RINGING_IN_USE):
                await pbx.hint(Number("7777"), presence)
                await shows(presence)
            await pbx.hint(Number("7777"), Presence.UNEXISTING)
            await shows(None)
