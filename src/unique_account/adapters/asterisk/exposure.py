"""Where the text of strangers enters a live Asterisk: caller ids that callers choose, and open wildcards.

Neither is a fault. `unique_account.adapters.asterisk.ami.untrusted_text` has what such a text may try, and
what is done about it; other programs on the same node may believe it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection
from unique_account.adapters.asterisk.ami.login import ManagerLogin, connect
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.wire_names import TRUNK_CONTEXT
from unique_account.core.errors import Unreachable

_WILDCARD: Final = re.compile(r"^ +'(_[^']*[.!])' =>", re.MULTILINE)
_INCLUDED: Final = re.compile(r"^ +Include => +'([^']*)'", re.MULTILINE)
_SHOWN: Final = 5


async def exposures(login: ManagerLogin) -> tuple[str, ...]:
    """By which endpoints and wildcards strangers' text comes in, a sentence each.

    Raises:
        Unreachable: The node cannot be reached, or does not let the account list endpoints.
    """
    try:
        async with connect(login) as connection:
            # Between nodes the caller ids are those of the calls, and the numbers are rendered.
            details = [one for one in await _details(connection) if one.get("Context") != TRUNK_CONTEXT]
            return (*_caller_ids(details), *await _wildcards(connection, details))
    except ActionRefused as error:
        raise Unreachable(str(error)) from error


async def _details(connection: Connection) -> list[Message]:
    """The details of every endpoint."""
    try:
        listed = await connection.collect("PJSIPShowEndpoints")
    except ActionRefused as error:
        if "permission" in error.reason.lower():
            raise
        return []  # there are none
    found = [await connection.collect("PJSIPShowEndpoint", ("Endpoint", one["ObjectName"])) for one in listed]
    return [item for items in found for item in items if item.event == "EndpointDetail"]


def _caller_ids(details: Iterable[Message]) -> Iterable[str]:
    free = [one["ObjectName"] for one in details if _chooses_caller_id(one)]
    if free:
        yield (
            f"callers choose their caller id on {_listed(free)}, line breaks included; "
            "set callerid and trust_id_inbound = no on all but outside lines"
        )


def _chooses_caller_id(detail: Message) -> bool:
    return detail.get("TrustIdInbound") == "true" or detail.get("Callerid") in (None, "", "<unknown>")


async def _wildcards(connection: Connection, details: Iterable[Message]) -> list[str]:
    """What is open in the contexts of endpoints."""
    users: defaultdict[str, list[str]] = defaultdict(list)
    for one in details:
        users[one.get("Context", "")].append(one["ObjectName"])
    notes = []
    for context, names in sorted(users.items()):
        if found := await _patterns(connection, context):
            notes.append(
                f"whatever {_listed(names)} dials matches {_listed(found)} of the context {context}, "
                "line breaks included; a pattern of digits, such as _0XXXXXXXXX, lets none in"
            )
    return notes


async def _patterns(connection: Connection, context: str) -> list[str]:
    """The wildcards of a context and of all that it includes."""
    found, known, left = [], {context}, [context]
    while left:
        shown = await _shown(connection, left.pop())
        found += _WILDCARD.findall(shown)
        more = set(_INCLUDED.findall(shown)) - known
        known |= more
        left += sorted(more)
    return found


async def _shown(connection: Connection, context: str) -> str:
    """A context of the dialplan as the console shows it; empty if it is not there."""
    try:
        answer = await connection.act("Command", ("Command", f"dialplan show {context}"))
    except ActionRefused as error:
        if "permission" in error.reason.lower():
            raise
        return ""
    return "\n".join(answer.all("Output"))


def _listed(names: Sequence[str]) -> str:
    first, more = names[:_SHOWN], len(names) - _SHOWN
    return ", ".join(first) + (f" and {more} more" if more > 0 else "")
