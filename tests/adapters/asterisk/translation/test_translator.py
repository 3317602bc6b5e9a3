"""What AMI messages mean for a user, message by message."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.translation.results import Meaning, TranslatedEvent, Untranslatable
from unique_account.adapters.asterisk.translation.translator import _HANDLERS, Translator
from unique_account.core.account import Call, CallStatus, Direction, LineStatus
from unique_account.core.diversions import CallDiverted
from unique_account.core.errors import InvalidFields
from unique_account.core.events import (
    CallChanged,
    CallEnded,
    ContactsChanged,
    DeviceSelected,
    Event,
    FactsReplaced,
    LineChanged,
    LoggedIn,
    LoggedOut,
    MessagesChanged,
    SessionLost,
)
from unique_account.core.machine import Device
from unique_account.core.user import User

ALICE = User(
    id="alice",
    extension="1001",
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    mailbox="1001@default",
)
DAVE = User(id="dave", extension="1004", deskphone="PJSIP/dave-desk", webrtc="PJSIP/dave", mailbox=None)
FAR = User(
    id="far",
    extension="2001",
    deskphone="PJSIP/far",
    webrtc="PJSIP/far_w",
    mailbox="2001@default",
    media_server="mds1",
)

BEGAN = datetime.fromtimestamp(1795415407, UTC)
"""When the calls of these tests began, by their linked ids."""
T0 = datetime(2026, 11, 23, 6, 30, 22, 75164, tzinfo=UTC)
STAMP = "1795415422.075164"


def message(event: str, stamp: str | None = STAMP, /, **headers: str) -> Message:
    lines = [("Event", event)] + ([("Timestamp", stamp)] if stamp is not None else [])
    return Message("\r\n".join(f"{name}: {value}" for name, value in [*lines, *headers.items()]))


def channel(event: str, name: str, state: str, uniqueid: str, /, **headers: str) -> Message:
    """A channel event as Asterisk writes it: the whole state of the channel each time."""
    snapshot = {
        "Channel": name,
        "ChannelState": state,
        "ConnectedLineNum": "<unknown>",
        "ConnectedLineName": "<unknown>",
        "Exten": "s",
        "Uniqueid": uniqueid,
        "Linkedid": "1795415407.1",
    }
    return message(event, **{**snapshot, **headers})


def later(reported: Message) -> Message:
    """The same message one second later."""
    return Message(reported.text.replace(STAMP, "1795415423.075164"))


class Ear:
    """A translation of ALICE, DAVE and FAR, and what is heard in it."""

    def __init__(self) -> None:
        self.translation = Translator([ALICE, DAVE, FAR])

    def meanings(self, *messages: Message) -> list[Meaning]:
        return [meaning for each in messages for meaning in self.translation.translate(each)]

    def received(self, *messages: Message) -> list[tuple[str, Event]]:
        meanings = self.meanings(*messages)
        assert all(isinstance(meaning, TranslatedEvent) for meaning in meanings), meanings
        return [(meaning.user, meaning.event) for meaning in meanings if isinstance(meaning, TranslatedEvent)]

    def call(self, *messages: Message) -> Call:
        """The call that the last of these messages told."""
        _, event = self.received(*messages)[-1]
        assert isinstance(event, CallChanged)
        return event.call

    def problem(self, *messages: Message) -> Untranslatable:
        (problem,) = self.meanings(*messages)
        assert isinstance(problem, Untranslatable)
        return problem


@pytest.fixture
def ear() -> Ear:
    return Ear()


class TestUsers:
    """A1: an endpoint belongs to one device of one user."""

    def test_two_users_with_one_endpoint_are_refused(self) -> None:
        other = User(id="bob", extension="1002", deskphone="PJSIP/alice", webrtc="PJSIP/bob_w")
        with pytest.raises(InvalidFields, match="bob: device PJSIP/alice is already that of alice"):
            Translator([ALICE, other])

    def test_two_users_with_one_id_are_refused(self) -> None:
        with pytest.raises(InvalidFields, match="id alice is already that of alice"):
            Translator([ALICE, ALICE])

    def test_an_endpoint_of_another_media_server_may_bear_the_same_name(self) -> None:
        twin = User(
            id="twin", extension="1", deskphone="PJSIP/alice", webrtc="PJSIP/twin", media_server="mds1"
        )
        reported = message("DeviceStateChange", Device="PJSIP/alice", State="INUSE")
        (received,) = Translator([ALICE, twin], "mds1").translate(reported)
        assert isinstance(received, TranslatedEvent)
        assert received.user == "twin"


class TestInstants:
    """An event's instant is the Timestamp of its message."""

    @staticmethod
    def in_use(stamp: str | None = STAMP) -> Message:
        return message("DeviceStateChange", stamp, Device="PJSIP/alice", State="INUSE")

    def test_it_is_exact_to_the_microsecond_and_in_utc(self, ear: Ear) -> None:
        event = LineChanged(Device.DESKPHONE, LineStatus.IN_USE)
        assert ear.meanings(self.in_use()) == [TranslatedEvent("alice", T0, event)]

    @given(st.integers(0, 4_000_000_000), st.integers(0, 999_999))
    def test_whichever_it_is(self, seconds: int, microseconds: int) -> None:
        translation = Translator([ALICE])
        translation.translate(message("VarSet", f"{seconds}.{microseconds:06}"))
        expected = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
        assert translation.now == expected

    def test_a_message_without_one_takes_that_of_the_message_before(self, ear: Ear) -> None:
        (received,) = ear.meanings(message("VarSet"), self.in_use(None))
        assert isinstance(received, TranslatedEvent)
        assert received.at == T0

    @pytest.mark.parametrize("stamp", ["", "soon", "nan", "inf", "-1", "1e300", "253370764800"])
    def test_one_that_is_none_is_told_and_the_fact_still_counts(self, ear: Ear, stamp: str) -> None:
        problem, received = ear.meanings(message("VarSet"), self.in_use(stamp))
        assert isinstance(problem, Untranslatable)
        assert str(problem) == (f"DeviceStateChange is not understood: Timestamp is {stamp!r}, no Unix time")
        assert isinstance(received, TranslatedEvent)
        assert received.at == T0

    def test_before_any_a_fact_without_an_instant_in_it_is_still_told(self, ear: Ear) -> None:
        bare = self.in_use(None)
        assert ear.received(bare) == [("alice", LineChanged(Device.DESKPHONE, LineStatus.IN_USE))]

    def test_before_any_a_call_cannot_be_dated(self, ear: Ear) -> None:
        lines = channel("Newchannel", "PJSIP/alice-1", "4", "1795415407.1").headers
        undated = Message("\r\n".join(f"{name}: {value}" for name, value in lines if name != "Timestamp"))
        assert ear.problem(undated).header == "Timestamp"


