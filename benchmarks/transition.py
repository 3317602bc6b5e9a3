"""One transition: `apply`, three state machine libraries, and the least that a look-up can cost.

A row is one transition of a pair that leads back to where it began. The peers move a state and a saved
selection; `apply` also keeps sessions, lines and a version, and makes new values. What these cost alone is
a row of its own: between it and `apply` lies what deciding costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from benchmarks import machines
from benchmarks.report import Aim, Comparison, Row, Table
from benchmarks.rounds import Contender, Timing, interleave, statement
from benchmarks.samples import LOGGED_IN, LOGGED_OUT
from unique_account.core.account import Account, Kept, LineStatus, Observed, Session
from unique_account.core.events import DeviceSelected, Event, LineChanged, LoggedIn, LoggedOut, apply
from unique_account.core.machine import TABLE, Device, Trigger


@frozen
class Pair:
    """Two events and the triggers that they come to, from an account and back to it.

    Attributes:
        title: What the table is called.
        account: Where the pair begins and ends.
        events: There and back.
        triggers: What the events come to in the machine.
        values: A statement that only looks up, and only makes the values that the two events make.
    """

    title: str
    account: Account
    events: tuple[Event, Event]
    triggers: tuple[Trigger, Trigger]
    values: str


_KEPT: Final = "Account(user, Kept(1, selection, sessions, forwarding), observed, TABLE[key].state, lease)"
_OBSERVED: Final = "Account(user, kept, Observed(line, line, (), (), None), TABLE[key].state, lease)"


PAIRS: Final = (
    Pair(
        "DeviceSelected, to the deskphone and back",
        LOGGED_IN,
        (DeviceSelected(Device.DESKPHONE), DeviceSelected(Device.WEBRTC)),
        (Trigger.SELECT_DESKPHONE, Trigger.SELECT_WEBRTC),
        f"{_KEPT}; {_KEPT}",
    ),
    Pair(
        "LineChanged, the deskphone off hook and on hook",
        LOGGED_IN,
        (
            LineChanged(Device.DESKPHONE, LineStatus.IN_USE),
            LineChanged(Device.DESKPHONE, LineStatus.NOT_IN_USE),
        ),
        (Trigger.DESKPHONE_OFF_HOOK, Trigger.DESKPHONE_ON_HOOK),
        f"{_OBSERVED}; {_OBSERVED}",
    ),
    Pair(
        "LoggedIn and LoggedOut",
        LOGGED_OUT,
        (LoggedIn("tab-1", "connection-1"), LoggedOut("tab-1")),
        (Trigger.LOG_IN, Trigger.LOG_OUT),
        f"Session('tab-1', 'connection-1'); {_KEPT}; {_KEPT}",
    ),
)

FLOOR: Final = "one look-up, one Account"


def floor(account: Account = LOGGED_IN, trigger: Trigger = Trigger.SELECT_DESKPHONE) -> Contender:
    """The least that a transition can cost here: one look-up in the table and one new `Account`."""
    source = "Account(user, kept, observed, TABLE[key].state, lease)"
    return statement(FLOOR, source, _parts(account, trigger))


def _parts(account: Account, trigger: Trigger) -> dict[str, object]:
    """What an account is made of, and the key under which a trigger is looked up."""
    kept = account.kept
    return {
        "TABLE": TABLE,
        "Account": Account,
        "Kept": Kept,
        "Observed": Observed,
        "Session": Session,
        "key": (account.state, trigger, kept.selection),
        "user": account.user,
        "kept": kept,
        "observed": account.observed,
        "lease": account.lease,
        "selection": kept.selection,
        "sessions": kept.sessions,
        "forwarding": kept.forwarding,
        "line": account.observed.deskphone,
    }


def compare() -> Comparison:
    """Time each pair with every machine, after each peer has shown that it is the same machine."""
    checked: list[Row] = [
        {"peer": name, "compared with the table": machines.check(name)} for name in machines.PEERS
    ]
    tables = [Table("Entries and refusals in which each peer agrees with the table", checked)]
    aims = []
    for pair in PAIRS:
        timings = _timed(pair)
        tables.append(Table(pair.title, [_row(name, timings) for name in timings]))
        faster = timings["transitions"].over(timings["apply"])
        aims.append(Aim(f"{pair.title}: times faster than transitions", faster, at_least=4.0))
        aims.append(Aim(f"{pair.title}: times the floor", timings["apply"].over(timings[FLOOR]), at_most=3.0))
    return Comparison(tables, aims)


def _timed(pair: Pair) -> dict[str, Timing]:
    there, back = pair.events
    names: dict[str, object] = {"apply": apply, "account": pair.account, "there": there, "back": back}
    ours = statement("apply", "apply(apply(account, there), back)", names, operations=2)
    values = statement(
        "their new values alone", pair.values, _parts(pair.account, pair.triggers[0]), operations=2
    )
    peers = [
        _peer("transitions", [machines.TransitionsPeer()], pair, 1000),
        _peer("Automat", [machines.AutomatPeer() for _ in range(20)], pair, 50),
        _peer("python-statemachine", [machines.StatechartPeer()], pair, 100),
    ]
    return interleave(floor(pair.account, pair.triggers[0]), values, ours, *peers)


def _peer(name: str, peers: Sequence[machines.Peer], pair: Pair, times: int) -> Contender:
    """Peers brought to where the pair begins, and driven by the methods that their library gives them."""
    for peer in peers:
        if pair.account is LOGGED_IN:
            peer.fire(Trigger.LOG_IN)
    there, back = pair.triggers
    source = f"for machine in machines: machine.{there}(); machine.{back}()"
    names: dict[str, object] = {"machines": [peer.native for peer in peers]}
    return statement(name, source, names, operations=2 * len(peers), times=times)


def _row(name: str, timings: dict[str, Timing]) -> Row:
    timing = timings[name]
    return {
        "one transition by": name,
        "ns": timing.nanoseconds,
        "times the floor": timing.over(timings[FLOOR]),
        "times apply": timing.over(timings["apply"]),
    }
