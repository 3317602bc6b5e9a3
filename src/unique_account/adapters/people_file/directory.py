"""The directory in a file."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import frozen

from unique_account.adapters.people_file.passwords import LONGEST_PASSWORD, matches, problem
from unique_account.adapters.people_file.people import People, Person
from unique_account.core.number import IN_WORDS
from unique_account.files.text import named, read_toml
from unique_account.files.watched import WatchedFile
from unique_account.json_documents import InvalidDocument, from_document
from unique_account.ports.directory import Colleague, same_login
from unique_account.ports.observer import Observer, PortRequest


@frozen(weakref_slot=False)
class _File:
    people: tuple[Person, ...] = ()


class PeopleFile:
    """The directory in a file.

    Args:
        path: The file.
        observer: Is notified if the file cannot be read or used, and once it can again.

    Raises:
        InvalidDocument: The file cannot be used; every problem is listed.
        OSError: It cannot be read.
    """

    def __init__(self, path: Path, observer: Observer) -> None:
        self._name = path.name
        self._file = WatchedFile(path, _read, observer, PortRequest("directory", f"read {path.name}"))

    def __repr__(self) -> str:
        return f"PeopleFile({self._name}, of {len(self._file.last)} people)"

    async def authenticate(self, login: str, password: str) -> str | None:
        """The user with this login and password; a hash is checked for unknown logins as well."""
        people = await self._file.now()
        person = people.with_login(login)
        hashed = people.decoys.of(login) if person is None else person.password
        right = await asyncio.to_thread(matches, hashed, password[: LONGEST_PASSWORD + 1])
        return person.user if person is not None and right else None

    async def credential(self, login: str) -> str | None:
        """The user of a login, and the hash of its password."""
        person = (await self._file.now()).with_login(login)
        return None if person is None else f"{person.user} {person.password}"

    async def name(self, number: str) -> str | None:
        """The full name behind a number."""
        person = self._file.last.with_number(number)
        return None if person is None else person.name

    async def may_see(self, user: str, number: str) -> bool:
        """Whether a user may see a number: the user's own, or a visible colleague's."""
        person = self._file.last.with_number(number)
        return person is not None and self._file.last.sees(user, person)

    async def colleagues(self, user: str, words: str = "", limit: int = 100) -> Sequence[Colleague]:
        """Whom a user may see, by name."""
        return (await self._file.now()).colleagues(user, words, limit)


def _read(path: Path) -> People:
    document = read_toml(path)
    with named(path.name):
        people = from_document(_File, document).people
        if problems := tuple(_problems(people)):
            raise InvalidDocument(problems)
    return People(people)


def _problems(people: Sequence[Person]) -> Iterable[str]:
    for index, person in enumerate(people):
        for name in ("login", "user", "name"):
            if not getattr(person, name).strip():
                yield f"people[{index}].{name}: is empty"
        if person.password and (wrong := problem(person.password)):
            yield f"people[{index}].password: {wrong}"
        for number in person.numbers:
            if not number.is_dialable:
                yield f"people[{index}].numbers: {number.written!r} is not a number: use {IN_WORDS}"
    yield from _twice("login", [same_login(person.login) for person in people])
    yield from _twice("user", [person.user for person in people])
    yield from _twice("number", [number for person in people for number in person.numbers])


def _twice(what: str, values: Iterable[str]) -> Iterable[str]:
    for value, times in Counter(values).items():
        if times > 1:
            yield f"people: the {what} {value} is there {times} times"
