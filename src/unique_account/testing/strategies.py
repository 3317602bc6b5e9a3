"""Hypothesis strategies for users, lines, calls and events, and for the accounts that events lead to.

Names and instants come from small pools, so that what is drawn meets: two events are about one session,
a lease is nearly over, a call is reported after its end. Users with different ids share no number and no
endpoint, so that a list of users, unique by id, can live in one PBX.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

from attrs import evolve

try:
    from hypothesis import strategies as st
except ImportError as missing:  # pragma: no cover
    raise ImportError(
        "the strategies need hypothesis: python -m pip install 'unique_account[testing]'"
    ) from missing

from unique_account.core.account import LINES, Account, Call, CallStatus, Direction, Line, LineStatus
from unique_account.core.diversions import CallDiverted
from unique_account.core.errors import Refused
from unique_account.core.events import (
    CallChanged,
    CallEnded,
    ContactsChanged,
    DeviceSelected,
    DeviceToggled,
    DoNotDisturbSet,
    Event,
    Fact,
    FactsReplaced,
    ForwardingChanged,
    ForwardingDialled,
    ForwardSet,
    LeaseExpired,
    LineChanged,
    LoggedIn,
    LoggedOut,
    MessagesChanged,
    SessionLost,
    UserChanged,
    apply,
)
from unique_account.core.forwarding import (
    Destination,
    Extension,
    Fallbacks,
    Forward,
    Forwarding,
    Mailbox,
    Refusal,
)
from unique_account.core.forwarding_changes import FORWARDS, Setting
from unique_account.core.machine import Device
from unique_account.core.user import User

EPOCH: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""Where drawn time begins; it lasts for a minute."""

MEDIA_SERVERS: Final = ("default", "mds1", "mds2")
SESSIONS: Final = ("tab-1", "tab-2", "laptop")
CONNECTIONS: Final = ("", "first", "second")

_ELSEWHERE: Final = ("3000", "3001", "0 612-345.678", "+41 (22) 555/01")
_UNDIALABLE: Final = ("", " - ", "+", "h", "f-ax", "3000&PJSIP/boss", "3000,${SHELL(id)}", "3000\n", "\u0663")

# Built once: in Hypothesis building a strategy costs more than drawing from it.
_INSTANTS: Final = st.integers(0, 120).map(lambda halves: EPOCH + timedelta(seconds=halves / 2))
_DEVICES: Final = st.sampled_from(Device)
_YES_OR_NO: Final = st.booleans()
_UP_TO_THREE: Final = st.integers(0, 3)
_CALL_IDS: Final = st.sampled_from([f"{EPOCH.timestamp():.0f}.{count}" for count in range(8, 13)])


def instants() -> st.SearchStrategy[datetime]:
    """Instants in UTC within one minute, on half seconds, so that many are equal or nearly so."""
    return _INSTANTS


def devices() -> st.SearchStrategy[Device]:
    """One of the two devices."""
    return _DEVICES


def leases() -> st.SearchStrategy[timedelta]:
    """How long a lost session may hold an account, nothing and the default included."""
    return _LEASES


_LEASES: Final = st.sampled_from([timedelta(seconds=seconds) for seconds in (0, 1, 10, 30)])


# -- users -------------------------------------------------------------------------------------------


def destinations() -> st.SearchStrategy[Destination]:
    """Where an administrator may send a call."""
    return _DESTINATIONS


_DESTINATIONS: Final[st.SearchStrategy[Destination]] = st.sampled_from(
    [Extension("3000"), Extension("3001"), Mailbox("reception@default"), Refusal(17), Refusal(21)]
)
_PERHAPS: Final = st.none() | _DESTINATIONS


def fallbacks() -> st.SearchStrategy[Fallbacks]:
    """The administrator's destinations, each of the four set or not."""
    return _FALLBACKS


_FALLBACKS: Final = st.builds(
    Fallbacks, no_answer=_PERHAPS, busy=_PERHAPS, congestion=_PERHAPS, unavailable=_PERHAPS
)
_NUMBERS: Final = st.integers(0, 99)
_LIMITS: Final = st.sampled_from([(1, 0), (2, 1), (5, 10), (20, 10)])


