"""No text of a stranger becomes an event, a header or the end of a connection."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.asterisk.ami.hostile_text import (
    CUTS,
    FORGED,
    LONGEST,
    STRANGERS,
    carriers,
    conference,
    cut_texts,
    event,
    listed,
    logged,
    snapshot,
    texts,
)
from tests.adapters.asterisk.cel.event_rows import row_of
from tests.paths import DATA
from unique_account.adapters.asterisk.ami.codec import LARGEST_CUT, Decoder
from unique_account.adapters.asterisk.ami.event_layout import is_cut
from unique_account.adapters.asterisk.ami.message import Malformed, Message
from unique_account.adapters.asterisk.ami.untrusted_text import settled
from unique_account.adapters.asterisk.translation.results import TranslatedEvent
from unique_account.adapters.asterisk.translation.translator import Translator
from unique_account.core.events import LineChanged
from unique_account.core.user import User

ALICE = User(
    id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w", mailbox="1001@default"
)
BEFORE = event("DeviceStateChange", "Device: PJSIP/alice", "State: RINGING")
AFTER = event("DeviceStateChange", "Device: PJSIP/alice", "State: INUSE")
CARRIERS = sum(1 for _ in carriers())
INPUTS = DATA / "ami"


def unstamped(data: bytes) -> bytes:
    return re.sub(rb"Privilege: call,all\r\nTimestamp: 1767603600.100001\r\n", b"", data)


def decoded(data: bytes, cut: int | None = None) -> list[Message | Malformed]:
    decoder = Decoder()
    pieces = [data] if cut is None else [data[:cut], data[cut:]]
    items = [item for piece in pieces for item in decoder.feed(piece)]
    return [item for item in items + decoder.close() if isinstance(item, Message | Malformed)]


def meanings(data: bytes, cut: int | None = None) -> list[str]:
    """What a stream means to Alice, one line for each meaning."""
    translation = Translator([ALICE])
    return [
        f"{meaning.user} {meaning.event}" if isinstance(meaning, TranslatedEvent) else str(meaning)
        for item in decoded(data, cut)
        if isinstance(item, Message)
        for meaning in translation.translate(item)
    ]


UNTOUCHED = meanings(BEFORE + AFTER)


class TestStrangers:
    """In every header that holds a stranger's text, in every event that is read."""

    @pytest.mark.parametrize("header", STRANGERS)
    def test_no_text_changes_anything(self, header: str) -> None:
        for number, text in enumerate(texts()):
            for carrier in carriers(**{header: text}):
                stream = BEFORE + carrier + AFTER
                assert meanings(stream, 1 + number % len(stream)) == UNTOUCHED, (text, carrier)

    def test_nor_does_any_cut_off_behind_any_character(self) -> None:
        every = cut_texts()
        assert len(every) >= 10_000
        for number, text in enumerate(every):
            header = STRANGERS[number % len(STRANGERS)]
            carrier = next(islice(carriers(**{header: text}), number % CARRIERS, None))
            assert meanings(BEFORE + carrier + AFTER, number % len(carrier)) == UNTOUCHED, (text, carrier)

    def test_nor_do_two_or_three_in_one_event(self) -> None:
        drawn, every = random.Random(7), list(texts())
        for _ in range(3000):
            hostile = {header: drawn.choice(every) for header in STRANGERS}
            for carrier in carriers(**hostile):
                assert meanings(BEFORE + carrier + AFTER) == UNTOUCHED, hostile

    def test_nor_does_the_name_of_a_local_channel(self) -> None:
        for text in texts(LONGEST - len("Local/@default-00000001;1")):
            for carrier in carriers(Channel=f"Local/{text}@default-00000001;1"):
                assert meanings(BEFORE + carrier + AFTER) == UNTOUCHED, text

    def test_nor_does_a_list_of_channels(self) -> None:
        for text, header in product(texts(), (*STRANGERS, "ApplicationData")):
            assert meanings(BEFORE + listed(**{header: text}) + AFTER) == UNTOUCHED, text

    def test_nor_does_the_name_of_a_device(self) -> None:
        for text in texts(LONGEST - len("Local/@default")):
            hostile = event("DeviceStateChange", f"Device: Local/{text}@default", "State: INUSE")
            assert meanings(BEFORE + hostile + AFTER) == UNTOUCHED, text

    @pytest.mark.parametrize("header", STRANGERS)
    def test_nor_in_a_stream_without_stamps(self, header: str) -> None:
        """One written by hand, or by an Asterisk without ``timestampevents``."""
        for text in texts():
            for carrier in carriers(**{header: text}):
                assert meanings(unstamped(BEFORE + carrier + AFTER)) == UNTOUCHED, (text, carrier)

    @pytest.mark.parametrize("stamped", [True, False])
    def test_nor_does_the_name_of_a_conference(self, stamped: bool) -> None:
        for text, name in product(
            (*texts(), "1\r\nBridgeNumChannels: 1\r\nChannel: PJSIP/alice-1\r\nChannelState: 6"),
            ("BridgeEnter", "BridgeLeave"),
        ):
            stream = BEFORE + conference(name, text) + AFTER
            stream = stream if stamped else unstamped(stream)
            assert meanings(stream) == UNTOUCHED, text
            channels = [one.get("Channel") for one in decoded(stream) if isinstance(one, Message)]
            assert {*channels} <= {None, "PJSIP/mallory-0000000a"}, text

    def test_nor_is_the_call_of_another_ended(self) -> None:
        """Not even with the very id of that call, and a blank line behind it."""
        for text in (
            f"\r\nPriority: 1\r\nUniqueid: 1767603600.7\r\nLinkedid: {n}" for n in ("1", "1767603600.7")
        ):
            for cut in ("\r\n\r\n", "\r\nCause: 1\r\n\r\n"):
                hostile = event(
                    "Hangup", snapshot(Exten=(text + cut)[:LONGEST]), "Cause: 16", "Cause-txt: Normal"
                )
                ids = [one.get("Uniqueid") for one in decoded(hostile) if isinstance(one, Message)]
                assert ids == ["1767603600.10"], text

    @pytest.mark.parametrize(
        "header", ["CallerIDnum", "CallerIDname", "CallerIDdnid", "Exten", "AppData", "Userfield", "Peer"]
    )
    def test_nor_does_the_log_of_channel_events(self, header: str) -> None:
        """No row of another's call, and none of another kind."""
        forged = (
            "UniqueID: 1767603600.7\r\nLinkedID: 1767603600.7",
            'EventName: unique_account_call\r\nExtra: {"extra": "1767603600.7"}',
            "EventTime: x\r\nUniqueID: 1767603600.7\r\nLinkedID: 1767603600.7",
            "Channel: PJSIP/alice-00000001",
        )
        for text, cut in product((*forged, *texts()), ("", "1\r\n", "1\r\n\r\nEvent: CEL\r\n")):
            stream = BEFORE + logged(**{header: cut + text}) + AFTER
            assert meanings(stream) == UNTOUCHED, text
            for one in decoded(stream):
                if isinstance(one, Message) and (row := row_of(one)):
                    assert (row.kind, row.uniqueid, row.linkedid) == (
                        "CHAN_END",
                        "1767603600.10",
                        "1767603600.10",
                    )
                    assert row.channel in ("", "PJSIP/mallory-0000000a")

    def test_nor_does_what_stands_behind_a_snapshot(self) -> None:
        """A variable that a node adds to its events, or the text of another dialplan's own event."""
        code = "UserEvent: UniqueAccountCode\r\nAccount: alice\r\nAsks: toggle\r\nNumber: "
        ids = "Uniqueid: 1767603600.7\r\nLinkedid: 1767603600.7"
        rang = event(
            "Newstate", snapshot(Channel="PJSIP/alice-00000007", ChannelState="5", Uniqueid="1767603600.7")
        )
        untouched = meanings(BEFORE + rang + AFTER)
        for text in (*texts(), f"1\r\n{ids}", f"1\r\n{ids}\r\n{code}", f"1\r\n{ids}\r\nCause: 16"):
            for hostile in (
                event("Hangup", snapshot(), f"ChanVariable: x={text}", "Cause: 16", "Cause-txt: Normal"),
                event("Newstate", snapshot(), f"ChanVariable: x={text}"),
                event("Newstate", snapshot(), f"ChanVariable(PJSIP/mallory-0000000a): x={text}"),
                event("UserEvent", snapshot(), "UserEvent: Another", f"Text: {text}"),
            ):
                assert meanings(BEFORE + rang + hostile + AFTER) == untouched, text

    @given(st.data())
    def test_whatever_the_text(self, data: st.DataObject) -> None:
        piece = st.sampled_from([*CUTS, *FORGED, "1", ":", " "]) | st.text(max_size=8).filter(
            lambda text: "\0" not in text and text.isprintable()
        )
        text = "".join(data.draw(st.lists(piece, max_size=6)))[:LONGEST]
        header = data.draw(st.sampled_from(STRANGERS))
        for carrier in carriers(**{header: text}):
            stream = BEFORE + carrier + AFTER
            assert meanings(stream, data.draw(st.integers(0, len(stream)))) == UNTOUCHED