class TestLineStatus:
    """P4: a line has one of the nine states of an Asterisk device."""

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("UNKNOWN", LineStatus.UNKNOWN),
            ("NOT_INUSE", LineStatus.NOT_IN_USE),
            ("INUSE", LineStatus.IN_USE),
            ("BUSY", LineStatus.BUSY),
            ("INVALID", LineStatus.INVALID),
            ("UNAVAILABLE", LineStatus.UNAVAILABLE),
            ("RINGING", LineStatus.RINGING),
            ("RINGINUSE", LineStatus.RINGING_IN_USE),
            ("ONHOLD", LineStatus.ON_HOLD),
        ],
    )
    def test_each_has_its_word(self, ear: Ear, word: str, status: LineStatus) -> None:
        reported = message("DeviceStateChange", Device="PJSIP/alice_w", State=word)
        assert ear.received(reported) == [("alice", LineChanged(Device.WEBRTC, status))]

    def test_other_devices_mean_nothing(self, ear: Ear) -> None:
        for device in ("PJSIP/bob", "PJSIP/alice_", "Custom:alice", "PJSIP/far", ""):
            assert ear.received(message("DeviceStateChange", Device=device, State="INUSE")) == []

    def test_another_word_is_named(self, ear: Ear) -> None:
        problem = ear.problem(message("DeviceStateChange", Device="PJSIP/alice", State="ASLEEP"))
        assert (problem.message, problem.header) == ("DeviceStateChange", "State")
        assert "'ASLEEP', not one of UNKNOWN, NOT_INUSE," in str(problem)


def contact(status: str, uri: str = "sip:a@192.0.2.1:1", endpoint: str = "alice_w") -> Message:
    return message(
        "ContactStatus", URI=uri, ContactStatus=status, AOR=endpoint, EndpointName=endpoint, RoundtripUsec="0"
    )


def peer(status: str, name: str = "PJSIP/alice_w") -> Message:
    return message("PeerStatus", ChannelType="PJSIP", Peer=name, PeerStatus=status)


REACHABLE = ("alice", ContactsChanged(Device.WEBRTC, reachable=True))
UNREACHABLE = ("alice", ContactsChanged(Device.WEBRTC, reachable=False))


