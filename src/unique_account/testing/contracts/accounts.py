"""What every account store must do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unique_account.core.account import NOTHING_KEPT, Account, Kept, Session
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.machine import Device
from unique_account.core.sessions import last_seen
from unique_account.core.uniqueness import collisions
from unique_account.core.user import User
from unique_account.ports.accounts import Accounts, StaleVersion
from unique_account.testing import strategies
from unique_account.testing.contracts.scenario import Contract, scenario

MANY = 1100
"""More accounts than stores read at once."""


def a_user(name: str) -> User:
    """A user of this name, who shares nothing with the users of other names."""
    plain, number = name.encode().hex(), int.from_bytes(name.encode())
    return User(id=name, extension=f"0{number}", deskphone=f"PJSIP/{plain}", webrtc=f"PJSIP/{plain}_w")


ALICE, BOB = a_user("alice"), a_user("bob")
FIRST, SECOND = Kept(version=1), Kept(version=2, selection=Device.DESKPHONE)


async def everything(accounts: Accounts) -> list[tuple[User, Kept]]:
    """All accounts of a store."""
    return [stored async for stored in accounts.all()]


def _apart(account: Account, drawn: list[Account]) -> bool:
    """Whether an account has nothing that one drawn before it has (A1)."""
    before = drawn[: drawn.index(account)]
    return not list(collisions((one.user.id, one.user) for one in (*before, account)))


class AccountsContract(Contract[Accounts]):
    """The contract of `unique_account.ports.accounts.Accounts`; ``open`` gives an empty store."""

    # -- load ----------------------------------------------------------------------------------------

    @scenario
    async def test_a_user_without_an_account_has_none(self, accounts: Accounts) -> None:
        """None where there is none."""
        assert await accounts.load("alice") is None

    @given(drawn=st.lists(strategies.accounts(), max_size=4, unique_by=lambda account: account.user.id))
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    def test_any_account_comes_back_as_it_was_written(self, drawn: list[Account]) -> None:
        """A write is there for every later read."""

        async def check() -> None:
            async with self.open() as accounts:
                drawn_apart = [account for account in drawn if _apart(account, drawn)]
                await accounts.add(account.user for account in drawn_apart)
                for account in drawn_apart:
                    await accounts.save(account.user, account.kept, NOTHING_KEPT.version)
                for account in drawn_apart:
                    assert await accounts.load(account.user.id) == (account.user, account.kept)

        asyncio.run(check())

    @scenario
    async def test_a_kept_part_comes_back_whole(self, accounts: Accounts) -> None:
        """The stored part of one account: sessions, selection and forwarding, in any script."""
        kept = Kept(
            version=1,
            selection=Device.DESKPHONE,
            sessions=(Session("tab-1"), Session("日本", "second", datetime(2026, 1, 5, 9, 0, 0, 1, UTC))),
            forwarding=Forwarding(do_not_disturb=True, busy=Forward("3000", enabled=False)),
        )
        await accounts.add([ALICE])
        await accounts.save(ALICE, kept, 0)
        assert await accounts.load("alice") == (ALICE, kept)

    # -- add -----------------------------------------------------------------------------------------

    @scenario
    async def test_an_added_user_has_a_new_account(self, accounts: Accounts) -> None:
        """Give each of these users a new account of version 0."""
        await accounts.add([ALICE])
        assert await accounts.load("alice") == (ALICE, NOTHING_KEPT)
        assert NOTHING_KEPT.version == 0

    @scenario
    async def test_users_are_added_all_or_none(self, accounts: Accounts) -> None:
        """One of them has an account already; nothing was written."""
        await accounts.add([ALICE])
        await accounts.save(ALICE, FIRST, 0)
        with pytest.raises(StaleVersion) as refused:
            await accounts.add([BOB, ALICE])
        assert (refused.value.user, refused.value.expected, refused.value.found) == ("alice", None, 1)
        assert await everything(accounts) == [(ALICE, FIRST)]

    @scenario
    async def test_a_user_added_twice_at_once_is_not_added(self, accounts: Accounts) -> None:
        """One of them has an account already, from this very addition."""
        with pytest.raises(StaleVersion):
            await accounts.add([BOB, ALICE, BOB])
        assert await everything(accounts) == []

    @scenario
    async def test_users_that_cannot_all_be_read_are_not_added(self, accounts: Accounts) -> None:
        """All of them, or none; a write that raises left everything as it was."""

        def users() -> Iterator[User]:
            yield ALICE
            raise LookupError("the second user")

        with pytest.raises(LookupError):
            await accounts.add(users())
        assert await everything(accounts) == []

    @scenario
    async def test_after_a_refused_addition_others_work(self, accounts: Accounts) -> None:
        """A write that raises left everything as it was, the store's readiness included."""
        await accounts.add([ALICE])
        with pytest.raises(StaleVersion):
            await accounts.add([ALICE])
        await accounts.add([BOB])
        assert await everything(accounts) == [(ALICE, NOTHING_KEPT), (BOB, NOTHING_KEPT)]

    # -- add_stored ----------------------------------------------------------------------------------

    @scenario
    async def test_stored_accounts_come_with_their_versions(self, accounts: Accounts) -> None:
        """Store accounts as another store has them, versions included."""
        await accounts.add_stored([(BOB, SECOND), (ALICE, FIRST)])
        assert await everything(accounts) == [(ALICE, FIRST), (BOB, SECOND)]
        await accounts.add_stored([])
        await accounts.save(ALICE, SECOND, 1)

    @scenario
    async def test_stored_accounts_are_added_all_or_none(self, accounts: Accounts) -> None:
        """One of them has an account already; nothing was written."""
        await accounts.add([ALICE])
        with pytest.raises(StaleVersion) as refused:
            await accounts.add_stored([(BOB, SECOND), (ALICE, FIRST)])
        assert (refused.value.user, refused.value.expected, refused.value.found) == ("alice", None, 0)
        assert await everything(accounts) == [(ALICE, NOTHING_KEPT)]

    # -- save ----------------------------------------------------------------------------------------

    @scenario
    async def test_the_expected_version_is_written_over(self, accounts: Accounts) -> None:
        """Write an account if the stored version is the expected one; the user may change with it."""
        moved = evolve(ALICE, extension="1999")
        await accounts.add([ALICE])
        await accounts.save(ALICE, FIRST, 0)
        await accounts.save(moved, SECOND, 1)
        assert await accounts.load("alice") == (moved, SECOND)

    @scenario
    async def test_another_version_is_not_written_over(self, accounts: Accounts) -> None:
        """The stored version is another; nothing was written."""
        await accounts.add([ALICE])
        await accounts.save(ALICE, FIRST, 0)
        for expected in (0, 2):
            with pytest.raises(StaleVersion) as refused:
                await accounts.save(ALICE, SECOND, expected)
            stale = refused.value
            assert (stale.user, stale.expected, stale.found) == ("alice", expected, 1)
        assert await everything(accounts) == [(ALICE, FIRST)]

    @scenario
    async def test_an_account_that_is_not_there_is_not_saved(self, accounts: Accounts) -> None:
        """There is no account; nothing was written."""
        with pytest.raises(StaleVersion) as refused:
            await accounts.save(ALICE, FIRST, 0)
        assert (refused.value.expected, refused.value.found) == (0, None)
        assert await everything(accounts) == []

    @scenario
    async def test_of_two_writers_exactly_one_wins(self, accounts: Accounts) -> None:
        """Write an account if the stored version is the expected one, also while others write."""
        await accounts.add([ALICE])
        wishes = [Kept(version=1, selection=device) for device in Device] * 4
        saves = (accounts.save(ALICE, kept, 0) for kept in wishes)
        results = await asyncio.gather(*saves, return_exceptions=True)
        (won,) = (kept for kept, result in zip(wishes, results, strict=True) if result is None)
        assert await accounts.load("alice") == (ALICE, won)
        lost = [result for result in results if result is not None]
        assert [(stale.expected, stale.found) for stale in lost if isinstance(stale, StaleVersion)] == [
            (0, 1)
        ] * (len(wishes) - 1)

    @scenario
    async def test_users_do_not_touch_each_other(self, accounts: Accounts) -> None:
        """A version is that of one account."""
        await accounts.add([ALICE, BOB])
        await accounts.save(ALICE, FIRST, 0)
        await accounts.save(BOB, SECOND, 0)
        assert await everything(accounts) == [(ALICE, FIRST), (BOB, SECOND)]

    # -- remove --------------------------------------------------------------------------------------

    @scenario
    async def test_a_removed_account_is_gone(self, accounts: Accounts) -> None:
        """Take an account away if the stored version is the expected one."""
        await accounts.add([ALICE, BOB])
        await accounts.save(ALICE, FIRST, 0)
        await accounts.remove("alice", 1)
        assert await accounts.load("alice") is None
        assert await everything(accounts) == [(BOB, NOTHING_KEPT)]

    @scenario
    async def test_a_removed_account_can_begin_anew(self, accounts: Accounts) -> None:
        """A new account of version 0, whatever there was before."""
        await accounts.add([ALICE])
        await accounts.save(ALICE, FIRST, 0)
        await accounts.remove("alice", 1)
        await accounts.add([ALICE])
        assert await accounts.load("alice") == (ALICE, NOTHING_KEPT)

    @scenario
    async def test_another_version_is_not_removed(self, accounts: Accounts) -> None:
        """The stored version is another."""
        await accounts.add([ALICE])
        with pytest.raises(StaleVersion) as refused:
            await accounts.remove("alice", 1)
        assert (refused.value.user, refused.value.expected, refused.value.found) == ("alice", 1, 0)
        assert await accounts.load("alice") == (ALICE, NOTHING_KEPT)

    @scenario
    async def test_an_account_that_is_not_there_is_not_removed(self, accounts: Accounts) -> None:
        """There is no account."""
        with pytest.raises(StaleVersion) as refused:
            await accounts.remove("alice", 0)
        assert (refused.value.expected, refused.value.found) == (0, None)

    # -- all_last_seen -------------------------------------------------------------------------------

    @given(
        drawn=st.lists(strategies.accounts(), max_size=4, unique_by=lambda account: account.user.id),
        instant=st.datetimes(timezones=st.just(UTC)),
    )
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    def test_every_session_is_last_seen_at_an_instant(self, drawn: list[Account], instant: datetime) -> None:
        """Every session of every account; an account with sessions has its version raised by one."""

        async def check() -> None:
            apart = [(one.user, one.kept) for one in drawn if _apart(one, drawn)]
            async with self.open() as accounts:
                await accounts.add_stored(apart)
                await accounts.all_last_seen(instant)
                for user, kept in apart:
                    seen = last_seen(kept, instant) if kept.sessions else kept
                    assert await accounts.load(user.id) == (user, seen)

        asyncio.run(check())

    @scenario
    async def test_sessions_with_odd_names_are_seen_too(self, accounts: Accounts) -> None:
        """Every session, whatever its name and its connection are like."""
        odd = ('"last_seen":null', '\\"last_seen":"x"', '"version":3', "日本\0", "\\")
        kept = Kept(version=41, sessions=tuple(Session(name, name[::-1]) for name in odd))
        await accounts.add_stored([(ALICE, kept)])
        for second in (1, 2):
            instant = datetime(2026, 1, 5, 9, 0, second, tzinfo=UTC)
            await accounts.all_last_seen(instant)
            kept = last_seen(kept, instant)
            assert await accounts.load("alice") == (ALICE, kept)
            await accounts.save(ALICE, evolve(kept, version=kept.version + 1), kept.version)
            kept = evolve(kept, version=kept.version + 1)

    # -- all -----------------------------------------------------------------------------------------

    @scenario
    async def test_all_come_each_once_in_order(self, accounts: Accounts) -> None:
        """Every stored account, each once, in the order of user ids."""
        names = [f"user-{number:04}" for number in range(MANY)] + ["Zoé", "amélie", "a b", "日本", "z'"]
        await accounts.add(a_user(name) for name in reversed(names))
        assert [user.id for user, _ in await everything(accounts)] == sorted(names)

    @scenario
    async def test_all_can_be_left_early(self, accounts: Accounts) -> None:
        """Not all held in memory at once; who has seen enough may go, and come again."""
        await accounts.add([ALICE, BOB])
        async for user, _ in accounts.all():
            assert user == ALICE
            break
        await accounts.save(BOB, FIRST, 0)
        assert await everything(accounts) == [(ALICE, NOTHING_KEPT), (BOB, FIRST)]

    @scenario
    async def test_all_are_complete_while_they_are_written(self, accounts: Accounts) -> None:
        """Every stored account, each once, also while others write."""
        steady = [f"user-{number:04}" for number in range(MANY)]
        passing = ["goes-early", "goes-too", "z-goes-late"]
        await accounts.add(map(a_user, [*steady, *passing]))
        seen = []
        async for user, kept in accounts.all():
            seen.append(user.id)
            if len(seen) == MANY // 4:
                await self._disturb(accounts, seen)
            assert kept.version in (0, 1)
        assert seen == sorted(set(seen))
        assert set(steady) <= set(seen) <= {*steady, *passing, "a-new", "z-new"}

    async def _disturb(self, accounts: Accounts, seen: Iterable[str]) -> None:
        await accounts.add([a_user("a-new"), a_user("z-new")])
        for name in ("goes-early", "goes-too", "z-goes-late"):
            await accounts.remove(name, 0)
        for name in (*seen, f"user-{MANY - 1:04}"):
            if name.startswith("user-"):
                await accounts.save(a_user(name), FIRST, 0)
