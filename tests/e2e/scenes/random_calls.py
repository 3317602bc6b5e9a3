"""Cases for the differential test: people, their phones, and a few calls, as Hypothesis draws them.

Three people can call and forward to each other. Their numbers are the same in every case; where they live
on a real node, a context of their own and endpoints of their own, is up to the player there.
"""

from __future__ import annotations

from enum import Enum
from itertools import product
from typing import Final

from attrs import frozen
from hypothesis import strategies as st

from unique_account import Device, DeviceSelected, ForwardingChanged, LoggedIn, LoggedOut, User
from unique_account.core.events import Event
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

NAMES: Final = ("alice", "bob", "carol")
OUTSIDE: Final = ("2000", "2001")
"""Numbers that are nobody's here, and that answer."""


class Reaction(Enum):
    """What a phone does that rings: answers, rings on, or gives a SIP status."""

    ANSWERS = "200 OK"
    RINGS_ON = "180 Ringing"
    IS_BUSY = "486 Busy Here"
    DECLINES = "603 Decline"
    IS_CONGESTED = "503 Service Unavailable"
    IS_AWAY = "480 Temporarily Unavailable"


ENDS: Final = {
    Reaction.IS_BUSY: Outcome.BUSY,
    Reaction.DECLINES: Outcome.BUSY,
    Reaction.IS_CONGESTED: Outcome.CONGESTION,
    Reaction.IS_AWAY: Outcome.NO_ANSWER,
}
"""How ringing ends by what a phone does (R9)."""

Phone = tuple[str, Device]
"""A phone: whose, and which of the two."""

PHONES: Final[tuple[Phone, ...]] = tuple(product(NAMES, Device))


@frozen(weakref_slot=False, kw_only=True)
class Person:
    """A user, what made the account, and which phones are registered."""

    user: User
    events: tuple[Event, ...]
    registered: frozenset[Device]


@frozen(weakref_slot=False, kw_only=True)
class Attempt:
    """One call, and what happens around it.

    Attributes:
        before: What Alice does before it.
        caller: The phone that calls; None for a stranger's.
        dialled: The number that is dialled.
        does: What each phone does that is rung, in the order of `PHONES`.
        meanwhile: What Alice does while it rings her, if she is the first whom it rings.
    """

    before: tuple[Event, ...]
    caller: Phone | None
    dialled: str
    reactions: tuple[Reaction, ...]
    meanwhile: tuple[Event, ...]


@frozen(weakref_slot=False)
class Case:
    """People, and calls one after the other; a call that is answered stays up until the case is over."""

    people: tuple[Person, ...]
    attempts: tuple[Attempt, ...]


IN: Final = LoggedIn("tab-1")
AT_THE_DESK: Final = DeviceSelected(Device.DESKPHONE)
IN_THE_BROWSER: Final = DeviceSelected(Device.WEBRTC)
OUT: Final = LoggedOut("tab-1")

_ENTRANCES: Final = st.sampled_from(
    [
        (),
        (IN,),
        (IN,),
        (IN,),
        (IN, LoggedIn("tab-2"), OUT),
        (IN, AT_THE_DESK),
        (IN, AT_THE_DESK, OUT, IN),
        (IN, AT_THE_DESK, IN_THE_BROWSER),
        (IN, AT_THE_DESK, OUT),
        (IN, OUT),
    ]
)
_CHANGES: Final = st.sampled_from([(), (), (IN, AT_THE_DESK), (IN, IN_THE_BROWSER), (IN,), (OUT,)])
_MEANWHILE: Final = st.sampled_from([(IN, AT_THE_DESK), (IN, IN_THE_BROWSER), (OUT,)])
_RARELY: Final = st.sampled_from([False] * 7 + [True])
# So far apart that a busy machine cannot make one look like the other.
_RING_SECONDS: Final = st.sampled_from([1, 3])
_REGISTERED: Final = st.sampled_from([True, True, True, False])
_DOES: Final = st.sampled_from([Reaction.RINGS_ON, Reaction.ANSWERS, Reaction.IS_CONGESTED, *Reaction])
_DOES_NOT_ANSWER: Final = st.sampled_from([does for does in Reaction if does is not Reaction.ANSWERS])


