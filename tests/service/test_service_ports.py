"""The ports of a service: what fails is owed, who goes silent is reported, who asks wrongly is told."""

from __future__ import annotations

import asyncio

import pytest
from attrs import evolve

from tests.event_loop import in_loop
from tests.service.installation import ALICE, BOB, Installation, Watched, settle
from unique_account.adapters.memory import MemoryCti
from unique_account.core.account import LineStatus
from unique_account.core.errors import Refused
from unique_account.core.events import (
    ContactsChanged,
    DeviceSelected,
    Event,
    ForwardingChanged,
    LineChanged,
    LoggedIn,
    MessagesChanged,
)
from unique_account.core.forwarding import Forwarding
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.ports.inbound.commands import Dial
from unique_account.ports.inbound.events import UnknownUser
from unique_account.ports.observer import PortRequest
from unique_account.service.projector import NewerPlan

IN = LoggedIn("tab-1")
SILENT = ForwardingChanged(Forwarding(do_not_disturb=True))
THERE = ContactsChanged(Device.DESKPHONE, reachable=True)
TALKS = LineChanged(Device.DESKPHONE, LineStatus.IN_USE)
EVERY_PROJECTION = {
    "install": "node",
    "hint": "node",
    "show": "cti",
    "publish": "cti",
    "presence_changed": "bus",
    "forwarding_changed": "bus",
    "selection_changed": "bus",
}
CHANGES: dict[str, Event] = {
    "install": SILENT,
    "show": SILENT,
    "forwarding_changed": SILENT,
    "selection_changed": DeviceSelected(Device.DESKPHONE),
}
"""What changes a projection, where it is not a call."""


