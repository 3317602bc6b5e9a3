"""What is read off an account: each projection, beside the least that one new `Account` costs."""

from __future__ import annotations

from benchmarks.report import Comparison, Row, Table
from benchmarks.rounds import interleave, statement
from benchmarks.samples import LOGGED_IN
from benchmarks.transition import FLOOR, floor
from unique_account.core.device_in_use import device_in_use
from unique_account.core.presence import presence
from unique_account.core.routing import facts, plan, resolve, route
from unique_account.core.view import view

STATEMENTS = {
    "device_in_use": "device_in_use(account)",
    "presence": "presence(account)",
    "resolve": "resolve(planned, known)",
    "plan": "plan(account)",
    "route": "route(account)",
    "view": "view(account)",
}


def compare() -> Comparison:
    """Time each projection of a logged-in account that has a mailbox, a DID and both lines free."""
    names: dict[str, object] = {
        "account": LOGGED_IN,
        "planned": plan(LOGGED_IN),
        "known": facts(LOGGED_IN),
        "device_in_use": device_in_use,
        "presence": presence,
        "resolve": resolve,
        "plan": plan,
        "route": route,
        "view": view,
    }
    projections = [statement(name, source, names, times=2000) for name, source in STATEMENTS.items()]
    timings = interleave(floor(), *projections)
    rows: list[Row] = [
        {"one call of": name, "µs": timing.microseconds, "times the floor": timing.over(timings[FLOOR])}
        for name, timing in timings.items()
    ]
    return Comparison([Table("Projections of one account", rows)])
