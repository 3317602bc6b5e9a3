"""The directory in a file: log-ins by hash, names, and who may see whom."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from unique_account.adapters import people
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.people import PeopleFile, hash_password
from unique_account.documents import InvalidDocument
from unique_account.ports.directory import Colleague, Directory

if TYPE_CHECKING:
    from pathlib import Path

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""A hasher for tests: its parameters are in its hashes."""

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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "people.toml"
    file.write_text(FILE, "utf-8")
    return file


def opened(path: Path, observer: MemoryObserver | None = None) -> PeopleFile:
    return PeopleFile(path, observer or MemoryObserver())


def logs_in(directory: Directory, login: str, password: str) -> str | None:
    return asyncio.run(directory.authenticate(login, password))


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
            checked.append(hashed.rpartition("$")[0].rpartition("$")[0])
            return True

        directory = opened(path)
        monkeypatch.setattr(people, "_matches", matches)
        assert [logs_in(directory, login, "x") for login in ("alice", "nobody", "carol")] == [
            "a1",
            None,
            None,
        ]
        assert checked == [SESAME.rpartition("$")[0].rpartition("$")[0]] * 3

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
        assert "argon2" not in repr(directory._people)


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


class TestTheFile:
    """A5: a file is read whole, and every problem is listed; one that changes is read again."""

    def test_every_problem_is_listed(self, path: Path) -> None:
        path.write_text(
            FILE.replace('login = "bob"', 'login = "alice"')
            .replace("1003", "10-01")
            .replace(SESAME, "sésame")
            + '[[people]]\nlogin = " "\nuser = "d1"\nname = "Dave"\n',
            "utf-8",
        )
        with pytest.raises(InvalidDocument) as invalid:
            opened(path)
        assert invalid.value.problems == (
            "people[0].password: is not an argon2 hash",
            "people[3].login: is empty",
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
        path.write_text("[[people", "utf-8")
        os.utime(path, ns=(1, 1))
        assert logs_in(directory, "alice", "sésame") == "a1"
        path.unlink()
        assert logs_in(directory, "alice", "sésame") == "a1"
        assert {what for what, _ in observer.failures} == {"directory: read people.toml"}