@st.composite
def users(draw: st.DrawFn) -> User:
    """Users who can carry a Unique Account."""
    number = draw(_NUMBERS)
    extension = str(1000 + number)
    dids = [f"+3312345{number:02}{index}" for index in range(draw(_UP_TO_THREE))]
    simultaneous_calls, max_forwards = draw(_LIMITS)
    return User(
        id=f"user-{number}",
        extension=extension,
        deskphone=f"PJSIP/user-{number}",
        webrtc=f"PJSIP/user-{number}_w",
        dids=dids,
        mailbox=f"{extension}@default" if draw(_YES_OR_NO) else None,
        media_server=draw(_SERVERS),
        ring_seconds=5 if draw(_YES_OR_NO) else 30,
        did_ring_seconds=dict.fromkeys(dids[draw(_UP_TO_THREE) :], 45),
        simultaneous_calls=simultaneous_calls,
        fallbacks=draw(_FALLBACKS),
        max_forwards=max_forwards,
    )


_SERVERS: Final = st.sampled_from(MEDIA_SERVERS)


@st.composite
def changed_users(draw: st.DrawFn, user: User) -> User:
    """What an administrator may make of a user: numbers, endpoints, mailbox, times and destinations."""
    dids = user.dids[draw(_UP_TO_THREE) :]
    return evolve(
        user,
        extension=f"7{user.extension}" if draw(_YES_OR_NO) else user.extension,
        deskphone=f"{user.deskphone}_new" if draw(_YES_OR_NO) else user.deskphone,
        dids=dids,
        did_ring_seconds=[timed for timed in user.did_ring_seconds if timed[0] in dids],
        mailbox=f"{user.extension}@default" if draw(_YES_OR_NO) else None,
        media_server=draw(_SERVERS) if draw(_YES_OR_NO) else user.media_server,
        ring_seconds=20 if draw(_YES_OR_NO) else user.ring_seconds,
        fallbacks=draw(_FALLBACKS) if draw(_YES_OR_NO) else user.fallbacks,
    )


def forwardings(user: User) -> st.SearchStrategy[Forwarding]:
    """What this user may set: do-not-disturb and forwards that lead somewhere."""
    codes = (user.voicemail_code,) if user.mailbox else ()
    return _forwardings((*_ELSEWHERE, *codes), disabled=(*user.numbers, user.voicemail_code))


def _forwardings(enabled: tuple[str, ...], disabled: tuple[str, ...] = ()) -> st.SearchStrategy[Forwarding]:
    on = [Forward(number) for number in enabled]
    off = [Forward(number, enabled=False) for number in (*enabled, *disabled)]
    forward = st.sampled_from([None, *on, *off])
    return st.builds(
        Forwarding, do_not_disturb=_YES_OR_NO, unconditional=forward, no_answer=forward, busy=forward
    )


# -- what the PBX reports ----------------------------------------------------------------------------


def lines() -> st.SearchStrategy[Line]:
    """Every line there can be: nine statuses, with a contact, without one, and before any contact fact."""
    return _LINES


_LINES: Final = st.sampled_from(list(LINES.values()))
_PARTIES: Final = st.sampled_from([("", ""), ("3000", "Bob"), ("+33612345678", "Zoé d'Été")])
_PROGRESS: Final = st.sampled_from(
    [
        (Direction.OUTGOING, CallStatus.DIALLING),
        (Direction.INCOMING, CallStatus.RINGING),
        *product(Direction, (CallStatus.TALKING, CallStatus.HELD)),
    ]
)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Live calls, ringing or dialling or answered, on either device; a few ids, so that calls change."""
    direction, status = draw(_PROGRESS)
    peer, peer_name = draw(_PARTIES)
    started = draw(_INSTANTS)
    up = status in (CallStatus.TALKING, CallStatus.HELD)
    return Call(
        id=draw(_CALL_IDS),
        device=draw(_DEVICES),
        direction=direction,
        status=status,
        started=started,
        answered=started + timedelta(seconds=draw(_UP_TO_THREE)) if up else None,
        linked_id=draw(_CALL_IDS) if draw(_YES_OR_NO) else "",
        peer=peer,
        peer_name=peer_name,
    )


# -- events and accounts -----------------------------------------------------------------------------


def facts(user: User) -> st.SearchStrategy[Event]:
    """What the PBX may report of a user's account at any time; nothing of it is ever refused (M4)."""
    return _FACTS | st.builds(FactsReplaced, st.just(user.media_server), _KNOWN)


