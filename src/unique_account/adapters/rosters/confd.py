"""XiVO's confd as a roster: whose SIP line has the option ``webrtc`` of the value ``ua`` has an account.

Its REST interface is only read. The SIP lines are listed page by page; for each that makes a Unique
Account, the associations lead to its line, its user, its number and its mailbox. What cannot be followed
whole, an answer that is no such document included, is an error: a roster with a gap would take accounts
away.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, TypeGuard

from attrs import frozen
from httpx import AsyncClient, HTTPError, InvalidURL, Limits, Response, Timeout

from unique_account.core.errors import InvalidUser, Problems, Unreachable
from unique_account.core.uniqueness import collisions
from unique_account.core.user import User

ANSWERS_WITHIN: Final = 10.0
"""How many seconds one request may take."""

READS_WITHIN: Final = 120.0
"""How many seconds reading all users may take."""

AT_ONCE: Final = 8
"""How many requests are under way at the same time."""

LARGEST: Final = 16 * 1024 * 1024
"""An answer has at most so many bytes."""

MOST: Final = 1_000_000
"""A list has at most so many items."""


class InvalidRoster(Problems, ValueError):
    """Confd's answers describe no users.

    Attributes:
        problems: One ``resource: what is wrong`` for each problem.
    """

    opening = "confd's answers make no users:"


@frozen(weakref_slot=False, kw_only=True)
class ConfdOptions:
    """How confd's answers are read, where XiVO's public documentation leaves it open.

    Attributes:
        webrtc_option: The value of a SIP line's option ``webrtc`` that makes it a Unique Account.
        webrtc_suffix: What the WebRTC endpoint's name has after the deskphone's.
        technology: What comes before an endpoint's name.
        id: The field of a user that is the id.
        media_server: The node that carries the users.
        page: How many items are asked for at once.
    """

    webrtc_option: str = "ua"
    webrtc_suffix: str = "_w"
    technology: str = "PJSIP"
    id: str = "username"
    media_server: str = "default"
    page: int = 500


class ConfdRoster:
    """The users of a XiVO whose line is a Unique Account; a `unique_account.ports.roster.Roster`.

    Args:
        url: Where the REST interface is, up to the version, such as ``https://xivo:9486/1.1``.
        token: The token to send with each request; none if it is empty.
        reading: How the answers are read.
    """

    def __init__(self, url: str, token: str = "", reading: ConfdOptions | None = None) -> None:
        self._url = url.rstrip("/") + "/"
        self._headers = {"Accept": "application/json"} | ({"X-Auth-Token": token} if token else {})
        self._reading = reading or ConfdOptions()

    async def users(self) -> tuple[User, ...]:
        """All users whose line is a Unique Account, in the order of confd's lines.

        Raises:
            InvalidRoster: What confd answers makes no users; all problems are listed.
            Unreachable: It cannot be reached, refuses, or does not answer in time.
        """
        try:
            async with asyncio.timeout(READS_WITHIN), self._client() as client:
                return await _Request(client, self._reading).users()
        except TimeoutError as error:
            raise Unreachable(f"{self._url} did not list all users in {READS_WITHIN:g} s") from error
        except (HTTPError, InvalidURL) as error:
            raise Unreachable(f"{self._url}: {_reason(error)}") from error
        except UnicodeEncodeError as error:
            raise Unreachable(f"{self._url}: the token has other characters than ASCII") from error

    def _client(self) -> AsyncClient:
        return AsyncClient(
            base_url=self._url,
            headers=self._headers,
            timeout=Timeout(ANSWERS_WITHIN),
            limits=Limits(max_connections=AT_ONCE),
            trust_env=False,
        )


class _Request:
    """One reading of the roster."""

    def __init__(self, client: AsyncClient, reading: ConfdOptions) -> None:
        self._client = client
        self._reading = reading
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._problems: list[str] = []

    async def users(self) -> tuple[User, ...]:
        lines = [line async for line in self._listed("endpoints/sip") if self._is_ours(line)]
        found = await asyncio.gather(*map(self._user, lines))
        users = tuple(user for user in found if user is not None)
        self._problems += collisions((user.id, user) for user in users)
        if self._problems:
            raise InvalidRoster(self._problems)
        return users

    def _is_ours(self, line: Mapping[str, Any]) -> bool:
        options = line.get("options")
        return isinstance(options, list) and ["webrtc", self._reading.webrtc_option] in options

    async def _user(self, sip: Mapping[str, Any]) -> User | None:
        """The user of a SIP line; None if there is none, which is a problem."""
        place = "endpoints/sip"
        try:
            place = f"{place}/{_id(sip, 'id')}"
            line = await self._one(f"{place}/lines", "line_id")
            user = await self._get(f"users/{await self._one(f'lines/{line}/users', 'user_id')}")
            extension = await self._get(
                f"extensions/{await self._one(f'lines/{line}/extensions', 'extension_id')}"
            )
            return self._made(sip, user, extension, await self._mailbox(_id(user, "id")))
        except InvalidUser as error:
            self._problems += [f"{place}: {problem}" for problem in error.problems]
        except InvalidRoster as error:
            self._problems += error.problems
        except ValueError as error:
            self._problems.append(f"{place}: {error}")
        return None

    def _made(
        self,
        sip: Mapping[str, Any],
        user: Mapping[str, Any],
        extension: Mapping[str, Any],
        mailbox: str | None,
    ) -> User:
        endpoint = f"{self._reading.technology}/{_text(sip, 'username')}"
        return User(
            id=_text(user, self._reading.id),
            extension=_text(extension, "exten"),
            context=_text(extension, "context"),
            deskphone=endpoint,
            webrtc=endpoint + self._reading.webrtc_suffix,
            mailbox=mailbox,
            media_server=self._reading.media_server,
            ring_seconds=_count(user, "ring_seconds", 30),
            simultaneous_calls=_count(user, "simultaneous_calls", 5),
        )

    async def _mailbox(self, user: int | str) -> str | None:
        """The user's mailbox; None without one, which confd says with 404."""
        association = await self._answer(f"users/{user}/voicemail")
        if association is None:
            return None
        box = await self._get(f"voicemails/{_id(association, 'voicemail_id')}")
        return f"{_text(box, 'number')}@{_text(box, 'context')}"

    async def _one(self, place: str, field: str) -> int | str:
        """The one thing that an association leads to."""
        associated = _items(place, await self._get(place))
        if not associated:
            raise ValueError(f"{place} are none; a Unique Account needs one")
        return _id(associated[0], field)

    async def _listed(self, place: str) -> AsyncIterator[Mapping[str, Any]]:
        """All items of a list, page by page, each of which has to bring an item that none before it has."""
        seen, total = 0, 1
        known: set[int | str | None] = set()
        while seen < total:
            page = await self._answer(place, limit=self._reading.page, offset=seen, skip=seen, order="id")
            if page is None:
                raise InvalidRoster((f"{place}: is not there",))
            items, total = _items(place, page), _total(place, page)
            if not items and seen < total:
                raise InvalidRoster((f"{place}: gives {seen} of {total} items",))
            ids = {item["id"] if isinstance(item.get("id"), (int, str)) else None for item in items}
            if items and ids <= known:
                raise InvalidRoster((f"{place}: gives nothing new after {seen} of {total} items",))
            known |= ids
            for item in items:
                yield item
            seen += len(items)

    async def _get(self, place: str) -> Mapping[str, Any]:
        answer = await self._answer(place)
        if answer is None:
            raise ValueError(f"{place} is not there")
        return answer

    async def _answer(self, place: str, **query: str | int) -> Mapping[str, Any] | None:
        """What confd answers; None for what is not there."""
        async with self._turns, self._client.stream("GET", place, params=query or None) as answer:
            if answer.status_code == 404:
                return None
            _check(place, answer)
            body = await _bounded(place, answer)
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise InvalidRoster((f"{place}: is no JSON object",))
        return document


