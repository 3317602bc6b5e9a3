"""The epoch of a node's owner, as an entry of the node's AstDB.

Beside the epoch, the entry names the process that wrote it. Two processes can have the same epoch where the
lease was restored from a backup; then each finds the other by its name.
"""

from __future__ import annotations

import re
from secrets import token_hex
from typing import Final
from urllib.parse import quote

from attrs import field, frozen

from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection
from unique_account.adapters.asterisk.ami.login import ManagerLogin, connect
from unique_account.core.errors import Unreachable
from unique_account.ports.group_leases import Fence, Fenced
from unique_account.ports.pbx import NodeDown

EPOCH_FAMILY: Final = "unique_account_epoch"
"""The family of the entries in AstDB, one for each group of an installation."""

_THIS_PROCESS: Final = token_hex(8)
_ENTRY: Final = re.compile(r"(\d{1,18}) ([0-9a-f]+)")
_NO_ENTRY: Final = "not found"


@frozen(weakref_slot=False)
class OwnEpoch:
    """The epoch under which this process owns a node.

    Attributes:
        group: The group.
        epoch: The epoch of its ownership.
        key: The key of the entry in AstDB.
        process: This process, which no other one is mistaken for.
    """

    group: str
    epoch: int
    key: str
    process: str = field(default=_THIS_PROCESS)

    async def is_at(self, connection: Connection) -> bool:
        """Whether this process is the last that took the node; False if it has to take it.

        Raises:
            Fenced: A newer owner took the node, or another one of the same epoch.
            Unreachable: The entry cannot be read.
        """
        epoch, process = await _found(connection, self.key)
        if (epoch, process) == (self.epoch, self.process):
            return True
        if epoch >= self.epoch:
            raise Fenced(self.group, self.epoch, epoch)
        return False

    async def write(self, connection: Connection) -> None:
        """Write this epoch over an earlier one."""
        value = f"{self.epoch} {self.process}"
        await connection.act("DBPut", ("Family", EPOCH_FAMILY), ("Key", self.key), ("Val", value))


def own_epoch(fence: Fence, owner: str) -> OwnEpoch:
    """The epoch of a fence, on the nodes of an installation.

    Args:
        fence: The fence.
        owner: The name of the installation, as in its plans.
    """
    return OwnEpoch(fence.group, fence.epoch, _key(owner, fence.group))


async def epoch_at_node(login: ManagerLogin, owner: str, group: str) -> int:
    """The epoch of the last owner that took a node; 0 if there was none.

    It connects for this question alone. Ask before a lease is taken: the next epoch must be above. A new
    owner that takes the node meanwhile ends this session, too; then it connects once more.

    Raises:
        Unreachable: The node cannot be reached, or the entry cannot be read.
    """
    try:
        return await _asked(login, _key(owner, group))
    except NodeDown:
        return await _asked(login, _key(owner, group))


async def _asked(login: ManagerLogin, key: str) -> int:
    async with connect(login) as connection:
        return (await _found(connection, key))[0]


async def _found(connection: Connection, key: str) -> tuple[int, str]:
    """The epoch of an entry, and the process that wrote it."""
    try:
        reported = await connection.collect("DBGet", ("Family", EPOCH_FAMILY), ("Key", key))
    except ActionRefused as error:
        if _NO_ENTRY in error.reason:
            return 0, ""
        raise Unreachable(f"{error}, so nobody knows whether the node has a newer owner") from error
    value = reported[0].get("Val", "") if reported else ""
    if (entry := _ENTRY.fullmatch(value)) is None:
        where = f"/{EPOCH_FAMILY}/{key}"
        raise Unreachable(f"the entry {where} of AstDB is {value!r} and no epoch; delete it")
    return int(entry[1]), entry[2]


def _key(owner: str, group: str) -> str:
    return f"{quote(owner, safe='')}@{quote(group, safe='')}"
