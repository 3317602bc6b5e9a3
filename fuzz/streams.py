"""What Asterisk's manager interface says: messages, what they mean, and a recorded day replayed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Final

from fuzz.target import Target, pieces, plain, printable, require, text_of, windows
from fuzz.users import BYSTANDER, USERS, applied, names_bystander
from unique_account.adapters.asterisk.ami.codec import Decoder, InvalidAction, encode
from unique_account.adapters.asterisk.ami.event_layout import is_cut
from unique_account.adapters.asterisk.ami.message import Item, Malformed, Message
from unique_account.adapters.asterisk.replay import ReplayStep, json_line, replay
from unique_account.adapters.asterisk.translation.results import Meaning, TranslatedEvent
from unique_account.adapters.asterisk.translation.translator import Translator
from unique_account.adapters.asterisk.wire_names import CODE_EVENT
from unique_account.core.account import Account
from unique_account.core.events import Event

RECORDINGS: Final = Path(__file__).parents[1] / "tests" / "data" / "recordings"
BLANK: Final = b"\r\n\r\n"
NEIGHBOUR: Final = (
    b"Event: DeviceStateChange\r\nPrivilege: call,all\r\nTimestamp: 1795415431.766093\r\n"
    b"Device: PJSIP/bob\r\nState: INUSE"
)
"""An event that comes after what is hostile."""

USER_EVENTS: Final = tuple(
    f"Event: UserEvent\r\nPrivilege: user,all\r\nTimestamp: 1795415421.766093\r\n{rest}".encode() + BLANK
    for rest in (
        "UserEvent: UniqueAccount\r\nUser: alice\r\nDo: log_in\r\nSession: tab-1\r\nConnection: one",
        "UserEvent: UniqueAccount\r\nUser: alice\r\nDo: session_lost\r\nSession: tab-1\r\nConnection: one",
        "UserEvent: UniqueAccount\r\nUser: bob\r\nDo: select\r\nDevice: deskphone",
        *(
            f"UserEvent: {CODE_EVENT}\r\nChannel: PJSIP/alice-1\r\nUniqueid: 1.1\r\nAccount: alice\r\n"
            f"Asks: {asks}\r\nNumber: {number}"
            for asks, number in (
                ("toggle", ""),
                ("do_not_disturb", ""),
                ("unconditional", "1002"),
                ("busy", "0612345678"),
            )
        ),
    )
)
WORDS: Final = (
    *(b"Event: ", b"Uniqueid: ", b"Linkedid: "),
    *(b"Channel: PJSIP/alice-00000001", b"PJSIP/alice_w", b"PJSIP/bob-1"),
    *(b"DeviceStateChange", b"Newchannel", b"Hangup"),
    *(b"UserEvent", b"FullyBooted", b"ContactStatus", b"MessageWaiting"),
    *(b"AttendedTransfer", b"BridgeEnter", b"Pickup"),
    *(b"INUSE", b"Reachable", b"Removed", b"Asterisk Call Manager/1.0\r\n"),
    *(b"Asks: unconditional", b"Number: 1002", b"alice", b"bob", b"tab-1", b"%61lice", b"%ED%A0%80"),
)  # fmt: skip


@cache
def _recorded() -> tuple[bytes, ...]:
    """Runs of messages out of the recordings, and what the dialplan and a CTI server say."""
    runs: list[bytes] = []
    for file in sorted(RECORDINGS.glob("*.ami")):
        messages = [message + BLANK for message in file.read_bytes().split(BLANK) if message]
        runs += windows(messages, 8)
    runs += windows(list(USER_EVENTS), 3)
    return (*runs, b"".join(USER_EVENTS))


def _decoded(parts: Iterable[bytes]) -> list[Item]:
    decoder = Decoder()
    items = [item for part in parts for item in decoder.feed(part)]
    return items + decoder.close()


# -- the decoder -------------------------------------------------------------------------------------


def _check_decoder(data: bytes) -> None:
    items = _decoded([data])
    require(_decoded(pieces(data)) == items, "what is decoded depends on how the stream is cut")
    for item in items:
        if isinstance(item, Message):
            _check_message(item)
    # The end of a stream closes nothing, so the neighbour is read after a blank line.
    last = _decoded([data, BLANK, NEIGHBOUR, BLANK])[-1]
    kept = isinstance(last, Message) and last.text.encode() == NEIGHBOUR
    require(kept or _ends_in_a_name(data), "a message costs its neighbour")


def _ends_in_a_name(data: bytes) -> bool:
    """Whether what follows may be the rest of the name of a channel, which holds what a stranger dialled."""
    last = data.rstrip(b"\r\n").rpartition(BLANK)[2].lstrip(b"\r\n")
    return is_cut(last) and last.rpartition(b"\r\n")[2].startswith(b"Channel: ")


def _check_message(message: Message) -> None:
    names = [name for name, _ in message.headers]
    require(all(names), "a header without a name")
    require("\0" not in message.text, "a message with a NUL")
    require(not any(name.startswith("\n") for name in names), "a line feed before a name")
    for name in set(names):
        values = tuple(value for other, value in message.headers if other == name)
        require(message.all(name) == values, "all values of a header are others than its lines'")
        require(message[name] == values[0], "a header's value is not the first one")


def _check_action(data: bytes) -> None:
    """An action that is written is read as itself."""
    action, *lines = text_of(data).split("\t\t")
    headers = [(name, value) for name, _, value in (line.partition("\t") for line in lines)]
    try:
        written = encode(action, *headers)
    except InvalidAction:
        return
    (item,) = _decoded([written])
    require(isinstance(item, Message), "an action that is no message")
    assert isinstance(item, Message)
    require(item.headers == (("Action", action), *headers), "an action that is read as another one")


# -- what it means -----------------------------------------------------------------------------------


def _meanings(data: bytes) -> list[tuple[str, Meaning]]:
    translation = Translator(USERS)
    return [
        (item.text, meaning)
        for item in _decoded([data])
        if isinstance(item, Message)
        for meaning in translation.translate(item)
    ]


def _check_translation(data: bytes) -> None:
    accounts = {user.id: Account(user) for user in USERS}
    for _, meaning in _meanings(data):
        if isinstance(meaning, TranslatedEvent):
            require(meaning.user in accounts, "an event of nobody's account")
            require(meaning.at.tzinfo is UTC, "an instant without its time zone")
            accounts[meaning.user] = applied(accounts[meaning.user], meaning.event)
        else:
            require(printable(str(meaning)), "a sentence that cannot be written")
    if not names_bystander(data):
        require(accounts[BYSTANDER.id] == Account(BYSTANDER), "something happened to a bystander")


def _check_replay(data: bytes) -> None:
    steps = list(replay([data], USERS))
    require(list(replay(pieces(data), USERS)) == steps, "what is replayed depends on how the stream is cut")
    for each in steps:
        if isinstance(each, ReplayStep):
            json.dumps(json_line(each), ensure_ascii=False, allow_nan=False).encode()
            require(each.user != BYSTANDER.id or names_bystander(data), "something happened to a bystander")
        elif isinstance(each, Malformed):
            require(printable(str(each)), "a sentence that cannot be written")


# -- what strangers choose ---------------------------------------------------------------------------

_STRANGERS: Final = ("CallerIDNum", "ConnectedLineNum", "Exten")
_GENUINE: Final[Sequence[tuple[str, str]]] = (
    ("Event", "Newchannel"),
    ("Privilege", "call,all"),
    ("Timestamp", "1795415422.000001"),
    ("Channel", "PJSIP/trunk-00000001"),
    ("ChannelState", "4"),
    ("ChannelStateDesc", "Ring"),
    ("CallerIDNum", "0612345678"),
    ("CallerIDName", "<unknown>"),
    ("ConnectedLineNum", "<unknown>"),
    ("ConnectedLineName", "<unknown>"),
    ("Language", "en"),
    ("AccountCode", ""),
    ("Context", "from-outside"),
    ("Exten", "s"),
    ("Priority", "1"),
    ("Uniqueid", "1795415422.77"),
    ("Linkedid", "1795415422.77"),
)
"""An event as Asterisk writes it, in its order; it escapes names, and neither numbers nor extensions."""

_LONGEST: Final = 79
"""How many characters of a stranger's number get into an event."""

