"""How often passwords may be tried: by login and by address, in bounded memory."""

from __future__ import annotations

import random
import sys
from array import array
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.xuc.auth import throttle
from unique_account.adapters.xuc.auth.throttle import ADDRESSES, INTERVAL, LONGEST_DELAY, UNKNOWN_LOGINS
from unique_account.ports.login_attempts import PER_ADDRESS, PER_LOGIN, SOON, WINDOW, TooManyAttempts

T = TypeVar("T")
HERE = "192.0.2.1"
PEOPLE = {"alice", "bob", "carol"}


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of what waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits")


class ThrottleDriver:
    """Where people try to log in, at a time that is set.

    Attributes:
        now: The time.
        attempts: What counts them.
    """

    def __init__(self, key: str = "a key") -> None:
        self.now = 1000.0
        self.attempts = throttle.Throttle(lambda: self.now, key, MemoryObserver())

    def begin(self, login: str, address: str = HERE) -> AbstractAsyncContextManager[throttle.Attempt]:
        return self.attempts.attempt(login, address, known=login in PEOPLE)

    def fail(self, login: str, address: str = HERE) -> float:
        """Fail once; returns after what delay."""
        return at_once(self._try(login, address, right=False))

    def succeed(self, login: str, address: str = HERE) -> float:
        return at_once(self._try(login, address, right=True))

    async def _try(self, login: str, address: str, *, right: bool | None) -> float:
        async with self.begin(login, address) as attempt:
            attempt.right = right
        return attempt.delay

    def wait(self, login: str, address: str = HERE) -> float:
        """How long a login has to wait, 0: it may try."""
        try:
            at_once(self._try(login, address, right=None))
        except TooManyAttempts as refused:
            return refused.wait
        return 0.0


def elsewhere(number: int) -> str:
    """As many addresses as anybody wants, each in a /64 of its own."""
    return f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1"


class TestByLogin:
    """S1: ten failures with a login in any five minutes, and it has to wait."""

    @pytest.mark.parametrize("login", ["alice", "nobody"])
    def test_it_waits_until_the_oldest_failure_is_too_old(self, login: str) -> None:
        driver = ThrottleDriver()
        for number in range(PER_LOGIN):
            driver.fail(login, elsewhere(number))
            driver.now += 1
        assert driver.wait(login) == WINDOW - PER_LOGIN
        driver.now += WINDOW - PER_LOGIN
        assert driver.wait(login) == 0
        driver.fail(login)
        assert driver.wait(login) == 1

    @given(st.lists(st.floats(0, WINDOW / 2), max_size=60))
    def test_no_five_minutes_have_more(self, pauses: list[float]) -> None:
        driver, failures = ThrottleDriver(), list[float]()
        for number, pause in enumerate(pauses):
            driver.now += pause
            if not driver.wait("alice", elsewhere(number)):
                driver.fail("alice", elsewhere(number))
                failures.append(driver.now)
        for first, later in zip(failures, failures[PER_LOGIN:], strict=False):
            assert later - first >= WINDOW

    def test_attempts_under_way_count(self) -> None:
        driver = ThrottleDriver()
        under_way = [driver.begin("alice", elsewhere(number)) for number in range(PER_LOGIN)]
        for attempt in under_way:
            at_once(attempt.__aenter__())
        assert driver.wait("alice") == SOON
        at_once(under_way.pop().__aexit__(None, None, None))
        assert driver.wait("alice") == 0

    def test_one_that_was_not_checked_counts_for_nothing(self) -> None:
        driver = ThrottleDriver()

        async def busy() -> None:
            async with driver.begin("alice"):
                raise OSError("busy")

        for _ in range(2 * PER_LOGIN):
            with pytest.raises(OSError, match="busy"):
                at_once(busy())
        assert driver.wait("alice") == 0
        assert not driver.attempts._local._addresses._failures

    def test_spellings_of_a_login_are_counted_as_one(self) -> None:
        driver = ThrottleDriver()
        for spelling in ("nobody", "NOBODY", "Nobody ", "\uff4e\uff4f\uff42\uff4f\uff44\uff59", "nObOdY"):
            for _ in range(2):
                driver.fail(spelling)
        assert driver.wait("nobody") > 0

    def test_a_success_clears_its_own_login_and_nothing_else(self) -> None:
        driver = ThrottleDriver()
        for login in ("alice", "bob"):
            for _ in range(PER_LOGIN - 1):
                driver.fail(login)
        driver.succeed("alice")
        driver.fail("alice")
        driver.fail("bob")
        assert driver.wait("alice") == 0
        assert driver.wait("bob") > 0
        (addresses,) = {len(times) for times in driver.attempts._local._addresses._failures.values()}
        assert addresses == 2 * PER_LOGIN

    def test_nobody_pushes_a_count_out(self) -> None:
        driver = ThrottleDriver()
        for number in range(PER_LOGIN):
            driver.fail("alice", elsewhere(number))
        for number in range(20_000):
            driver.fail(f"login{number}", elsewhere(number))
        assert driver.wait("alice") == WINDOW

    def test_nor_that_of_a_login_that_nobody_has(self) -> None:
        driver = ThrottleDriver()
        for number in range(PER_LOGIN):
            driver.fail("nobody", elsewhere(number))
        for number in range(20_000):
            driver.fail(f"login{number}", elsewhere(number))
        assert driver.wait("nobody") == WINDOW

    def test_few_strangers_are_refused_early_under_the_worst_attack(self) -> None:
        """Ten failures each of 1,200 logins: two checks at once of 50 ms each, for five minutes."""
        driver = ThrottleDriver()
        for number in range(1200):
            for _ in range(PER_LOGIN):
                if not driver.wait(f"login{number}", elsewhere(number)):
                    driver.fail(f"login{number}", elsewhere(number))
        early = sum(driver.wait(f"stranger{number}") > 0 for number in range(2000))
        assert early < 2000 * 0.02


