"""The live adapter, against a scripted node over real sockets: what it tells, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import pytest
from attrs import evolve

from tests.adapters.asterisk.ami.scripted_node import BOOTED, KEY, ScriptedNode, refused, scripted_node
from tests.event_loop import in_loop
from unique_account.adapters.asterisk import AsteriskPbx
from unique_account.adapters.asterisk.ami import connection
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.astdb_row import FAMILY
from unique_account.adapters.asterisk.hints import hints
from unique_account.adapters.asterisk.node import call_control, state_sync
from unique_account.adapters.asterisk.node import connection as node_connection
from unique_account.adapters.asterisk.node.receiver import LOST_FRAMING
from unique_account.adapters.asterisk.node.reports import REPORTS_A_MINUTE, NotUnderstood
from unique_account.adapters.asterisk.plans.encode import entries
from unique_account.adapters.memory import MemoryObserver
from unique_account.core.account import Account, CallStatus, Direction, LineStatus
from unique_account.core.events import (
    CallChanged,
    CallEnded,
    ContactsChanged,
    DeviceSelected,
    Event,
    FactsReplaced,
    LineChanged,
    LoggedIn,
    MessagesChanged,
    apply,
)
from unique_account.core.machine import Device
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.core.routing import plan
from unique_account.core.user import User
from unique_account.ports.inbound.events import UnknownUser
from unique_account.ports.observer import PortRequest
from unique_account.ports.pbx import CommandFailed, NodeDown
from unique_account.testing.contracts.pbx.node import one_by_one

DESK, WEB = Device.DESKPHONE, Device.WEBRTC
ALICE = User(
    id="alice",
    extension="1001",
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    dids=("+33123450001",),
    mailbox="1001@default",
)
BOB = User(id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w")
LOST = FactsReplaced("default")
GONE = tuple(LineChanged(device, LineStatus.UNAVAILABLE) for device in Device)


class At:
    """A scripted node, an adapter that listens to it, and all that was heard.

    Attributes:
        fails_at: The events at which hearing fails, with what.
        ready: Set while whoever hears is ready for the next event.
    """

    def __init__(self, node: ScriptedNode) -> None:
        self.node = node
        self.observer = MemoryObserver()
        self.pbx = AsteriskPbx(node.login, self.observer)
        self.received: list[tuple[str, Event]] = []
        self.returns = 0
        self.fails_at: dict[Event, Exception] = {}
        self.ready = asyncio.Event()
        self.ready.set()
        self._news = asyncio.Event()

    def on_return(self) -> None:
        self.returns += 1

    async def on_event(self, user: str, event: Event) -> None:
        await self.ready.wait()
        self.received += [(user, one) for one in one_by_one(event)]
        self._news.set()
        if event in self.fails_at:
            raise self.fails_at[event]

    async def until(self, *wanted: Event, user: str = "alice") -> None:
        """Wait until these events were heard, one after the other."""
        while not self._came(user, list(wanted)):
            self._news.clear()
            await self._news.wait()

    def _came(self, user: str, wanted: list[Event]) -> bool:
        for who, event in self.received:
            if wanted and (who, event) == (user, wanted[0]):
                del wanted[0]
        return not wanted

    async def eventually(self, so: Callable[[], bool]) -> None:
        """Wait until something is so that no event tells of."""
        while not so():  # noqa: ASYNC110 - the observer has no event
            await asyncio.sleep(0.01)

    def ended(self) -> set[str]:
        """The calls that are over."""
        return {event.call_id for event in self.of() if isinstance(event, CallEnded)}

    async def until_call(self, status: CallStatus | None) -> None:
        """Wait until a call was last heard to be so far; None: over."""
        while self._last_call() is not status:
            self._news.clear()
            await self._news.wait()

    def _last_call(self) -> CallStatus | None:
        last = next((one for one in reversed(self.of()) if isinstance(one, CallChanged | CallEnded)), None)
        return last.call.status if isinstance(last, CallChanged) else None

    def of(self, user: str = "alice") -> list[Event]:
        """What was heard of a user."""
        return [event for who, event in self.received if who == user]

    @property
    def failures(self) -> str:
        """What the observer was told."""
        return "\n".join(f"{what}: {error}" for what, error in self.observer.failures)


@asynccontextmanager
async def listening(*, down: bool = False) -> AsyncIterator[At]:
    """An adapter that listens to a scripted node; the node is there unless it is down."""
    async with scripted_node() as node:
        at = At(node)
        if down:
            await node.stop()
        listener = asyncio.create_task(at.pbx.listen(at.on_event, at.on_return))
        await asyncio.sleep(0)
        try:
            yield at
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)


def channel(state: str, uniqueid: str = "1767600000.2", linkedid: str = "1767600000.1") -> str:
    """The headers of a channel of Alice's deskphone."""
    where = f"Channel: PJSIP/alice-00000001\r\nChannelState: {state}"
    return f"{where}\r\nConnectedLineNum: 3000\r\nUniqueid: {uniqueid}\r\nLinkedid: {linkedid}"


