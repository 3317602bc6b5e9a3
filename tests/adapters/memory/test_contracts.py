"""The in-memory ports keep their contracts: they are trusted as doubles as far as these tests go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.adapters.memory.drivers import MemoryAssistants, MemoryCompany, MemoryListener, MemoryPhones
from unique_account.adapters.memory import (
    MemoryAccounts,
    MemoryBus,
    MemoryCallLog,
    MemoryCti,
    MemoryDirectory,
    MemoryGroupLeases,
    MemoryObserver,
    MemoryPbx,
    SettableClock,
)
from unique_account.ports.accounts import Accounts
from unique_account.ports.bus import Bus
from unique_account.ports.call_log import CallLog
from unique_account.ports.clock import Clock
from unique_account.ports.cti import Cti
from unique_account.ports.directory import Directory
from unique_account.ports.group_leases import GroupLeases
from unique_account.ports.observer import Observer
from unique_account.ports.pbx import Pbx
from unique_account.testing.contracts import (
    AccountsContract,
    Assistants,
    BusContract,
    CallLogContract,
    ClockContract,
    Company,
    CtiContract,
    DirectoryContract,
    GroupLeasesContract,
    Listener,
    ObserverContract,
    Passing,
    PbxContract,
    Phones,
)


class TestMemoryAccounts(AccountsContract):
    """The store in memory."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Accounts]:
        yield MemoryAccounts()


class TestMemoryCallLog(CallLogContract):
    """The call log in memory."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[CallLog]:
        yield MemoryCallLog()


class TestMemoryBus(BusContract):
    """The bus in memory."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Bus, Listener]]:
        bus = MemoryBus()
        yield bus, MemoryListener(bus)


class TestSettableClock(ClockContract):
    """The clock that is moved."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Clock, Passing]]:
        clock = SettableClock()
        yield clock, clock.advance


class TestMemoryDirectory(DirectoryContract):
    """The directory in memory."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Directory, Company]]:
        directory = MemoryDirectory({}, {})
        yield directory, MemoryCompany(directory)


class TestMemoryObserver(ObserverContract):
    """The observer in memory."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Observer]:
        yield MemoryObserver()


class TestMemoryCti(CtiContract):
    """The CTI in memory."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Cti, Assistants]]:
        cti = MemoryCti()
        yield cti, MemoryAssistants(cti)


class TestMemoryPbx(PbxContract):
    """The PBX in memory."""

    patience = 1.0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Pbx, Phones]]:
        clock = SettableClock()
        pbx = MemoryPbx(clock)
        yield pbx, MemoryPhones(pbx, clock)


class TestMemoryGroupLeases(GroupLeasesContract):
    """Group leases in memory."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[GroupLeases]:
        yield MemoryGroupLeases()
