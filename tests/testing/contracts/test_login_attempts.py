"""The contract of log-in attempts can fail: it finds each adapter that breaks a promise."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from tests.testing.promises import broken_promises, keeps
from unique_account.adapters.xuc.auth.failure_counts import LocalLoginAttempts
from unique_account.ports.login_attempts import PER_LOGIN, Begun, Places, TooManyAttempts
from unique_account.testing.contracts import LoginAttemptsContract


class Whole(LocalLoginAttempts):
    """One whose time stands still."""

    def __init__(self) -> None:
        super().__init__(lambda: 1000.0)


class CountsNothing(Whole):
    async def failed(self, begun: Begun) -> None:
        await self.withdrawn(begun)


class CountsOnlyFailures(Whole):
    async def begin(self, places: Places) -> Begun:
        begun = await super().begin(places)
        await super().withdrawn(begun)
        return begun

    async def withdrawn(self, begun: Begun) -> None:
        """Nothing is under way."""


class NeverEnds(Whole):
    async def withdrawn(self, begun: Begun) -> None:
        """It counts on."""


class ForgetsTheAddress(Whole):
    async def succeeded(self, begun: Begun) -> None:
        await super().succeeded(begun)
        self._addresses.clear(begun.places.address)


class ForgetsNothing(Whole):
    async def succeeded(self, begun: Begun) -> None:
        await self.withdrawn(begun)


class RefusesAddresses(Whole):
    async def begin(self, places: Places) -> Begun:
        begun = await super().begin(places)
        if begun.slowed:
            raise TooManyAttempts(1.0)
        return begun


class NeverSlows(Whole):
    async def begin(self, places: Places) -> Begun:
        return evolve(await super().begin(places), slowed=False)


class OnePlace(Whole):
    async def begin(self, places: Places) -> Begun:
        return await super().begin(Places(places.login[:1], places.address[:1]))


class WaitsForEver(Whole):
    async def begin(self, places: Places) -> Begun:
        try:
            return await super().begin(places)
        except TooManyAttempts:
            raise TooManyAttempts(9e9) from None


class CountsTheRefused(Whole):
    async def begin(self, places: Places) -> Begun:
        if self._logins.count(places.login, 1000.0) >= PER_LOGIN:
            self._addresses.add(places.address, 1000.0)
        return await super().begin(places)


BROKEN = [CountsNothing, CountsOnlyFailures, NeverEnds, ForgetsTheAddress, ForgetsNothing, RefusesAddresses,
          NeverSlows, OnePlace, WaitsForEver, CountsTheRefused]  # fmt: skip


@pytest.mark.parametrize("adapter", BROKEN)
def test_broken_attempts_are_found_out(adapter: Any) -> None:
    assert broken_promises(keeps(LoginAttemptsContract, adapter, within=5))


def test_whole_ones_break_no_promise() -> None:
    assert broken_promises(keeps(LoginAttemptsContract, Whole, within=5)) == []