def reported(event: str, state: str, uniqueid: str = "1767600000.2") -> str:
    """An event of that channel."""
    return f"Event: {event}\r\nTimestamp: 1767600001.5\r\n{channel(state, uniqueid)}"


# -- the beginning -----------------------------------------------------------------------------------


@in_loop
async def test_a_user_is_told_from_the_beginning() -> None:
    async with listening() as at:
        at.node.devices = {"PJSIP/alice": "INUSE", "PJSIP/alice_w": "UNAVAILABLE"}
        at.node.contacts = {"alice": "sip:alice@127.0.0.1:5062"}
        at.node.channels = {"1767600000.2": channel("6")}
        await at.pbx.watch(ALICE)
        await at.until(LOST, MessagesChanged(2, 1))
        assert at.of()[0] == LOST
        assert ContactsChanged(DESK, reachable=True) in at.of()
        assert ContactsChanged(WEB, reachable=False) in at.of()
        assert LineChanged(DESK, LineStatus.IN_USE) in at.of()
        (call,) = [event.call for event in at.of() if isinstance(event, CallChanged)]
        assert (call.status, call.direction, call.peer) == (CallStatus.TALKING, Direction.INCOMING, "3000")
        assert at.pbx.connected


FIXED: Final = "alice/sip:alice@192.0.2.7"
REMOVED: Final = (
    "Event: ContactStatus\r\nURI: sip:alice@192.0.2.9\r\nEndpointName: alice\r\nContactStatus: Removed"
)


class TestFixedContacts:
    """R12: a phone with a fixed address registers no contact; that a list lacks it is no fact."""

    @in_loop
    async def test_a_fixed_contact_makes_the_line_reachable(self) -> None:
        async with listening() as at:
            at.node.endpoints["alice"] = (f"{FIXED},", "Not in use")
            await at.pbx.watch(ALICE)
            assert ContactsChanged(DESK, reachable=True) in at.of()

    @in_loop
    async def test_one_that_does_not_answer_is_unreachable_until_it_does(self) -> None:
        async with listening() as at:
            at.node.endpoints["alice"] = (f"{FIXED},", "Unavailable")
            await at.pbx.watch(ALICE)
            assert ContactsChanged(DESK, reachable=False) in at.of()
            at.node.report(REMOVED.replace("Removed", "Reachable").replace("2.9", "2.7"))
            await at.until(ContactsChanged(DESK, reachable=True))

    @in_loop
    async def test_it_stays_when_a_registered_one_goes(self) -> None:
        async with listening() as at:
            at.node.endpoints["alice"] = (f"{FIXED},alice/sip:alice@192.0.2.9,", "Not in use")
            at.node.contacts = {"alice": "sip:alice@192.0.2.9"}
            await at.pbx.watch(ALICE)
            at.node.report(REMOVED)
            await at.pbx.watch(ALICE)
            assert ContactsChanged(DESK, reachable=False) not in at.of()

    @in_loop
    async def test_nothing_is_known_of_an_endpoint_that_no_list_has(self) -> None:
        async with listening() as at:
            at.node.endpoints = {}
            at.node.replies["PJSIPShowEndpoints"] = refused("No endpoints found")
            await at.pbx.watch(ALICE)
            assert [event for event in at.of() if isinstance(event, ContactsChanged)] == []


@in_loop
async def test_what_happens_while_all_is_listed_is_told() -> None:
    """No gap: events are asked for before the lists, so that nothing can happen in between unheard."""
    async with listening() as at:
        at.node.devices = {"PJSIP/alice": "NOT_INUSE"}
        at.node.replies["PJSIPShowContacts"] = lambda _: [
            "Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: RINGING",
            "Response: Error\r\nMessage: No Contacts found",
        ]
        await at.pbx.watch(ALICE)
        assert LineChanged(DESK, LineStatus.RINGING) in at.of()
        assert LineChanged(DESK, LineStatus.NOT_IN_USE) not in at.of()


@in_loop
async def test_a_user_that_is_watched_again_is_told_anew_with_what_was_heard_since() -> None:
    async with listening() as at:
        await at.pbx.watch(ALICE)
        at.node.report(
            reported("Newchannel", "0"),
            reported("Newstate", "5"),
            reported("Newstate", "6"),
            reported("Hold", "6"),
        )
        at.node.report("Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: INUSE")
        await at.until(LineChanged(DESK, LineStatus.IN_USE))
        at.received.clear()
        await at.pbx.watch(ALICE)
        assert at.of()[0] == LOST
        calls = [event.call for event in at.of() if isinstance(event, CallChanged)]
        assert [call.status for call in calls] == [CallStatus.HELD]
        assert LineChanged(DESK, LineStatus.IN_USE) in at.of()
        at.node.report(reported("Hangup", "6"))
        await at.until_call(None)
        at.received.clear()
        await at.pbx.watch(ALICE)
        assert not any(isinstance(event, CallChanged) for event in at.of())


