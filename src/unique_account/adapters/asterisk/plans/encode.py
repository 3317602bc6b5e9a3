"""A plan as entries of AstDB: one for each number, with all that a call by this number needs (R16).

So a call costs one look-up, which `unique_account.adapters.asterisk.config_files.dialplan_routine` makes.
`unique_account.adapters.asterisk.plans.decode` reads plans back.

An entry is a row of fields between exclamation marks. Of a plan, only characters that mean nothing to a
dialplan get into a field; names of free text are written as in a URL.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from unique_account.adapters.asterisk.astdb_row import BETWEEN, FAMILY, FORMS, LONGEST, ODD, SECONDS, Entry
from unique_account.adapters.asterisk.dialplan_text import (
    INTERFACE,
    NotForDialplan,
    problems_of,
    problems_of_place,
)
from unique_account.core.forwarding import Destination, Extension, Mailbox, Outcome, Refusal
from unique_account.core.machine import Device
from unique_account.core.routing import Candidate, Plan

_MADE: Final = ("gate", "device", "line", "seconds", "next_device", "next_line", "next_seconds")
"""Fields that are derived; what they derive from is reported under its own name when it is wrong."""


def entries(plan: Plan) -> tuple[Entry, ...]:
    """The entries of AstDB that install a plan: one for each of its numbers, in their order.

    Each is complete, so a call meets either the old plan or the new one while they are written. What a
    number that the plan no longer has left behind is for the caller to take away.

    Raises:
        NotForDialplan: The plan holds what a dialplan cannot be given.
    """
    numbers = plan.numbers
    seconds = {number: str(own) for number, own in plan.did_seconds}
    rows = [_row(plan, seconds.get(number, ""), position) for position, number in enumerate(numbers)]
    problems = problems_of_place(plan.context, plan.numbers)
    if not numbers or len(set(numbers)) < len(numbers) or not seconds.keys() <= set(numbers):
        problems.append("numbers: are none, or name one twice, or lack one of did_seconds")
    for candidate in plan.candidates:
        problems += problems_of({"candidates": (candidate.interface, INTERFACE)})
        problems += problems_of({"candidates": (str(candidate.seconds), SECONDS)})
    if len(plan.candidates) > len(Device):
        problems.append("candidates: are more than a user has devices")
    for row in rows:
        named = {name: text for name, text in row.items() if name not in _MADE}
        problems += problems_of({name: (text, FORMS[name]) for name, text in named.items()})
    values = [BETWEEN.join(row.values()) for row in rows]
    if any(len(value) > LONGEST for value in values):
        problems.append(f"plan: takes more than {LONGEST} bytes; its names are too long")
    if problems:
        raise NotForDialplan(dict.fromkeys(problems))
    keys = [f"{number}@{plan.context}" for number in numbers]
    return tuple((FAMILY, key, value) for key, value in zip(keys, values, strict=True))


def _row(plan: Plan, seconds: str, position: int) -> dict[str, str]:
    because = (":".join(map(_text, (one.rule, one.text, *one.facts))) for one in plan.because)
    gate = plan.gate
    first, second = [*(_candidate(one, seconds) for one in plan.candidates), _NOBODY, _NOBODY][:2]
    odd = ODD if gate.limit == 0 or not plan.candidates else ""
    row = {
        "gate": _destination(gate.do_not_disturb or gate.forward) or odd,
        "limit": str(gate.limit),
        # As they stand in a regular expression, in which a dot or a plus by itself has a meaning.
        "interfaces": re.sub(r"[.+]", r"[\g<0>]", "|".join(plan.interfaces)),
        **first,
        **{f"next_{name}": text for name, text in second.items()},
        **{outcome.value: _destination(plan.destination(outcome)) for outcome in Outcome},
        "max_forwards": str(plan.max_forwards),
        "version": str(plan.version),
        "owner": _text(plan.owner),
        "user": _text(plan.user),
        "media_server": _text(plan.media_server),
        "position": str(position),
        "do_not_disturb": _destination(plan.gate.do_not_disturb),
        "forward": _destination(plan.gate.forward),
        "ring_seconds": "&".join(str(one.seconds) for one in plan.candidates),
        "number_seconds": seconds,
        "because": "&".join(because),
    }
    return {name: row[name] for name in FORMS}


def _candidate(candidate: Candidate, seconds: str) -> dict[str, str]:
    line = candidate.interface.removeprefix("PJSIP/")
    return {"device": str(candidate.device), "line": line, "seconds": seconds or str(candidate.seconds)}


_NOBODY: Final = {"device": "", "line": "", "seconds": ""}


def _destination(destination: Destination | None) -> str:
    match destination:
        case Extension(number):
            return f"extension:{number}"
        case Mailbox(address):
            return f"mailbox:{address}"
        case Refusal(cause):
            return f"refusal:{cause}"
        case None:
            return ""


def _text(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")
