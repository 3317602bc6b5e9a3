"""Replay of a recorded AMI stream: what happened to each user's account, step by step.

The stream is read once and lazily, and the only clock is its own: the ``Timestamp`` of its messages. A
lease that is over by then ends before the message counts. The same bytes give the same steps, however
they are cut, and what is held does not grow with the stream.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final

from attrs import field, fields, frozen

from unique_account.adapters.asterisk.ami.codec import Decoder
from unique_account.adapters.asterisk.ami.message import Greeting, Malformed, Message
from unique_account.adapters.asterisk.translation.results import TranslatedEvent, Untranslatable
from unique_account.adapters.asterisk.translation.translator import Translator
from unique_account.core.account import Account, Call
from unique_account.core.device_in_use import deadline, device_in_use
from unique_account.core.errors import Refused, UniqueAccountError
from unique_account.core.events import Event, LeaseExpired, apply
from unique_account.core.machine import Device
from unique_account.core.presence import Presence, presence
from unique_account.core.routing import Route, route
from unique_account.core.user import User


@frozen(weakref_slot=False)
class Projections:
    """What an account comes to for those who call it or look at it."""

    device_in_use: Device
    route: Route
    presence: Presence


@frozen(weakref_slot=False, kw_only=True)
class ReplayStep:
    """An event that changed a user's account, or was refused.

    Attributes:
        at: When, in UTC; the end of the lease for `LeaseExpired`.
        user: The user's id.
        event: What happened.
        before: The account before it.
        after: The account after it; the same where the event was refused.
        outlook_before: What callers and colleagues met before it.
        outlook_after: What they meet from now on.
        refused: Why the event was refused; None where it was not.
    """

    at: datetime
    user: str
    event: Event
    before: Account
    after: Account
    outlook_before: Projections
    outlook_after: Projections
    refused: Refused | None = field(default=None, eq=str)


Entry = ReplayStep | Malformed | Untranslatable


def replay(
    chunks: Iterable[bytes], users: Iterable[User], *, media_server: str = "default"
) -> Iterator[Entry]:
    """What a recorded stream says of the users' accounts, which all begin logged out.

    Args:
        chunks: The bytes of the stream, cut anywhere.
        users: Whose accounts to follow.
        media_server: Which media server the stream was recorded from.

    Yields:
        A `ReplayStep` for each event that changed an account or was refused; and, in their places, the
        messages that are malformed and those that concern a user but cannot be understood.

    Raises:
        ValueError: Two of the users share an id, or an endpoint of the media server.
    """
    users = tuple(users)
    return _replayed(chunks, Translator(users, media_server), _Accounts(users))


def _replayed(chunks: Iterable[bytes], translation: Translator, accounts: _Accounts) -> Iterator[Entry]:
    decoder = Decoder()
    for chunk in chunks:
        for item in decoder.feed(chunk):
            if isinstance(item, Message):
                meanings = translation.translate(item)
                yield from accounts.expired(translation.now)
                for meaning in meanings:
                    yield from accounts.step(meaning) if isinstance(meaning, TranslatedEvent) else (meaning,)
            elif isinstance(item, Malformed):
                yield item
    for item in decoder.close():
        if isinstance(item, Malformed):
            yield item


class _Accounts:
    """One account for each user, with its outlook, and the leases that run."""

    def __init__(self, users: Iterable[User]) -> None:
        self._accounts = {user.id: Account(user) for user in users}
        self._outlooks: dict[str, Projections] = {}
        self._deadlines: dict[str, datetime] = {}
        self._next: datetime | None = None

    def step(self, received: TranslatedEvent) -> Iterator[ReplayStep]:
        """Apply an event; one step where it changes the account or is refused, none otherwise."""
        before, refused = self._accounts[received.user], None
        try:
            after = apply(before, received.event)
        except Refused as error:
            after, refused = before, error
        if after is before and refused is None:
            return
        outlook_before = self._outlooks.get(received.user) or _outlook(before)
        outlook_after = outlook_before if after is before else _outlook(after)
        self._keep(received.user, after, outlook_after)
        yield ReplayStep(
            at=received.at,
            user=received.user,
            event=received.event,
            before=before,
            after=after,
            outlook_before=outlook_before,
            outlook_after=outlook_after,
            refused=refused,
        )

    def expired(self, now: datetime | None) -> Iterator[ReplayStep]:
        """End every lease that is due by now, in the order in which they are due."""
        while self._next is not None and now is not None and self._next <= now:
            due = self._next
            user = next(user for user, end in self._deadlines.items() if end == due)
            yield from self.step(TranslatedEvent(user, due, LeaseExpired(due)))

    def _keep(self, user: str, account: Account, outlook: Projections) -> None:
        self._accounts[user], self._outlooks[user] = account, outlook
        end = deadline(account)
        if end == self._deadlines.get(user):
            return
        if end is None:
            del self._deadlines[user]
        else:
            self._deadlines[user] = end
        self._next = min(self._deadlines.values(), default=None)


def _outlook(account: Account) -> Projections:
    return Projections(device_in_use(account), route(account), presence(account))


# -- what is no recording ----------------------------------------------------------------------------


class NoAmiStream(UniqueAccountError, ValueError):
    """Bytes that hold no message of a manager interface.

    Attributes:
        size: How many bytes were looked at.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size

    def __str__(self) -> str:
        if not self.size:
            return "is empty; a recording holds the raw bytes of an AMI connection"
        return "is no recording of AMI: it holds no greeting, event or response of a manager interface"


