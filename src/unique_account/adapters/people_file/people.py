"""The people of a directory, found by what they are asked for; and the one place that says who sees whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from heapq import merge
from itertools import groupby, islice

from attrs import field, frozen

from unique_account.adapters.people_file.passwords import DecoyHashes
from unique_account.adapters.people_file.visibility import VisiblePeople
from unique_account.core.number import Number, numbers
from unique_account.core.search import searchable
from unique_account.ports.directory import Colleague


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
    numbers: tuple[Number, ...] = field(default=(), converter=numbers)
    password: str = field(default="", repr=False)
    groups: tuple[str, ...] = ()


class People:
    """All people of a directory.

    Attributes:
        decoys: What the passwords of unknown logins are checked against.
    """

    def __init__(self, people: Iterable[Person]) -> None:
        self._everybody = sorted(people, key=lambda person: (person.name.casefold(), person.login))
        self._by_login = {person.login: person for person in self._everybody}
        self._by_user = {person.user: person for person in self._everybody}
        self._by_number = {number: person for person in self._everybody for number in person.numbers}
        self.decoys = DecoyHashes(person.password for person in self._everybody if person.password)
        self._of_all, self._of_groups = self._listings()

    def __len__(self) -> int:
        return len(self._everybody)

    def _listings(self) -> tuple[VisiblePeople, dict[str, VisiblePeople]]:
        """Those without a group, and the members of each group."""
        of_all, of_groups = list[tuple[int, str]](), defaultdict[str, list[tuple[int, str]]](list)
        for place, person in enumerate(self._everybody):
            entry = (place, searchable(person.name, *person.numbers))
            lists = [of_groups[group] for group in set(person.groups)] or [of_all]
            for entries in lists if person.numbers else ():
                entries.append(entry)
        return VisiblePeople(of_all), {group: VisiblePeople(entries) for group, entries in of_groups.items()}

    def with_login(self, login: str) -> Person | None:
        """The person who may log in with a login."""
        person = self._by_login.get(login)
        return person if person is not None and person.password else None

    def with_number(self, number: str) -> Person | None:
        """The person with a number."""
        return self._by_number.get(Number(number))

    def sees(self, user: str, person: Person) -> bool:
        """Whether a user sees a person: herself, who has no group, or who shares one."""
        watcher = self._by_user.get(user)
        if watcher is None:
            return False
        return watcher is person or not person.groups or bool(set(person.groups) & set(watcher.groups))

    def colleagues(self, user: str, words: str, limit: int) -> Sequence[Colleague]:
        """Whom a user sees, by name, the user apart; takes no longer for those whom the user does not see."""
        watcher = self._by_user.get(user)
        if watcher is None:
            return []
        lists = [self._of_all, *(self._of_groups[group] for group in set(watcher.groups))]
        places = (place for place, _ in groupby(merge(*(each.found(words) for each in lists))))
        others = (person for person in map(self._everybody.__getitem__, places) if person is not watcher)
        return [Colleague(person.numbers[0], person.name) for person in islice(others, limit)]