class TestContacts:
    """R4: a line is registered while it has at least one usable contact."""

    @pytest.mark.parametrize(
        "status", ["Reachable", "NonQualified", "Unqualified", "Unknown", "Created", "Updated"]
    )
    def test_a_usable_contact_makes_it_reachable(self, ear: Ear, status: str) -> None:
        assert ear.received(contact(status)) == [REACHABLE]

    @pytest.mark.parametrize("status", ["Removed", "Unreachable"])
    def test_the_last_one_that_goes_makes_it_unreachable(self, ear: Ear, status: str) -> None:
        assert ear.received(contact("Created"), contact(status)) == [REACHABLE, UNREACHABLE]

    def test_one_that_comes_back_makes_it_reachable_again(self, ear: Ear) -> None:
        reported = ear.received(contact("Reachable"), contact("Unreachable"), contact("Reachable"))
        assert reported == [REACHABLE, UNREACHABLE, REACHABLE]

    def test_a_refresh_tells_nothing_new(self, ear: Ear) -> None:
        assert ear.received(contact("Created"), contact("Updated"), contact("NonQualified")) == [REACHABLE]

    def test_it_stays_reachable_while_another_tab_has_one(self, ear: Ear) -> None:
        one, two = "sip:a@192.0.2.1:1", "sip:a@192.0.2.1:2"
        assert ear.received(contact("Created", one), contact("Created", two)) == [REACHABLE]
        assert ear.received(contact("Removed", one)) == []
        assert ear.received(contact("Removed", two)) == [UNREACHABLE]

    def test_one_that_goes_unheard_of_leaves_the_line_without_a_known_one(self, ear: Ear) -> None:
        assert ear.received(contact("Removed")) == [UNREACHABLE]

    def test_one_that_goes_unheard_of_leaves_the_known_ones(self, ear: Ear) -> None:
        reported = ear.received(contact("Created", "sip:known"), contact("Removed", "sip:unknown"))
        assert reported == [REACHABLE]

    def test_the_lines_of_a_user_are_told_apart(self, ear: Ear) -> None:
        reported = ear.received(contact("Created", endpoint="alice"), contact("Removed", endpoint="alice_w"))
        assert reported == [("alice", ContactsChanged(Device.DESKPHONE, reachable=True)), UNREACHABLE]

    def test_without_an_endpoint_the_aor_names_it(self, ear: Ear) -> None:
        gone = message("ContactStatus", URI="sip:a", ContactStatus="Removed", AOR="alice_w", EndpointName="")
        assert ear.received(gone) == [UNREACHABLE]

    def test_the_contacts_of_others_mean_nothing(self, ear: Ear) -> None:
        assert ear.received(contact("Created", endpoint="bob"), contact("Sleepy", endpoint="bob")) == []

    def test_a_word_that_is_no_status_is_named(self, ear: Ear) -> None:
        assert ear.problem(contact("Sleepy")).header == "ContactStatus"

    def test_a_contact_without_a_uri_is_named(self, ear: Ear) -> None:
        assert str(ear.problem(contact("Created", ""))) == "ContactStatus is not understood: URI is empty"


class TestPeerStatus:
    """R4: the endpoint's own sum of its contacts counts as well, and the last word decides."""

    @pytest.mark.parametrize(("word", "reported"), [("Reachable", REACHABLE), ("Unreachable", UNREACHABLE)])
    def test_it_tells_by_itself(self, ear: Ear, word: str, reported: tuple[str, Event]) -> None:
        assert ear.received(peer(word)) == [reported]

    def test_it_and_the_contact_are_told_once(self, ear: Ear) -> None:
        assert ear.received(peer("Reachable"), contact("NonQualified")) == [REACHABLE]
        assert ear.received(peer("Unreachable"), contact("Removed")) == [UNREACHABLE]

    @pytest.mark.parametrize("word", ["Unknown", "Registered", "Lagged", ""])
    def test_its_other_words_mean_nothing(self, ear: Ear, word: str) -> None:
        assert ear.received(peer("Reachable"), peer(word)) == [REACHABLE]

    def test_others_peers_mean_nothing(self, ear: Ear) -> None:
        assert ear.received(peer("Reachable", "PJSIP/bob")) == []

    def test_a_reload_ends_reachable_in_every_order_of_its_words(self, ear: Ear) -> None:
        old, new = "sip:old", "sip:new"
        contacts = [contact("Removed", old), contact("Created", new)]
        peers = [peer("Unreachable"), peer("Reachable")]
        for places in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]:
            of_contacts, of_peers = iter(contacts), iter(peers)
            words = [next(of_peers if place in places else of_contacts) for place in range(4)]
            ear = Ear()
            ear.received(contact("Created", old), *words)
            assert ear.received(contact("Updated", new)) == [], "it was told that it is reachable"
            assert ear.received(contact("Removed", new)) == [UNREACHABLE]


