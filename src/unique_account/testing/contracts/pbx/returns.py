"""What every PBX must do when its node is back after it could not be reached."""

from __future__ import annotations

import asyncio

from unique_account.core.account import Account
from unique_account.core.events import Event, FactsReplaced
from unique_account.ports.pbx import Pbx
from unique_account.testing.contracts.pbx.node import OWNER, NodeContract, Opened, planned
from unique_account.testing.contracts.scenario import scenario


class ReturnsContract(NodeContract):
    """A node that is lost raises `ConnectionError`; one that is back says so and reports everything."""

    @scenario
    async def test_a_node_that_was_never_lost_has_not_returned(self, opened: Opened) -> None:
        """Called whenever the node is back *after it could not be reached*."""
        pbx, _ = opened
        returns: list[str] = []
        async with self.listening(pbx, on_return=lambda: returns.append("back")):
            await pbx.watch(self.alice)
            assert returns == []

    @scenario
    async def test_a_node_that_is_back_says_so_once_and_then_reports_everything_again(
        self, opened: Opened
    ) -> None:
        """While the node cannot be reached, requests raise `ConnectionError`; afterwards all is reported."""
        pbx, phones = opened
        log: list[object] = []

        async def keep(_: str, event: Event) -> None:
            log.append(event)

        async def reported() -> bool:
            return "back" in log and log[-1] != "back"

        async with self.listening(pbx, keep, lambda: log.append("back")):
            await pbx.watch(self.alice)
            await phones.lose_node()
            assert await self._is_down(pbx)
            assert "back" not in log
            await phones.restore_node()
            await self.until(reported)
            assert isinstance(log[log.index("back") + 1], FactsReplaced)
            assert log.count("back") == 1

    @scenario
    async def test_who_asks_at_once_sees_what_the_node_held(self, opened: Opened) -> None:
        """A request that is made at once sees what the node holds before any fact is reported."""
        pbx, phones = opened
        before, after = planned(Account(self.alice)), planned(self.logged_in())
        assert before.version < after.version
        seen: list[int] = []
        asking: list[asyncio.Task[None]] = []

        async def ask() -> None:
            seen.append((await pbx.installed(OWNER))["alice"].version)

        async def install(_: str, event: Event) -> None:
            if asking and isinstance(event, FactsReplaced):
                await pbx.install(after)

        def returned() -> None:
            asking.append(asyncio.create_task(ask()))

        async with self.listening(pbx, install, returned):
            await pbx.watch(self.alice)
            await pbx.install(before)
            await phones.lose_node()
            await phones.restore_node()

            async def asked() -> bool:
                return bool(seen)

            await self.until(asked)
            assert seen == [before.version]

    async def _is_down(self, pbx: Pbx) -> bool:
        try:
            await pbx.install(planned(Account(self.alice)))
        except ConnectionError:
            return True
        return False
