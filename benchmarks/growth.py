"""How cost grows: with an account's calls and sessions, with the number of accounts, with a file of users."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from benchmarks.report import Comparison, Row, Table
from benchmarks.rounds import Contender, Timing, interleave, statement
from benchmarks.samples import LOGGED_OUT, known_lines
from unique_account.adapters.rosters.xivo_csv import read_users
from unique_account.core.account import Account, Call, CallStatus, Direction, LineStatus
from unique_account.core.events import CallChanged, CallEnded, DeviceSelected, LineChanged, LoggedIn, apply
from unique_account.core.machine import Device
from unique_account.core.presence import presence
from unique_account.core.routing import route
from unique_account.core.user import User

CALLS: Final = (0, 1, 5, 10, 20)
SESSIONS: Final = (1, 2, 4, 8, 16)
USERS: Final = (1, 100, 1000, 10_000, 100_000)
CSV_ROWS: Final = (10_000, 100_000)
VISITS: Final = 10_000

_STARTED: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)


def _call(number: int, status: CallStatus = CallStatus.TALKING) -> Call:
    return Call(
        id=f"1767603600.{number}",
        device=Device.DESKPHONE,
        direction=Direction.INCOMING,
        status=status,
        started=_STARTED,
        linked_id=f"1767603600.{number}",
        peer="0612345678",
    )


def _with_calls(number: int) -> Account:
    account = apply(LOGGED_OUT, LoggedIn("tab-1", "connection-1"))
    for each in range(number):
        account = apply(account, CallChanged(_call(each)))
    return account


def _with_sessions(number: int) -> Account:
    account = LOGGED_OUT
    for each in range(number):
        account = apply(account, LoggedIn(f"tab-{each}", f"connection-{each}"))
    return account


def calls() -> Table:
    """A new call comes, the last one is held or ends, and the account is projected."""
    sources = {
        "apply, a new call": "apply(account, new)",
        "apply, a call held": "apply(account, held)",
        "apply, a call ended": "apply(account, ended)",
        "apply, a line's status": "apply(account, line)",
        "route": "route(account)",
        "presence": "presence(account)",
    }
    events: dict[str, object] = {
        "new": CallChanged(_call(99)),
        "line": LineChanged(Device.DESKPHONE, LineStatus.IN_USE),
    }
    names = {
        number: {
            **events,
            "account": _with_calls(number),
            "held": CallChanged(_call(max(number - 1, 0), CallStatus.HELD)),
            "ended": CallEnded(f"1767603600.{number - 1}", _STARTED),
        }
        for number in CALLS
    }
    return Table("An account with so many calls", _grown(sources, names))


def sessions() -> Table:
    """One more session logs in, the device is selected, and the account is projected."""
    sources = {
        "apply, one more login": "apply(account, login)",
        "apply, a known login": "apply(account, known)",
        "apply, a selection": "apply(account, selected)",
        "route": "route(account)",
    }
    names: dict[int, dict[str, object]] = {
        number: {
            "account": _with_sessions(number),
            "login": LoggedIn("laptop", "connection-99"),
            "known": LoggedIn(f"tab-{number - 1}", f"connection-{number - 1}"),
            "selected": DeviceSelected(Device.DESKPHONE),
        }
        for number in SESSIONS
    }
    return Table("An account with so many sessions", _grown(sources, names))


def _grown(sources: dict[str, str], names: dict[int, dict[str, object]]) -> list[Row]:
    functions: dict[str, object] = {"apply": apply, "route": route, "presence": presence}
    contenders = [
        statement(f"{name}, {number}", source, functions | each, times=1000)
        for name, source in sources.items()
        for number, each in names.items()
    ]
    timings = interleave(*contenders, rounds=11)
    return [_row(name, {number: timings[f"{name}, {number}"] for number in names}) for name in sources]


def _row(name: str, timings: dict[int, Timing]) -> Row:
    grown = {f"{number:,}": timing.microseconds for number, timing in timings.items()}
    return {"µs for": name, **grown, "last / first": timings[max(timings)].over(timings[min(timings)])}


# -- accounts ----------------------------------------------------------------------------------------


def users() -> Table:
    """Accounts of a dict, told something new one after another in no order, each put back changed."""
    ways = {"apply, a line's status": _apply_to, "route": _route}
    contenders = [
        Contender(f"{name}, {number}", partial(visit, accounts, _visits(accounts)), VISITS)
        for number in USERS
        for accounts in [_accounts(number)]
        for name, visit in ways.items()
    ]
    timings = interleave(*contenders, rounds=9)
    rows = [_row(name, {number: timings[f"{name}, {number}"] for number in USERS}) for name in ways]
    return Table("An account out of a dict of so many", rows)


def _accounts(number: int) -> dict[str, Account]:
    made = {}
    for each in range(number):
        user = User(
            id=f"user{each}", extension=f"{each:06}", deskphone=f"PJSIP/u{each}", webrtc=f"PJSIP/u{each}_w"
        )
        made[user.id] = apply(known_lines(Account(user)), LoggedIn(f"tab-{each}", f"connection-{each}"))
    return made


def _visits(accounts: Iterable[str]) -> list[tuple[str, LineChanged]]:
    """Whom to tell what; every word is news, and the last ones take the first ones back."""
    visited = list(accounts)
    random.Random(0).shuffle(visited)
    visited = visited[: VISITS // 2]
    once = [(user, LineChanged(Device.WEBRTC, status)) for status in _STATUSES for user in visited]
    return once * (VISITS // len(once))


_STATUSES: Final = (LineStatus.RINGING, LineStatus.NOT_IN_USE)


def _apply_to(accounts: dict[str, Account], visits: Sequence[tuple[str, LineChanged]]) -> None:
    for user, event in visits:
        accounts[user] = apply(accounts[user], event)


def _route(accounts: dict[str, Account], visits: Sequence[tuple[str, LineChanged]]) -> None:
    for user, _ in visits:
        route(accounts[user])


# -- a file of users ---------------------------------------------------------------------------------


def csv() -> Table:
    """A CSV file of users with a mailbox and a DID each."""
    contenders = [Contender(f"{number}", partial(read_users, _lines(number)), number) for number in CSV_ROWS]
    timings = interleave(*contenders, rounds=3)
    rows: list[Row] = [
        {
            "rows": number,
            "rows/s": 1 / timings[f"{number}"].seconds,
            "µs for a row": timings[f"{number}"].microseconds,
            "times the first": timings[f"{number}"].over(timings[f"{CSV_ROWS[0]}"]),
        }
        for number in CSV_ROWS
    ]
    return Table("Reading XiVO's CSV import", rows)


def _lines(number: int) -> list[str]:
    header = "firstname,lastname,username,password,exten,context,line_protocol,sip_username,ring_seconds"
    more = "simultaneous_calls,incall_exten,voicemail_name,voicemail_number,voicemail_context,enabled"
    return [
        f"{header},{more}\r\n",
        *(
            f"Ann,Other{each},user{each},secret,{each:06},default,ua,u{each},30,"
            f"5,+331{each:08},Ann Other,{each:06},default,1\r\n"
            for each in range(number)
        ),
    ]


def compare() -> Comparison:
    """Grow an account, then their number, then a file."""
    return Comparison([table() for table in GROWING])


GROWING: Final[Sequence[Callable[[], Table]]] = (calls, sessions, users, csv)