class TestWhoseChannel:
    """A1: a channel belongs to the endpoint that its name has before the last dash."""

    @pytest.mark.parametrize(
        ("name", "user", "device"),
        [
            ("PJSIP/alice-0000000a", "alice", Device.DESKPHONE),
            ("PJSIP/alice_w-0000000d", "alice", Device.WEBRTC),
            ("PJSIP/dave-desk-0000000e", "dave", Device.DESKPHONE),
            ("PJSIP/dave-0000000f", "dave", Device.WEBRTC),
        ],
    )
    def test_it_is_its_endpoints(self, ear: Ear, name: str, user: str, device: Device) -> None:
        ((who, event),) = ear.received(channel("Newchannel", name, "4", "1795415407.1"))
        assert isinstance(event, CallChanged)
        assert (who, event.call.device) == (user, device)

    @pytest.mark.parametrize(
        "name",
        [
            "PJSIP/bob-00000001",
            "PJSIP/alice_wx-00000001",
            "PJSIP/alic-00000001",
            "PJSIP/far-00000001",
            "Local/1001@default-00000001;1",
            "PJSIP/alice",
            "",
        ],
    )
    def test_others_mean_nothing(self, ear: Ear, name: str) -> None:
        for event in ("Newchannel", "Newstate", "NewConnectedLine", "BridgeEnter", "Hold", "Hangup"):
            assert ear.received(channel(event, name, "9x", "1795415407.1")) == []

    def test_others_cost_no_memory(self, ear: Ear) -> None:
        def call(number: int) -> None:
            for name in (f"PJSIP/bob-{number}", f"Local/1001@default-{number};1"):
                ear.received(channel("Newchannel", name, "4", f"1795415407.{number}"))
                ear.received(channel("Newstate", name, "6", f"1795415407.{number}"))

        call(0)
        tracemalloc.start()
        try:
            for number in range(300):
                call(number)
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert held < 5_000