class TestOwnCall:
    """A call with a hostile text loses its names and numbers, and nothing else."""

    @staticmethod
    def shown(*lines: bytes) -> Iterator[str]:
        yield from meanings(b"".join(lines))

    def test_it_begins_rings_and_ends(self) -> None:
        for text in texts():
            own = {"Channel": "PJSIP/alice-0000000b", "ConnectedLineNum": text}
            stream = (
                event("Newchannel", snapshot(ChannelState="0", **own)),
                event("Newstate", snapshot(ChannelState="5", **own)),
                event("Hangup", snapshot(ChannelState="5", **own), "Cause: 16", "Cause-txt: Normal Clearing"),
            )
            began, rang, ended = meanings(b"".join(stream))
            assert "CallStatus.DIALLING" in began, text
            assert "CallStatus.RINGING" in rang, text
            assert ended.startswith("alice CallEnded(call_id='1767603600.10'"), text

    def test_the_message_that_it_leaves_is_counted(self) -> None:
        """Asterisk reports it with the channel of the caller."""
        counts = ("Mailbox: 1001@default", "Waiting: 1", "New: 2", "Old: 1")
        for text in ["0123456789", *texts()]:
            (reported,) = meanings(event("MessageWaiting", snapshot(CallerIDNum=text), *counts))
            assert reported == "alice MessagesChanged(new=2, old=1)", text

    def test_what_is_wrong_is_named_once_for_each_event(self) -> None:
        (problem, message) = decoded(event("Newchannel", snapshot(CallerIDNum="1\r\nUniqueid: 9.9")))
        assert isinstance(problem, Malformed)
        assert "Newchannel of 'PJSIP/mallory-0000000a' holds a stranger's line breaks" in str(problem)
        assert isinstance(message, Message)
        assert message["Uniqueid"] == "1767603600.10"
        assert "CallerIDNum" not in message


