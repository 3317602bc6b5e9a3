"""The contract of the CTI can fail: it finds each adapter that breaks a promise."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.adapters.memory.drivers import (
    MemoryAssistants,
)
from tests.testing.promises import broken_promises, keeps
from unique_account.adapters.memory import (
    MemoryCti,
)
from unique_account.core.events import Event
from unique_account.core.history import DEFAULT_SIZE, Page
from unique_account.core.presence import Presence
from unique_account.core.view import View
from unique_account.ports.inbound.commands import Command
from unique_account.testing.contracts import (
    CtiContract,
)


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


class NeverReleases(MemoryCti):
    async def release(self, user: str) -> None:
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


class ReportsNoHistory(MemoryCti):
    async def history_changed(self, user: str) -> None:
        pass


class PublishesTheFirst(MemoryCti):
    async def publish(self, number: str, presence: Presence) -> None:
        self.presences.setdefault(number, presence)


@pytest.mark.parametrize(
    "adapter",
    [
        ShowsAnything,
        ShowsNewVersionsOnly,
        NeverForgets,
        NeverReleases,
        ForgetsKnownUsersOnly,
        SwallowsRefusals,
        DiesOfErrors,
        SwallowsCommands,
        AnsweredForTheBrowser,
        DiesOfFailures,
        AlwaysTheFirstPage,
        ShowsAfterwards,
        PublishesTheFirst,
        ReportsNoHistory,
    ],
)
def test_a_broken_cti_is_found_out(adapter: type[MemoryCti]) -> None:
    def opened() -> Any:
        cti = adapter()
        return cti, MemoryAssistants(cti)

    assert broken_promises(keeps(CtiContract, opened))


def test_a_whole_one_breaks_no_promise() -> None:
    def opened() -> Any:
        cti = MemoryCti()
        return cti, MemoryAssistants(cti)

    assert broken_promises(keeps(CtiContract, opened, within=5)) == []
