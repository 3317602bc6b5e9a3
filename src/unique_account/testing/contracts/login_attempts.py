"""What everything must do that counts log-ins."""

from __future__ import annotations

import asyncio

import pytest

from unique_account.ports.login_attempts import (
    PER_ADDRESS,
    PER_LOGIN,
    SOON,
    WINDOW,
    Begun,
    LoginAttempts,
    Places,
    TooManyAttempts,
)
from unique_account.testing.contracts.scenario import Contract, scenario


class LoginAttemptsContract(Contract[LoginAttempts]):
    """The contract of `unique_account.ports.login_attempts.LoginAttempts`."""

    alice = Places(("alice",), ("here-1", "here-2"))

    @scenario
    async def test_failures_of_a_login_are_counted(self, attempts: LoginAttempts) -> None:
        """The login is at its limit: it waits until its first failure is too old."""
        for number in range(PER_LOGIN):
            assert (await self._fail(attempts, self.alice)).failures == number
        with pytest.raises(TooManyAttempts) as refused:
            await attempts.begin(self.alice)
        assert WINDOW - self.patience < refused.value.wait <= WINDOW

    @scenario
    async def test_attempts_under_way_are_counted(self, attempts: LoginAttempts) -> None:
        """An attempt counts while it is under way, so that many at once gain nothing."""
        tried = await asyncio.gather(
            *(attempts.begin(self.alice) for _ in range(2 * PER_LOGIN)), return_exceptions=True
        )
        begun = [one for one in tried if isinstance(one, Begun)]
        refused = [one for one in tried if isinstance(one, TooManyAttempts)]
        assert (len(begun), [one.wait for one in refused]) == (PER_LOGIN, [SOON] * PER_LOGIN)
        assert sorted(one.failures for one in begun) == list(range(PER_LOGIN))
        await attempts.withdrawn(begun[0])
        assert (await attempts.begin(self.alice)).failures == PER_LOGIN - 1

    @scenario
    async def test_what_was_withdrawn_counts_for_nothing(self, attempts: LoginAttempts) -> None:
        """The attempt was not carried out."""
        for _ in range(2 * PER_LOGIN):
            await attempts.withdrawn(await attempts.begin(self.alice))
        assert (await attempts.begin(self.alice)).failures == 0

    @scenario
    async def test_a_success_forgets_the_failures_of_its_login(self, attempts: LoginAttempts) -> None:
        """Forget the failures of the login, but not those of the address, nor of another login."""
        bob = Places(("bob",), self.alice.address)
        for places in (self.alice, bob):
            for _ in range(PER_LOGIN - 1):
                await self._fail(attempts, places)
        await attempts.succeeded(await attempts.begin(self.alice))
        assert (await attempts.begin(self.alice)).failures == 0
        assert (await attempts.begin(bob)).failures == PER_LOGIN - 1
        for number in range(PER_ADDRESS - 2 * PER_LOGIN):
            assert not (await self._fail(attempts, Places((f"{number}",), self.alice.address))).slowed
        assert (await attempts.begin(Places(("more",), self.alice.address))).slowed

    @scenario
    async def test_an_address_at_its_limit_is_slowed_and_not_refused(self, attempts: LoginAttempts) -> None:
        """Whether the address was at its limit before it."""
        for number in range(PER_ADDRESS):
            assert not (await self._fail(attempts, Places((f"{number}",), self.alice.address))).slowed
        for number in range(3):
            assert (await self._fail(attempts, Places((f"more{number}",), self.alice.address))).slowed
        assert not (await attempts.begin(Places(("other",), ("there-1", "there-2")))).slowed

    @scenario
    async def test_the_smallest_count_is_that_of_the_name(self, attempts: LoginAttempts) -> None:
        """The count of a login or an address is the smallest of its places'."""
        for _ in range(PER_LOGIN):
            await self._fail(attempts, Places(("one", "two"), ("here-1", "here-2")))
        assert (await self._fail(attempts, Places(("one", "three"), ("here-1", "here-3")))).failures == 0
        with pytest.raises(TooManyAttempts):
            await attempts.begin(Places(("one", "two"), ("here-4", "here-5")))

    @scenario
    async def test_a_refused_attempt_counts_nowhere(self, attempts: LoginAttempts) -> None:
        """The attempt counts for nothing, at its address neither."""
        for _ in range(PER_LOGIN):
            await self._fail(attempts, self.alice)
        for _ in range(PER_ADDRESS):
            with pytest.raises(TooManyAttempts):
                await attempts.begin(self.alice)
        assert not (await attempts.begin(Places(("bob",), self.alice.address))).slowed

    async def _fail(self, attempts: LoginAttempts, places: Places) -> Begun:
        begun = await attempts.begin(places)
        await attempts.failed(begun)
        return begun
