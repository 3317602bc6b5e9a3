"""The dialplan of a node: a fixed routine that carries plans out by itself (R16), and who its users are.

`render` gives the text, which an administrator includes. It knows the users' numbers and phones, so it is
rendered again when those change, and not when a user chooses anything: plans are entries of AstDB
(`unique_account.adapters.asterisk.plans.encode`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from unique_account.adapters.asterisk.config_files.dialplan_routine import ROUTINE, arguments
from unique_account.adapters.asterisk.config_files.feature_codes import CODES_ROUTINE, dialled_codes, owners
from unique_account.adapters.asterisk.config_files.trunks import TRUNKS_ROUTINE, away_door
from unique_account.adapters.asterisk.dialplan_text import (
    INTERFACE,
    NotForDialplan,
    problems_of,
    problems_of_place,
)
from unique_account.adapters.asterisk.wire_names import (
    HINT_CONTEXTS,
    HINTS_CONTEXT,
    MEMBERS_CONTEXT,
    NUMBERS_CONTEXT,
    custom_state,
    hint_context,
)
from unique_account.core.uniqueness import collisions
from unique_account.core.user import User

NO_TRUNKS: Final[Mapping[str, str]] = {}


def live_devices(user: User) -> str:
    """Both devices of a user, as a hint follows them by itself."""
    return f"{user.deskphone}&{user.webrtc}"


def render(users: Iterable[User], trunks: Mapping[str, str] = NO_TRUNKS) -> str:
    """The dialplan of a node, to be included in ``extensions.conf``; the same for the same users.

    For each context of the users there is one, ``unique-account-numbers-`` and its name, that the
    administrator includes there. It holds every number with its deskphone, which rings while the number
    has no plan (R16). A group rings the device in use of its members through ``unique-account-members-``
    and the name, and by none of their rules (R8).

    Args:
        users: Those whose devices the node carries, and those of the nodes behind its trunks.
        trunks: The endpoints by which other nodes are reached, such as ``PJSIP/mds1``, by their names as
            users name them in ``User.media_server``.

    Raises:
        NotForDialplan: Users have something in common that only one can have, or a device or trunk is
            not one of PJSIP.
    """
    users = tuple(users)
    contexts: defaultdict[str, dict[str, User]] = defaultdict(dict)
    problems = problems_of({f"trunks: {name}": (trunk, INTERFACE) for name, trunk in trunks.items()})
    for user in users:
        lines = {"deskphone": user.deskphone, "webrtc": user.webrtc}
        problems += problems_of({name: (line, INTERFACE) for name, line in lines.items()})
        problems += problems_of_place(user.context, user.numbers)
        for number in user.numbers:
            contexts[user.context][number] = user
    problems += collisions((user.id, user) for user in users)
    if problems:
        raise NotForDialplan(problems)
    own = [user for user in users if user.media_server not in trunks]
    away = [user for user in users if user.media_server in trunks]
    numbers = [_numbers(*one, trunks) for one in sorted(contexts.items())]
    return "".join((ROUTINE, CODES_ROUTINE, TRUNKS_ROUTINE, *numbers, owners(own), _hints(own, away)))


def _numbers(context: str, users: Mapping[str, User], trunks: Mapping[str, str]) -> str:
    head = f"\n; To be included in the context {context}.\n[{NUMBERS_CONTEXT}-{context}]\n"
    members = (
        f"\n; What a group dials: Local/<number>@{MEMBERS_CONTEXT}-{context}\n[{MEMBERS_CONTEXT}-{context}]\n"
    )
    each = [(number, user, trunks.get(user.media_server)) for number, user in sorted(users.items())]
    doors, other_doors = ("".join(_door(*one, begin) for one in each) for begin in ("1", "member"))
    return head + doors + dialled_codes(users.values()) + members + other_doors


def _door(number: str, user: User, trunk: str | None, begin: str) -> str:
    if trunk is not None:
        return away_door(number, user, trunk)
    passed = arguments(user.context, user.deskphone.removeprefix("PJSIP/"), user.ring_seconds)
    return f"exten = {number},1,Gosub(unique-account,{number},{begin}({passed}))\n"


def _hints(own: Iterable[User], away: Iterable[User]) -> str:
    # Numbers of other nodes have no devices here, but phones may watch them before the service is there.
    head = f"\n; To be included in the context in which phones subscribe.\n[{HINTS_CONTEXT}]\n"
    watched = {number: custom_state(number) for user in away for number in user.numbers}
    by_id = sorted(own, key=lambda user: user.id)
    watched |= {number: live_devices(user) for user in by_id for number in user.numbers}
    includes = "".join(f"include = {context}\n" for context in HINT_CONTEXTS)
    parts = {context: [f"[{context}]\nexten = unique-account,1,Hangup()\n"] for context in HINT_CONTEXTS}
    for number in sorted(watched):
        parts[hint_context(number)].append(f"exten = {number},hint,{watched[number]}\n")
    return head + includes + "".join(line for part in parts.values() for line in part)