@in_loop
async def test_two_users_of_one_endpoint_are_reported() -> None:
    async with listening() as at:
        await at.pbx.watch(ALICE)
        await at.pbx.watch(evolve(BOB, webrtc="PJSIP/alice_w"))
        assert "device PJSIP/alice_w is already that of alice" in at.failures
        assert at.of("bob") == []


@in_loop
async def test_what_cannot_be_understood_is_reported_and_the_rest_heard() -> None:
    async with listening() as at:
        await at.pbx.watch(ALICE)
        at.node.report(
            "Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: DANCING",
            "Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: INUSE",
        )
        await at.until(LineChanged(DESK, LineStatus.IN_USE))
        assert "DeviceStateChange is not understood: State is 'DANCING'" in at.failures


@in_loop
async def test_whatever_hearing_raises_the_next_event_is_told() -> None:
    async with listening() as at:
        at.fails_at = {
            LineChanged(DESK, LineStatus.RINGING): UnknownUser("alice"),
            LineChanged(DESK, LineStatus.IN_USE): RuntimeError("the store is full"),
        }
        await at.pbx.watch(ALICE)
        for state in ("RINGING", "INUSE", "NOT_INUSE"):
            at.node.report(f"Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: {state}")
        await at.until(LineChanged(DESK, LineStatus.NOT_IN_USE))
        assert "LineChanged for alice: the store is full" in at.failures
        assert "no Unique Account" not in at.failures


SELECTED = (
    f"Event: UserEvent\r\nUserEvent: UniqueAccount\r\nKey: {KEY}\r\n"
    "User: alice\r\nDo: select\r\nDevice: deskphone"
)


@in_loop
async def test_what_a_user_did_and_a_call_that_ended_are_told_though_all_else_is_told_anew() -> None:
    """Nothing tells them again: a resync in just that moment must not swallow them."""
    async with listening() as at:
        at.node.devices = {"PJSIP/alice": "INUSE"}
        at.node.channels = {"1767600000.2": channel("6")}
        await at.pbx.watch(ALICE)
        at.ready.clear()
        at.node.report("Event: DeviceStateChange\r\nDevice: PJSIP/alice_w\r\nState: NOT_INUSE")
        at.node.report(reported("Hangup", "6"), SELECTED)
        at.node.report("Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: BUSY")
        await at.pbx.installed("nobody")  # its answer comes after them
        at.received.clear()
        watching = asyncio.create_task(at.pbx.watch(ALICE))
        await asyncio.sleep(0)
        at.ready.set()
        await watching
        ended = [
            type(event) for event in at.of() if isinstance(event, CallEnded | DeviceSelected | FactsReplaced)
        ]
        assert ended == [CallEnded, DeviceSelected, FactsReplaced]
        assert at.of().count(LineChanged(DESK, LineStatus.BUSY)) == 1


@in_loop
async def test_what_a_user_did_while_all_is_listed_is_told_after_it() -> None:
    async with listening() as at:
        await at.pbx.watch(ALICE)
        at.node.replies["PJSIPShowContacts"] = lambda _: [
            SELECTED,
            "Response: Error\r\nMessage: No Contacts found",
        ]
        at.received.clear()
        at.node.cut()
        await at.until(LOST, DeviceSelected(DESK))


# -- losing the node ---------------------------------------------------------------------------------


@in_loop
async def test_a_cut_connection_is_made_again_and_everything_retold() -> None:
    async with listening() as at:
        await at.pbx.watch(ALICE)
        at.received.clear()
        at.node.devices = {"PJSIP/alice": "INUSE"}
        at.node.cut()
        await at.until(LOST, LineChanged(DESK, LineStatus.IN_USE))
        assert at.of().count(LOST) == 1
        assert "pbx default: connection" in at.failures


@pytest.mark.parametrize(
    ("reported", "seconds"),
    [
        (["Response: Success\r\nOutput: Num-Channels: 2\r\nOutput: Duration: 01:00:02"], 3602),
        (["Response: Success\r\nOutput: Duration: for ever"], 0),
        (refused("Permission denied")(Message("")), 0),
    ],
)
@in_loop
async def test_a_call_that_is_only_listed_was_answered_when_its_bridge_was_made(
    reported: list[str], seconds: int
) -> None:
    """H6: if the account may know how old a bridge is."""
    async with listening(down=True) as at:
        at.node.replies["Command"] = lambda _: reported
        at.node.channels["1767590000.1"] = f"{channel('6', '1767590000.1')}\r\nBridgeId: b"
        await at.node.start()
        await at.pbx.watch(ALICE)
        await at.until_call(CallStatus.TALKING)
        (call,) = [event.call for event in at.of() if isinstance(event, CallChanged)]
        assert call.answered == datetime.fromtimestamp(1767600000 - seconds, UTC)


