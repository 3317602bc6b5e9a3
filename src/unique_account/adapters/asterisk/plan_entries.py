"""A plan as entries of AstDB: one for each number, with all that a call by this number needs (R16).

So a call costs one look-up, which `unique_account.adapters.asterisk.routine` makes.
`unique_account.adapters.asterisk.installed` reads plans back.

An entry is a row of fields between commas. Of a plan, only characters that mean nothing to a dialplan get
into a field; names of free text are written as in a URL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from unique_account.adapters.asterisk.harmless import (
    DIALLED,
    INTERFACE,
    NAME,
    NotForDialplan,
    problems_of,
    problems_of_place,
)
from unique_account.core.forwarding import Destination, Extension, Mailbox, Outcome, Refusal, digits
from unique_account.core.routing import Candidate, Plan

FAMILY: Final = "unique_account"
"""The family of every entry in AstDB."""

LONGEST: Final = 900
"""A value of AstDB is at most so long; the manager interface takes lines of 1024 bytes."""

Entry = tuple[str, str, str]
"""An entry of AstDB: its family, its key and its value."""

_MATCHED: Final = r"PJSIP/(?:[0-9A-Za-z_-]|\[[.+]\]){1,60}"
_SECONDS: Final = "[1-9][0-9]{0,4}"
_COUNT: Final = "[0-9]{1,18}"
_TEXT: Final = "[0-9A-Za-z_.~%-]*"
_RULE: Final = (
    f"extension:{DIALLED}|mailbox:{NAME}(?:@{NAME})?|refusal:(?:[1-9]|[1-9][0-9]|1[01][0-9]|12[0-7])"
)
_CANDIDATE: Final = f"(?:webrtc|deskphone):{NAME}:{_SECONDS}"

ROUTED: Final[Mapping[str, str]] = {
    "gate": f"(?:{_RULE})?",
    "limit": _COUNT,
    "interfaces": rf"{_MATCHED}(?:\|{_MATCHED})*",
    "candidate": f"(?:{_CANDIDATE})?",
    "candidates": f"(?:{_CANDIDATE}(?:&{_CANDIDATE})*)?",
    "rules": "&".join([*(f"(?:{_RULE})" for _ in Outcome), _COUNT]),
}
"""The fields by which a call is routed, each with the form that it must have to be harmless there.

``gate`` is where every call goes now, by do-not-disturb or else by an unconditional forward. The first
candidate stands apart from the others; all ring for the time that the number has. ``rules`` are the
destinations for each outcome, in the order of `Outcome`, and how often a call may be forwarded: fields by
themselves would be variables of every call.
"""

_KEPT: Final[Mapping[str, str]] = {
    "version": _COUNT,
    "owner": _TEXT,
    "user": _TEXT,
    "media_server": _TEXT,
    "position": _COUNT,
    "do_not_disturb": f"(?:{_RULE})?",
    "forward": f"(?:{_RULE})?",
    "seconds": f"(?:{_SECONDS}(?:&{_SECONDS})*)?",
    "number_seconds": f"(?:{_SECONDS})?",
    "because": "[0-9A-Za-z_.~%:&-]*",
}
"""The fields that only `unique_account.adapters.asterisk.installed` reads.

``seconds`` are the ring times of the candidates, whatever time the number has.
"""

_MADE: Final = ("gate", "candidate", "candidates", "rules")
"""The fields that are made of what is told under its own name when it is wrong."""

FORMS: Final[Mapping[str, str]] = {**ROUTED, **_KEPT}
"""Every field of a row, in order, with its form."""


def entries(plan: Plan) -> tuple[Entry, ...]:
    """The entries of AstDB that install a plan: one for each of its numbers, in their order.

    Each is complete, so a call meets either the old plan or the new one while they are written. What a
    number that the plan no longer has left behind is for the caller to take away.

    Raises:
        NotForDialplan: The plan holds what a dialplan cannot be given.
    """
    numbers = [digits(number) for number in plan.numbers]
    seconds = {digits(number): str(own) for number, own in plan.did_seconds}
    rows = [_row(plan, seconds.get(number, ""), position) for position, number in enumerate(numbers)]
    problems = problems_of_place(plan.context, plan.numbers)
    if not numbers or len(set(numbers)) < len(numbers) or not seconds.keys() <= set(numbers):
        problems.append("numbers: are none, or name one twice, or lack one of did_seconds")
    for candidate in plan.candidates:
        problems += problems_of({"candidates": (candidate.interface, INTERFACE)})
        problems += problems_of({"candidates": (_candidate(candidate, ""), _CANDIDATE)})
    rules = {outcome.value: (_destination(plan.destination(outcome)), _RULE) for outcome in Outcome}
    problems += problems_of({**rules, "max_forwards": (str(plan.max_forwards), _COUNT)})
    for row in rows:
        problems += problems_of(
            {name: (text, FORMS[name]) for name, text in row.items() if name not in _MADE}
        )
    values = [",".join(row.values()) for row in rows]
    if any(len(value) > LONGEST for value in values):
        problems.append(f"plan: takes more than {LONGEST} bytes; its names are too long")
    if problems:
        raise NotForDialplan(dict.fromkeys(problems))
    keys = [f"{number}@{plan.context}" for number in numbers]
    return tuple((FAMILY, key, value) for key, value in zip(keys, values, strict=True))


def _row(plan: Plan, seconds: str, position: int) -> dict[str, str]:
    because = (":".join(map(_text, (one.rule, one.text, *one.facts))) for one in plan.because)
    candidates = [_candidate(one, seconds) for one in plan.candidates]
    row = {
        "gate": _destination(plan.gate.do_not_disturb or plan.gate.forward),
        "limit": str(plan.gate.limit),
        # As they stand in a regular expression, in which a dot or a plus by itself has a meaning.
        "interfaces": re.sub(r"[.+]", r"[\g<0>]", "|".join(plan.interfaces)),
        "candidate": "".join(candidates[:1]),
        "candidates": "&".join(candidates[1:]),
        "rules": "&".join([*map(_destination, map(plan.destination, Outcome)), str(plan.max_forwards)]),
        "version": str(plan.version),
        "owner": _text(plan.owner),
        "user": _text(plan.user),
        "media_server": _text(plan.media_server),
        "position": str(position),
        "do_not_disturb": _destination(plan.gate.do_not_disturb),
        "forward": _destination(plan.gate.forward),
        "seconds": "&".join(str(one.seconds) for one in plan.candidates),
        "number_seconds": seconds,
        "because": "&".join(because),
    }
    return {name: row[name] for name in FORMS}


def _candidate(candidate: Candidate, seconds: str) -> str:
    return f"{candidate.device}:{candidate.interface.removeprefix('PJSIP/')}:{seconds or candidate.seconds}"


def _destination(destination: Destination | None) -> str:
    match destination:
        case Extension(number):
            return f"extension:{digits(number)}"
        case Mailbox(address):
            return f"mailbox:{address}"
        case Refusal(cause):
            return f"refusal:{cause}"
        case None:
            return ""


def _text(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")