_REPORTED_AGAIN: Final[st.SearchStrategy[Fact]] = st.one_of(
    st.sampled_from([LineChanged(*reported) for reported in product(Device, LineStatus)]),
    st.sampled_from([ContactsChanged(*reported) for reported in product(Device, (True, False))]),
    st.builds(CallChanged, calls()),
    st.sampled_from([MessagesChanged(*reported) for reported in product(range(3), range(3))]),
)
_KNOWN: Final = st.lists(_REPORTED_AGAIN, max_size=4).map(tuple)
_FACTS: Final[st.SearchStrategy[Event]] = st.one_of(
    _REPORTED_AGAIN,
    st.builds(CallEnded, _CALL_IDS, _INSTANTS),
    st.builds(CallDiverted, linked_id=_CALL_IDS, started=_INSTANTS, at=_INSTANTS),
    st.builds(FactsReplaced, _SERVERS, _KNOWN),
)


def choices(user: User) -> st.SearchStrategy[Event]:
    """What a user's sessions may do, the choices included that can be refused (S6, R13)."""
    wrong = _forwardings((*user.numbers, user.voicemail_code, *_UNDIALABLE))
    numbers = st.sampled_from(("", "2000", *user.numbers, user.voicemail_code, *_UNDIALABLE))
    dialled = st.builds(ForwardingDialled, st.sampled_from(Setting), numbers)
    chosen = st.builds(ForwardingChanged, forwardings(user) | wrong)
    one = st.builds(ForwardSet, st.sampled_from(FORWARDS), _YES_OR_NO, numbers)
    silent = st.builds(DoNotDisturbSet, _YES_OR_NO)
    return _CHOICES | chosen | dialled | one | silent


_CHOICES: Final[st.SearchStrategy[Event]] = st.one_of(
    st.sampled_from([LoggedIn(*who) for who in product(SESSIONS, CONNECTIONS)]),
    st.sampled_from([LoggedOut(session) for session in SESSIONS]),
    st.builds(SessionLost, st.sampled_from(SESSIONS), _INSTANTS, st.sampled_from(CONNECTIONS)),
    st.builds(LeaseExpired, _INSTANTS),
    st.builds(DeviceSelected, _DEVICES),
    st.just(DeviceToggled()),
)


def events(user: User) -> st.SearchStrategy[Event]:
    """Anything that may happen to this user's account."""
    return facts(user) | choices(user) | st.builds(UserChanged, changed_users(user))


@st.composite
def accounts(draw: st.DrawFn, user: User | None = None) -> Account:
    """Accounts that events led to, so that each is one which can exist.

    In some the administrator changed numbers, endpoints or the mailbox on the way, so that a forward
    that was right when it was set leads nowhere now.

    Args:
        draw: Supplied by Hypothesis.
        user: Whose accounts to draw; any user's by default.
    """
    user = draw(users()) if user is None else user
    formerly = draw(changed_users(user)) if draw(_YES_OR_NO) else user
    account = Account(formerly, lease=draw(_LEASES))
    account = _led(account, draw(_ENTRANCES))
    account = _led(account, [ForwardingChanged(draw(forwardings(formerly))), UserChanged(user)])
    for device in Device:
        account = _led(account, _reported(device, draw(_LINES)))
    return _led(account, draw(_LATELY))


_ENTRANCES: Final = st.sampled_from(
    [
        (),
        (LoggedIn("tab-1"),),
        (LoggedIn("tab-1"), DeviceSelected(Device.DESKPHONE)),
        (LoggedIn("tab-1"), DeviceSelected(Device.DESKPHONE), LoggedOut("tab-1")),
    ]
)
_LATELY: Final = st.lists(_FACTS | _CHOICES, max_size=6)


def _reported(device: Device, line: Line) -> Iterable[Event]:
    yield LineChanged(device, line.status)
    if line.reachable is not None:
        yield ContactsChanged(device, line.reachable)


def _led(account: Account, happened: Iterable[Event]) -> Account:
    for event in happened:
        try:
            account = apply(account, event)
        except Refused:
            continue
    return account
