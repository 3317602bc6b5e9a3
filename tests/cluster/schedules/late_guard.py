"""The watchdog of hints with a planted fault: it comes late, and asks for no new owner."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

from tests.cluster.schedules.faults import replace
from unique_account.adapters.asterisk.ami.connection import Connection
from unique_account.adapters.asterisk.hints import watchdog_process
from unique_account.adapters.asterisk.hints.watchdog_process import Turn

LATE: Final = 0.5


async def _lasts(self: Turn, connection: Connection) -> bool:
    return True


if __name__ == "__main__":
    replace(Turn, "lasts", _lasts)
    put_back = watchdog_process.put_back

    async def late(*given: Any) -> None:
        """Come late."""
        await asyncio.sleep(LATE)
        await put_back(*given)

    replace(watchdog_process, "put_back", late)
    watchdog_process.main(sys.stdin)
