"""Commands that ask: for the line, the calls, the history, colleagues and their presence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from unique_account.adapters.xuc import messages
from unique_account.adapters.xuc.frames import Fields, InvalidMessage
from unique_account.adapters.xuc.messages import Party
from unique_account.adapters.xuc.office import Office
from unique_account.adapters.xuc.tab import Tab
from unique_account.core.errors import InvalidCursor
from unique_account.core.history import DEFAULT_DAYS, DEFAULT_SIZE, MAX_SIZE, CallRecord, Page, days_before
from unique_account.core.presence import Presence

MOST_WATCHED: Final = 1000
"""How many numbers one tab may watch."""

MOST_DAYS: Final = 3650

MOST_COLLEAGUES: Final = 500


async def get_config(office: Office, tab: Tab, fields: Fields) -> None:
    """``getConfig``: how to register."""
    fields.one_of("objectType", ("line",))
    tab.desk.tell_line(tab)


async def get_ice(office: Office, tab: Tab, fields: Fields) -> None:
    """``getIceConfig``: how to find a way to the media."""
    tab.tell("IceConfig", office.ice(tab.desk.user))


async def get_calls(office: Office, tab: Tab, fields: Fields) -> None:
    """``getCurrentCallsPhoneEvents``: the live calls."""
    tab.desk.tell_calls(tab)


# -- presence ----------------------------------------------------------------------------------------


async def watch(office: Office, tab: Tab, fields: Fields) -> None:
    """``subscribeToPhoneHints``: watch numbers; one that may not be seen looks as if nobody had it."""
    numbers = dict.fromkeys(fields.texts("phoneNumbers", MOST_WATCHED))
    if len(tab.watched | numbers.keys()) > MOST_WATCHED:
        raise InvalidMessage(f"phoneNumbers: more than {MOST_WATCHED} would be watched")
    for number in numbers:
        if await office.directory.may_see(tab.desk.user, number):
            office.watch(tab, number)
        else:
            tab.send(messages.hint(number, Presence.UNEXISTING))


async def unwatch(office: Office, tab: Tab, fields: Fields) -> None:
    """``unsubscribeFromAllPhoneHints``: watch no number any more."""
    office.unwatch(tab)


async def get_colleagues(office: Office, tab: Tab, fields: Fields) -> None:
    """``getColleagues``: whom the user may see, and what they are at."""
    words = fields.maybe_text("words") or ""
    size = fields.whole("size", 1, MOST_COLLEAGUES) or 100
    found = await office.directory.colleagues(tab.desk.user, words, size)
    entries = [
        {"number": known.number, "name": known.name, "status": office.presences.get(known.number)}
        for known in found
    ]
    tab.tell("Colleagues", {"entries": entries, "words": words})


# -- history -----------------------------------------------------------------------------------------


async def get_history(office: Office, tab: Tab, fields: Fields) -> None:
    """``getUserCallHistory``: so many calls; without a number, those of the last days (H5)."""
    size = fields.whole("size", 1, MAX_SIZE)
    since = days_before(office.now(), DEFAULT_DAYS) if size is None else None
    await _tell_history(office, tab, await _page(office, tab, size or MAX_SIZE, None, since))


async def get_history_by_days(office: Office, tab: Tab, fields: Fields) -> None:
    """``getUserCallHistoryByDays``: the calls of so many days (H5)."""
    days = fields.whole("days", 1, MOST_DAYS) or DEFAULT_DAYS
    since = days_before(office.now(), days)
    await _tell_history(office, tab, await _page(office, tab, MAX_SIZE, None, since))


async def get_history_page(office: Office, tab: Tab, fields: Fields) -> None:
    """``getHistoryPage``: a page, and the cursor of the one that follows (H5)."""
    size = fields.whole("size", 1, MAX_SIZE) or DEFAULT_SIZE
    days = fields.whole("days", 1, MOST_DAYS)
    cursor = fields.maybe_text("cursor", 1024)
    since = None if days is None else days_before(office.now(), days)
    page = await _page(office, tab, size, cursor, since)
    names = await _names(office, page.entries)
    entries = [messages.page_entry(entry, names.get(entry.peer)) for entry in page.entries]
    tab.tell("HistoryPage", {"entries": entries, "next": page.next, "cursor": cursor})


async def _page(office: Office, tab: Tab, size: int, cursor: str | None, since: datetime | None) -> Page:
    try:
        return await office.listening().histories.page(tab.desk.user, size, cursor, since)
    except InvalidCursor as error:
        raise InvalidMessage(f"cursor: {error}") from error


async def _names(office: Office, entries: Iterable[CallRecord]) -> dict[str, str | None]:
    """The names behind the numbers of those whose name the records do not tell."""
    numbers = {entry.peer for entry in entries if entry.peer and not entry.peer_name}
    return {number: await office.directory.name(number) for number in numbers}


async def _tell_history(office: Office, tab: Tab, page: Page) -> None:
    """Tell a history in XiVO's words."""
    desk = tab.desk
    number = "" if desk.view is None else desk.view.number
    own: Party = (number, desk.name, None if desk.view is None else desk.view.presence)
    names = await _names(office, page.entries)
    seen = {peer: await office.seen_by(desk.user, peer) for peer in {entry.peer for entry in page.entries}}
    zone = office.settings.zone
    entries = [
        messages.history_entry(
            entry,
            own,
            (entry.peer, entry.peer_name or names.get(entry.peer), seen[entry.peer]),
            entry.start.astimezone(zone),
        )
        for entry in page.entries
    ]
    tab.tell("CallHistory", entries)
