"""Commands about people: search, favourites, and the name behind a user name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from unique_account.adapters.xuc.hub import Hub
from unique_account.adapters.xuc.protocol import directory_messages
from unique_account.adapters.xuc.protocol.directory_messages import Contact
from unique_account.adapters.xuc.protocol.incoming import Fields, InvalidMessage
from unique_account.adapters.xuc.tab import Tab
from unique_account.adapters.xuc.transport.query_budget import in_batches
from unique_account.core.number import Number
from unique_account.ports.assistant_store import TooManyFavorites
from unique_account.ports.inbound.events import UnknownUser

MOST_FOUND: Final = 100
"""How many contacts a search gives."""


async def look_up(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``directoryLookUp``: who has this in the name or number."""
    tab.report("DirectoryResult", directory_messages.result(await _found(hub, tab, fields)))


async def search_contacts(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``searchContacts``: the same, in the form of newer clients, and in the older form."""
    found = await _found(hub, tab, fields)
    tab.report("ContactSheet", directory_messages.sheets(found))
    tab.report("DirectoryResult", directory_messages.result(found))


async def _found(hub: Hub, tab: Tab, fields: Fields) -> list[Contact]:
    term = fields.maybe_text("term") or ""
    async with tab.query(hub.sessions_of(tab.user).budget) as budget:
        favorites = await hub.store.favorites(tab.user)
        found = await hub.directory.colleagues(tab.user, term, MOST_FOUND)
        budget.spend(len(found))
    return [
        Contact(one.number, one.name, hub.presence.of(one.number), one.number in favorites) for one in found
    ]


# -- favourites --------------------------------------------------------------------------------------


async def get_favorites(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``getFavorites``: those whom the user may still see."""
    async with tab.query(hub.sessions_of(tab.user).budget) as budget:
        numbers = await hub.store.favorites(tab.user)
        budget.spend(len(numbers))
        contacts = await _visible(hub, tab, numbers)
    tab.report("Favorites", directory_messages.result(contacts))


async def _visible(hub: Hub, tab: Tab, numbers: Iterable[str]) -> list[Contact]:
    contacts = []
    async for number in in_batches(tuple(numbers)):
        visible = await hub.presence.visible_to(tab.user, number)
        if visible.name is not None:
            contacts.append(Contact(number, visible.name, visible.presence, favorite=True))
    return contacts


async def add_favorite(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``addFavorite``: store a contact as a favourite; every tab gets `FavoriteUpdated`."""
    number = _contact(fields)
    async with tab.query(hub.sessions_of(tab.user).budget):
        if (await hub.presence.visible_to(tab.user, number)).name is None:
            raise InvalidMessage("contactId: is nobody whom you may see")
        try:
            await _favor(hub, tab, number, added=True)
        except TooManyFavorites as error:
            raise InvalidMessage(f"contactId: {error}") from error


async def remove_favorite(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``removeFavorite``: store that a contact is no favourite any more."""
    async with tab.query(hub.sessions_of(tab.user).budget):
        await _favor(hub, tab, _contact(fields), added=False)


def _contact(fields: Fields) -> Number:
    fields.one_of("source", (directory_messages.SOURCE,))
    return Number(fields.text("contactId", 64))


async def _favor(hub: Hub, tab: Tab, number: Number, *, added: bool) -> None:
    """Store it, and report it to every tab; if nothing changes, to the one that asked."""
    updated = directory_messages.favorite_updated(number, added=added)
    if await hub.favor(tab.user, number, added=added):
        hub.sessions_of(tab.user).report("FavoriteUpdated", updated)
    else:
        tab.report("FavoriteUpdated", updated)


# -- names -------------------------------------------------------------------------------------------


async def display_name(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``displayNameLookup``: the full name of a user whom this user may see."""
    user = fields.text("username")
    number = hub.number_of(user)
    name = None if number is None else (await hub.presence.visible_to(tab.user, number)).name
    if name is None:
        raise UnknownUser(user)
    tab.report("UserDisplayName", directory_messages.display_name(user, name))