def _check(place: str, answer: Response) -> None:
    if answer.status_code != 200:
        hint = "; is the token valid?" if answer.status_code in (401, 403) else ""
        raise Unreachable(f"confd answers {answer.status_code} for {place}{hint}")


async def _bounded(place: str, answer: Response) -> bytes:
    body = bytearray()
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > LARGEST:
            raise InvalidRoster((f"{place}: has more than {LARGEST} bytes",))
    return bytes(body)


def _items(place: str, page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = page.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InvalidRoster((f"{place}: is no list of objects",))
    return items


def _total(place: str, page: Mapping[str, Any]) -> int:
    total = page.get("total")
    if not _is_number(total) or not 0 <= total <= MOST:
        raise InvalidRoster((f"{place}: is no list with a total of 0 to {MOST}",))
    return int(total)


def _id(document: Mapping[str, Any], field: str) -> int | str:
    """What a resource is found by, which becomes part of an address."""
    value = document.get(field)
    if _is_number(value) or (isinstance(value, str) and _ID.fullmatch(value)):
        return value
    raise ValueError(f"{field} is missing, or is no id")


def _text(document: Mapping[str, Any], field: str) -> str:
    if field not in document:
        raise ValueError(f"has no {field}")
    value = document[field]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{field} is empty, or no text")
    return value


def _count(document: Mapping[str, Any], field: str, usual: int) -> int:
    """A whole number, which some of confd's fields hold as text; the usual one without it."""
    value = document.get(field)
    if value in (None, "", 0):
        return usual
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    if not _is_number(value):
        raise ValueError(f"{field} is no whole number")
    return int(value)


def _is_number(value: object) -> TypeGuard[int]:
    return type(value) is int and abs(value) < 10**9


_ID: Final = re.compile("[0-9A-Za-z_-]{1,64}")
_NUMBER: Final = re.compile("[0-9]{1,9}")


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
