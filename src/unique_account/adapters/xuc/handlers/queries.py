"""Commands that query: the line, the calls, the history, colleagues and their presence."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from unique_account.adapters.xuc.hub import Hub
from unique_account.adapters.xuc.presence_subscriptions import VisiblePresence
from unique_account.adapters.xuc.protocol import own_messages, xivo_messages
from unique_account.adapters.xuc.protocol.incoming import Fields, InvalidMessage
from unique_account.adapters.xuc.protocol.xivo_messages import Party
from unique_account.adapters.xuc.tab import Tab
from unique_account.adapters.xuc.transport.query_budget import in_batches
from unique_account.core.errors import InvalidCursor
from unique_account.core.history import DEFAULT_DAYS, DEFAULT_SIZE, MAX_SIZE, CallRecord, Page, days_before
from unique_account.core.number import Number
from unique_account.ports.directory import Colleague

MOST_WATCHED: Final = 1000
"""How many numbers one tab may watch."""

MOST_DAYS: Final = 3650

MOST_COLLEAGUES: Final = 500


async def get_config(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``getConfig``: how to register; who asks takes one of the places that ring, if there is one left."""
    fields.one_of("objectType", ("line",))
    hub.sessions_of(tab.user).ask_line(tab)


async def get_ice(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``getIceConfig``: how to reach the media servers."""
    tab.report("IceConfig", hub.ice(tab.user))


async def get_calls(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``getCurrentCallsPhoneEvents``: the live calls."""
    hub.sessions_of(tab.user).report_calls(tab)


async def swallow_log(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``pushLogToServer``: what a client logs for the makers of its server; nobody reads it here."""


# -- presence ----------------------------------------------------------------------------------------


async def subscribe(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``subscribeToPhoneHints``: watch numbers; one that the user may not see looks unused."""
    numbers = dict.fromkeys(map(Number, fields.texts("phoneNumbers", MOST_WATCHED)))
    if len(tab.watched | numbers.keys()) > MOST_WATCHED:
        raise InvalidMessage(f"phoneNumbers: more than {MOST_WATCHED} would be watched")
    async with tab.query(hub.sessions_of(tab.user).budget) as budget:
        budget.spend(len(numbers))
        async for number in in_batches(numbers):
            if (await hub.presence.visible_to(tab.user, number)).allowed:
                hub.presence.subscribe(tab, number)
            else:
                hub.presence.show_unknown(tab, number)


async def unsubscribe(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``unsubscribeFromAllPhoneHints``: watch no number any more."""
    hub.presence.unsubscribe(tab)


async def get_colleagues(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``getColleagues``: the colleagues whom the user may see, and their presence."""
    words = fields.maybe_text("words") or ""
    size = fields.whole("size", 1, MOST_COLLEAGUES) or 100
    async with tab.query(hub.sessions_of(tab.user).budget) as budget:
        found = await hub.directory.colleagues(tab.user, words, size)
        budget.spend(len(found))
    entries = [_colleague(hub, colleague) for colleague in found]
    tab.report("Colleagues", {"entries": entries, "words": words})


def _colleague(hub: Hub, colleague: Colleague) -> dict[str, object]:
    diversion = hub.presence.diversion_of(colleague.number)
    return {
        "number": colleague.number,
        "name": colleague.name,
        "status": hub.presence.of(colleague.number),
        "doNotDisturb": diversion.do_not_disturb,
        "forwarded": diversion.forwarded,
    }


# -- history -----------------------------------------------------------------------------------------


async def get_history(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``getUserCallHistory``: the newest calls; without a number, those of the last days (H5)."""
    size = fields.whole("size", 1, MAX_SIZE)
    since = days_before(hub.now(), DEFAULT_DAYS) if size is None else None
    await _send_history(hub, tab, size or MAX_SIZE, since)


async def get_history_by_days(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``getUserCallHistoryByDays``: the calls of the last days (H5)."""
    days = fields.whole("days", 1, MOST_DAYS) or DEFAULT_DAYS
    since = days_before(hub.now(), days)
    await _send_history(hub, tab, MAX_SIZE, since)


async def get_history_page(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``getHistoryPage``: a page, and the cursor of the next one (H5)."""
    size = fields.whole("size", 1, MAX_SIZE) or DEFAULT_SIZE
    days = fields.whole("days", 1, MOST_DAYS)
    cursor = fields.maybe_text("cursor", 1024)
    since = None if days is None else days_before(hub.now(), days)
    async with tab.query(hub.sessions_of(tab.user).log_budget) as budget:
        page = await _page(hub, tab, size, cursor, since)
        budget.spend(len(page.entries))
        visible = await _visible_peers(hub, tab, page)
        entries = [
            own_messages.page_entry(entry, visible[entry.peer].name)
            async for entry in in_batches(page.entries)
        ]
    tab.report("HistoryPage", {"entries": entries, "next": page.next, "cursor": cursor})


async def _page(hub: Hub, tab: Tab, size: int, cursor: str | None, since: datetime | None) -> Page:
    try:
        return await hub.require_service().histories.page(tab.user, size, cursor, since)
    except InvalidCursor as error:
        raise InvalidMessage(f"cursor: {error}") from error


async def _visible_peers(hub: Hub, tab: Tab, page: Page) -> dict[str, VisiblePresence]:
    """What the user sees of the other parties of a page, by number."""
    peers = dict.fromkeys(entry.peer for entry in page.entries)
    return {peer: await hub.presence.visible_to(tab.user, peer) async for peer in in_batches(peers)}


async def _send_history(hub: Hub, tab: Tab, size: int, since: datetime | None) -> None:
    """Send a history in XiVO's format."""
    sessions, zone = hub.sessions_of(tab.user), hub.settings.zone
    async with tab.query(sessions.log_budget) as budget:
        page = await _page(hub, tab, size, None, since)
        budget.spend(len(page.entries))
        number = "" if sessions.view is None else sessions.view.number
        presence = None if sessions.view is None else sessions.view.presence
        own: Party = (number, sessions.name, presence, tab.user)
        visible = await _visible_peers(hub, tab, page)
        entries = [
            xivo_messages.history_entry(
                entry, own, _peer(hub, entry, visible[entry.peer]), entry.start.astimezone(zone)
            )
            async for entry in in_batches(page.entries)
        ]
    tab.report("CallHistory", entries)


def _peer(hub: Hub, entry: CallRecord, visible: VisiblePresence) -> Party:
    """The other party: with the name that the call showed, else the one that the user may see."""
    user = (hub.user_of(entry.peer) or "") if visible.allowed else ""
    return (entry.peer, entry.peer_name or visible.name, visible.presence, user)
