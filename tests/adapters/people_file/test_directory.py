"""The directory in a file: log-ins by hash, names, and who may see whom."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.people_file.cheap_hasher import CHEAP
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.people_file import PeopleFile, hash_password, passwords
from unique_account.adapters.people_file.passwords import DecoyHashes
from unique_account.adapters.people_file.people import People, Person
from unique_account.adapters.people_file.visibility import VisiblePeople
from unique_account.core.search import folded, searchable
from unique_account.json_documents import InvalidDocument
from unique_account.ports.directory import Colleague, Directory
from unique_account.ports.observer import PortRequest

if TYPE_CHECKING:
    from pathlib import Path

SESAME = CHEAP.hash("sésame")

FILE = f"""
[[people]]
login = "alice"
user = "a1"
name = "Alice Martin"
numbers = ["1001", "+33 1 23 45"]
password = "{SESAME}"
groups = ["sales"]

[[people]]
login = "bob"
user = "b1"
name = "bob Durand"
numbers = ["1002"]
password = "{CHEAP.hash("hunter2")}"

[[people]]
login = "carol"
user = "c1"
name = "Carol Petit"
numbers = ["1003"]
groups = ["board"]
"""

ALICE, BOB, CAROL = (
    Colleague("1001", "Alice Martin"),
    Colleague("1002", "bob Durand"),
    Colleague("1003", "Carol Petit"),
)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let hashes be as cheap as these."""
    monkeypatch.setattr(passwords, "LEAST_MEMORY", 8)
    monkeypatch.setattr(passwords, "LEAST_WORK", 8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "people.toml"
    file.write_text(FILE, "utf-8")
    return file


def cost(hashed: str) -> str:
    return hashed.rsplit("$", 2)[0]


def opened(path: Path, observer: MemoryObserver | None = None) -> PeopleFile:
    return PeopleFile(path, observer or MemoryObserver())


def logs_in(directory: Directory, login: str, password: str) -> str | None:
    return asyncio.run(directory.authenticate(login, password))


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Whatever is opened fails: too many open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class TestLoggingIn:
    """S1: a login needs its own password, and nothing tells who is known."""

    def test_a_login_needs_its_own_password(self, path: Path) -> None:
        directory = opened(path)
        assert logs_in(directory, "alice", "sésame") == "a1"
        assert logs_in(directory, "bob", "hunter2") == "b1"
        for login, password in (
            ("alice", "hunter2"),
            ("alice", ""),
            ("alice", "sésame" + "x" * 2000),
            ("alice", "\ud800"),
            ("carol", ""),
            ("carol", "nobody"),
            ("dave", "sésame"),
            ("Alice", "sésame"),
        ):
            assert logs_in(directory, login, password) is None

    def test_an_unknown_login_costs_the_same_check(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        checked = []

        def matches(hashed: str, password: str) -> bool:
            checked.append(cost(hashed))
            return True

        directory = opened(path)
        monkeypatch.setattr("unique_account.adapters.people_file.directory.matches", matches)
        assert [logs_in(directory, login, "x") for login in ("alice", "nobody", "carol")] == [
            "a1",
            None,
            None,
        ]
        assert checked == [cost(SESAME)] * 3

    def test_costs_are_as_frequent_among_unknown_logins_as_among_people(self) -> None:
        dear = [f"$argon2id$v=19$m=65536,t=3,p=4${salt}$digest" for salt in "abc"]
        decoys = DecoyHashes([*dear, "$argon2id$v=19$m=8192,t=5,p=1$d$digest"])
        drawn = [cost(decoys.of(f"nobody{number}")) for number in range(2000)]
        assert set(drawn) == {cost(dear[0]), "$argon2id$v=19$m=8192,t=5,p=1"}
        assert 0.7 < drawn.count(cost(dear[0])) / len(drawn) < 0.8

    def test_the_same_one_each_time_and_after_a_restart(self, path: Path) -> None:
        hashes = [
            PasswordHasher(time_cost=passes, memory_cost=8, parallelism=1).hash("x") for passes in range(1, 9)
        ]
        first, again = DecoyHashes(hashes), DecoyHashes(reversed(hashes))
        logins = [f"nobody{number}" for number in range(50)]
        assert [cost(first.of(login)) for login in logins] == [cost(again.of(login)) for login in logins]

    def test_nobodys_hash_has_no_password(self) -> None:
        decoy = DecoyHashes([SESAME]).of("nobody")
        assert not any(passwords.matches(decoy, word) for word in ("", "nobody", "sésame"))

    def test_without_any_password_it_costs_what_a_new_one_would(self) -> None:
        assert cost(DecoyHashes([]).of("nobody")) == cost(hash_password("x"))

    @pytest.mark.parametrize(
        ("memory", "passes", "refused"),
        [(8, 1, True), (7167, 50, True), (7168, 4, True), (7168, 5, False), (65536, 1, False)],
    )
    def test_a_hash_that_is_cheap_to_guess_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, memory: int, passes: int, refused: bool
    ) -> None:
        monkeypatch.undo()
        tail = SESAME.split("$", 4)[4]
        problem = passwords.problem(f"$argon2id$v=19$m={memory},t={passes},p=1${tail}")
        assert (problem is not None) is refused
        assert passwords.problem(hash_password("x")) is None

    def test_a_hash_is_argon2id_and_salted(self) -> None:
        one, other = hash_password("sésame"), hash_password("sésame")
        assert one.startswith("$argon2id$")
        assert one != other
        for password in ("", "x" * 1025):
            with pytest.raises(ValueError, match="1 to 1024 characters"):
                hash_password(password)

    def test_no_hash_is_shown(self, path: Path) -> None:
        directory = opened(path)
        assert repr(directory) == "PeopleFile(people.toml, of 3 people)"
        assert "argon2" not in repr((directory._file.last, directory._file.last.decoys))


class TestCredentials:
    """S2: a credential changes with the password of a login, and with the user that it logs in as."""

    def test_it_changes_with_what_it_is_of_and_with_nothing_else(self, path: Path) -> None:
        directory = opened(path)

        def after(content: str) -> str | None:
            path.write_text(content, "utf-8")
            os.utime(path, ns=(0, hash(content) & 0xFFFFFFFFFF))
            return asyncio.run(directory.credential("alice"))

        first = after(FILE)
        assert first is not None
        assert after(FILE.replace("Alice Martin", "Alice Petit")) == first
        others = [FILE.replace(SESAME, CHEAP.hash("sésame")), FILE.replace('"a1"', '"a2"')]
        assert len({first, *map(after, others)}) == 3
        assert after(FILE.replace('login = "alice"', 'login = "eve"')) is None
        assert after(FILE.replace(SESAME, "")) is None


class TestNamesAndSight:
    """P5: presence is shown to those who may see it: everybody, or those who share a group."""

    def test_names_are_found_by_any_number(self, path: Path) -> None:
        directory = opened(path)
        for number in ("1001", "+33 1 23 45", "+3312345"):
            assert asyncio.run(directory.name(number)) == "Alice Martin"
        assert asyncio.run(directory.name("1004")) is None

    def test_groups_see_themselves_and_those_without_one(self, path: Path) -> None:
        directory = opened(path)
        sees = {
            (user, number)
            for user in ("a1", "b1", "c1", "d1")
            for number in ("1001", "1002", "1003", "1004")
            if asyncio.run(directory.may_see(user, number))
        }
        assert sees == {("a1", "1001"), ("a1", "1002"), ("b1", "1002"), ("c1", "1003"), ("c1", "1002")}

    def test_colleagues_are_those_whom_one_sees(self, path: Path) -> None:
        path.write_text(FILE.replace('["board"]', '["board", "sales"]'), "utf-8")
        directory = opened(path)
        assert asyncio.run(directory.colleagues("a1")) == [BOB, CAROL]
        assert asyncio.run(directory.colleagues("c1")) == [ALICE, BOB]
        assert asyncio.run(directory.colleagues("a1", limit=1)) == [BOB]
        assert asyncio.run(directory.colleagues("a1", "PETIT")) == [CAROL]
        assert asyncio.run(directory.colleagues("c1", "+33")) == [ALICE]
        assert asyncio.run(directory.colleagues("d1")) == []

    def test_who_shares_several_groups_is_found_once(self) -> None:
        groups = ("sales", "board")
        people = People(
            [
                Person(login=name, user=name, name=name, numbers=(number,), groups=groups)
                for name, number in (("alice", "1001"), ("bob", "1002"))
            ]
        )
        assert people.colleagues("alice", "", 10) == [Colleague("1002", "bob")]

    @given(
        st.lists(st.tuples(st.text("abß \n", max_size=6), st.sets(st.sampled_from("xyz"))), max_size=12),
        st.text("abSsß \n", max_size=3),
    )
    def test_what_is_found_is_what_a_search_of_all_finds(
        self, named: list[tuple[str, set[str]]], words: str
    ) -> None:
        everybody = [
            Person(
                login=f"{place}",
                user=f"{place}",
                name=name,
                numbers=(f"1{place}",),
                groups=tuple(groups),
                password=SESAME,
            )
            for place, (name, groups) in enumerate(named)
        ]
        people = People(everybody)
        for watcher in everybody:
            expected = [
                person.numbers[0]
                for person in sorted(everybody, key=lambda person: (person.name.casefold(), person.login))
                if person is not watcher
                and people.sees(watcher.user, person)
                and folded(words) in searchable(person.name, person.numbers[0])
            ]
            found = people.colleagues(watcher.user, words, 100)
            assert [colleague.number for colleague in found] == expected

    def test_nothing_is_found_across_two_people(self) -> None:
        listing = VisiblePeople([(0, searchable("Al\nice")), (7, searchable("Bob"))])
        assert list(listing.found("e\nb")) == []
        assert [list(listing.found(words)) for words in ("", "B", "l i", "z")] == [[0, 7], [7], [0], []]

    def test_those_who_are_not_seen_cost_nothing(self) -> None:
        groups = [("sales",), *[("board",)] * 1000]
        people = People(
            Person(
                login=str(place),
                user=str(place),
                name=f"Martin {place}",
                numbers=(f"1{place}",),
                groups=of,
                password=SESAME,
            )
            for place, of in enumerate(groups)
        )
        assert people.colleagues("0", "martin", 500) == []
        lists = [people._of_all, *(people._of_groups[group] for group in ("sales",))]
        assert sum(len(list(listing.found("martin"))) for listing in lists) == 1


class TestTheFile:
    """A5: a file is read whole, and every problem is listed; one that changes is read again."""

    def test_every_problem_is_listed(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()
        path.write_text(
            FILE.replace('login = "bob"', 'login = "Alice"')
            .replace("1003", "10-01")
            .replace(SESAME, "sésame")
            + '[[people]]\nlogin = " "\nuser = "d1"\nname = "Dave"\nnumbers = ["David"]\n',
            "utf-8",
        )
        with pytest.raises(InvalidDocument) as invalid:
            opened(path)
        assert tuple(problem.removeprefix("people.toml: ") for problem in invalid.value.problems) == (
            "people[0].password: is not an argon2 hash",
            "people[1].password: takes 8 KiB 1 times, which is too cheap to guess; make it again",
            "people[3].login: is empty",
            "people[3].numbers: 'David' is not a number: use digits, *, # and a leading +",
            "people: the login alice is there 2 times",
            "people: the number 1001 is there 2 times",
        )

    @pytest.mark.parametrize("content", [b"\xff", b"people = 1", b"[[people]", b"[[people]]\nlogin = 'a'"])
    def test_what_is_no_directory_is_refused(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        with pytest.raises(InvalidDocument):
            opened(path)

    def test_an_empty_one_is_a_directory_of_nobody(self, path: Path) -> None:
        path.write_text("", "utf-8")
        assert logs_in(opened(path), "alice", "sésame") is None

    def test_a_change_is_noticed(self, path: Path) -> None:
        directory = opened(path)
        path.write_text(FILE.replace('"alice"', '"alicia"'), "utf-8")
        os.utime(path, ns=(1, 1))
        assert logs_in(directory, "alicia", "sésame") == "a1"
        assert logs_in(directory, "alice", "sésame") is None

    def test_a_change_that_cannot_be_used_locks_nobody_out(self, path: Path) -> None:
        observer = MemoryObserver()
        directory = opened(path, observer)
        for broken in ("[[people", "a = " + "[" * 5000, "a = " + "9" * 5000):
            path.write_text(broken, "utf-8")
            assert logs_in(directory, "alice", "sésame") == "a1"
        path.unlink()
        assert logs_in(directory, "alice", "sésame") == "a1"
        assert {str(request) for request, _ in observer.failures} == {"directory: read people.toml"}

    def test_who_is_dismissed_is_out_as_soon_as_the_file_can_be_read(self, path: Path) -> None:
        """The process has no descriptor left when the file changes; the file does not change after that."""
        observer = MemoryObserver()
        directory = opened(path, observer)
        path.write_text(FILE.replace('login = "alice"', 'login = "alicia"'), "utf-8")

        async def log_in() -> str | None:
            with no_descriptors():
                kept = await directory.authenticate("bob", "hunter2")
                assert await directory.authenticate("alice", "sésame") == "a1"
            assert await directory.credential("alice") is None
            assert await directory.authenticate("alice", "sésame") is None
            return kept

        assert asyncio.run(log_in()) == "b1"
        assert [str(request) for request, _ in observer.failures] == ["directory: read people.toml"]
        assert observer.recoveries == [PortRequest("directory", "read people.toml")]
