"""The periodic check that every session's login still has the password it logged in with."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from unique_account.adapters.xuc.hub import Hub
from unique_account.adapters.xuc.storage.sqlite_file import StoreFailed
from unique_account.adapters.xuc.tab import CloseCode
from unique_account.ports.observer import PortRequest

CHECK_EVERY: Final = 5.0
"""How many seconds lie between two checks."""


async def check_periodically(hub: Hub) -> None:
    """Check all sessions, and write what the store still has to write, until cancelled."""
    while True:
        await asyncio.sleep(CHECK_EVERY)
        if hub.store.has_unwritten:
            with suppress(StoreFailed):  # the observer knows
                await hub.store.save()
        await check_sessions(hub)


async def check_sessions(hub: Hub) -> None:
    """Log out the sessions whose login has another password, or none."""
    for tab in hub.tabs:
        try:
            if not await hub.has_current_password(tab.token):
                await hub.log_out(tab.user, tab.session, CloseCode.BAD_TOKEN)
        except Exception as error:  # the next check finds it again
            hub.observer.failed(PortRequest("cti", "sessions", user=tab.user), error)
