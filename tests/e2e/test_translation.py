"""What a real node reports, translated into events."""

from __future__ import annotations

import time
from functools import reduce

import pytest

from lab.asterisk import Node, node
from tests.e2e.fixtures.deskphones import (
    ENDPOINTS,
    EXTENSIONS,
    USER,
    deskphones,
    phones_and_browser,
    start_call,
)
from tests.event_loop import in_loop
from unique_account import (
    Account,
    CallChanged,
    CallEnded,
    ContactsChanged,
    Device,
    FactsReplaced,
    LineChanged,
    LineStatus,
    LoggedIn,
    apply,
    route,
)
from unique_account.adapters.asterisk import TranslatedEvent, Translator, Untranslatable
from unique_account.core.account import CallStatus, Direction
from unique_account.core.events import Event

pytestmark = pytest.mark.e2e


def received(pbx: Node) -> list[Event]:
    """What a node reported of the user, as events; every message was understood."""
    translation = Translator([USER])
    meanings = [meaning for message in pbx.ami.messages for meaning in translation.translate(message)]
    assert not pbx.ami.malformed
    assert not [str(meaning) for meaning in meanings if isinstance(meaning, Untranslatable)]
    return [meaning.event for meaning in meanings if isinstance(meaning, TranslatedEvent)]


def statuses(events: list[Event], device: Device) -> list[LineStatus]:
    """The statuses of a line, in order, each once."""
    reported = [event.status for event in events if isinstance(event, LineChanged) and event.device is device]
    return [
        status for number, status in enumerate(reported) if number == 0 or status is not reported[number - 1]
    ]


class TestWhatANodeTells:
    """M4, R4: every message of a real node is understood, and means what happened to the user."""

    @in_loop
    async def test_a_browser_that_comes_and_is_killed_moves_the_route(self) -> None:
        async with phones_and_browser() as at:
            events = received(at.pbx)
            assert ContactsChanged(Device.WEBRTC, reachable=True) in events
            logged_in = apply(Account(USER), LoggedIn("tab-1"))
            ring = route(reduce(apply, events, logged_in)).ring
            assert ring is not None
            assert ring.device is Device.WEBRTC

            killed = time.monotonic()
            await at.chromium.kill()
            unavailable = {"Device": "PJSIP/alice_w", "State": "UNAVAILABLE"}
            await at.pbx.ami.event("DeviceStateChange", after=killed, **unavailable)
            await at.pbx.ami.event("ContactStatus", after=killed, ContactStatus="Removed")
            events = received(at.pbx)
            assert statuses(events, Device.WEBRTC)[-1] is LineStatus.UNAVAILABLE
            ring = route(reduce(apply, events, logged_in)).ring
            assert ring is not None
            assert ring.device is Device.DESKPHONE

    @in_loop
    async def test_a_call_of_the_deskphone_is_reported_from_ringing_to_its_end(self) -> None:
        async with deskphones() as at:
            start = time.monotonic()
            await start_call(at.pbx, at.bob, at.alice, "1001")
            await at.alice.hold()
            await at.pbx.ami.event("DeviceStateChange", Device="PJSIP/bob", State="ONHOLD")
            await at.alice.hang_up()
            free = {"Device": "PJSIP/alice", "State": "NOT_INUSE"}
            ended = await at.pbx.ami.event("Hangup", after=start, ConnectedLineNum="1002")
            await at.pbx.ami.event("DeviceStateChange", after=ended.at, **free)
            events = received(at.pbx)

        calls = [event.call for event in events if isinstance(event, CallChanged)]
        assert {(call.device, call.direction) for call in calls} == {(Device.DESKPHONE, Direction.INCOMING)}
        assert list(dict.fromkeys(call.status for call in calls)) == [
            CallStatus.DIALLING,
            CallStatus.RINGING,
            CallStatus.TALKING,
            CallStatus.HELD,
        ]
        assert calls[-1].peer == "1002"
        assert [event.call_id for event in events if isinstance(event, CallEnded)] == [calls[-1].id]
        assert statuses(events, Device.DESKPHONE)[1:] == [
            LineStatus.RINGING,
            LineStatus.IN_USE,
            LineStatus.NOT_IN_USE,
        ]

    @in_loop
    async def test_on_hold_is_the_line_of_the_held_party(self) -> None:
        async with deskphones() as at:
            await start_call(at.pbx, at.bob, at.alice, "1001")
            await at.bob.hold()
            await at.pbx.ami.event("DeviceStateChange", Device="PJSIP/alice", State="ONHOLD")
            events = received(at.pbx)
        assert statuses(events, Device.DESKPHONE)[-1] is LineStatus.ON_HOLD
        assert [event.call.status for event in events if isinstance(event, CallChanged)][
            -1
        ] is CallStatus.TALKING

    @in_loop
    async def test_a_start_of_the_node_makes_what_was_known_void(self) -> None:
        async with node(ENDPOINTS, EXTENSIONS) as pbx:
            await pbx.ami.event("FullyBooted")
            assert received(pbx)[0] == FactsReplaced("default")

    @in_loop
    async def test_a_call_of_the_browser_is_one_call_on_the_webrtc_line(self) -> None:
        async with phones_and_browser() as at:
            start = time.monotonic()
            await at.bob.dial("1001")
            await at.tab.event("ringing", after=start)
            await at.tab.answer()
            await at.bob.event("CALL_ESTABLISHED", after=start)
            await at.bob.hang_up()
            await at.tab.event("closed", after=start)
            await at.pbx.ami.event("Hangup", after=start, ConnectedLineNum="1002")
            events = received(at.pbx)
        calls = [event.call for event in events if isinstance(event, CallChanged)]
        assert {call.device for call in calls} == {Device.WEBRTC}
        assert len({call.id for call in calls}) == 1
        assert calls[-1].status is CallStatus.TALKING