@in_loop
async def test_a_node_that_is_down_is_told_once_and_once_when_it_is_back() -> None:
    async with listening() as at:
        await at.pbx.watch(ALICE)
        at.node.devices = {"PJSIP/alice": "INUSE"}
        await at.node.stop()
        await at.until(LineChanged(DESK, LineStatus.UNAVAILABLE))  # the second attempt has failed
        with pytest.raises(NodeDown):
            await at.pbx.hint(Number("1001"), Presence.BUSY)
        first, *others = [error for _, error in at.observer.failures]
        assert others
        assert not isinstance(first, NodeDown)
        assert all(isinstance(error, NodeDown) for error in others)
        assert at.observer.recoveries == []
        await at.node.start()
        await at.until(LineChanged(DESK, LineStatus.IN_USE))
        assert at.observer.recoveries == [PortRequest("pbx", "connection", "default")]
        assert at.returns == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff\x17 no message\r\n\r\n",
        b"x" * 200_000 + b"\r\n\r\n",
        f"{BOOTED}\r\n\r\n".encode(),
        b"no colon\r\n\r\n" * (LOST_FRAMING - 1),
    ],
)
@in_loop
async def test_bad_messages_cost_no_neighbour_and_no_connection(garbage: bytes) -> None:
    async with listening() as at:
        await at.pbx.watch(ALICE)
        at.received.clear()
        at.node.write(garbage)
        at.node.report("Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: INUSE")
        await at.until(LineChanged(DESK, LineStatus.IN_USE))
        assert at.node.opened == 1
        reported = [error for _, error in at.observer.failures if isinstance(error, NotUnderstood)]
        bad = 0 if BOOTED.encode() in garbage else garbage.count(b"\r\n\r\n")
        assert len(reported) == min(REPORTS_A_MINUTE, bad)


@in_loop
async def test_a_stream_without_any_good_message_is_given_up() -> None:
    async with listening() as at:
        await at.pbx.watch(ALICE)
        at.received.clear()
        at.node.devices = {"PJSIP/alice": "INUSE"}
        at.node.write(b"no colon\r\n\r\n" * LOST_FRAMING)
        await at.until(LOST, LineChanged(DESK, LineStatus.IN_USE))
        assert at.node.opened == 2


@in_loop
async def test_strangers_in_every_item_of_a_list_keep_no_connection_from_beginning() -> None:
    """Many calls with such texts may be up at once; the next connection meets the same."""
    async with listening() as at:
        await at.pbx.watch(ALICE)
        hostile = (
            "Channel: PJSIP/trunk-1\r\nChannelState: 6\r\nCallerIDNum: 1\r\n02\r\nUniqueid: 1767600000.{}"
        )
        at.node.channels = {f"{n}": hostile.format(n) for n in range(3 * LOST_FRAMING)}
        at.node.devices = {"PJSIP/alice": "INUSE"}
        at.received.clear()
        at.node.cut()
        await at.until(LOST, LineChanged(DESK, LineStatus.IN_USE))
        assert at.node.opened == 2


@in_loop
async def test_what_stands_inside_of_a_list_is_of_the_list_or_not_believed() -> None:
    """What an application is given may be longer than any number, and hold all that an item ends with."""
    forged = "Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: BUSY"
    async with listening() as at:
        data = f"x\r\nDuration: 00:00:01\r\nBridgeId: \r\n\r\n{forged}\r\n\r\n"
        at.node.devices = {"PJSIP/alice": "INUSE"}
        at.node.channels = {"1767600000.2": f"{channel('6')}\r\nApplicationData: {data}"}
        await at.pbx.watch(ALICE)
        assert LineChanged(DESK, LineStatus.IN_USE) in at.of()
        assert LineChanged(DESK, LineStatus.BUSY) not in at.of()
        assert "inside of a list" in at.failures


@in_loop
async def test_a_node_that_cannot_leave_blank_lines_out_is_not_believed() -> None:
    """Without the filter, a text with a blank line would be an event."""
    async with listening() as at:
        at.node.replies["Filter"] = refused("Permission denied")
        at.node.cut()
        await at.eventually(lambda: "Asterisk refuses Filter: Permission denied" in at.failures)
        assert "grant write = system" in at.failures
        assert not at.pbx.connected


@in_loop
async def test_no_event_comes_before_the_filter() -> None:
    async with listening() as at:
        await at.node.asked("Events")
        first = next(
            action["Action"] for action in at.node.actions if action["Action"] in ("Filter", "Events")
        )
        assert first == "Filter"
        (login,) = at.node.given("Login")
        assert login["Events"] == "system"


@in_loop
async def test_a_call_whose_end_is_not_reported_ends_with_its_phone_idle() -> None:
    """A stranger's blank line in the events of the call keeps them from us."""
    async with listening() as at:
        at.node.devices = {"PJSIP/alice": "INUSE"}
        at.node.channels = {"1767600000.2": channel("6", "1767600000.2")}
        await at.pbx.watch(ALICE)
        at.node.channels.clear()
        at.node.report("Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: NOT_INUSE")
        await at.eventually(lambda: at.ended() == {"1767600000.2"})


