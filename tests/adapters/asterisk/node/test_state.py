"""The picture: the last word on everything, told again as if it were new."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.node.state import NodeState
from unique_account.adapters.asterisk.translation.results import TranslatedEvent
from unique_account.adapters.asterisk.translation.translator import Translator
from unique_account.core.account import Account
from unique_account.core.events import FactsReplaced, apply
from unique_account.core.user import User

ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
NAMES = ("alice", "alice_w", "trunk")
STATES = ("NOT_INUSE", "INUSE", "RINGING", "ONHOLD", "UNAVAILABLE")
EVENTS = (
    "Newchannel",
    "Newstate",
    "NewConnectedLine",
    "BridgeEnter",
    "BridgeLeave",
    "Hold",
    "Unhold",
    "Hangup",
)


def message(event: str, **headers: str) -> Message:
    """An event as the node tells it."""
    return Message("\r\n".join([f"Event: {event}", *(f"{name}: {value}" for name, value in headers.items())]))


devices = st.builds(
    lambda name, state: message("DeviceStateChange", Device=f"PJSIP/{name}", State=state),
    st.sampled_from(NAMES),
    st.sampled_from(STATES),
)
contacts = st.builds(
    lambda name, status, uri: message("ContactStatus", EndpointName=name, URI=uri, ContactStatus=status),
    st.sampled_from(NAMES),
    st.sampled_from(("NonQualified", "Reachable", "Removed")),
    st.sampled_from(("sip:a", "sip:b")),
)


@st.composite
def calls(draw: st.DrawFn) -> list[Message]:
    """What is told of one channel, in an order that a node could have."""
    name, number = draw(st.sampled_from(NAMES)), draw(st.integers(1, 3))
    headers = {"Channel": f"PJSIP/{name}-{number:08x}", "Uniqueid": f"1767600000.{name}{number}"}
    reported: list[Message] = []
    state = "0"
    for event in draw(st.lists(st.sampled_from(EVENTS[1:-1]), max_size=6)):
        state = draw(st.sampled_from(("5", "6"))) if event == "Newstate" and state != "6" else state
        reported.append(
            message(event, Timestamp=f"176760000{len(reported)}.0", ChannelState=state, **headers)
        )
    ends = [message("Hangup", Timestamp="1767600009.0", ChannelState=state, **headers)]
    begins = [message("Newchannel", Timestamp="1767600000.0", ChannelState="0", **headers)]
    return begins + reported + ends * draw(st.booleans())


LISTED = message("Newchannel", Channel="PJSIP/trunk-9", Uniqueid="1767600000.new", ChannelState="6")


def by_channel(reported: list[Message]) -> str:
    """The id of the channel that is told of; ids are never used again."""
    return reported[0]["Uniqueid"]


streams = st.tuples(
    st.lists(st.one_of(devices, contacts), max_size=8), st.lists(calls(), max_size=6, unique_by=by_channel)
).map(lambda reported: reported[0] + [one for some in reported[1] for one in some])


def account_after(messages: list[Message], translation: Translator) -> Account:
    """Alice's account, as it follows from messages."""
    account = Account(ALICE)
    for one in messages:
        for meaning in translation.translate(one):
            if isinstance(meaning, TranslatedEvent):
                account = apply(account, meaning.event)
    return account


class TestRetelling:
    """R16: who is told the picture knows what one knows who heard everything."""

    @given(streams)
    def test_it_leads_to_the_same_account(self, messages: list[Message]) -> None:
        picture = NodeState()
        for name in ("alice", "alice_w"):
            picture.note(message("EndpointList", ObjectName=name, Contacts="", DeviceState="Unavailable"))
        for one in messages:
            picture.note(one)
        received = account_after(messages, Translator([ALICE]))
        retold = apply(received, FactsReplaced("default"))
        again = Translator([ALICE])
        for interface in (ALICE.deskphone, ALICE.webrtc):
            for one in picture.about(interface):
                for meaning in again.translate(one):
                    if isinstance(meaning, TranslatedEvent):
                        retold = apply(retold, meaning.event)
        assert retold.observed.deskphone.status == received.observed.deskphone.status
        assert retold.observed.webrtc.status == received.observed.webrtc.status
        for device in ("deskphone", "webrtc"):
            known = getattr(received.observed, device).reachable
            assert getattr(retold.observed, device).reachable in (
                (known,) if known is not None else (None, False)
            )
        assert {call.id: call.status for call in retold.calls} == {
            call.id: call.status for call in received.calls
        }

    @given(streams)
    def test_what_is_kept_ends_with_what_it_is_about(self, messages: list[Message]) -> None:
        picture = NodeState()
        for one in messages:
            picture.note(one)
        for channel in list(picture.channels.values()):
            picture.note(message("Hangup", Uniqueid=channel.last["Uniqueid"]))
        assert picture.channels == {}

    @given(streams)
    def test_what_a_later_connection_lists_was_answered_when_it_was(self, messages: list[Message]) -> None:
        """H6: and what the earlier one did not hear of is left as it is listed."""
        earlier, later = NodeState(), NodeState()
        for one in messages:
            earlier.note(one)
        live = [*(channel.last for channel in earlier.channels.values() if channel.up), LISTED]
        for one in live:
            _, _, state = one.text.partition("\r\n")
            later.note(Message(f"Event: CoreShowChannel\r\n{state}"))
        listed = later.channels[LISTED["Uniqueid"]].up
        later.recall(earlier)
        for uniqueid, channel in later.channels.items():
            known = earlier.channels.get(uniqueid)
            assert channel.up is (known.up if known else listed)


