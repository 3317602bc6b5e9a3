"""XiVO's messages about people: search results, contacts, favourites and names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from attrs import frozen

from unique_account.adapters.xuc.protocol.xivo_messages import VIDEO
from unique_account.core.presence import Presence

SOURCE: Final = "internal"
"""The one directory, as contacts name it."""

HEADERS: Final = ("Name", "Number", "Mobile", "Other number", "Email", "Favorite")
"""What the columns of an entry hold; XiVO's assistant takes the second one for the internal number."""


@frozen(weakref_slot=False)
class Contact:
    """Somebody in the directory, as one user sees them.

    Attributes:
        number: The internal number, which is the contact's id too.
        name: The full name.
        presence: Their presence; None: not known yet.
        favorite: Whether they are one of the user's favourites.
    """

    number: str
    name: str
    presence: Presence | None
    favorite: bool


def result(contacts: Iterable[Contact]) -> dict[str, Any]:
    """``DirectoryResult``, and ``Favorites``, which looks the same."""
    return {"headers": list(HEADERS), "entries": [_entry(contact) for contact in contacts]}


def _entry(contact: Contact) -> dict[str, Any]:
    return {
        "status": _status(contact),
        "entry": [contact.name, contact.number, "", "", "", str(contact.favorite).lower()],
        "contact_id": contact.number,
        "source": SOURCE,
        "favorite": contact.favorite,
    }


def _status(contact: Contact) -> int:
    return int(Presence.UNEXISTING if contact.presence is None else contact.presence)


def sheets(contacts: Iterable[Contact]) -> dict[str, Any]:
    """``ContactSheet``."""
    return {"sheets": [_sheet(contact) for contact in contacts]}


def _sheet(contact: Contact) -> dict[str, Any]:
    number = {"name": "Internal number", "data": contact.number, "dataType": "PhoneNumber"}
    return {
        "name": contact.name,
        "subtitle1": "",
        "subtitle2": "",
        "picture": "",
        "isPersonal": False,
        "isFavorite": contact.favorite,
        "isMeetingroom": False,
        "canBeFavorite": True,
        "status": {"phone": _status(contact), "video": VIDEO},
        "actions": [{"action": "Call", "args": [contact.number], "default": True}],
        "sources": [{"name": SOURCE, "id": contact.number}],
        "details": [{"name": "Contacts", "fields": [number]}],
    }


def favorite_updated(number: str, *, added: bool) -> dict[str, str]:
    """``FavoriteUpdated``."""
    return {"action": "Added" if added else "Removed", "contact_id": number, "source": SOURCE}


def display_name(user: str, name: str) -> dict[str, str]:
    """``UserDisplayName``."""
    return {"userName": user, "displayName": name}