@pytest.mark.parametrize("state", ["INUSE", "NOT_INUSE"])
@in_loop
async def test_a_call_whose_end_is_not_reported_ends_though_its_phone_has_another(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state of the phone stays as it is then; or it was idle before all was listed."""
    monkeypatch.setattr(state_sync, "LOOKS_AFTER_CALLS_EVERY", 0.02)
    async with listening() as at:
        both = {f"1767600000.{n}": channel("6", f"1767600000.{n}") for n in (2, 3)}
        at.node.devices, at.node.channels = {"PJSIP/alice": state}, dict(both)
        await at.pbx.watch(ALICE)
        del at.node.channels["1767600000.3"]
        await at.eventually(lambda: at.ended() == {"1767600000.3"})
        times = len(at.node.given("Getvar"))
        if state == "NOT_INUSE":
            await at.node.asked("Getvar", times + 2)
            await at.pbx.installed("nobody")
        assert at.ended() == {"1767600000.3"}


@in_loop
async def test_a_refused_question_ends_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_sync, "LOOKS_AFTER_CALLS_EVERY", 0.02)
    async with listening() as at:
        at.node.channels = {f"1767600000.{n}": channel("6", f"1767600000.{n}") for n in (2, 3)}
        await at.pbx.watch(ALICE)
        at.node.replies["Getvar"] = refused("Permission denied")
        await at.node.asked("Getvar", len(at.node.given("Getvar")) + 4)
        await at.pbx.installed("nobody")
        assert at.ended() == set()


@in_loop
async def test_a_call_that_is_there_goes_on_though_its_phone_was_idle() -> None:
    """A state may be older than the call that follows it."""
    async with listening() as at:
        at.node.channels = {"1767600000.2": channel("6")}
        await at.pbx.watch(ALICE)
        at.node.report("Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: NOT_INUSE")
        await at.node.asked("Getvar", 2)
        await at.pbx.installed("nobody")  # its answer comes after that
        assert at.ended() == set()


def _both_in_a_bridge() -> dict[str, str]:
    other = channel("6", "1767600000.9").replace("PJSIP/alice-00000001", "PJSIP/trunk-00000002")
    return {"1767600000.2": f"{channel('6')}\r\nBridgeId: b", "1767600000.9": f"{other}\r\nBridgeId: b"}


@pytest.mark.parametrize(
    ("first", "then"), [("0", CallStatus.HELD), ("1", CallStatus.TALKING)], ids=["held", "resumed"]
)
@in_loop
async def test_a_hold_that_a_node_carries_out_while_we_connect_is_learnt(
    first: str, then: CallStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its event went to the connection that was lost, and the party's channel did not say it yet."""
    monkeypatch.setattr(state_sync, "LOOKS_AFTER_CALLS_EVERY", 0.2)
    async with listening() as at:
        at.node.channels = _both_in_a_bridge()
        at.node.replies["Getvar"] = _answers(onhold=first)
        await at.pbx.watch(ALICE)
        at.node.replies["Getvar"] = _answers(onhold="1" if first == "0" else "0")
        await at.until_call(then)


@in_loop
async def test_a_hold_that_an_event_reported_is_not_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_sync, "LOOKS_AFTER_CALLS_EVERY", 0.2)
    async with listening() as at:
        at.node.channels = _both_in_a_bridge()
        at.node.replies["Getvar"] = _answers(onhold="0")
        await at.pbx.watch(ALICE)
        times = len(at.node.given("Getvar"))
        at.node.report(reported("Hold", "6"))
        await at.until_call(CallStatus.HELD)
        await at.node.asked("Getvar", times + 1)
        await at.pbx.installed("nobody")  # its answer comes after that
        assert at._last_call() is CallStatus.HELD


@in_loop
async def test_a_count_of_messages_that_nobody_asked_for_is_not_believed() -> None:
    async with listening() as at:
        await at.pbx.watch(ALICE)
        at.node.report(
            "Response: Success\r\nMessage: Mailbox Message Count\r\nMailbox: 1001@default\r\n"
            "NewMessages: 9\r\nOldMessages: 9"
        )
        await at.pbx.installed("nobody")
        assert MessagesChanged(9, 9) not in at.of()


@in_loop
async def test_a_node_that_stays_away_is_lost_and_comes_back() -> None:
    async with listening() as at:
        await at.pbx.watch(ALICE)
        at.received.clear()
        await at.node.stop()
        await at.until(LOST)
        assert not at.pbx.connected
        at.node.devices = {"PJSIP/alice": "INUSE"}
        await at.node.start()
        await at.until(LOST, *GONE, LOST, LineChanged(DESK, LineStatus.IN_USE))


@in_loop
async def test_a_user_watched_while_the_node_is_away_is_told_once_it_is_back() -> None:
    async with listening(down=True) as at:
        await at.pbx.watch(ALICE)
        assert at.of()[-3:] == [LOST, *GONE]
        at.node.devices = {"PJSIP/alice": "INUSE"}
        await at.node.start()
        await at.until(LOST, *GONE, LOST, LineChanged(DESK, LineStatus.IN_USE))


