"""Decoding the manager interface: our decoder beside the one of panoramisk, on recorded streams.

Each round decodes every recording once, in pieces of 4 KiB as a socket gives them, each recording by a
decoder of its own as each was a connection. panoramisk decodes in its protocol's ``data_received``, which
hands events to a manager; the one here only takes them.

Our messages look a header up when it is asked for, where panoramisk fills a table for each message. So
decoding alone is not the whole story: other rows read the event and two headers of every message on both
sides, put every header into a table as well, or go on to what the messages mean for a user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from panoramisk.ami_protocol import AMIProtocol  # type: ignore[import-untyped]

from benchmarks.report import Aim, Comparison, Row, Table
from benchmarks.rounds import Contender, Timing, interleave
from benchmarks.samples import ALICE
from unique_account.adapters.asterisk import Decoder, Message, Translator

RECORDINGS: Final = Path(__file__).parents[1] / "tests" / "data" / "recordings"
CHUNK: Final = 4096
READ: Final = ("Timestamp", "Uniqueid")

Stream = Sequence[bytes]
Take = Callable[[Any], object]


def recordings() -> list[Stream]:
    """Every recording, in pieces."""
    streams = [path.read_bytes() for path in sorted(RECORDINGS.glob("*.ami"))]
    return [[stream[at : at + CHUNK] for at in range(0, len(stream), CHUNK)] for stream in streams]


# -- panoramisk --------------------------------------------------------------------------------------


class Manager:
    """What panoramisk's protocol hands its events to."""

    save_stream = None

    def __init__(self, take: Take) -> None:
        self.dispatch = take


def panoramisk(streams: Sequence[Stream], take: Take) -> None:
    """Every event of the streams, as panoramisk sees it."""
    for stream in streams:
        protocol = AMIProtocol()
        protocol.connection_made(None)
        protocol.factory = Manager(take)
        protocol.encoding = "utf8"
        for chunk in stream:
            protocol.data_received(chunk)


def _nothing(message: object) -> None:
    """Take a message and leave it."""


def _look_up(message: Any) -> None:
    for name in READ:
        message.get(name)


# -- ours --------------------------------------------------------------------------------------------


def messages(streams: Sequence[Stream]) -> Iterator[Message]:
    """Every message of the streams, as our decoder sees it."""
    for stream in streams:
        feed = Decoder().feed
        for chunk in stream:
            for item in feed(chunk):
                if isinstance(item, Message):
                    yield item


def decode(streams: Sequence[Stream]) -> None:
    for stream in streams:
        feed = Decoder().feed
        for chunk in stream:
            feed(chunk)


def decode_and_look_up(streams: Sequence[Stream]) -> None:
    for message in messages(streams):
        if message.event:
            _look_up(message)


def decode_into_tables(streams: Sequence[Stream]) -> None:
    for message in messages(streams):
        dict(message.headers)


def decode_and_translate(streams: Sequence[Stream]) -> None:
    translate = Translator([ALICE]).translate
    for message in messages(streams):
        translate(message)


# -- what is compared --------------------------------------------------------------------------------


class OtherEvents(Exception):
    """The two decoders do not see the same events, so there is nothing to compare."""


def check(streams: Sequence[Stream]) -> int:
    """See that both decoders see the same events, and say how many.

    Raises:
        OtherEvents: They do not.
    """
    theirs: list[str] = []
    panoramisk(streams, lambda message: theirs.append(message["Event"]))
    ours = [message.event for message in messages(streams) if message.event]
    if ours != theirs:
        raise OtherEvents(f"panoramisk sees {len(theirs)} events, our decoder {len(ours)}")
    return len(ours)


PANORAMISK: Final = "panoramisk"
PANORAMISK_LOOK_UP: Final = "panoramisk, event and two headers read"
OURS: Final = {
    "ours": decode,
    "ours, event and two headers read": decode_and_look_up,
    "ours, every header into a table": decode_into_tables,
    "ours, translated for one user": decode_and_translate,
}


def compare() -> Comparison:
    """Decode the recordings by both, in several depths."""
    streams = recordings()
    events = check(streams)
    theirs = {PANORAMISK: _nothing, PANORAMISK_LOOK_UP: _look_up}
    timings = interleave(
        *(Contender(name, partial(panoramisk, streams, take)) for name, take in theirs.items()),
        *(Contender(name, partial(run, streams)) for name, run in OURS.items()),
        rounds=11,
    )
    size = sum(len(chunk) for stream in streams for chunk in stream)
    rows = [_row(name, timing, timings[PANORAMISK], events, size) for name, timing in timings.items()]
    title = f"Decoding {len(streams)} recordings, {events:,} events and {size / 1e6:.2f} MB"
    return Comparison([Table(title, rows)], _aims(timings))


def _row(name: str, timing: Timing, baseline: Timing, events: int, size: int) -> Row:
    return {
        "by": name,
        "events/s": events / timing.seconds,
        "MB/s": size / timing.seconds / 1e6,
        "µs for an event": timing.microseconds / events,
        "times as fast as panoramisk": baseline.over(timing),
    }


def _aims(timings: dict[str, Timing]) -> list[Aim]:
    decoding, looking_up, tables, _ = (timings[name] for name in OURS)
    theirs, theirs_looking_up = timings[PANORAMISK], timings[PANORAMISK_LOOK_UP]
    depths = {
        "decoding": theirs.over(decoding),
        "event and two headers read by both": theirs_looking_up.over(looking_up),
        "every header into a table": theirs.over(tables),
    }
    text = "times as fast as panoramisk"
    return [Aim(f"{text}, {depth}", times, at_least=2.0) for depth, times in depths.items()]
