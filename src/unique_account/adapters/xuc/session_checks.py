"""The periodic check that every session lives, and that its login still has the password of its log-in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from unique_account.adapters.xuc.hub import Hub
from unique_account.adapters.xuc.tab import CloseCode, Tab
from unique_account.ports.assistant_store import StoreFailed
from unique_account.ports.observer import PortRequest

CHECK_EVERY: Final = 5.0
"""How many seconds lie between two checks."""

AT_ONCE: Final = 1000
"""About how many sessions the store is asked at once."""


async def check_periodically(hub: Hub) -> None:
    """Check all sessions, and write what the store still has to write, until cancelled."""
    while True:
        await asyncio.sleep(CHECK_EVERY)
        with suppress(StoreFailed):  # the observer knows
            await hub.store.save()
        await check_sessions(hub)


async def check_sessions(hub: Hub) -> None:
    """Log out sessions that another process ended, and those whose login has another password, or none."""
    for tabs in _batches(hub.tabs):
        try:
            living = set(await hub.store.living({(tab.user, tab.session) for tab in tabs}))
        except StoreFailed:  # those that are connected stay so until it is known
            living = {(tab.user, tab.session) for tab in tabs}
        for tab in tabs:
            await _check(hub, tab, lives=(tab.user, tab.session) in living)


def _batches(tabs: Sequence[Tab]) -> Iterator[Sequence[Tab]]:
    return (tabs[start : start + AT_ONCE] for start in range(0, len(tabs), AT_ONCE))


async def _check(hub: Hub, tab: Tab, *, lives: bool) -> None:
    try:
        if not lives:
            await hub.log_out(tab.user, tab.session)
        elif not await hub.log_ins.has_current_password(tab.token):
            await hub.log_out(tab.user, tab.session, CloseCode.BAD_TOKEN)
    except Exception as error:  # the next check finds it again
        hub.observer.failed(PortRequest("cti", "sessions", user=tab.user), error)