def numbers(index: int) -> tuple[str, str, str]:
    """The extension and the two DIDs of a person."""
    return (f"100{index + 1}", f"+3310{index + 1}1", f"+3310{index + 1}2")


def _elsewhere(index: int) -> tuple[str, ...]:
    others = (number for other in range(len(NAMES)) if other != index for number in numbers(other)[:2])
    return (*others, *OUTSIDE)


@st.composite
def _users(draw: st.DrawFn, index: int) -> User:
    name = NAMES[index]
    extension, *dids = numbers(index)
    mailbox = f"{extension}@default"
    places: list[Destination | None] = [None, None, *map(Extension, _elsewhere(index)), Mailbox(mailbox)]
    places += [Mailbox("1009@default"), *(Refusal(cause) for cause in (17, 19, 20, 21, 34))]
    fallback = st.sampled_from(places)
    return User(
        id=name,
        extension=extension,
        deskphone=f"PJSIP/{name}",
        webrtc=f"PJSIP/{name}_w",
        dids=dids,
        mailbox=draw(st.sampled_from([None, mailbox])),
        ring_seconds=draw(_RING_SECONDS),
        did_ring_seconds={dids[0]: draw(_RING_SECONDS)},
        simultaneous_calls=draw(st.sampled_from([1, 2, 3, 5])),
        fallbacks=Fallbacks(**{outcome.value: draw(fallback) for outcome in Outcome}),
        max_forwards=draw(st.sampled_from([0, 1, 2, 3])),
    )


@st.composite
def _forwardings(draw: st.DrawFn, user: User, index: int) -> Forwarding:
    codes = ("*98",) if user.mailbox else ()
    forward = st.builds(
        Forward, st.sampled_from((*_elsewhere(index), *codes)), st.sampled_from([True, True, False])
    )
    perhaps = st.none() | forward
    return Forwarding(
        do_not_disturb=draw(_RARELY),
        unconditional=draw(forward) if draw(_RARELY) else None,
        no_answer=draw(perhaps),
        busy=draw(perhaps),
    )


@st.composite
def _people(draw: st.DrawFn, index: int) -> Person:
    user = draw(_users(index))
    return Person(
        user=user,
        events=(ForwardingChanged(draw(_forwardings(user, index))), *draw(_ENTRANCES)),
        registered=frozenset(device for device in Device if draw(_REGISTERED)),
    )


@st.composite
def _attempts(draw: st.DrawFn) -> Attempt:
    does = [draw(_DOES) for _ in PHONES]
    meanwhile = draw(_MEANWHILE) if draw(_RARELY) else ()
    if meanwhile:  # there has to be time for it
        does[:2] = Reaction.RINGS_ON, Reaction.RINGS_ON
    alices = numbers(0)
    return Attempt(
        before=draw(_CHANGES),
        caller=draw(st.sampled_from([None, None, None, *PHONES])),
        dialled=draw(st.sampled_from([*alices, *alices, "2000"])),
        reactions=tuple(does),
        meanwhile=meanwhile,
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any case."""
    people = tuple(draw(_people(index)) for index in range(len(NAMES)))
    attempts = draw(st.lists(_attempts(), min_size=1, max_size=3))
    return Case(people, (*draw(_FIRST), *attempts))


# Often the deskphone is in a call already.
_OUT: Final = Attempt(
    before=(),
    caller=("alice", Device.DESKPHONE),
    dialled="2000",
    reactions=(Reaction.RINGS_ON,) * 6,
    meanwhile=(),
)
_FIRST: Final = st.sampled_from([(), (_OUT,)])
