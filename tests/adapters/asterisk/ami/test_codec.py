"""The AMI codec: any cut of the stream gives the same values, and nothing in it stops the stream."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.paths import DATA
from unique_account.adapters.asterisk.ami.codec import MAX_HEADERS, Decoder, InvalidAction, encode
from unique_account.adapters.asterisk.ami.message import Greeting, Item, Malformed, Message

RECORDINGS = DATA / "recordings"

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
HANGUP = b"Event: Hangup\r\nChannel: PJSIP/alice-00000001\r\nCause: 16\r\n\r\n"
GOOD = Message("Event: Hangup\r\nChannel: PJSIP/alice-00000001\r\nCause: 16")


def decode(chunks: Iterable[bytes], max_message: int = 65536) -> list[Item]:
    decoder = Decoder(max_message)
    items = [item for chunk in chunks for item in decoder.feed(chunk)]
    return items + decoder.close()


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def message(*headers: tuple[str, str]) -> Message:
    return Message("\r\n".join(f"{name}: {value}" for name, value in headers))


def the_malformed(items: list[Item]) -> Malformed:
    (malformed,) = [item for item in items if isinstance(item, Malformed)]
    return malformed


class TestReading:
    """What a well-formed stream gives."""

    def test_the_greeting_is_a_value_of_its_own(self) -> None:
        stream = GREETING + b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
        answer = message(("Response", "Success"), ("Message", "Authentication accepted"))
        assert decode([stream]) == [Greeting("11.0.0"), answer]

    def test_the_greeting_is_told_before_anything_follows_it(self) -> None:
        assert Decoder().feed(GREETING) == [Greeting("11.0.0")]

    def test_a_stream_recorded_after_another_may_greet_again(self) -> None:
        assert decode([GREETING + HANGUP + GREETING + HANGUP]) == [Greeting("11.0.0"), GOOD] * 2

    def test_a_message_is_told_as_soon_as_its_blank_line_is_there(self) -> None:
        decoder = Decoder()
        assert decoder.feed(HANGUP[:-1]) == []
        assert decoder.feed(HANGUP[-1:]) == [GOOD]

    def test_blank_lines_between_messages_mean_nothing(self) -> None:
        assert decode([b"\r\n" + HANGUP + b"\r\n" * 3 + HANGUP + b"\r\n" * 2]) == [GOOD, GOOD]

    def test_a_greeting_may_have_a_blank_line_too(self) -> None:
        assert decode([GREETING + b"\r\n" + HANGUP]) == [Greeting("11.0.0"), GOOD]

    def test_text_that_is_no_utf8_is_replaced_and_the_rest_kept(self) -> None:
        items = decode([b"Event: VarSet\r\nValue: caf\xe9 au lait\r\nVariable: X\r\n\r\n"])
        assert items == [message(("Event", "VarSet"), ("Value", "caf\ufffd au lait"), ("Variable", "X"))]

    def test_a_stream_that_ends_inside_a_message_says_so(self) -> None:
        malformed = the_malformed(decode([HANGUP + HANGUP[:20]]))
        assert malformed.problem == "the stream ends inside of it"
        assert malformed.excerpt == "Event: Hangup\r\nChann"

    def test_every_message_of_a_recording_is_well_formed(self) -> None:
        data = (RECORDINGS / "day.ami").read_bytes()
        greeting, *messages = decode([data])
        assert greeting == Greeting("11.0.0")
        texts = [item.text for item in messages if isinstance(item, Message)]
        assert data.decode() == "Asterisk Call Manager/11.0.0\r\n" + "".join(f"{t}\r\n\r\n" for t in texts)


class TestMessage:
    """How the headers of a message are read."""

    def test_a_header_is_found_by_its_name(self) -> None:
        assert GOOD["Event"] == "Hangup"
        assert GOOD["Cause"] == "16"
        assert GOOD.event == "Hangup"

    def test_a_name_is_found_in_full_only(self) -> None:
        channel = message(("Event", "X"), ("DestChannel", "PJSIP/bob-1"), ("ChannelState", "6"))
        assert channel.get("Channel") is None
        assert channel.get("State") is None
        assert channel.get("Eve") is None

    def test_a_value_is_no_name(self) -> None:
        tricky = message(("Event", "VarSet"), ("Value", "Channel: PJSIP/alice-1"), ("Channel", "PJSIP/bob-1"))
        assert tricky["Channel"] == "PJSIP/bob-1"

    def test_a_missing_header_is_none_or_the_default(self) -> None:
        assert GOOD.get("Context") is None
        assert GOOD.get("Context", "elsewhere") == "elsewhere"
        assert "Context" not in GOOD
        with pytest.raises(KeyError, match="Context"):
            GOOD["Context"]

    def test_an_empty_value_is_there(self) -> None:
        (empty,) = decode([b"Event: VarSet\r\nValue: \r\nUserfield:\r\n\r\n"])
        assert isinstance(empty, Message)
        assert (empty.get("Value"), empty.get("Userfield")) == ("", "")
        assert "Value" in empty

    def test_a_header_without_a_space_after_its_colon_is_read_alike(self) -> None:
        (loose,) = decode([b"Event: UserEvent\r\nSession:tab: 1\r\n\r\n"])
        assert isinstance(loose, Message)
        assert (loose.event, loose["Session"]) == ("UserEvent", "tab: 1")

    def test_an_event_begins_as_asterisk_begins_it(self) -> None:
        for text in ("Event:FullyBooted", "Note: 1\r\nEvent: FullyBooted"):
            assert Message(text).event == ""

    def test_a_response_has_no_event(self) -> None:
        assert message(("Response", "Success")).event == ""

    def test_a_repeated_header_keeps_every_value(self) -> None:
        output = message(("Response", "Success"), ("Output", "one"), ("Output", "two"), ("Output", "one"))
        assert output.all("Output") == ("one", "two", "one")
        assert output.all("Variable") == ()

    def test_a_line_appended_to_a_message_replaces_none_above_it(self) -> None:
        forged = message(("Event", "UserEvent"), ("Uniqueid", "1.1"), ("User", "alice"), ("Uniqueid", "9.9"))
        assert forged["Uniqueid"] == "1.1"
        assert forged.headers[-1] == ("Uniqueid", "9.9")


names = st.text("abcXYZ-", min_size=1, max_size=8)
values = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=12)
headers = st.lists(st.tuples(names, values), min_size=1, max_size=6)


class TestRoundTrip:
    """Headers come out as they went in."""

    @given(st.lists(headers, max_size=4))
    def test_whatever_the_values_hold(self, messages: list[list[tuple[str, str]]]) -> None:
        items = decode([b"".join(encode("Ping", *each) for each in messages)])
        assert [item.headers for item in items if isinstance(item, Message)] == [
            (("Action", "Ping"), *each) for each in messages
        ]

    @given(headers)
    def test_a_look_up_agrees_with_the_list_of_headers(self, pairs: list[tuple[str, str]]) -> None:
        read = message(*pairs)
        for name, _ in pairs:
            expected = tuple(value for other, value in pairs if other == name)
            assert read.all(name) == expected
            assert read[name] == read.get(name) == expected[0]


PIECES = st.sampled_from(
    [
        *(b"\r", b"\n", b"\r\n", b"\r\n\r\n", b":", b": ", b" ", b"\0", b"\xc3\xa9", b"\xe2\x82", b"\xff"),
        *(b"Event", b"Value: ", b"long line " * 3, b"x" * 120, GREETING, GREETING[:-2], HANGUP),
    ]
)
STREAMS = st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=40).map(b"".join)


class TestAnyCut:
    """The same bytes give the same values, however they are cut."""

    SAMPLE = (
        GREETING
        + "Event: VarSet\r\nValue: déjà vu €\r\n\r\n".encode()
        + b"no colon\r\n\r\n\r\n"
        + b"Event: X\r\nValue: "
        + b"x" * 130
        + b"\r\n\r\n"
        + HANGUP
    )

    def test_at_each_single_place(self) -> None:
        whole = decode([self.SAMPLE], 130)
        assert [type(item) for item in whole] == [Greeting, Message, Malformed, Malformed, Message]
        for place in range(len(self.SAMPLE) + 1):
            assert decode([self.SAMPLE[:place], self.SAMPLE[place:]], 130) == whole

    def test_byte_by_byte(self) -> None:
        assert decode(cut(self.SAMPLE, 1), 130) == decode([self.SAMPLE], 130)

    @pytest.mark.parametrize("length", range(126, 134))
    def test_of_a_message_about_as_long_as_allowed(self, length: int) -> None:
        stream = b"x: ".ljust(length, b"x") + b"\r\n\r\n" + HANGUP
        expected = [Message if length <= 128 else Malformed, Message]
        for size in (1, 2, 3, 1000):
            assert [type(item) for item in decode(cut(stream, size), 128)] == expected

    @settings(max_examples=300)
    @example(stream=GREETING[:-2] + HANGUP, cuts=[40], max_message=128)
    @example(stream=b"\n\r\r\n\r\n", cuts=[1], max_message=128)
    @example(stream=b"\r\r\n\n".ljust(160, b"x"), cuts=[153], max_message=128)
    @example(stream=b"x\r\n".ljust(160, b"\n") + b"y\r\n\r\n", cuts=[153], max_message=128)
    @given(stream=STREAMS, cuts=st.lists(st.integers(0, 400), max_size=8), max_message=st.integers(128, 200))
    def test_of_any_stream(self, stream: bytes, cuts: list[int], max_message: int) -> None:
        places = [0, *sorted(min(place, len(stream)) for place in cuts), len(stream)]
        chunks = [stream[start:end] for start, end in pairwise(places)]
        whole = decode([stream], max_message)
        assert decode(chunks, max_message) == whole
        assert decode(cut(stream, 1), max_message) == whole

    @given(STREAMS)
    def test_what_follows_a_blank_line_is_read_whatever_came_before(self, before: bytes) -> None:
        assert decode([before, b"\r\n\r\n", HANGUP], 200)[-1] == GOOD


class TestHostileStreams:
    """What is wrong is named, told once, and passed over."""

    @pytest.mark.parametrize(
        ("bad", "problem"),
        [
            (b"--END COMMAND--", "line 1 has no colon: '--END COMMAND--'"),
            (b": y", "line 1 has no name before its colon"),
            (b"Event: X\r\nValue: a\0b\r\nMore: c", "it holds a NUL"),
            (b"\0", "it holds a NUL"),
            (b"a:\r\n" * MAX_HEADERS + b"b:", f"it has more than {MAX_HEADERS} headers"),
            (b"Value: " + b"x" * 65536, "it is longer than 65536 bytes"),
            (b"x" * 65537, "it is longer than 65536 bytes"),
        ],
        ids=lambda value: value[:30].decode() if isinstance(value, bytes) else "",
    )
    def test_each_problem_is_named_and_the_neighbours_are_kept(self, bad: bytes, problem: str) -> None:
        before, malformed, after = decode([HANGUP + bad + b"\r\n\r\n" + HANGUP])
        assert isinstance(malformed, Malformed)
        assert malformed.problem == problem
        assert (before, after) == (GOOD, GOOD)

    def test_the_error_shows_how_the_message_begins(self) -> None:
        malformed = the_malformed(decode([b"no colon\r\nEvent: VarSet\r\n\r\n"]))
        assert str(malformed) == (
            "malformed message, line 1 has no colon: 'no colon'; it begins 'no colon\\r\\nEvent: VarSet'"
        )

    def test_the_error_is_short_however_long_the_line(self) -> None:
        assert len(str(the_malformed(decode([b"x" * 60000 + b"\r\n\r\n"])))) < 250

    def test_the_largest_message_allowed_is_still_read(self) -> None:
        block = b"Value: " + b"x" * 193
        assert [type(item) for item in decode([block + b"\r\n\r\n"], 200)] == [Message]
        assert [type(item) for item in decode([block + b"y\r\n\r\n"], 200)] == [Malformed]

    def test_the_most_headers_allowed_are_still_read(self) -> None:
        (item,) = decode([b"a:\r\n" * MAX_HEADERS + b"\r\n"])
        assert isinstance(item, Message)
        assert len(item.all("a")) == MAX_HEADERS

    def test_millions_of_empty_lines_mean_nothing(self) -> None:
        assert decode([b"\r\n" * 1_000_000, b"\r\n" * 1_000_001, HANGUP]) == [GOOD]

    @pytest.mark.parametrize("feeds", ["\n", "\n\n", "\n" * 1000])
    def test_no_name_begins_with_line_feeds_however_many(self, feeds: str) -> None:
        (item,) = decode([f"Response: Success\r\n{feeds}Message: Bye\r\n\r\n".encode()])
        assert isinstance(item, Message)
        assert item.headers == (("Response", "Success"), ("Message", "Bye"))

    def test_a_line_feed_alone_ends_no_line(self) -> None:
        (item,) = decode([b"Event: X\r\nValue: one\nline\r\n\r\n"])
        assert isinstance(item, Message)
        assert item["Value"] == "one\nline"

    def test_a_limit_that_no_greeting_passes_is_refused(self) -> None:
        with pytest.raises(ValueError, match="max_message is 127; at least 128 bytes"):
            Decoder(127)


class TestBounds:
    """Memory is bounded by one message, time is linear in the stream."""

    @pytest.mark.parametrize("size", [1, 1000, 10_000])
    def test_an_endless_message_is_told_of_once_and_not_kept(self, size: int) -> None:
        decoder = Decoder(1000)
        chunk = b"x" * size
        tracemalloc.start()
        try:
            items = [item for _ in range(50_000) for item in decoder.feed(chunk)]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert [str(item) for item in items] == [
            f"malformed message, it is longer than 1000 bytes; it begins {'x' * 60!r}"
        ]
        assert peak < 100_000
        assert decoder.feed(b"tail of it\r\n\r\n" + HANGUP) == [GOOD]

    def test_its_end_is_found_wherever_it_is_cut(self) -> None:
        stream = b"x" * 300 + b"\r\n\r\n" + HANGUP
        for size in range(1, 60):
            assert [type(item) for item in decode(cut(stream, size), 128)] == [Malformed, Message]

    @pytest.mark.parametrize("size", [1, 16])
    def test_small_chunks_of_a_huge_message_cost_linear_time(self, size: int) -> None:
        def seconds(length: int) -> float:
            stream = b"Value: " + b"x" * length + b"\r\n\r\n"
            began = time.process_time()
            (item,) = decode(cut(stream, size), 2 * length)
            assert isinstance(item, Message)
            return time.process_time() - began

        short, long = (min(seconds(length * size) for _ in range(3)) for length in (20_000, 160_000))
        assert long < 24 * short  # 8 if linear, 64 if quadratic


class TestActions:
    """Nothing that is put into an action can end its line."""

    def test_an_action_is_its_lines_and_a_blank_one(self) -> None:
        action = encode("Originate", ("Channel", "PJSIP/alice"), ("Variable", "A=1"), ("Variable", "B=ü"))
        assert action == (
            b"Action: Originate\r\nChannel: PJSIP/alice\r\nVariable: A=1\r\nVariable: B=\xc3\xbc\r\n\r\n"
        )

    @pytest.mark.parametrize("bad", ["\r", "\n", "\r\nAction: Command", "\0"])
    def test_a_value_that_would_end_its_line_is_refused(self, bad: str) -> None:
        with pytest.raises(InvalidAction, match=r"^the value of Exten holds a line break or a NUL$"):
            encode("Originate", ("Exten", f"1001{bad}"))
        with pytest.raises(InvalidAction, match=r"^the value of Action holds a line break or a NUL$"):
            encode(f"Originate{bad}")

    @pytest.mark.parametrize("bad", ["", "A\r\nB", "A\nB", "A\rB", "A:B", "A\0B", " A", "A "])
    def test_a_name_that_would_be_read_as_another_is_refused(self, bad: str) -> None:
        with pytest.raises(InvalidAction, match=r"^the name of header 2 is empty, or holds a colon"):
            encode("Login", ("Username", "ua"), (bad, "value"))

    @pytest.mark.parametrize("secret", ["s3cret\r\n", "s3cret\ud800", "s3cret\0"])
    def test_no_error_shows_a_value(self, secret: str) -> None:
        with pytest.raises(InvalidAction, match="Secret") as caught:
            encode("Login", ("Username", "ua"), ("Secret", secret))
        assert "s3cret" not in str(caught.value) + repr(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None

    def test_no_error_shows_a_secret_given_as_a_name(self) -> None:
        with pytest.raises(InvalidAction) as caught:
            encode("Login", ("s3cret\n", "Secret"))
        assert "s3cret" not in repr(caught.value)