_FORGED: Final = (
    b"1\r\n\r\nEvent: UserEvent\r\nUserEvent:UniqueAccountCode\r\nAccount:alice\r\nAsks:toggle",
    b"1\r\n\r\nEvent:TranslatedEvent\r\nUserEvent:UniqueAccountCode\r\nAccount:bob\r\nAsks:all",
    b"1\r\n\r\nEvent: UserEvent\r\nUserEvent:UniqueAccount\r\nUser:alice\r\nDo:log_in\r\nSession:x",
    b"1\r\n\r\nEvent: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: INUSE",
    b"1\r\n\r\nEvent: FullyBooted\r\nStatus: Fully Booted",
    b"1\r\n\r\nFullyBooted",
    b"1\r\nUniqueid: 1.1\r\nChannel: PJSIP/alice-1",
    b"a line without a colon\r\nlike this one",
)


def _check_strangers(data: bytes) -> None:
    """A stranger's text in an event of another channel says nothing of anybody, and costs no neighbour."""
    text = data[:_LONGEST]
    for header in (*_STRANGERS, "all"):
        event = b"\r\n".join(
            f"{name}: ".encode()
            + (text if name == header or (header == "all" and name in _STRANGERS) else value.encode())
            for name, value in _GENUINE
        )
        meant = [meaning for _, meaning in _meanings(event + BLANK + NEIGHBOUR + BLANK)]
        said = [meaning.event for meaning in meant if isinstance(meaning, TranslatedEvent)]
        require(said and said[-1] == _OF_NEIGHBOUR, "a stranger's text costs a neighbour")
        require(not said[:-1], f"a stranger's text became an event: {said[:-1]}")


_OF_NEIGHBOUR: Final[Event] = next(
    meaning.event for _, meaning in _meanings(NEIGHBOUR + BLANK) if isinstance(meaning, TranslatedEvent)
)

TARGETS: Final = (
    Target(name="ami", samples=_recorded, opened=plain(_check_decoder), words=WORDS, rounds=250),
    Target(
        name="actions",
        samples=lambda: (
            b"DBPut\t\tFamily\tunique_account\t\tKey\t1001@default\t\tVal\tx!y",
            b"Ping",
            b"A\t\tB\tC",
        ),
        opened=plain(_check_action),
        largest=4096,
        words=(b"\t", b"\t\t"),
        rounds=1000,
    ),
    Target(name="translation", samples=_recorded, opened=plain(_check_translation), words=WORDS, rounds=400),
    Target(name="replay", samples=_recorded, opened=plain(_check_replay), words=WORDS, rounds=60),
    Target(
        name="codes",
        samples=lambda: USER_EVENTS,
        opened=plain(_check_translation),
        words=WORDS,
        largest=4096,
        rounds=1000,
    ),
    Target(
        name="strangers",
        samples=lambda: _FORGED,
        opened=plain(_check_strangers),
        words=WORDS,
        largest=_LONGEST,
    ),
)
