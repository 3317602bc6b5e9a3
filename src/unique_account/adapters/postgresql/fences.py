"""The fence against earlier owners of a group, as a part of each statement that writes.

A statement locks the row of its epoch before it writes, and the server ends it by itself. A takeover changes
that row: it waits for statements that have locked it, and those that come later do not find it.
"""

from __future__ import annotations

from typing import Any, Final

from unique_account.adapters.postgresql.database import Connection
from unique_account.ports.group_leases import Fence, Fenced

OPEN: Final = "EXISTS (SELECT FROM fence)"
"""The condition of a statement under which it may write."""

_HELD: Final = """fence AS MATERIALIZED (
    SELECT 1 FROM unique_account.group_leases
    WHERE group_name = %(group)s AND epoch = %(epoch)s AND owner <> '' FOR KEY SHARE
)"""
_NONE: Final = "fence AS (SELECT 1)"
_OWNED: Final = "SELECT epoch FROM unique_account.group_leases WHERE group_name = %s AND owner <> ''"


class SqlFence:
    """A fence as SQL.

    Args:
        fence: What the process owns; None: every write is let through.
    """

    def __init__(self, fence: Fence | None) -> None:
        self._fence = fence
        self.table = _HELD if fence else _NONE
        """The table expression ``fence``, which has a row, locked, while writes are let through."""
        self.values: dict[str, Any] = {"group": fence.group, "epoch": fence.epoch} if fence else {}
        """The parameters of that table expression."""

    async def check(self, connection: Connection) -> None:
        """Find out whether a statement that wrote nothing was kept out.

        Raises:
            Fenced: The group has another owner, or none.
        """
        if self._fence is not None:
            await check_owned(connection, self._fence)

    async def lock(self, connection: Connection) -> None:
        """Keep a takeover waiting until the transaction ends.

        Raises:
            Fenced: The group has another owner, or none.
        """
        if self._fence is not None:
            query = f"WITH {self.table} SELECT FROM fence".encode()
            if (await connection.execute(query, self.values)).rowcount == 0:
                await check_owned(connection, self._fence)


async def check_owned(connection: Connection, fence: Fence) -> None:
    """Compare a fence with the lease as it is now.

    Raises:
        Fenced: The group has another owner, or none.
    """
    row = await (await connection.execute(_OWNED, (fence.group,))).fetchone()
    if row is None or row[0] != fence.epoch:
        raise Fenced(fence.group, fence.epoch, row[0] if row else None)
