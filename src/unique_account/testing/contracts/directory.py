"""What every directory must do."""

from __future__ import annotations

from typing import Protocol

from attrs import evolve, frozen

from unique_account.ports.directory import Colleague, Directory
from unique_account.testing.contracts.scenario import Contract, scenario


@frozen(weakref_slot=False)
class Employee:
    """Somebody whom a directory is to know; the login is the user's id, and all employees may see each other.

    Attributes:
        user: The id of the user, and the login.
        name: The full name.
        number: The internal number.
        password: The password; empty: this one cannot log in.
    """

    user: str
    name: str
    number: str
    password: str = ""


class Company(Protocol):
    """What a directory knows its people from, in the hands of the test."""

    async def employ(self, *employees: Employee) -> None:
        """Let these be all people there are; done once the directory knows them."""
        ...


class DirectoryContract(Contract[tuple[Directory, Company]]):
    """The contract of `unique_account.ports.directory.Directory`; one opens with its company, of nobody."""

    alice = Employee("alice", "Alice Martin", "1001", "open sesame")
    bob = Employee("bob", "Bob Durand", "1002", "hunter2 hunter2")
    carol = Employee("carol", "Carol Petit", "1003")

    @scenario
    async def test_a_login_with_its_password_is_a_user(self, opened: tuple[Directory, Company]) -> None:
        """The id of the user with this login and password."""
        directory, company = opened
        await company.employ(self.alice, self.bob)
        for each in (self.alice, self.bob):
            assert await directory.authenticate(each.user, each.password) == each.user

    @scenario
    async def test_what_does_not_match_is_nobody(self, opened: tuple[Directory, Company]) -> None:
        """None where they do not match."""
        directory, company = opened
        await company.employ(self.alice, self.bob, self.carol)
        for login, password in (
            ("alice", self.bob.password),
            ("alice", ""),
            ("alice", self.alice.password + " "),
            ("mallory", self.alice.password),
            ("carol", ""),
            ("", ""),
        ):
            assert await directory.authenticate(login, password) is None

    @scenario
    async def test_a_spelling_of_a_login_is_of_no_one_else(self, opened: tuple[Directory, Company]) -> None:
        """Logins that differ only in case or form are of one person at most."""
        directory, company = opened
        await company.employ(self.alice, self.bob)
        assert await directory.authenticate("ALICE", self.alice.password) in (None, "alice")
        assert await directory.authenticate("ALICE", self.bob.password) is None

    @scenario
    async def test_a_credential_changes_with_the_password(self, opened: tuple[Directory, Company]) -> None:
        """A text that changes when the password of a login does, and not otherwise."""
        directory, company = opened
        await company.employ(self.alice, self.bob)
        before = await directory.credential("alice")
        assert before is not None
        assert await directory.credential("alice") == before
        await company.employ(evolve(self.alice, password="another one"), self.bob)
        assert await directory.credential("alice") not in (None, before)

    @scenario
    async def test_nobody_s_login_has_no_credential(self, opened: tuple[Directory, Company]) -> None:
        """None where nobody can log in with this login, or no longer."""
        directory, company = opened
        await company.employ(self.alice, self.bob)
        assert await directory.credential("mallory") is None
        await company.employ(self.bob)
        assert await directory.credential("alice") is None

    @scenario
    async def test_a_number_has_a_name(self, opened: tuple[Directory, Company]) -> None:
        """The full name behind an internal number; None where nobody is known to have it."""
        directory, company = opened
        await company.employ(self.alice, self.carol)
        assert await directory.name("1001") == "Alice Martin"
        assert await directory.name("1003") == "Carol Petit"
        assert await directory.name("1002") is None

    @scenario
    async def test_who_may_see_whom(self, opened: tuple[Directory, Company]) -> None:
        """Whether a user may see a number; nobody sees one that is nobody's."""
        directory, company = opened
        await company.employ(self.alice, self.bob)
        assert await directory.may_see("alice", "1002")
        assert not await directory.may_see("alice", "1009")
        assert not await directory.may_see("mallory", "1001")

    @scenario
    async def test_colleagues_come_by_name_without_the_user(self, opened: tuple[Directory, Company]) -> None:
        """Whom a user may see, the user apart, in the order of their names."""
        directory, company = opened
        await company.employ(self.carol, self.bob, self.alice)
        found = await directory.colleagues("alice")
        assert list(found) == [Colleague("1002", "Bob Durand"), Colleague("1003", "Carol Petit")]

    @scenario
    async def test_colleagues_are_searched(self, opened: tuple[Directory, Company]) -> None:
        """Only those whose name or number has the words in it, whatever the case, accents and separators."""
        directory, company = opened
        await company.employ(self.alice, self.bob, self.carol)
        for words, names in (("DURAND", ["Bob Durand"]), ("1003", ["Carol Petit"]), ("nobody", [])):
            assert [one.name for one in await directory.colleagues("alice", words)] == names
        await company.employ(self.alice, Employee("zoe", "Zoé Le-Goff", "10 04"))
        for words in ("zoe", "ZOÉ", "zoé legoff", "Le Goff", "1004", "10-04", "100 4"):
            assert [one.number for one in await directory.colleagues("alice", words)] == ["1004"]
        assert not await directory.colleagues("alice", "goff10")

    @scenario
    async def test_no_more_than_the_limit_are_given(self, opened: tuple[Directory, Company]) -> None:
        """So many at most, the first by name."""
        directory, company = opened
        await company.employ(self.alice, self.bob, self.carol)
        assert [one.name for one in await directory.colleagues("alice", limit=1)] == ["Bob Durand"]
