"""The sessions of a manager account, as the console lists and ends them.

Asterisk carries out at most one more action of a session after it was asked to end it, and none once the
session is gone from the list. It may miss the request while it works for the session, so ask again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from unique_account.adapters.asterisk.ami.connection import Connection
from unique_account.core.errors import Unreachable

SHOWN_OF_NAME: Final = 15
"""The console shows so many characters of an account's name."""

_ROW: Final = re.compile(
    r"  (?P<name>.{15})  .* (?P<start>\d+) +(?P<age>-?\d+) +(?P<descriptor>-?\d+) +\d+ +\d+ +\d+ *"
)


@frozen(weakref_slot=False)
class ManagerSession:
    """A session, recognized again in a later list.

    Attributes:
        start: When it began, in seconds since 1970.
        descriptor: Its file descriptor, which a later session may have again.
    """

    start: int
    descriptor: int


async def manager_sessions(connection: Connection, username: str) -> Mapping[ManagerSession, int]:
    """The sessions of an account, each with its age in seconds by the node's clock.

    Those over HTTP, which no service has, are left out.

    Raises:
        Unreachable: The list lacks the session of this connection, so it is not understood.
    """
    answer = await connection.act("Command", ("Command", "manager show connected"))
    rows = [row for line in answer.all("Output") if (row := _ROW.fullmatch(line))]
    own = [row for row in rows if row["name"].rstrip() == username[:SHOWN_OF_NAME]]
    listed = {ManagerSession(int(row["start"]), int(row["descriptor"])): int(row["age"]) for row in own}
    found = {session: age for session, age in listed.items() if session.descriptor >= 0}
    if not found:
        raise Unreachable(f"the console's list `manager show connected` shows no session of {username}")
    return found


async def end_session(connection: Connection, session: ManagerSession) -> None:
    """Ask Asterisk to end a session; one that is gone already is no error."""
    await connection.act("Command", ("Command", f"manager kick session {session.descriptor}"))