@in_loop
async def test_calls_fail_while_the_node_is_away() -> None:
    async with listening(down=True) as at:
        for call in (
            at.pbx.install(plan(Account(ALICE))),
            at.pbx.installed("x"),
            at.pbx.hint(Number("1001"), Presence.IN_USE),
            at.pbx.forget("alice"),
            at.pbx.dial("PJSIP/alice", "1002"),
            at.pbx.answer("1"),
            at.pbx.hold("1"),
            at.pbx.resume("1"),
            at.pbx.transfer("1", "1002"),
            at.pbx.join("1", "2"),
            at.pbx.hang_up("1"),
            at.pbx.hand_on("1"),
        ):
            with pytest.raises(ConnectionError, match="the PBX default cannot be reached"):
                await call


@in_loop
async def test_nobody_can_be_asked_while_nobody_listens() -> None:
    async with scripted_node() as node:
        pbx = AsteriskPbx(node.login, MemoryObserver())
        with pytest.raises(ConnectionError, match="nobody listens"):
            await pbx.installed("x")
        await pbx.watch(ALICE)


@pytest.mark.parametrize("action", ["DeviceStateList", "CoreShowChannels"])
@in_loop
async def test_a_node_that_refuses_what_is_needed_is_reported(action: str) -> None:
    async with scripted_node() as node:
        node.replies[action] = refused("Permission denied")
        at = At(node)
        listener = asyncio.create_task(at.pbx.listen(at.on_event, at.on_return))
        await asyncio.sleep(0)
        with pytest.raises(ConnectionError):
            await at.pbx.installed("x")
        assert f"Asterisk refuses {action}: Permission denied" in at.failures
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


@in_loop
async def test_a_node_that_never_boots_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_connection, "BEGINS_WITHIN", 0.1)
    async with scripted_node() as node:
        node.unanswered.add("DeviceStateList")
        at = At(node)
        listener = asyncio.create_task(at.pbx.listen(at.on_event, at.on_return))
        await asyncio.sleep(0)
        with pytest.raises(ConnectionError):
            await at.pbx.installed("x")
        assert "has not reported all that it knows" in at.failures
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


# -- plans -------------------------------------------------------------------------------------------


@in_loop
async def test_entries_of_numbers_that_a_plan_lost_are_taken_away_and_others_stay() -> None:
    async with listening() as at:
        theirs = entries(plan(Account(BOB), owner="another"))
        for family, key, value in (*theirs, (FAMILY, "9999@default", "garbage")):
            at.node.database[f"/{family}/{key}"] = value
        due = plan(Account(ALICE))
        assert await at.pbx.install(due) is True
        assert at.node.database.keys() >= {f"/{FAMILY}/1001@default", f"/{FAMILY}/+33123450001@default"}
        fewer = evolve(plan(Account(evolve(ALICE, dids=()))), version=1)
        assert await at.pbx.install(fewer) is True
        assert sorted(at.node.database) == [
            f"/{FAMILY}/{number}@default" for number in ("1001", "1002", "9999")
        ]
        assert await at.pbx.installed(due.owner) == {"alice": fewer}


@in_loop
async def test_versions_are_compared_though_an_old_asterisk_cuts_values_short() -> None:
    async with listening() as at:
        at.node.gives_back = 100
        newer = evolve(plan(Account(ALICE)), version=7)
        assert await at.pbx.install(newer) is True
        assert await at.pbx.install(evolve(newer, version=6)) is False
        assert await at.pbx.installed(newer.owner) == {"alice": newer}


@in_loop
async def test_an_older_plan_is_not_written_over_what_another_process_wrote() -> None:
    async with listening() as at:
        due = plan(Account(ALICE))
        await at.pbx.install(due)
        newer = evolve(due, version=7, owner="another")
        for family, key, value in entries(newer):
            at.node.database[f"/{family}/{key}"] = value
        assert await at.pbx.install(evolve(due, version=6)) is False
        assert await at.pbx.installed("another") == {"alice": newer}


@in_loop
async def test_a_number_that_went_to_another_user_is_not_taken_from_it() -> None:
    async with listening() as at:
        await at.pbx.install(plan(Account(ALICE)))
        heir = evolve(BOB, dids=ALICE.dids)
        await at.pbx.install(plan(Account(heir)))
        await at.pbx.forget("alice")
        assert sorted(at.node.database) == [
            f"/{FAMILY}/{number}@default" for number in ("+33123450001", "1002")
        ]


# -- hints -------------------------------------------------------------------------------------------


@in_loop
async def test_a_hint_is_placed_once_and_its_state_set_again_and_again() -> None:
    async with listening() as at:
        await at.pbx.installed("x")
        await at.node.asked("DialplanExtensionAdd")  # all that was to be shown at the beginning
        for presence in (Presence.RINGING, Presence.IN_USE):
            await at.pbx.hint(Number("+33 1 23 45"), presence)
        device = "Custom:unique_account_+3312345"
        assert at.node.hints["+3312345"] == device
        assert at.node.states[device] == "INUSE"
        placed = [one for one in at.node.given("DialplanExtensionAdd") if one.get("Extension") == "+3312345"]
        assert len(placed) == 1
        await at.pbx.hint(Number("+3312345"), Presence.UNEXISTING)
        assert "+3312345" not in at.node.hints
        await at.pbx.hint(Number("+3312345"), Presence.UNEXISTING)


