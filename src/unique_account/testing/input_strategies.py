"""Hypothesis strategies for what people may write: most of it is refused, the rest must be carried out."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve
from hypothesis import strategies as st

from unique_account.core.errors import InvalidUser
from unique_account.core.forwarding import (
    Destination,
    Extension,
    Fallbacks,
    Forward,
    Forwarding,
    Mailbox,
    Outcome,
    Refusal,
)
from unique_account.core.user import User
from unique_account.testing.strategies import destinations, users

_ODD: Final = st.sampled_from(
    [
        *(
            "",
            "h",
            "H",
            "i",
            "s",
            "t",
            "T",
            "o",
            "a",
            "e",
            "fax",
            "Fax",
            "talk",
            "failed",
            "bob",
            "+h",
            "0",
            "+",
        ),
        *(
            "*98",
            "*21",
            "*987",
            "1",
            "1" * 40,
            "1" * 41,
            "+" + "1" * 40,
            "10-01",
            " 1 ",
            "1001",
            "1a",
            "#31#1",
        ),
        *(
            "a" * 20,
            "a" * 60,
            "a" * 61,
            "." * 60,
            "+" * 60,
            "a.b",
            "a+b",
            "a-b",
            "_",
            "default",
            "é",
            "日本",
            "\u0663",
        ),
        *(
            "\0",
            "\n",
            "\ud800",
            "\u2028",
            "\x85",
            "a!b",
            "a,b",
            "a:b",
            "a&b",
            "a|b",
            "${A}",
            ";",
            "a@b",
            "%00",
        ),
    ]
)
_ODD_TEXTS: Final = _ODD | st.text(max_size=8)
_ODD_NUMBERS: Final = st.sampled_from([1, 2, 30, 99_999, 100_000, 0, -1, 10**6, 10**18, 16**5000])


def odd_texts() -> st.SearchStrategy[str]:
    """What somebody may write where a name or a number belongs: nothing, too much, or what means more."""
    return _ODD_TEXTS


def odd_destinations() -> st.SearchStrategy[Destination]:
    """Destinations of odd texts and causes."""
    return _ODD_DESTINATIONS


_ODD_BOXES: Final = _ODD_TEXTS | st.tuples(_ODD_TEXTS, _ODD_TEXTS).map("@".join)
_ODD_DESTINATIONS: Final[st.SearchStrategy[Destination]] = st.one_of(
    destinations(),
    _ODD_TEXTS.map(Extension),
    _ODD_BOXES.map(Mailbox),
    st.sampled_from([0, 1, 127, 128, 10**18]).map(Refusal),
)
_ODD_INTERFACES: Final = _ODD_TEXTS.map("PJSIP/{}".format)
_ODD_FIELDS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "id": _ODD_TEXTS,
    "extension": _ODD_TEXTS,
    "deskphone": _ODD_INTERFACES,
    "webrtc": _ODD_INTERFACES,
    "dids": st.lists(_ODD_TEXTS, max_size=2),
    "mailbox": st.none() | _ODD_BOXES,
    "media_server": _ODD_TEXTS,
    "context": _ODD_TEXTS,
    "ring_seconds": _ODD_NUMBERS,
    "did_ring_seconds": st.lists(st.tuples(_ODD_TEXTS, _ODD_NUMBERS), max_size=2),
    "simultaneous_calls": _ODD_NUMBERS,
    "fallbacks": st.builds(Fallbacks, **dict.fromkeys(map(str, Outcome), st.none() | _ODD_DESTINATIONS)),
    "voicemail_code": _ODD_TEXTS,
    "max_forwards": _ODD_NUMBERS,
}


@st.composite
def odd_users(draw: st.DrawFn) -> User:
    """Users with odd names, numbers, times and destinations, each of which the core accepts (A1)."""
    user = draw(users())
    for name in draw(st.lists(st.sampled_from(sorted(_ODD_FIELDS)), max_size=len(_ODD_FIELDS), unique=True)):
        try:
            user = evolve(user, **{name: draw(_ODD_FIELDS[name])})
        except InvalidUser:
            continue
    return user


def odd_forwardings() -> st.SearchStrategy[Forwarding]:
    """What somebody may try to set, most of which is refused (R10, R13)."""
    return _ODD_FORWARDINGS


_ODD_FORWARD: Final = st.none() | st.builds(Forward, _ODD_TEXTS, st.booleans())
_ODD_FORWARDINGS: Final = st.builds(
    Forwarding,
    do_not_disturb=st.booleans(),
    unconditional=_ODD_FORWARD,
    no_answer=_ODD_FORWARD,
    busy=_ODD_FORWARD,
)