def test_the_other_parties_are_those_in_the_same_bridge() -> None:
    picture = NodeState()
    for number in ("1", "2", "3"):
        channel = {"Channel": f"PJSIP/p-{number}", "Uniqueid": number, "ChannelState": "6"}
        picture.note(message("Newchannel", **channel))
        picture.note(message("BridgeEnter", BridgeUniqueid="b" if number != "3" else "c", **channel))
    one, two, three = picture.channels.values()
    assert picture.others(one) == [two]
    assert picture.others(three) == []
    picture.note(
        message("BridgeLeave", BridgeUniqueid="b", Channel="PJSIP/p-2", Uniqueid="2", ChannelState="6")
    )
    assert picture.others(one) == []


def a_call(number: int) -> list[Message]:
    """What a node tells of a call that rings a browser: its legs, and the watcher beside it (R15)."""
    second, local = f"17676{number:05}", f"Local/*17676{number:05}.1@unique-account-watch"
    legs = {"1": "PJSIP/trunk", "2": "PJSIP/alice_w", "3": local, "4": local}
    reported: list[Message] = []
    for leg, device in legs.items():
        channel = f"{device}-{number:08x}" + (";" + str(int(leg) - 2) if leg in "34" else "")
        state = {"Channel": channel, "Uniqueid": f"{second}.{leg}", "Linkedid": f"{second}.1"}
        reported += [
            message("Newchannel", Timestamp=f"{second}.0", ChannelState="0", **state),
            message("DeviceStateChange", Device=device, State="INUSE"),
            message("Newstate", Timestamp=f"{second}.1", ChannelState="6", **state),
            message("BridgeEnter", BridgeUniqueid=f"b-{number}", ChannelState="6", **state),
            message("MessageWaiting", Mailbox="1001@default", New="0", Old="0"),
            message("ContactStatus", EndpointName="alice_w", URI=f"sip:{number}", ContactStatus="Reachable"),
            message("ContactStatus", AOR=f"guest-{number}", URI=f"sip:{number}", ContactStatus="Removed"),
            message("ContactStatus", URI=f"sip:{number}", ContactStatus="Reachable"),
            message("Hold", ChannelState="6", **state),
            message("Hangup", Timestamp=f"{second}.2", ChannelState="6", **state),
            message("DeviceStateChange", Device=device, State="NOT_INUSE"),
            message("ContactStatus", EndpointName="alice_w", URI=f"sip:{number}", ContactStatus="Removed"),
        ]
    odd = ("confbridge:", "Queue:", "DAHDI/i1/0", "IAX2/guest-", "Message/", "park:", "MeetMe:", "")
    reported += [message("DeviceStateChange", Device=f"{one}{number}", State="NOT_INUSE") for one in odd]
    return reported


class TestWhatIsKept:
    """However many calls there were, no more is kept than of one."""

    def test_nothing_is_kept_of_a_call_that_is_over(self) -> None:
        state, translator = NodeState(), Translator((ALICE,), "default", "key")
        sizes = []
        for calls in (range(1, 2), range(2, 500)):
            for number in calls:
                for one in a_call(number):
                    state.note(one)
                    translator.translate(one)
            sizes.append(len(pickle.dumps((state, vars(translator)))))
        assert sizes[1] - sizes[0] < 100

    def test_devices_of_users_are_kept(self) -> None:
        picture = NodeState()
        for one in a_call(1):
            picture.note(one)
        states = [one["State"] for one in picture.about("PJSIP/alice_w") if one.event == "DeviceStateChange"]
        assert states == ["NOT_INUSE"]