class TestCalls:
    """M2, H3: a channel of the user's is a live call, from its first word to its hangup."""

    RINGS = (
        channel("Newchannel", "PJSIP/alice-00000002", "0", "1795415407.2"),
        channel("NewConnectedLine", "PJSIP/alice-00000002", "0", "1795415407.2", ConnectedLineNum="1002"),
        channel("Newstate", "PJSIP/alice-00000002", "5", "1795415407.2", ConnectedLineNum="1002"),
    )
    DIALS = (channel("Newchannel", "PJSIP/alice-00000001", "4", "1795415407.1", Exten="1003"),)

    def test_a_phone_that_is_called_has_an_incoming_call_that_rings(self, ear: Ear) -> None:
        assert ear.call(*self.RINGS) == Call(
            id="1795415407.2",
            linked_id="1795415407.1",
            device=Device.DESKPHONE,
            direction=Direction.INCOMING,
            status=CallStatus.RINGING,
            started=BEGAN,
            peer="1002",
        )

    @pytest.mark.parametrize("place", ["s", "dial", "i", "xivo-callbackunavail", "+", ""])
    def test_a_place_in_the_dialplan_is_no_party(self, ear: Ear, place: str) -> None:
        dials = channel("Newchannel", "PJSIP/alice-00000001", "4", "1795415407.1", Exten=place)
        assert ear.call(dials).peer == ""

    @pytest.mark.parametrize(
        ("linkedid", "began"),
        [
            ("1795415422.1", datetime(2026, 11, 23, 6, 30, 22, tzinfo=UTC)),
            ("mds-1-1795415422.15", datetime(2026, 11, 23, 6, 30, 22, tzinfo=UTC)),
            ("of another kind", T0.replace(microsecond=0)),
            ("crm-7f3a", T0.replace(microsecond=0)),
            ("0b1e55aa-90b1-4c11-8d5e-1f2e3d4c5b6a", T0.replace(microsecond=0)),
            ("ticket-20260105.1", T0.replace(microsecond=0)),
            ("order-1234567890.1", T0.replace(microsecond=0)),
            ("order-2026010512.3", T0.replace(microsecond=0)),
        ],
    )
    def test_all_legs_of_a_call_say_when_it_began(self, ear: Ear, linkedid: str, began: datetime) -> None:
        for number, device in enumerate(("alice", "alice_w")):
            name, uniqueid = f"PJSIP/{device}-0000000{number}", f"{linkedid}{number}"
            leg = channel("Newchannel", name, "0", uniqueid, Linkedid=linkedid)
            assert ear.call(leg if number == 0 else later(leg)).started == began

    def test_a_call_without_a_second_in_its_id_began_with_a_channel_of_a_stranger(self, ear: Ear) -> None:
        ear.received(channel("Newchannel", "PJSIP/trunk-1", "4", "crm-7f3a", Linkedid="crm-7f3a"))
        rings = channel("Newchannel", "PJSIP/alice-2", "5", "1795415423.2", Linkedid="crm-7f3a")
        assert ear.call(later(rings)).started == T0.replace(microsecond=0)

    def test_a_list_of_channels_says_how_old_such_a_call_is(self, ear: Ear) -> None:
        age = {"Linkedid": "crm-7f3a", "Duration": "01:00:02"}
        listed = ear.call(channel("CoreShowChannel", "PJSIP/alice-2", "6", "1795415407.2", **age))
        assert listed.started == T0.replace(microsecond=0) - timedelta(hours=1, seconds=2)

    def test_the_next_connection_knows_when_such_a_call_began(self, ear: Ear) -> None:
        ear.received(channel("Newchannel", "PJSIP/alice-1", "4", "crm-7f3a", Linkedid="crm-7f3a"))
        following = Ear()
        following.translation.recall(ear.translation)
        again = later(channel("Newstate", "PJSIP/alice-1", "4", "crm-7f3a", Linkedid="crm-7f3a"))
        assert following.call(again).started == T0.replace(microsecond=0)

    def test_before_it_confirms_ringing_it_is_only_dialled(self, ear: Ear) -> None:
        assert ear.call(self.RINGS[0]).status is CallStatus.DIALLING

    def test_a_phone_that_dials_has_an_outgoing_call_to_the_number_dialled(self, ear: Ear) -> None:
        call = ear.call(*self.DIALS)
        assert (call.direction, call.status) == (Direction.OUTGOING, CallStatus.DIALLING)
        assert (call.peer, call.answered) == ("1003", None)

    def test_a_phone_that_a_program_lets_ring_before_it_dials_has_an_outgoing_call(self, ear: Ear) -> None:
        rings = channel("Newchannel", "PJSIP/alice-00000001", "0", "crm-7f3a", Linkedid="crm-7f3a")
        assert ear.call(rings).direction is Direction.OUTGOING

    def test_one_that_is_dialled_for_a_user_talks_once_somebody_else_is_there(self, ear: Ear) -> None:
        leg = "unique-account-dial-0a1b2c3d-1795415407.1"
        name = "PJSIP/alice_w-00000001"
        assert ear.call(channel("Newchannel", name, "5", leg)).status is CallStatus.RINGING
        up = ear.call(channel("Newstate", name, "6", leg))
        assert (up.status, up.answered, up.direction) == (CallStatus.DIALLING, None, Direction.OUTGOING)
        met = ear.call(later(channel("BridgeEnter", name, "6", leg, BridgeUniqueid="b")))
        assert (met.status, met.answered) == (CallStatus.TALKING, T0 + timedelta(seconds=1))
        assert ear.call(channel("Hold", name, "6", leg)).status is CallStatus.HELD
        assert ear.call(channel("Unhold", name, "6", leg)).status is CallStatus.TALKING

    def test_one_that_is_dialled_for_a_user_talks_to_an_application_too(self, ear: Ear) -> None:
        leg = "unique-account-dial-0a1b2c3d-1795415407.1"
        name = "PJSIP/alice_w-00000001"
        ear.received(channel("Newchannel", name, "6", leg))
        assert ear.call(channel("UniqueAccountAnswered", name, "6", leg)).status is CallStatus.TALKING

    def test_the_id_of_its_dialog_is_kept(self, ear: Ear) -> None:
        name, leg = "PJSIP/alice_w-00000001", "1795415407.2"
        ear.received(channel("Newchannel", name, "0", leg))
        ear.received(channel("UniqueAccountSipCallId", name, "0", leg, SipCallId="a@b"))
        assert ear.call(channel("Newstate", name, "5", leg)).sip_call_id == "a@b"

    @pytest.mark.parametrize("begin", [RINGS, DIALS])
    def test_answered_it_talks_since_then(self, ear: Ear, begin: tuple[Message, ...]) -> None:
        before = ear.call(*begin)
        after = ear.call(later(channel("Newstate", "PJSIP/alice-00000001", "6", before.id)))
        assert after.status is CallStatus.TALKING
        assert (after.started, after.answered) == (BEGAN, T0 + timedelta(seconds=1))
        assert (after.direction, after.peer) == (before.direction, before.peer)

    def test_later_words_leave_the_instant_of_the_answer(self, ear: Ear) -> None:
        ear.received(*self.DIALS, channel("Newstate", "PJSIP/alice-00000001", "6", "1795415407.1"))
        assert ear.call(later(*self._party("Carol"))).answered == T0

    @staticmethod
    def _party(name: str) -> tuple[Message, ...]:
        headers = {"ConnectedLineNum": "1003", "ConnectedLineName": name}
        return (channel("NewConnectedLine", "PJSIP/alice-00000001", "6", "1795415407.1", **headers),)

    def test_the_party_is_told_with_number_and_name(self, ear: Ear) -> None:
        call = ear.call(*self.DIALS, *self._party("Carol"))
        assert (call.peer, call.peer_name) == ("1003", "Carol")

    def test_a_party_without_a_number_has_its_name(self, ear: Ear) -> None:
        nameless = {"ConnectedLineName": "Front door"}
        call = ear.call(
            *self.RINGS, channel("Newstate", "PJSIP/alice-00000002", "5", "1795415407.2", **nameless)
        )
        assert (call.peer, call.peer_name) == ("", "Front door")

    def test_a_phone_that_dialled_no_number_has_no_peer_yet(self, ear: Ear) -> None:
        assert (
            ear.call(channel("Newchannel", "PJSIP/alice-00000001", "4", "1795415407.1", Exten="s")).peer == ""
        )

    def test_the_extension_of_an_incoming_call_is_no_peer(self, ear: Ear) -> None:
        assert (
            ear.call(channel("Newchannel", "PJSIP/alice-00000002", "0", "1795415407.2", Exten="1001")).peer
            == ""
        )

    def test_an_unknown_party_is_empty(self, ear: Ear) -> None:
        call = ear.call(self.RINGS[0])
        assert (call.peer, call.peer_name) == ("", "")

    def test_a_party_that_becomes_unknown_is_kept(self, ear: Ear) -> None:
        ear.received(*self.DIALS, *self._party("Carol"))
        call = ear.call(channel("Hold", "PJSIP/alice-00000001", "6", "1795415407.1"))
        assert (call.peer, call.peer_name) == ("1003", "Carol")

    def test_another_party_takes_the_name_with_it(self, ear: Ear) -> None:
        ear.received(*self.DIALS, *self._party("Carol"))
        moved = channel(
            "NewConnectedLine", "PJSIP/alice-00000001", "6", "1795415407.1", ConnectedLineNum="1009"
        )
        call = ear.call(moved)
        assert (call.peer, call.peer_name) == ("1009", "")

    def test_hold_and_unhold(self, ear: Ear) -> None:
        ear.received(*self.DIALS, channel("Newstate", "PJSIP/alice-00000001", "6", "1795415407.1"))
        assert (
            ear.call(channel("Hold", "PJSIP/alice-00000001", "6", "1795415407.1")).status is CallStatus.HELD
        )
        assert ear.call(*self._party("Carol")).status is CallStatus.HELD
        assert (
            ear.call(channel("Unhold", "PJSIP/alice-00000001", "6", "1795415407.1")).status
            is CallStatus.TALKING
        )

    def test_a_bridge_that_joins_two_calls_gives_it_their_linked_id(self, ear: Ear) -> None:
        ear.received(*self.RINGS)
        joined = channel("BridgeEnter", "PJSIP/alice-00000002", "6", "1795415407.2", Linkedid="1795415405.1")
        assert ear.call(joined).linked_id == "1795415405.1"

    def test_a_word_that_tells_nothing_new_is_not_told(self, ear: Ear) -> None:
        ear.received(*self.RINGS)
        assert ear.received(self.RINGS[2], self.RINGS[2]) == []

    def test_its_hangup_ends_it(self, ear: Ear) -> None:
        ear.received(*self.RINGS)
        hangup = channel("Hangup", "PJSIP/alice-00000002", "5", "1795415407.2")
        assert ear.received(hangup) == [("alice", CallEnded("1795415407.2", T0))]

    def test_the_hangup_of_one_that_began_before_the_stream_is_told(self, ear: Ear) -> None:
        hangup = channel("Hangup", "PJSIP/alice_w-00000002", "6", "1795415407.2")
        assert ear.received(hangup) == [("alice", CallEnded("1795415407.2", T0))]

    def test_a_word_after_its_hangup_does_not_bring_it_back(self, ear: Ear) -> None:
        ear.received(*self.RINGS, channel("Hangup", "PJSIP/alice-00000002", "5", "1795415407.2"))
        for event in ("BridgeEnter", "NewConnectedLine", "Hold", "Unhold"):
            assert ear.received(channel(event, "PJSIP/alice-00000002", "6", "1795415407.2")) == []

    @pytest.mark.parametrize(
        ("state", "uniqueid", "direction"),
        [
            ("5", "1795415407.2", Direction.INCOMING),
            ("4", "1795415407.1", Direction.OUTGOING),
            ("6", "1795415407.1", Direction.OUTGOING),
            ("6", "1795415407.2", Direction.INCOMING),
        ],
    )
    def test_one_that_began_before_the_stream_is_told_from_its_next_state(
        self, ear: Ear, state: str, uniqueid: str, direction: Direction
    ) -> None:
        assert ear.call(channel("Newstate", "PJSIP/alice-1", state, uniqueid)).direction is direction

    @pytest.mark.parametrize(
        ("header", "value", "problem"),
        [
            ("ChannelState", "9x", "is '9x', not one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
            ("ChannelState", "", "is empty"),
            ("Uniqueid", "", "is empty"),
            ("Uniqueid", " ", "is empty"),
        ],
    )
    def test_a_wrong_header_is_named(self, ear: Ear, header: str, value: str, problem: str) -> None:
        bad = channel("Newchannel", "PJSIP/alice-00000001", "4", "1795415407.1", **{header: value})
        reported = ear.problem(bad)
        assert (reported.message, reported.header, reported.problem) == ("Newchannel", header, problem)

    def test_calls_that_end_cost_no_memory(self, ear: Ear) -> None:
        def call(number: int) -> None:
            name, uniqueid = f"PJSIP/alice-{number:08x}", f"1795415407.{number}"
            for event, state in (("Newchannel", "4"), ("Newstate", "6"), ("Hangup", "6")):
                ear.received(channel(event, name, state, uniqueid))
            ear.received(contact("Created", f"sip:{number}"), contact("Removed", f"sip:{number}"))

        call(0)
        tracemalloc.start()
        try:
            for number in range(300):
                call(number)
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert held < 10_000


def diverted(extra: str = "1001@default:mailbox:1001@default", **headers: str) -> Message:
    """The event by which the dialplan reports that a call does not stay at a number."""
    caller = {"CallerIDnum": "1002", "CallerIDname": "Bob", "Channel": "PJSIP/bob-00000001"}
    ids = {"UniqueID": "1795415407.1", "LinkedID": "1795415407.1"}
    return message("CEL", **{"EventName": "unique_account", **caller, **ids, **headers}, Extra=extra)


def as_json(text: str) -> str:
    return json.dumps({"extra": text})


class TestDiversions:
    """H4: a call that rings no device is reported to the user whose number was called."""

    def test_it_is_reported_with_its_caller(self, ear: Ear) -> None:
        (reported,) = ear.received(diverted(as_json("1001@default:refusal:17")))
        expected = CallDiverted(linked_id="1795415407.1", started=BEGAN, at=T0, peer="1002", peer_name="Bob")
        assert reported == ("alice", expected)

    def test_a_caller_with_an_account_has_the_number_of_the_account(self, ear: Ear) -> None:
        from_dave = diverted(as_json("1001@default:extension:1003"), Channel="PJSIP/dave-1", CallerIDnum="0")
        ((_, event),) = ear.received(from_dave)
        assert isinstance(event, CallDiverted)
        assert event.peer == "1004"

    def test_a_call_from_another_node_has_the_id_that_it_has_there(self, ear: Ear) -> None:
        elsewhere = diverted(as_json("far-1795415406.3"), EventName="unique_account_call")
        ((_, event),) = ear.received(elsewhere, diverted(as_json("1001@default:refusal:17")))
        assert isinstance(event, CallDiverted)
        assert event.linked_id == "far-1795415406.3"

    @pytest.mark.parametrize(
        "extra",
        [
            "",
            "no JSON",
            as_json("1001@default"),
            as_json("1001@other:refusal:17"),
            as_json("2001@default:refusal:17"),
        ],
    )
    def test_numbers_of_others_mean_nothing(self, ear: Ear, extra: str) -> None:
        assert ear.received(diverted(extra)) == []

    def test_a_user_that_is_forgotten_is_told_nothing(self, ear: Ear) -> None:
        ear.translation.forget("alice")
        assert ear.received(diverted(as_json("1001@default:refusal:17"))) == []


def did(do: str, **headers: str) -> Message:
    return message("UserEvent", UserEvent="UniqueAccount", User="alice", Do=do, **headers)


class TestUserEvents:
    """M5, S4, S6: what a CTI server did comes as user events."""

    @pytest.mark.parametrize(
        ("reported", "event"),
        [
            (did("log_in", Session="tab-1"), LoggedIn("tab-1")),
            (did("log_in", Session="tab-1", Connection="c9"), LoggedIn("tab-1", "c9")),
            (did("log_out", Session="tab-1"), LoggedOut("tab-1")),
            (did("session_lost", Session="tab-1"), SessionLost("tab-1", T0)),
            (did("session_lost", Session="tab-1", Connection="c9"), SessionLost("tab-1", T0, "c9")),
            (did("select", Device="deskphone"), DeviceSelected(Device.DESKPHONE)),
            (did("select", Device="webrtc"), DeviceSelected(Device.WEBRTC)),
        ],
    )
    def test_each_deed_is_an_event(self, ear: Ear, reported: Message, event: Event) -> None:
        assert ear.meanings(reported) == [TranslatedEvent("alice", T0, event)]

    def test_a_user_whose_phones_another_media_server_carries_is_known(self, ear: Ear) -> None:
        reported = message("UserEvent", UserEvent="UniqueAccount", User="far", Do="log_in", Session="tab-1")
        assert ear.received(reported) == [("far", LoggedIn("tab-1"))]

    def test_other_user_events_mean_nothing(self, ear: Ear) -> None:
        assert ear.received(message("UserEvent", UserEvent="UARoute", Number="1001", Ring="alice")) == []

    @pytest.mark.parametrize(
        ("bad", "header", "problem"),
        [
            (did("fly"), "Do", "is 'fly', not one of log_in, log_out, session_lost, select"),
            (message("UserEvent", UserEvent="UniqueAccount", User="alice"), "Do", "is missing"),
            (message("UserEvent", UserEvent="UniqueAccount", Do="log_in"), "User", "is missing"),
            (
                message("UserEvent", UserEvent="UniqueAccount", User="zoe", Do="log_in", Session="1"),
                "User",
                "is 'zoe', whom nobody knows",
            ),
            (did("log_in"), "Session", "is missing"),
            (did("log_out", Session=""), "Session", "is empty"),
            (did("session_lost"), "Session", "is missing"),
            (did("select"), "Device", "is missing"),
            (did("select", Device="mobile"), "Device", "is 'mobile', not one of deskphone, webrtc"),
            (did("x" * 500), "Do", f"is '{'x' * 40}...', not one of log_in, log_out, session_lost, select"),
        ],
    )
    def test_what_is_wrong_is_named(self, ear: Ear, bad: Message, header: str, problem: str) -> None:
        assert ear.problem(bad) == Untranslatable("UserEvent", header, problem)


class TestVoicemail:
    """V2: new messages are told to the user of the mailbox."""

    def test_the_counts_are_told(self, ear: Ear) -> None:
        reported = message("MessageWaiting", Mailbox="1001@default", Waiting="1", New="2", Old="3")
        assert ear.received(reported) == [("alice", MessagesChanged(2, 3))]

    def test_other_mailboxes_mean_nothing(self, ear: Ear) -> None:
        for mailbox in ("1002@default", "1001@other", "2001@default", ""):
            assert ear.received(message("MessageWaiting", Mailbox=mailbox, New="2", Old="3")) == []

    def test_everyone_who_shares_the_mailbox_is_told(self) -> None:
        second = User(id="b", extension="2", deskphone="PJSIP/b", webrtc="PJSIP/b_w", mailbox="1001@default")
        reported = message("MessageWaiting", Mailbox="1001@default", New="1", Old="0")
        received = Translator([ALICE, second]).translate(reported)
        assert [each.user for each in received if isinstance(each, TranslatedEvent)] == ["alice", "b"]

    @pytest.mark.parametrize("wrong", ["many", "-1", "", "1" * 5000])
    def test_a_wrong_count_is_named(self, ear: Ear, wrong: str) -> None:
        reported = message("MessageWaiting", Mailbox="1001@default", New="0", Old=wrong)
        assert ear.problem(reported).header == "Old"


class TestNodeLost:
    """M4: after FullyBooted, what was known of the media server before is void."""

    def test_the_users_of_the_media_server_are_told_and_no_others(self, ear: Ear) -> None:
        lost = FactsReplaced("default")
        assert ear.received(message("FullyBooted", None)) == [("alice", lost), ("dave", lost)]

    def test_the_media_server_is_the_one_it_listens_to(self) -> None:
        (received,) = Translator([ALICE, FAR], "mds1").translate(message("FullyBooted"))
        assert received == TranslatedEvent("far", T0, FactsReplaced("mds1"))

    def test_contacts_and_calls_of_before_are_forgotten(self, ear: Ear) -> None:
        ear.received(contact("Created"), channel("Newchannel", "PJSIP/alice-1", "4", "1795415407.1"))
        ear.received(message("FullyBooted"))
        assert ear.received(channel("NewConnectedLine", "PJSIP/alice-1", "6", "1795415407.1")) == []
        assert ear.received(contact("Created", "sip:new"), contact("Removed", "sip:new")) == [
            REACHABLE,
            UNREACHABLE,
        ]


MESSAGES = st.builds(
    lambda event, headers: message(event, None, **headers),
    st.sampled_from([*_HANDLERS, ""]),
    st.dictionaries(
        st.sampled_from(
            [
                *(
                    "Timestamp",
                    "Device",
                    "State",
                    "EndpointName",
                    "URI",
                    "ContactStatus",
                    "Peer",
                    "PeerStatus",
                ),
                *(
                    "Channel",
                    "Uniqueid",
                    "ChannelState",
                    "Mailbox",
                    "New",
                    "UserEvent",
                    "User",
                    "Do",
                    "Session",
                ),
            ]
        ),
        st.one_of(
            st.sampled_from(["PJSIP/alice", "PJSIP/alice-1", "alice", "UniqueAccount", "1", "6", "Removed"]),
            st.sampled_from(["log_in", "select", "session_lost", "1001@default", "Reachable", STAMP]),
            st.text(max_size=6),
        ),
    ),
)


class TestAnyMessage:
    """No message is a crash, whatever its headers hold and whatever came before."""

    @given(st.lists(MESSAGES, max_size=6))
    def test_it_means_events_or_problems(self, messages: list[Message]) -> None:
        for meaning in Ear().meanings(*messages):
            assert isinstance(meaning, TranslatedEvent | Untranslatable)