def require_ami(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass on the bytes of a stream, and see whether they are of a manager interface.

    Raises:
        NoAmiStream: At the end, or after the first MiB: no message was in it.
    """
    decoder, read = Decoder(), 0
    chunks = iter(chunks)
    for chunk in chunks:
        yield chunk
        read += len(chunk)
        if any(map(_is_ami, decoder.feed(chunk))):
            yield from chunks
            return
        if read > _FOREIGN:
            break
    raise NoAmiStream(read)


_FOREIGN: Final = 1 << 20


def _is_ami(item: object) -> bool:
    if isinstance(item, Message):
        return item.text.startswith(("Event: ", "Response: "))
    return isinstance(item, Greeting) or (isinstance(item, Malformed) and item.of_strangers)


# -- as a line of JSON -------------------------------------------------------------------------------


def json_line(step: ReplayStep) -> dict[str, object]:
    """A step as a dictionary that is ready for JSON: the event and its fields, and what it came to.

    Instants are ISO 8601 in UTC with microseconds, enumerations the names of their members in lower
    case. ``refused`` is the sentence of the refusal, or null; ``before`` holds what the event changed.
    """
    return {
        "time": _plain(step.at),
        "user": step.user,
        "event": event_name(step.event),
        **_details(step.event),
        "refused": None if step.refused is None else str(step.refused),
        **_seen(step.after, step.outlook_after),
        "presence_code": int(step.outlook_after.presence),
        "because": [
            {"rule": reason.rule, "text": reason.text, "facts": list(reason.facts)}
            for reason in step.outlook_after.route.because
        ],
        "before": _seen(step.before, step.outlook_before),
    }


def event_name(event: Event) -> str:
    """The name of an event as the lines have it, e.g. ``logged_in``."""
    return _WORD.sub("_", type(event).__name__).lower()


_WORD: Final = re.compile("(?<=[a-z])(?=[A-Z])")


def _seen(account: Account, outlook: Projections) -> dict[str, object]:
    ring, destination = outlook.route.ring, outlook.route.destination
    return {
        "state": str(account.state),
        "device_in_use": str(outlook.device_in_use),
        "route": {
            "ring": None if ring is None else str(ring.device),
            "interface": None if ring is None else ring.interface,
            "destination": None if destination is None else str(destination),
        },
        "presence": outlook.presence.name.lower(),
    }


def _details(value: Event | Call) -> dict[str, object]:
    return {attribute.name: _plain(getattr(value, attribute.name)) for attribute in fields(type(value))}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, Call):
        return _details(value)
    return str(value) if isinstance(value, str) else value
