"""Messages on XiVO's bus: made and read, without any I/O; their shapes are in ``schema``.

Each is an envelope with a name, the origin, and data. What users set is published as XiVO itself publishes
it; presence and selection, for which XiVO has no message, have names of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from attrs import frozen

from unique_account.adapters.rabbitmq.announcements import Announcement, Key, Kind, Word
from unique_account.adapters.rabbitmq.errors import InvalidMessage
from unique_account.adapters.rabbitmq.publisher import Outgoing
from unique_account.adapters.rabbitmq.reading import document, flag, table, text
from unique_account.core.events import DoNotDisturbSet, ForwardSet
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.forwarding_changes import Setting
from unique_account.core.machine import Device
from unique_account.core.presence import Presence

BINDINGS: Final = (
    "config.users.*.forwards.*.updated",
    "config.users.*.services.dnd.updated",
    "config.user.*",
)
"""The routing keys of what is consumed."""

_FORWARDS: Final = {
    "unconditional": Setting.UNCONDITIONAL,
    "noanswer": Setting.NO_ANSWER,
    "busy": Setting.BUSY,
}
_FORWARDS_UPDATED: Final = {f"users_forwards_{name}_updated": setting for name, setting in _FORWARDS.items()}
_DO_NOT_DISTURB_UPDATED: Final = "users_services_dnd_updated"
_USERS_CHANGED: Final = frozenset({"user_created", "user_edited", "user_deleted"})
_LONGEST_KEY: Final = 150


@frozen(weakref_slot=False)
class UserSetting:
    """A user's setting was changed elsewhere.

    Attributes:
        user: XiVO's uuid of the user.
        event: The change.
    """

    user: str
    event: ForwardSet | DoNotDisturbSet


@frozen(weakref_slot=False)
class UsersChanged:
    """Users were added, changed or removed elsewhere."""


class XivoMessages:
    """Makes and reads messages.

    Args:
        exchange: The exchange.
        origin: The UUID that tells our messages from others.
    """

    def __init__(self, exchange: str, origin: str) -> None:
        self._exchange = exchange
        self._origin = origin

    def encode(self, announcement: Announcement, version: int | None = None) -> Iterator[Outgoing]:
        """The messages that announce something."""
        (kind, about), word = announcement
        lasting = kind is not Kind.PRESENCE
        for key, name, data in _messages((kind, about), word):
            envelope = {"name": name, "origin_uuid": self._origin, "data": data}
            yield Outgoing(self._exchange, key, json.dumps(envelope).encode(), lasting, version)

    def decode(self, body: bytes) -> UserSetting | UsersChanged | None:
        """What a message says; None for one of ours.

        Raises:
            InvalidMessage: It is not understood.
        """
        envelope = document(body)
        name = text(envelope, "name")
        if envelope.get("origin_uuid") == self._origin:
            return None
        if name in _USERS_CHANGED:
            return UsersChanged()
        if name == _DO_NOT_DISTURB_UPDATED:
            data = table(envelope, "data")
            return UserSetting(text(data, "user_uuid"), DoNotDisturbSet(flag(data, "enabled")))
        if (setting := _FORWARDS_UPDATED.get(name)) is not None:
            return _forward(table(envelope, "data"), setting)
        raise InvalidMessage("has a name that is not consumed")


def _forward(data: Any, setting: Setting) -> UserSetting:
    destination = data.get("destination")
    if destination is not None and (not isinstance(destination, str) or len(destination) > 200):
        raise InvalidMessage("has a destination that is no text of at most 200 characters")
    return UserSetting(text(data, "user_uuid"), ForwardSet(setting, flag(data, "enabled"), destination or ""))


def _messages(key: Key, word: Word) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The routing key, name and data of each message that says a word."""
    about = key[1]
    if isinstance(word, Presence):
        data: dict[str, Any] = {"number": about, "status": word.value}
        yield f"status.unique_account.{about}", "unique_account_presence_updated", data
        return
    user = f"config.users.{_key(about)}"
    if isinstance(word, Device):
        data = {"user_uuid": about, "selection": word.value}
        yield f"{user}.unique_account.selection.updated", "unique_account_selection_updated", data
        return
    for name, forward in _forwards(word):
        yield f"{user}.forwards.{name}.updated", f"users_forwards_{name}_updated", _data(about, forward)
    data = {"user_uuid": about, "enabled": word.do_not_disturb}
    yield f"{user}.services.dnd.updated", _DO_NOT_DISTURB_UPDATED, data


def _forwards(word: Forwarding) -> Iterator[tuple[str, Forward | None]]:
    yield from zip(_FORWARDS, (word.unconditional, word.no_answer, word.busy), strict=True)


def _data(user: str, forward: Forward | None) -> dict[str, Any]:
    enabled = forward is not None and forward.enabled
    return {"user_uuid": user, "enabled": enabled, "destination": forward and str(forward.destination)}


def _key(user: str) -> str:
    """A user's id as one word of a routing key, which has at most 255 bytes."""
    return user.replace(".", "%2E").encode()[:_LONGEST_KEY].decode(errors="ignore")
