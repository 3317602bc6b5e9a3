"""The contracts can fail: every adapter that breaks a promise is found out by a test of its contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from tests.adapters.memory.test_contracts import MemoryAssistants, MemoryPhones
from tests.testing.promises import broken_promises, keeps
from unique_account.adapters.memory import (
    MemoryAccounts,
    MemoryCallLog,
    MemoryCti,
    MemoryPbx,
    SettableClock,
)
from unique_account.core.account import Kept
from unique_account.core.cursors import Key
from unique_account.core.events import Event
from unique_account.core.history import DEFAULT_SIZE, CallRecord, Page
from unique_account.core.presence import Presence
from unique_account.core.routing import Plan
from unique_account.core.search import matches
from unique_account.core.user import User
from unique_account.core.view import View
from unique_account.ports.call_log import Position
from unique_account.ports.inbound.commands import Command
from unique_account.ports.inbound.events import EventHandler
from unique_account.testing.contracts import (
    AccountsContract,
    CallLogContract,
    CtiContract,
    PbxContract,
)

# -- accounts ----------------------------------------------------------------------------------------


class LastWriterWins(MemoryAccounts):
    async def save(self, user: User, kept: Kept, expected: int) -> None:
        self._stored[user.id] = (user, kept)


class OneByOne(MemoryAccounts):
    async def add(self, users: Iterable[User]) -> None:
        for user in users:
            await super().add([user])


class AddsAgain(MemoryAccounts):
    async def add(self, users: Iterable[User]) -> None:
        self._stored |= {user.id: (user, Kept()) for user in users}


class RemovesAnything(MemoryAccounts):
    async def remove(self, user: str, expected: int) -> None:
        self._stored.pop(user, None)


class InOrderOfComing(MemoryAccounts):
    async def all(self) -> AsyncIterator[tuple[User, Kept]]:
        for user in list(self._stored):
            if user in self._stored:
                yield self._stored[user]


class PagesByCount(MemoryAccounts):
    """Pages with an offset, which moves as accounts come and go."""

    async def all(self) -> AsyncIterator[tuple[User, Kept]]:
        offset = 0
        while page := sorted(self._stored)[offset : offset + 100]:
            for user in page:
                if user in self._stored:
                    yield self._stored[user]
            offset += 100


class Forgetful(MemoryAccounts):
    async def save(self, user: User, kept: Kept, expected: int) -> None:
        await super().save(user, evolve(kept, sessions=()), expected)


@pytest.mark.parametrize(
    "adapter",
    [LastWriterWins, OneByOne, AddsAgain, RemovesAnything, InOrderOfComing, PagesByCount, Forgetful],
)
def test_a_broken_store_is_found_out(adapter: type[MemoryAccounts]) -> None:
    assert broken_promises(keeps(AccountsContract, adapter))


# -- call log ----------------------------------------------------------------------------------------


class KeepsTheFirst(MemoryCallLog):
    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        coming = list(records)
        kept = {user: {known.key for known in of.records} for user, of in self._users.items()}
        await super().add([r for r in coming if r.key not in kept.get(r.user, ())], read)


class KeepsTheLast(MemoryCallLog):
    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        fresh = list(records)
        for record in fresh:
            kept = self._users[record.user].records if record.user in self._users else []
            kept[:] = [record if known.key == record.key else known for known in kept]
        await super().add(fresh, read)


class HalfABatch(MemoryCallLog):
    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        for record in records:
            await super().add([record], read)


class ReadBeforeItIsKept(MemoryCallLog):
    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        await super().add([], read)
        await super().add(records)


class ReadsAgain(MemoryCallLog):
    """Takes any position, an earlier one included."""

    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        await super().add(records)
        if read is not None:
            self._positions[read.source] = read


class OneSource(MemoryCallLog):
    async def position(self, source: str) -> Position | None:
        rows = [position.row for position in self._positions.values()]
        return Position(source, max(rows)) if rows else None


class Asks(MemoryCallLog):
    """Passes on what is asked of it; a change of one answer is a way to be broken."""

    async def before(
        self,
        user: str,
        key: Key | None,
        limit: int,
        since: datetime | None = None,
        matching: str = "",
    ) -> Sequence[CallRecord]:
        return await self.asked(user, key, limit, since, matching)

    async def asked(
        self, user: str, key: Key | None, limit: int, since: datetime | None, matching: str
    ) -> Sequence[CallRecord]:
        return await super().before(user, key, limit, since, matching)


class Inclusive(Asks):
    async def asked(
        self, user: str, key: Key | None, limit: int, since: datetime | None, matching: str
    ) -> Sequence[CallRecord]:
        after = None if key is None else (key[0], key[1] + "\0")
        return await super().asked(user, after, limit, since, matching)


class SinceTooLate(Asks):
    async def asked(
        self, user: str, key: Key | None, limit: int, since: datetime | None, matching: str
    ) -> Sequence[CallRecord]:
        later = None if since is None else since + timedelta(microseconds=1)
        return await super().asked(user, key, limit, later, matching)


class OldestFirst(Asks):
    async def asked(
        self, user: str, key: Key | None, limit: int, since: datetime | None, matching: str
    ) -> Sequence[CallRecord]:
        return (await super().asked(user, key, limit, since, matching))[::-1]


class FindsExactlyWhatIsTyped(Asks):
    async def asked(
        self, user: str, key: Key | None, limit: int, since: datetime | None, matching: str
    ) -> Sequence[CallRecord]:
        found = await super().asked(user, key, 1000, since, "")
        return [entry for entry in found if matching in f"{entry.peer} {entry.peer_name}"][:limit]


class SearchesOnePage(Asks):
    async def asked(
        self, user: str, key: Key | None, limit: int, since: datetime | None, matching: str
    ) -> Sequence[CallRecord]:
        found = await super().asked(user, key, limit, since, "")
        return [entry for entry in found if matches(entry, matching)]


class ForgetsTooMuch(MemoryCallLog):
    async def forget_before(self, instant: datetime) -> int:
        return await super().forget_before(instant + timedelta(microseconds=1))


@pytest.mark.parametrize(
    "adapter",
    [
        KeepsTheFirst,
        KeepsTheLast,
        HalfABatch,
        ReadBeforeItIsKept,
        ReadsAgain,
        OneSource,
        Inclusive,
        SinceTooLate,
        OldestFirst,
        FindsExactlyWhatIsTyped,
        SearchesOnePage,
        ForgetsTooMuch,
    ],
)
def test_a_broken_call_log_is_found_out(adapter: type[MemoryCallLog]) -> None:
    assert broken_promises(keeps(CallLogContract, adapter))


# -- CTI ---------------------------------------------------------------------------------------------


class ShowsAnything(MemoryCti):
    async def show(self, view: View) -> None:
        self.shown[view.user] = view


class ShowsNewVersionsOnly(MemoryCti):
    async def show(self, view: View) -> None:
        if view.user not in self.shown or self.shown[view.user].version < view.version:
            self.shown[view.user] = view


class NeverForgets(MemoryCti):
    async def forget(self, user: str) -> None:
        pass


class ForgetsKnownUsersOnly(MemoryCti):
    async def forget(self, user: str) -> None:
        del self.shown[user]


class SwallowsRefusals(MemoryCti):
    async def act(self, user: str, event: Event) -> None:
        try:
            await super().act(user, event)
        except Exception:
            return


class DiesOfErrors(MemoryCti):
    async def act(self, user: str, event: Event) -> None:
        try:
            await super().act(user, event)
        except Exception:
            self._service = None
            raise


class SwallowsCommands(MemoryCti):
    async def command(self, user: str, command: Command) -> bool:
        return True


class AnsweredForTheBrowser(MemoryCti):
    async def command(self, user: str, command: Command) -> bool:
        await super().command(user, command)
        return True


class DiesOfFailures(MemoryCti):
    async def command(self, user: str, command: Command) -> bool:
        try:
            return await super().command(user, command)
        except Exception:
            self._service = None
            raise


class AlwaysTheFirstPage(MemoryCti):
    async def history(self, user: str, size: int = DEFAULT_SIZE, cursor: str | None = None) -> Page:
        return await super().history(user, size)


class ShowsAfterwards(MemoryCti):
    """Shows nothing while what a user does is being heard."""

    def __init__(self) -> None:
        super().__init__()
        self._busy = asyncio.Lock()

    async def act(self, user: str, event: Event) -> None:
        async with self._busy:
            await super().act(user, event)

    async def show(self, view: View) -> None:
        async with self._busy:
            await super().show(view)


class PublishesTheFirst(MemoryCti):
    async def publish(self, number: str, presence: Presence) -> None:
        self.presences.setdefault(number, presence)


@pytest.mark.parametrize(
    "adapter",
    [
        ShowsAnything,
        ShowsNewVersionsOnly,
        NeverForgets,
        ForgetsKnownUsersOnly,
        SwallowsRefusals,
        DiesOfErrors,
        SwallowsCommands,
        AnsweredForTheBrowser,
        DiesOfFailures,
        AlwaysTheFirstPage,
        ShowsAfterwards,
        PublishesTheFirst,
    ],
)
def test_a_broken_cti_is_found_out(adapter: type[MemoryCti]) -> None:
    def opened() -> Any:
        cti = adapter()
        return cti, MemoryAssistants(cti)

    assert broken_promises(keeps(CtiContract, opened))


# -- what is whole, or slow, is not broken -----------------------------------------------------------


def test_whole_adapters_break_no_promise() -> None:
    def pbx() -> Any:
        clock = SettableClock()
        node = MemoryPbx(clock)
        return node, MemoryPhones(node, clock)

    def cti() -> Any:
        server = MemoryCti()
        return server, MemoryAssistants(server)

    for contract, opened in (
        (AccountsContract, MemoryAccounts),
        (CallLogContract, MemoryCallLog),
        (CtiContract, cti),
        (PbxContract, pbx),
    ):
        assert broken_promises(keeps(contract, opened, within=5)) == []


class Slow(MemoryPbx):
    """A node that can be reached a while after somebody begins to listen."""

    _connected = False

    async def listen(self, on_event: EventHandler, on_return: Callable[[], None]) -> None:
        await asyncio.sleep(0.02)
        self._connected = True
        await super().listen(on_event, on_return)

    async def installed(self, owner: str) -> Mapping[str, Plan]:
        if not self._connected:
            raise ConnectionError("the node cannot be reached yet")
        return await super().installed(owner)


def test_a_node_that_takes_its_time_is_waited_for() -> None:
    clock = SettableClock()
    pbx = Slow(clock)
    contract = keeps(PbxContract, lambda: (pbx, MemoryPhones(pbx, clock)), within=5)
    contract.test_contacts_are_told_as_they_come_and_go()  # type: ignore[attr-defined] # a PbxContract


def test_a_contract_needs_to_be_told_how_to_open() -> None:
    with pytest.raises(TypeError, match=r"abstract method '?open"):
        AccountsContract()  # type: ignore[abstract] # the point of it


def test_a_scenario_is_a_plain_test_with_the_sentence_it_proves() -> None:
    test = AccountsContract.test_a_user_without_an_account_has_none
    assert test.__doc__ == "None where there is none."
    assert not asyncio.iscoroutinefunction(test)
    assert test.__module__ == "unique_account.testing.contracts.accounts"