class TestByAddress:
    """S1: a hundred failures from an address in any five minutes, and it is slowed down, not shut."""

    def spray(self, driver: ThrottleDriver, address: str = HERE, times: int = PER_ADDRESS) -> None:
        for number in range(times):
            driver.fail(f"login{number}", address)

    def test_one_attempt_a_second_passes(self) -> None:
        driver = ThrottleDriver()
        self.spray(driver)
        assert [driver.fail(f"more{number}") for number in range(3)] == [0, INTERVAL, 2 * INTERVAL]
        driver.now += 3 * INTERVAL
        assert driver.fail("more") == 0

    def test_a_right_password_from_there_is_accepted(self) -> None:
        driver = ThrottleDriver()
        self.spray(driver)
        assert driver.succeed("alice") == 0
        assert driver.succeed("bob") == INTERVAL

    def test_too_many_at_once_are_refused(self) -> None:
        driver = ThrottleDriver()
        self.spray(driver)
        passed = 0
        while not driver.wait("more"):
            passed += 1
        assert passed == LONGEST_DELAY / INTERVAL + 1
        assert driver.wait("more") == LONGEST_DELAY + INTERVAL

    def test_a_login_that_succeeded_from_there_before_is_not_slowed(self) -> None:
        driver = ThrottleDriver()
        driver.succeed("alice")
        self.spray(driver)
        while not driver.wait("more"):
            pass
        assert [driver.succeed("alice") for _ in range(3)] == [0, 0, 0]
        assert driver.wait("bob") > 0
        assert driver.wait("alice", "192.0.2.7") == 0

    def test_nor_does_that_help_to_guess(self) -> None:
        driver = ThrottleDriver()
        driver.succeed("alice")
        self.spray(driver)
        driver.fail("alice")
        assert [driver.fail("alice"), driver.fail("alice")] == [0, INTERVAL]

    def test_a_success_takes_nothing_back_from_the_address(self) -> None:
        driver = ThrottleDriver()
        self.spray(driver)
        for _ in range(50):
            driver.succeed("alice")
            driver.now += INTERVAL
        driver.succeed("bob")
        assert driver.fail("more") == INTERVAL

    def test_nobody_pushes_an_address_out(self) -> None:
        driver = ThrottleDriver()
        self.spray(driver)
        for number in range(20_000):
            driver.fail(f"login{number}", elsewhere(number))
        assert [driver.fail("more1"), driver.fail("more2")] == [0, INTERVAL]

    def test_a_64_is_one_address(self) -> None:
        driver = ThrottleDriver()
        for number in range(PER_ADDRESS):
            driver.fail(f"login{number}", f"2001:db8:1:2:{number:x}::{number:x}")
        assert [driver.fail("more1", "2001:db8:1:2::"), driver.fail("more2", "2001:db8:1:2::")] == [
            0,
            INTERVAL,
        ]
        assert [driver.fail("more3", "2001:db8:1:3::"), driver.fail("more4", "2001:db8:1:3::")] == [0, 0]


class TestMemory:
    """S1: what strangers make the server remember is bounded."""

    def test_strangers_share_what_there_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(throttle, "UNKNOWN_LOGINS", 64)
        monkeypatch.setattr(throttle, "ADDRESSES", 64)
        driver, some = ThrottleDriver(), random.Random(7)
        for _ in range(20_000):
            login, address = f"{some.random()}" * 10, elsewhere(some.randrange(1 << 32))
            if not driver.wait(login, address):
                driver.fail(login, address)
        driver.fail("alice", elsewhere(1))
        counted, sources = (
            driver.attempts._local._logins._failures,
            driver.attempts._local._addresses._failures,
        )
        assert (len(counted), len(sources)) == (2 * 64 + 1, 2 * 64)
        assert max(map(len, counted.values())) == PER_LOGIN
        assert max(map(len, sources.values())) <= PER_ADDRESS
        assert not driver.attempts._local._logins._under_way

    def test_all_of_it_is_less_than_40_mb(self) -> None:
        def size(places: int, limit: int) -> int:
            one = array("d", range(limit))
            return 2 * places * (sys.getsizeof(one) + sys.getsizeof((0, 0)) + 2 * 32 + 100)

        assert size(UNKNOWN_LOGINS, PER_LOGIN) + size(ADDRESSES, PER_ADDRESS) < 40_000_000
