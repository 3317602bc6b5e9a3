"""A directory in a TOML file: who may log in, by argon2 hashes, what people are called, and who sees whom.

.. code-block:: toml

    [[people]]
    login = "alice"
    user = "alice"
    name = "Alice Martin"
    numbers = ["1001", "+33123450001"]
    password = "$argon2id$v=19$..."
    groups = ["sales"]

People without groups are seen by everybody, the others by those who share a group with them. The file is
read again when it has changed; one that cannot be used changes nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import field, frozen

try:
    from argon2 import PasswordHasher, extract_parameters
    from argon2.exceptions import InvalidHashError, VerificationError
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "a directory of people needs argon2-cffi: pip install 'unique_account[assistant]' brings it",
        name="argon2",
    ) from missing

from unique_account.core.forwarding import digits
from unique_account.documents import InvalidDocument, from_document
from unique_account.ports.directory import Colleague
from unique_account.ports.observer import Observer
from unique_account.text_files import read_toml

LONGEST_PASSWORD: Final = 1024


def hash_password(password: str) -> str:
    """The hash of a password, as it stands in the file.

    Raises:
        ValueError: The password is empty, or longer than 1024 characters.
    """
    if not 0 < len(password) <= LONGEST_PASSWORD:
        raise ValueError(f"a password has 1 to {LONGEST_PASSWORD} characters")
    return PasswordHasher().hash(password)


@frozen(weakref_slot=False, kw_only=True)
class Person:
    """Somebody in the directory.

    Attributes:
        login: The name to log in with.
        user: The id of the user.
        name: The full name.
        numbers: The internal numbers, the first one being shown to colleagues.
        password: The argon2 hash of the password; in no repr. Empty: this person cannot log in.
        groups: The groups that this person is in.
    """

    login: str
    user: str
    name: str
    numbers: tuple[str, ...] = ()
    password: str = field(default="", repr=False)
    groups: tuple[str, ...] = ()


@frozen(weakref_slot=False)
class _File:
    people: tuple[Person, ...] = ()


@frozen(weakref_slot=False)
class _People:
    """The people of a file, found by what they are asked for."""

    everybody: tuple[Person, ...]
    by_login: Mapping[str, Person]
    by_user: Mapping[str, Person]
    by_number: Mapping[str, Person]
    nobodys_hash: str = field(repr=False)


class PeopleFile:
    """The directory in a file.

    Args:
        path: The file.
        observer: Who is told if the file has changed and cannot be used.

    Raises:
        InvalidDocument: The file cannot be used; every problem is listed.
        OSError: It cannot be read.
    """

    def __init__(self, path: Path, observer: Observer) -> None:
        self._path = path
        self._observer = observer
        self._changed = path.stat().st_mtime_ns
        self._people = _read(path)

    def __repr__(self) -> str:
        return f"PeopleFile({self._path.name}, of {len(self._people.everybody)} people)"

    async def authenticate(self, login: str, password: str) -> str | None:
        """The user with this login and password; a hash is checked for unknown logins as well."""
        self._read_if_changed()
        person = self._people.by_login.get(login)
        hashed = person.password if person is not None and person.password else self._people.nobodys_hash
        matches = await asyncio.to_thread(_matches, hashed, password[: LONGEST_PASSWORD + 1])
        return person.user if person is not None and person.password and matches else None

    async def credential(self, login: str) -> str | None:
        """The user of a login, and the hash of its password."""
        self._read_if_changed()
        person = self._people.by_login.get(login)
        return f"{person.user} {person.password}" if person is not None and person.password else None

    async def name(self, number: str) -> str | None:
        """The full name behind a number."""
        person = self._people.by_number.get(digits(number))
        return None if person is None else person.name

    async def may_see(self, user: str, number: str) -> bool:
        """Whether a user may see the presence of a number: the user's own, or a visible colleague's."""
        person = self._people.by_number.get(digits(number))
        return person is not None and self._sees(user, person)

    async def colleagues(self, user: str, words: str = "", limit: int = 100) -> Sequence[Colleague]:
        """Whom a user may see, by name."""
        self._read_if_changed()
        wanted = words.casefold()
        found = (
            Colleague(person.numbers[0], person.name)
            for person in self._people.everybody
            if person.user != user
            and person.numbers
            and wanted in f"{person.name} {' '.join(person.numbers)}".casefold()
            and self._sees(user, person)
        )
        return [colleague for colleague, _ in zip(found, range(limit), strict=False)]

    def _sees(self, user: str, person: Person) -> bool:
        watcher = self._people.by_user.get(user)
        if watcher is None:
            return False
        return watcher is person or not person.groups or bool(set(person.groups) & set(watcher.groups))

    def _read_if_changed(self) -> None:
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._changed:
                self._changed = changed
                self._people = _read(self._path)
        except (OSError, InvalidDocument) as error:
            self._observer.failed(f"directory: read {self._path.name}", error)


def _matches(hashed: str, password: str) -> bool:
    try:
        PasswordHasher().verify(hashed, password)
    except (VerificationError, UnicodeEncodeError):
        return False
    return len(password) <= LONGEST_PASSWORD


def _read(path: Path) -> _People:
    people = from_document(_File, read_toml(path)).people
    if problems := tuple(_problems(people)):
        raise InvalidDocument(problems)
    return _People(
        everybody=tuple(sorted(people, key=lambda person: (person.name.casefold(), person.login))),
        by_login={person.login: person for person in people},
        by_user={person.user: person for person in people},
        by_number={digits(number): person for person in people for number in person.numbers},
        nobodys_hash=_like(people),
    )


def _problems(people: Sequence[Person]) -> Iterable[str]:
    for index, person in enumerate(people):
        for name in ("login", "user", "name"):
            if not getattr(person, name).strip():
                yield f"people[{index}].{name}: is empty"
        try:
            if person.password:
                extract_parameters(person.password)
        except InvalidHashError:
            yield f"people[{index}].password: is not an argon2 hash"
    for what in ("login", "user"):
        yield from _twice(what, [getattr(person, what) for person in people])
    yield from _twice("number", [digits(number) for person in people for number in person.numbers])


def _twice(what: str, values: Iterable[str]) -> Iterable[str]:
    for value, times in Counter(values).items():
        if times > 1:
            yield f"people: the {what} {value} is there {times} times"


def _like(people: Iterable[Person]) -> str:
    """A hash of nobody's password that takes as long to check as most of theirs."""
    hashes = [person.password for person in people if person.password]
    if not hashes:
        return hash_password("nobody")
    ((parameters, _),) = Counter(map(_parameters, hashes)).most_common(1)
    like = next(hashed for hashed in hashes if _parameters(hashed) == parameters)
    return PasswordHasher.from_parameters(extract_parameters(like)).hash("nobody")


def _parameters(hashed: str) -> str:
    """A hash without its salt and its digest."""
    return hashed.rsplit("$", 2)[0]