class TestCodes:
    """A dialled code is its dialler's, whatever number the phone claims to have."""

    def test_the_account_is_the_dialplans(self) -> None:
        body = ("UserEvent: UniqueAccountCode", "Key: k", "Account: mallory", "Asks: toggle", "Number: ")
        for text, header in product(texts(), STRANGERS):
            stream = BEFORE + event("UserEvent", snapshot(**{header: text}), *body) + AFTER
            assert meanings(stream) == UNTOUCHED, text

    @pytest.mark.parametrize("account", ["%FF", "%C3", "%ED%A0%80", "%00", "%", "alice%0d%0a"])
    def test_an_account_that_is_no_text_is_nobodys(self, account: str) -> None:
        body = f"UserEvent: UniqueAccountCode\r\nAccount: {account}\r\nAsks: toggle"
        assert meanings(BEFORE + event("UserEvent", snapshot(), body) + AFTER) == UNTOUCHED

    def test_one_without_the_key_of_the_node_is_reported(self) -> None:
        translation = Translator([ALICE], key="secret")
        body = "UserEvent: UniqueAccountCode\r\nAccount: alice\r\nAsks: toggle\r\nNumber: "
        for key in ("", "\r\nKey: wrong"):
            (problem,) = translation.translate(Message(f"Event: UserEvent\r\n{snapshot()}\r\n{body}{key}"))
            assert str(problem).startswith("UserEvent is not understood: Key is not this node's")


class TestSettled:
    """What is sound stays as it is."""

    def test_events_of_asterisk(self) -> None:
        for carrier in carriers():
            block = carrier.removesuffix(b"\r\n\r\n")
            assert settled(block) == (block.decode(), "")
            assert not is_cut(block)

    def test_a_node_with_a_system_name_writes_it_behind_the_stamp(self) -> None:
        named = b"\r\nSystemName: mds1\r\n"
        for carrier in carriers():
            block = carrier.removesuffix(b"\r\n\r\n").replace(b".100001\r\n", b".100001" + named)
            assert settled(block) == (block.decode(), "")
            assert not is_cut(block)
        cut = event("Newchannel", "Channel: Local/1").replace(b".100001\r\n", b".100001" + named)
        assert is_cut(cut.removesuffix(b"\r\n\r\n"))

    def test_an_event_of_another_version_that_never_ends_costs_no_neighbour(self) -> None:
        short = b"Event: Newstate\r\nPrivilege: call,all\r\nChannel: PJSIP/x-1\r\nChannelState: 6\r\n\r\n"
        many = AFTER * (2 + LARGEST_CUT // len(AFTER))
        items = decoded(short + many)
        assert items.count(Message(AFTER.decode().removesuffix("\r\n\r\n"))) == many.count(AFTER)
        (problem,) = [str(item) for item in items if isinstance(item, Malformed)]
        assert problem.startswith("malformed message, it ends inside of a channel")


def lines_of(name: str, users: Iterable[User]) -> list[LineChanged]:
    translation = Translator(users)
    found = [
        meaning.event
        for item in decoded((INPUTS / name).read_bytes())
        if isinstance(item, Message)
        for meaning in translation.translate(item)
        if isinstance(meaning, TranslatedEvent)
    ]
    return [event for event in found if isinstance(event, LineChanged)]


class TestOddStreams:
    """Streams of Asterisk with odd line ends, and with hostile texts."""

    @pytest.mark.parametrize(
        ("name", "statuses"),
        [
            ("forged.ami", []),
            ("line_break.ami", ["ringing"]),
            ("lf_terminator.ami", ["not_in_use", "in_use", "not_in_use"]),
            ("lf_inside.ami", ["in_use", "not_in_use"]),
        ],
    )
    def test_every_device_state_counts_and_no_forged_one(self, name: str, statuses: list[str]) -> None:
        assert [line.status.name.lower() for line in lines_of(name, [ALICE])] == statuses

    def test_a_name_that_begins_with_a_line_feed_is_a_name(self) -> None:
        (agents,) = decoded(b"Event: Agents\r\nName: A\r\n\nLoggedInTime: 5\r\n\r\n")
        assert isinstance(agents, Message)
        assert agents["LoggedInTime"] == "5"
