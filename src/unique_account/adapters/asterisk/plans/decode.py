"""Plans as they are read back from the entries of AstDB by which they are installed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import unquote

from attrs import evolve

from unique_account.adapters.asterisk.astdb_row import BETWEEN, FAMILY, FORMS, Entry
from unique_account.adapters.asterisk.dialplan_text import NAME, NUMBER
from unique_account.core.forwarding import Destination, Extension, Mailbox, Refusal
from unique_account.core.machine import Device
from unique_account.core.reasons import Reason
from unique_account.core.routing import Candidate, Gate, Plan


def plans(found: Iterable[Entry]) -> dict[str, Plan]:
    """The plans that such entries install, by user; their numbers without separators.

    Where the entries of a user are of several versions, as after a plan that was written in part, only
    those of the oldest count, so that the plan is seen to be due again.

    Raises:
        ValueError: An entry of the family is not one of `entries`.
    """
    rows: defaultdict[str, list[tuple[int, Plan]]] = defaultdict(list)
    for family, key, value in found:
        if family == FAMILY:
            position, plan = _unpacked(key, value)
            rows[plan.user].append((position, plan))
    return {user: _joined([plan for _, plan in sorted(own, key=_position)]) for user, own in rows.items()}


def _position(row: tuple[int, Plan]) -> int:
    return row[0]


def _joined(rows: Sequence[Plan]) -> Plan:
    oldest = min(row.version for row in rows)
    same = [row for row in rows if row.version == oldest]
    return evolve(
        same[0],
        numbers=tuple(number for row in same for number in row.numbers),
        did_seconds=tuple(pair for row in same for pair in row.did_seconds),
    )


def _unpacked(key: str, value: str) -> tuple[int, Plan]:
    """The position of a number in its user's plan, and the plan with this number alone."""
    texts = value.split(BETWEEN)
    problem = f"{key if key.isprintable() else ascii(key)}: {value!r} is no plan"
    if not _KEY(key) or len(texts) != len(FORMS) or not all(map(re.fullmatch, FORMS.values(), texts)):
        raise ValueError(problem)
    try:
        return _made(key, dict(zip(FORMS, texts, strict=True)))
    except ValueError as error:  # what is wrong within a text, a reason or the candidates
        raise ValueError(problem) from error


_KEY: Final = re.compile(f"{NUMBER}@{NAME}").fullmatch


def _made(key: str, values: Mapping[str, str]) -> tuple[int, Plan]:
    number, _, context = key.partition("@")
    do_not_disturb, forward = (_read_destination(values[name]) for name in ("do_not_disturb", "forward"))
    seconds = values["number_seconds"]
    plan = Plan(
        user=_read(values["user"]),
        version=int(values["version"]),
        owner=_read(values["owner"]),
        media_server=_read(values["media_server"]),
        context=context,
        numbers=(number,),
        interfaces=tuple(re.sub(r"[\[\]]", "", values["interfaces"]).split("|")),
        gate=Gate(do_not_disturb, forward, int(values["limit"])),
        candidates=tuple(_read_candidates(values)),
        no_answer=_rule(values["no_answer"]),
        busy=_rule(values["busy"]),
        congestion=_rule(values["congestion"]),
        unavailable=_rule(values["unavailable"]),
        did_seconds=((number, int(seconds)),) if seconds else (),
        max_forwards=int(values["max_forwards"]),
        because=tuple(map(_read_reason, _parts(values["because"]))),
    )
    return int(values["position"]), plan


def _read(text: str) -> str:
    return unquote(text, errors="surrogatepass")


def _parts(text: str) -> list[str]:
    return text.split("&") if text else []


def _read_candidates(values: Mapping[str, str]) -> Iterator[Candidate]:
    there = [prefix for prefix in ("", "next_") if values[f"{prefix}device"]]
    for prefix, seconds in zip(there, _parts(values["ring_seconds"]), strict=True):
        interface = f"PJSIP/{values[f'{prefix}line']}"
        yield Candidate(Device(values[f"{prefix}device"]), interface, int(seconds))


def _read_reason(text: str) -> Reason:
    rule, words, *facts = map(_read, text.split(":"))
    return Reason(rule, words, tuple(facts))


def _read_destination(text: str) -> Destination | None:
    return _rule(text) if text else None


def _rule(text: str) -> Destination:
    kind, _, where = text.partition(":")
    if kind == "refusal":
        return Refusal(int(where))
    return Extension(where) if kind == "extension" else Mailbox(where)