class TestFailingPorts:
    """A port that fails harms nobody else, and what it was not handed is owed to it."""

    @pytest.mark.parametrize(("request_", "port"), EVERY_PROJECTION.items())
    @in_loop
    async def test_what_was_not_handed_over_is_handed_over_with_the_next_change(
        self, request_: str, port: str
    ) -> None:
        at = Installation()
        broken: Watched = getattr(at, port)
        async with at.running(ALICE) as service:
            broken.fail(request_)
            for event in (IN, DeviceSelected(Device.DESKPHONE), THERE, TALKS, SILENT):
                await service.handle("alice", event)
            others = [name for name in EVERY_PROJECTION if name != request_]
            assert all(getattr(at, EVERY_PROJECTION[name]).asked(name) for name in others)
            assert at.failures
            assert all(what.endswith("for alice") for what in at.failures)
            assert not await at.shows_everything(service)
            broken.heal()
            await service.handle("alice", MessagesChanged(1, 0))
            assert await at.shows_everything(service)

    @in_loop
    async def test_what_was_made_up_for_is_not_owed_any_more(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            at.node.fail("install")
            await service.handle("alice", IN)
            at.node.heal()
            await service.handle("alice", THERE)
            asked = len(at.node.asked("install"))
            await service.handle("alice", TALKS)
            assert len(at.node.asked("install")) == asked

    @in_loop
    async def test_a_failure_for_one_user_is_not_owed_to_another(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            at.cti.fail("show")
            await service.handle("alice", IN)
            at.cti.heal()
            asked = len(at.node.asked("install"))
            await service.handle("bob", THERE)
            assert len(at.node.asked("install")) == asked

    @pytest.mark.parametrize(("request_", "port"), EVERY_PROJECTION.items())
    @in_loop
    async def test_a_hand_over_that_is_cancelled_is_owed(self, request_: str, port: str) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            for event in (IN, THERE):
                await service.handle("alice", event)
            slow: Watched = getattr(at, port)
            slow.hang(request_)
            waiting = asyncio.create_task(service.handle("alice", CHANGES.get(request_, TALKS)))
            await settle()
            waiting.cancel()
            await settle()
            slow.heal()
            await service.handle("alice", MessagesChanged(1, 0))
            assert await at.shows_everything(service)

    @in_loop
    async def test_a_node_that_hangs_holds_up_no_user_of_another_one(self) -> None:
        at = Installation(("default", "mds1"))
        async with at.running(ALICE) as service:
            hanging = at.pbxs["mds1"].hang("hint")
            async with asyncio.timeout(2):
                for event in (THERE, TALKS):
                    await service.handle("alice", event)
            assert at.pbxs["default"].asked("hint")[-1] == (ALICE.dids[0], Presence.IN_USE)
            hanging.set()
            await settle()
            at.pbxs["mds1"].heal()
            await service.handle("alice", MessagesChanged(1, 0))
            assert at.pbxs["mds1"].asked("hint")[-1] == (ALICE.dids[0], Presence.IN_USE)

    @in_loop
    async def test_a_call_log_that_fails_is_reported(self) -> None:
        at = Installation()
        async with at.running(ALICE):
            at.call_log.fail("add")
            await at.pbx.register("PJSIP/alice")
            await at.pbx.end(await at.pbx.call("1001"))
            assert at.failures == ["call log: add for alice"]

    @in_loop
    async def test_a_newer_plan_on_the_node_is_reported(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.pbx.install(evolve((await at.plans())["alice"], version=99))
            await service.handle("alice", IN)
            ((request, error),) = at.observer.failures
            assert request == PortRequest("pbx", "install", "default", "alice")
            assert isinstance(error, NewerPlan)
            assert (error.user, error.version) == ("alice", 1)
            assert str(error) == "a newer plan of alice than version 1 is installed; a resync settles it"
            await service.resync()
            assert await at.follows(service.account("alice"))


class TestListeners:
    """A port that stops listening is not silent about it, and the service goes on."""

    @pytest.mark.parametrize(("port", "name"), [("node", "pbx default"), ("cti", "cti")])
    @in_loop
    async def test_a_listener_that_fails_is_reported(self, port: str, name: str) -> None:
        at = Installation()
        getattr(at, port).fail("listen")
        async with at.running(ALICE) as service:
            assert at.failures == [f"{name}: listen"]
            assert (await service.handle("alice", IN)).sessions

    @in_loop
    async def test_a_listener_that_just_ends_is_reported(self) -> None:
        at = Installation()

        class Deaf(MemoryCti):
            async def listen(self, *_: object) -> None:
                """Return at once."""

        async with at.service(cti=Deaf()):
            assert at.failures == ["cti: listen"]
            assert str(at.observer.failures[0][1]) == "it stopped listening"

    @in_loop
    async def test_a_service_that_was_left_hears_nothing(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.pbx.register("PJSIP/alice")
        await at.pbx.unregister("PJSIP/alice")
        assert service.account("alice").observed.deskphone.reachable
        with pytest.raises(ConnectionError):
            await at.memory_cti.act("alice", IN)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    @in_loop
    async def test_a_service_that_is_cancelled_as_it_starts_leaves_nobody_listening(self) -> None:
        at = Installation()
        at.node.hang("installed")
        starting = asyncio.create_task(at.service().__aenter__())
        await settle()
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}


class TestRefusals:
    """M3: a refused event reaches the caller and the observer, and changes nothing."""

    @in_loop
    async def test_a_refusal_reaches_the_session_and_the_observer(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            before, plans = service.account("alice"), await at.plans()
            with pytest.raises(Refused) as refused:
                await at.memory_cti.act("alice", DeviceSelected(Device.WEBRTC))
            assert at.observer.refusals == [(DeviceSelected(Device.WEBRTC), refused.value)]
            assert service.account("alice") is before
            assert await at.plans() == plans
            assert at.failures == []

    @in_loop
    async def test_events_of_strangers_are_refused_by_name(self) -> None:
        at = Installation()
        async with at.running() as service:
            for request in (
                service.handle("carol", IN),
                service.remove("carol"),
                service.commands.on_command("carol", Dial("1")),
            ):
                with pytest.raises(UnknownUser, match="there is no Unique Account of carol"):
                    await request
            with pytest.raises(UnknownUser) as unknown:
                await service.resync("carol")
            assert unknown.value.user == "carol"

    @in_loop
    async def test_what_is_no_event_is_an_error_of_the_caller(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            with pytest.raises(TypeError):
                await service.handle("alice", "log in")  # type: ignore[arg-type] # the point of it
            assert at.failures == []