@in_loop
async def test_a_hint_that_could_not_be_shown_is_shown_when_the_node_is_back() -> None:
    async with listening(down=True) as at:
        with pytest.raises(ConnectionError):
            await at.pbx.hint(Number("1001"), Presence.ON_HOLD)
        await at.node.start()
        await at.node.asked("DialplanExtensionAdd", 2)
        assert at.node.hints["1001"] == "Custom:unique_account_1001"
        assert at.node.states["Custom:unique_account_1001"] == "ONHOLD"


@pytest.mark.parametrize("announced", [True, False])
@in_loop
async def test_hints_are_placed_again_after_a_reload(
    announced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reload drops them, with an event or without one."""
    monkeypatch.setattr(hints, "LOOKS_EVERY", 60 if announced else 0.05)
    async with listening() as at:
        await at.pbx.installed("x")
        await at.node.asked("DialplanExtensionAdd")  # all that was to be shown at the beginning
        await at.pbx.hint(Number("1001"), Presence.RINGING)
        await at.node.asked("DialplanExtensionAdd", 2)
        at.node.hints = {"1001": "PJSIP/alice&PJSIP/alice_w"}
        if announced:
            at.node.report("Event: Reload\r\nModule: pbx_config\r\nStatus: 0")
        await at.node.asked("DialplanExtensionAdd", 4)
        await at.pbx.installed("x")
        assert at.node.hints["1001"] == "Custom:unique_account_1001"


@in_loop
async def test_hints_are_looked_after_though_a_node_was_slow_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "LOOKS_EVERY", 0.02)
    async with listening() as at:
        await at.pbx.hint(Number("1001"), Presence.RINGING)
        monkeypatch.setattr(connection, "ANSWERS_WITHIN", 0.1)
        at.node.unanswered.add("ExtensionState")
        while "hints: ExtensionState was not answered" not in at.failures:
            at.node.report("Event: Hold")  # so that it is slow, and does not hang
            await asyncio.sleep(0.02)
        at.node.unanswered.clear()
        monkeypatch.undo()
        monkeypatch.setattr(hints, "LOOKS_EVERY", 0.02)
        at.node.hints = {"1001": "PJSIP/alice&PJSIP/alice_w"}
        while at.node.hints["1001"] != "Custom:unique_account_1001":  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)


@in_loop
async def test_a_dialplan_that_takes_no_hints_is_reported() -> None:
    async with scripted_node() as node:
        node.replies["DialplanExtensionAdd"] = refused("Failed to add")
        at = At(node)
        listener = asyncio.create_task(at.pbx.listen(at.on_event, at.on_return))
        await node.asked("DialplanExtensionAdd")
        await at.pbx.installed("x")
        assert "hints: Asterisk refuses DialplanExtensionAdd: Failed to add" in at.failures
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


# -- commands (C1) -----------------------------------------------------------------------------------


async def with_call(at: At, state: str = "6") -> str:
    """Alice's deskphone has a call."""
    await at.pbx.watch(ALICE)
    at.node.report(reported("Newchannel", "0"), reported("Newstate", state))
    await at.until_call({"5": CallStatus.RINGING, "6": CallStatus.TALKING}[state])
    return "1767600000.2"


DEEDS = [("answer", "5", "talk"), ("hold", "6", "hold")]


@pytest.mark.parametrize(("action", "state", "event"), DEEDS)
@in_loop
async def test_a_phone_that_obeys_is_told_within_its_call(action: str, state: str, event: str) -> None:
    done = {"answer": reported("Newstate", "6"), "hold": reported("Hold", "6")}[action]
    async with listening() as at:
        call = await with_call(at, state)
        at.node.replies["PJSIPNotify"] = lambda _: ["Response: Success", done]
        await getattr(at.pbx, action)(call)
        (asked,) = at.node.given("PJSIPNotify")
        assert (asked["Channel"], asked["Variable"]) == ("PJSIP/alice-00000001", f"Event={event}")


@pytest.mark.parametrize(("action", "state", "event"), DEEDS)
@in_loop
async def test_a_phone_that_does_not_obey_is_a_refusal_with_a_reason(
    action: str, state: str, event: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_control, "PHONE_TIMEOUT", 0.1)
    async with listening() as at:
        call = await with_call(at, state)
        with pytest.raises(CommandFailed, match=f"PJSIP/alice does not {action} by remote control"):
            await getattr(at.pbx, action)(call)
        assert at.node.given("PJSIPNotify")[0]["Variable"] == f"Event={event}"


@pytest.mark.parametrize("make", ["baresip v1.0.0", "", "Not a Yealink"])
@in_loop
async def test_a_phone_that_is_not_known_to_obey_is_not_told(make: str) -> None:
    """One that does not know these events may answer so that Asterisk ends the call."""
    async with listening() as at:
        call = await with_call(at)
        at.node.make = make
        with pytest.raises(CommandFailed, match="not known to hold by remote control; use the phone"):
            await at.pbx.hold(call)
        assert not at.node.given("PJSIPNotify")


@in_loop
async def test_a_held_call_is_resumed_and_not_held_again() -> None:
    async with listening() as at:
        call = await with_call(at)
        with pytest.raises(CommandFailed, match="not on hold"):
            await at.pbx.resume(call)
        at.node.replies["PJSIPNotify"] = lambda _: ["Response: Success", reported("Hold", "6")]
        await at.pbx.hold(call)
        await at.until_call(CallStatus.HELD)
        with pytest.raises(CommandFailed, match="on hold already"):
            await at.pbx.hold(call)
        at.node.replies["PJSIPNotify"] = lambda _: ["Response: Success", reported("Unhold", "6")]
        await at.pbx.resume(call)


@in_loop
async def test_a_call_that_ends_meanwhile_is_over() -> None:
    async with listening() as at:
        call = await with_call(at)
        at.node.replies["PJSIPNotify"] = lambda _: ["Response: Success", reported("Hangup", "6")]
        with pytest.raises(CommandFailed, match="the call is over"):
            await at.pbx.hold(call)


@in_loop
async def test_a_call_with_nobody_else_is_neither_transferred_nor_joined() -> None:
    async with listening() as at:
        call = await with_call(at)
        with pytest.raises(CommandFailed, match="0 other parties"):
            await at.pbx.transfer(call, "1002")
        with pytest.raises(CommandFailed, match="not two calls of one phone"):
            await at.pbx.join(call, call)


@in_loop
async def test_what_the_pbx_refuses_is_a_refusal_with_its_reason() -> None:
    async with listening() as at:
        call = await with_call(at)
        at.node.replies["Hangup"] = refused("No such channel")
        with pytest.raises(CommandFailed, match="the PBX refuses: No such channel"):
            await at.pbx.hang_up(call)


@pytest.mark.parametrize(
    ("ends", "hung_up"),
    [("Event: OriginateResponse\r\nResponse: Failure\r\nChannel: PJSIP/alice\r\nExten: 1002", 0), ("", 0)],
)
@in_loop
async def test_a_phone_that_does_not_ring_does_not_dial(
    ends: str, hung_up: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_control, "PHONE_TIMEOUT", 0.1)
    async with listening() as at:
        at.node.contacts = {"alice": "sip:alice@127.0.0.1:5062"}
        await at.pbx.watch(ALICE)
        at.node.replies["Originate"] = lambda _: ["Response: Success", *filter(None, [ends])]
        with pytest.raises(CommandFailed, match="PJSIP/alice does not ring"):
            await at.pbx.dial("PJSIP/alice", "1002")
        assert len(at.node.given("Hangup")) == hung_up


@in_loop
async def test_an_action_without_an_answer_fails_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ANSWERS_WITHIN", 0.1)
    async with listening() as at:
        await at.pbx.watch(ALICE)
        at.node.unanswered.add("DBPut")
        with pytest.raises(ConnectionError, match="DBPut was not answered"):
            await at.pbx.install(plan(apply(Account(ALICE), LoggedIn("tab-1"))))


def _answers(**values: str) -> Callable[[Message], list[str]]:
    """The answers to questions after variables of channels."""

    def answer(action: Message) -> list[str]:
        name = action["Variable"].partition("(")[2].rstrip(")").replace("pjsip,", "").replace("-", "_")
        return [f"Response: Success\r\nVariable: x\r\nValue: {values.get(name, '')}"]

    return answer


@in_loop
async def test_a_browsers_call_is_asked_for_the_id_of_its_dialog() -> None:
    """C2: by that id the browser knows the call; the deskphone needs none."""
    async with listening() as at:
        at.node.replies["Getvar"] = _answers(call_id="a@b")
        await at.pbx.watch(ALICE)
        for name, uniqueid in (("PJSIP/alice_w-1", "1767600000.8"), ("PJSIP/alice-1", "1767600000.9")):
            text = reported("Newchannel", "5", uniqueid)
            at.node.report(text.replace("PJSIP/alice-00000001", name))

        def known() -> list[tuple[str, str]]:
            calls = {event.call.id: event.call for event in at.of() if isinstance(event, CallChanged)}
            return [(call.device.value, call.sip_call_id) for call in calls.values()]

        await at.eventually(lambda: sorted(known()) == [("deskphone", ""), ("webrtc", "a@b")])


@pytest.mark.parametrize(
    ("application", "status"),
    [("VoiceMailMain", CallStatus.TALKING), ("Dial", CallStatus.DIALLING), ("", CallStatus.DIALLING)],
)
@in_loop
async def test_a_phone_that_dialled_an_application_talks(
    application: str, status: CallStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R14: a mailbox answers as a person does, but no event reports it."""
    monkeypatch.setattr(state_sync, "LOOKS_AFTER_CALLS_EVERY", 0.05)
    async with listening() as at:
        at.node.replies["Getvar"] = _answers(appname=application)
        await at.pbx.watch(ALICE)
        at.node.report(reported("Newchannel", "6", "unique-account-dial-0a1b2c3d-1767600000.8"))
        await at.node.asked("Getvar", 2)
        await at.until_call(status)
