"""Every port within the process: for tests, demos and services that need no more.

The doubles are honest: they pass the contract classes of `unique_account.testing`, and the PBX carries
installed plans out call by call on live facts of its own.
"""

from unique_account.adapters.memory.accounts import MemoryAccounts
from unique_account.adapters.memory.bus import MemoryBus
from unique_account.adapters.memory.call_log import MemoryCallLog
from unique_account.adapters.memory.calls import PlacedCall
from unique_account.adapters.memory.clock import SettableClock
from unique_account.adapters.memory.cti import MemoryCti
from unique_account.adapters.memory.directory import MemoryDirectory
from unique_account.adapters.memory.group_leases import MemoryGroupLeases
from unique_account.adapters.memory.observer import MemoryObserver
from unique_account.adapters.memory.pbx import MemoryPbx
from unique_account.adapters.memory.roster import MemoryRoster

__all__ = [
    "MemoryAccounts",
    "MemoryBus",
    "MemoryCallLog",
    "MemoryCti",
    "MemoryDirectory",
    "MemoryGroupLeases",
    "MemoryObserver",
    "MemoryPbx",
    "MemoryRoster",
    "PlacedCall",
    "SettableClock",
]
