"""What becomes of a call at every PBX, under the plans that it holds."""

from __future__ import annotations

import pytest
from attrs import evolve

from unique_account.core.account import Account
from unique_account.core.diversions import CallDiverted
from unique_account.core.events import DeviceSelected, Event, ForwardingChanged
from unique_account.core.forwarding import Fallbacks, Forward, Forwarding, Mailbox, Outcome, Refusal
from unique_account.core.machine import Device
from unique_account.testing.contracts.pbx.node import NodeContract, Opened, planned
from unique_account.testing.contracts.scenario import scenario


class RoutingContract(NodeContract):
    """Calls: the plan decides, under the facts of that moment (R16)."""

    async def follow(self, opened: Opened, account: Account, *events: Event) -> None:
        """Let calls follow the plan of an account after events."""
        assert await opened[0].install(planned(account, *events))

    # -- which device rings (R1 to R7) ---------------------------------------------------------------

    @scenario
    async def test_logged_out_the_deskphone_rings(self, opened: Opened) -> None:
        """R1: logged out: the deskphone, whatever is saved and registered."""
        pbx, phones = opened
        async with self.listening(pbx):
            await self.all_registered(phones)
            await self.follow(opened, Account(self.alice))
            await self.rings(phones, await phones.call("1001"), self.alice.deskphone)

    @scenario
    async def test_webrtc_in_use_rings(self, opened: Opened) -> None:
        """R2: logged in, WebRTC selected and registered: the UC Assistant."""
        pbx, phones = opened
        async with self.listening(pbx):
            await self.all_registered(phones)
            await self.follow(opened, self.logged_in())
            await self.rings(phones, await phones.call("1001"), self.alice.webrtc)

    @scenario
    async def test_a_selected_deskphone_rings(self, opened: Opened) -> None:
        """R3: logged in, deskphone selected: the deskphone."""
        pbx, phones = opened
        async with self.listening(pbx):
            await self.all_registered(phones)
            await self.follow(opened, self.logged_in(), DeviceSelected(Device.DESKPHONE))
            await self.rings(phones, await phones.call("1001"), self.alice.deskphone)

    @scenario
    async def test_a_webrtc_line_without_contact_falls_back(self, opened: Opened) -> None:
        """R4: WebRTC selected but not registered: the deskphone, at once, and back again with a contact."""
        pbx, phones = opened
        async with self.listening(pbx):
            await self.all_registered(phones)
            await self.follow(opened, self.logged_in())
            await phones.unregister(self.alice.webrtc)
            await self.rings(phones, call := await phones.call("1001"), self.alice.deskphone)
            await phones.hang_up(call)
            await self.rings(phones, call, None)
            await phones.register(self.alice.webrtc)
            await self.rings(phones, await phones.call("1001"), self.alice.webrtc)

    @scenario
    async def test_a_selected_deskphone_without_contact_does_not_spill(self, opened: Opened) -> None:
        """R4: a selected deskphone that is unreachable never spills to the browser."""
        pbx, phones = opened
        async with self.listening(pbx):
            await phones.register(self.alice.webrtc)
            await self.follow(opened, self.logged_in(), DeviceSelected(Device.DESKPHONE))
            await self.goes_to(phones, await phones.call("1001"), Mailbox("1001@default"))

    @scenario
    async def test_a_did_routes_like_the_extension(self, opened: Opened) -> None:
        """R6: internal extension and every DID route alike."""
        pbx, phones = opened
        async with self.listening(pbx):
            await self.all_registered(phones)
            await self.follow(opened, self.logged_in())
            await self.rings(phones, await phones.call("+33123450001"), self.alice.webrtc)

    @scenario
    async def test_a_number_without_a_plan_rings_the_deskphone(self, opened: Opened) -> None:
        """R16: a number without a plan rings the deskphone."""
        pbx, phones = opened
        async with self.listening(pbx):
            await self.all_registered(phones)
            await pbx.watch(self.alice)
            await self.rings(phones, await phones.call("1001"), self.alice.deskphone)

    # -- the gate (R8) -------------------------------------------------------------------------------

    @scenario
    async def test_do_not_disturb_goes_to_voicemail(self, opened: Opened) -> None:
        """R8: do-not-disturb comes before a forward, and goes to voicemail; without one to unavailable."""
        pbx, phones = opened
        silent = ForwardingChanged(Forwarding(do_not_disturb=True, unconditional=Forward("3000")))
        async with self.listening(pbx):
            await self.all_registered(phones)
            await self.follow(opened, self.logged_in(), silent)
            await self.follow(opened, self.logged_in(self.bob), silent)
            await self.goes_to(phones, await phones.call("1001"), Mailbox("1001@default"))
            await self.goes_to(phones, await phones.call("1002"), Refusal(20))

    @scenario
    async def test_a_call_that_does_not_stay_at_a_number_is_reported(self, opened: Opened) -> None:
        """H4: a call under do-not-disturb or by a forward rings no device, and its user learns of it."""
        pbx, phones = opened
        elsewhere = Forwarding(do_not_disturb=True), Forwarding(unconditional=Forward("1002"))
        async with self.listening(pbx) as received:
            await self.all_registered(phones)
            await pbx.watch(self.alice)
            for calls, forwarding in enumerate(elsewhere, start=1):
                await self.follow(opened, self.logged_in(), ForwardingChanged(forwarding))
                await phones.call("1001")

                async def so(calls: int = calls) -> bool:
                    diverted = [event for _, event in received if isinstance(event, CallDiverted)]
                    return len({event.linked_id for event in diverted}) == calls

                await self.until(so)
            assert {user for user, event in received if isinstance(event, CallDiverted)} == {"alice"}

    @scenario
    async def test_an_unconditional_forward_is_followed(self, opened: Opened) -> None:
        """R8: unconditional forward, to a number that follows a plan of its own."""
        pbx, phones = opened
        async with self.listening(pbx):
            await self.all_registered(phones)
            forward = ForwardingChanged(Forwarding(unconditional=Forward("1002")))
            await self.follow(opened, self.logged_in(), forward)
            await self.follow(opened, self.logged_in(self.bob))
            await self.rings(phones, await phones.call("1001"), self.bob.webrtc)

    @scenario
    async def test_one_call_too_many_is_busy(self, opened: Opened) -> None:
        """R8: at the limit the busy rule applies; a call that is over counts no more."""
        pbx, phones = opened
        async with self.listening(pbx):
            await self.all_registered(phones)
            await self.follow(opened, self.logged_in(evolve(self.alice, mailbox=None)))
            calls = [await phones.call("1001") for _ in range(2)]
            for call in calls:
                await self.rings(phones, call, self.alice.webrtc)
            await self.goes_to(phones, await phones.call("1001"), Refusal(17))
            await phones.hang_up(calls[0])
            await self.rings(phones, calls[0], None)
            await self.rings(phones, await phones.call("1001"), self.alice.webrtc)

    # -- what follows ringing (R9 to R13) ------------------------------------------------------------

    @scenario
    async def test_no_answer_has_its_rule(self, opened: Opened) -> None:
        """R9: no answer on the device in use applies the no-answer rule; the other device never rings."""
        pbx, phones = opened
        forward = ForwardingChanged(Forwarding(no_answer=Forward("1002")))
        async with self.listening(pbx):
            await self.all_registered(phones)
            await self.follow(opened, self.logged_in(), forward)
            await self.follow(opened, self.logged_in(self.bob), DeviceSelected(Device.DESKPHONE))
            await self.rings(phones, call := await phones.call("1001"), self.alice.webrtc)
            await phones.wait(self.alice.ring_seconds)
            await self.rings(phones, call, self.bob.deskphone)

    @scenario
    async def test_busy_has_its_rule(self, opened: Opened) -> None:
        """R9, R11: the busy rule follows whichever device is in use."""
        pbx, phones = opened
        busy = ForwardingChanged(Forwarding(busy=Forward("1002"), no_answer=Forward("3000")))
        async with self.listening(pbx):
            await self.all_registered(phones)
            await self.follow(opened, self.logged_in(self.bob))
            for interface, device in (
                (self.alice.webrtc, Device.WEBRTC),
                (self.alice.deskphone, Device.DESKPHONE),
            ):
                await self.follow(opened, self.logged_in(), busy, DeviceSelected(device))
                await self.rings(phones, call := await phones.call("1001"), interface)
                await phones.reject(interface)
                await self.rings(phones, call, self.bob.webrtc)
                await phones.hang_up(call)

    @pytest.mark.parametrize("mailbox", [None, "1001@default"])
    def test_without_a_rule_voicemail_or_a_refusal(self, mailbox: str | None) -> None:
        """R10: voicemail where the user has it; else the call is refused with the matching cause."""
        user = evolve(self.alice, mailbox=mailbox)
        destination = Mailbox(mailbox) if mailbox else Refusal(Outcome.BUSY.cause)

        async def check(_: RoutingContract, opened: Opened) -> None:
            pbx, phones = opened
            async with self.listening(pbx):
                await self.all_registered(phones)
                await self.follow(opened, self.logged_in(user))
                await self.rings(phones, call := await phones.call("1001"), user.webrtc)
                await phones.reject(user.webrtc)
                await self.goes_to(phones, call, destination)

        scenario(check)(self)

    @scenario
    async def test_no_device_reachable_is_unavailable_at_once(self, opened: Opened) -> None:
        """R12: no device reachable: the unavailable rule, without waiting."""
        pbx, phones = opened
        user = evolve(self.alice, fallbacks=Fallbacks(unavailable=Refusal(21)))
        async with self.listening(pbx):
            await self.follow(opened, self.logged_in(user))
            await self.goes_to(phones, await phones.call("1001"), Refusal(21))

    @scenario
    async def test_a_chain_of_forwards_ends(self, opened: Opened) -> None:
        """R13: after a set number of forwards a call is refused."""
        pbx, phones = opened
        async with self.listening(pbx):
            await self.all_registered(phones)
            for user, other in ((self.alice, "1002"), (self.bob, "1001")):
                forward = ForwardingChanged(Forwarding(unconditional=Forward(other)))
                await self.follow(opened, self.logged_in(evolve(user, max_forwards=3)), forward)
            await self.goes_to(phones, await phones.call("1001"), Refusal(Outcome.UNAVAILABLE.cause))
