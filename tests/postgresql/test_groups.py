"""Several groups of nodes on one database: each owner has the accounts of its own nodes, and users move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Final

import pytest
from attrs import evolve, frozen

from tests.event_loop import in_loop
from unique_account.adapters.memory import (
    MemoryCti,
    MemoryObserver,
    MemoryPbx,
    MemoryRoster,
    SettableClock,
)
from unique_account.adapters.postgresql import PostgresqlAccounts, PostgresqlGroupLeases
from unique_account.bootstrap import bootstrap
from unique_account.core.account import Kept
from unique_account.core.errors import Ineligible, Unreachable
from unique_account.core.events import DeviceSelected, ForwardSet, LoggedIn
from unique_account.core.forwarding import Forward
from unique_account.core.forwarding_changes import Setting
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.core.user import User
from unique_account.ports.accounts import StaleVersion
from unique_account.ports.inbound.events import UnknownUser
from unique_account.service.account_writer import STORE_RETRY
from unique_account.service.roster_sync import RosterSync
from unique_account.service.service import Service

NODES: Final = {"paris": "default", "lyon": "mds1"}


def user(name: str, extension: str, group: str = "paris") -> User:
    return User(
        id=name,
        extension=extension,
        deskphone=f"PJSIP/{name}",
        webrtc=f"PJSIP/{name}_w",
        media_server=NODES[group],
    )


ALICE: Final = user("alice", "1001")
ZOE: Final = user("zoe", "2001", "lyon")
MOVED: Final = evolve(ALICE, media_server=NODES["lyon"])


class Assistants(MemoryCti):
    """UC Assistants that remember who was released."""

    def __init__(self) -> None:
        super().__init__()
        self.released: list[str] = []

    async def release(self, user: str) -> None:
        await super().release(user)
        self.released.append(user)


@frozen
class Owner:
    """The owner of a group, on a node in memory."""

    service: Service
    roster: MemoryRoster
    sync: RosterSync
    pbx: MemoryPbx
    store: PostgresqlAccounts
    cti: Assistants
    clock: SettableClock

    async def reads(self, *users: User) -> str:
        """What becomes of it when the roster is these users."""
        self.roster.named = users
        return str(await self.sync.agree())

    def loses_answers(self) -> None:
        """Let the database be lost just after each write."""
        save = self.store.save

        async def lost(user: User, kept: Kept, expected: int) -> None:
            await save(user, kept, expected)
            raise Unreachable("the answer is lost")

        self.store.save = lost  # type: ignore[method-assign]

    async def planned(self) -> set[str]:
        return set(await self.pbx.installed("unique_account"))


@asynccontextmanager
async def owner(url: str, group: str, *users: User) -> AsyncIterator[Owner]:
    """A group is taken, and its owner has read a roster."""
    node, clock = NODES[group], SettableClock()
    async with AsyncExitStack() as stack:
        leases = await stack.enter_async_context(aclosing(PostgresqlGroupLeases(url)))
        fence = await leases.take(group, group, "", await leases.read(group))
        store = await stack.enter_async_context(aclosing(PostgresqlAccounts(url, fence, [node])))
        pbx, cti, observer = MemoryPbx(clock, node), Assistants(), MemoryObserver()
        running = bootstrap(accounts=store, clock=clock, pbxs=(pbx,), cti=cti, observer=observer)
        service = await stack.enter_async_context(running)
        roster = MemoryRoster()
        elsewhere = set(NODES.values()) - {node}
        at = Owner(service, roster, RosterSync(service, roster, observer, elsewhere), pbx, store, cti, clock)
        await at.reads(*users)
        yield at


class TestOwnAccounts:
    """Each owner has the users of its own nodes, and touches nobody else."""

    @in_loop
    async def test_each_adds_and_loads_its_own_users(self, url: str) -> None:
        async with owner(url, "paris", ALICE, ZOE) as paris, owner(url, "lyon", ALICE, ZOE) as lyon:
            assert (paris.service.users, lyon.service.users) == (("alice",), ("zoe",))
            assert (await paris.planned(), await lyon.planned()) == ({"alice"}, {"zoe"})
        async with owner(url, "lyon", ALICE, ZOE) as lyon:
            assert lyon.service.users == ("zoe",)
            assert await lyon.store.load("alice") is None

    @in_loop
    async def test_a_takeover_leaves_the_sessions_of_other_groups(self, url: str) -> None:
        async with owner(url, "paris", ALICE) as paris:
            before = await paris.service.handle("alice", LoggedIn("tab"))
            async with owner(url, "lyon", ALICE):
                pass
            assert await paris.store.load("alice") == (ALICE, before.kept)

    @in_loop
    async def test_numbers_are_unique_over_all_groups(self, url: str) -> None:
        twin = evolve(ZOE, extension="1001")
        async with owner(url, "paris", ALICE), owner(url, "lyon") as lyon:
            assert await lyon.reads(ALICE, twin) == "1 refused"
            with pytest.raises(Ineligible):
                await lyon.service.add(twin)


class TestMove:
    """S2: a user whose node is another group's moves with selection and forwards, by one write."""

    @in_loop
    async def test_the_one_lets_go_and_the_other_takes_over(self, url: str) -> None:
        async with owner(url, "paris", ALICE, ZOE) as paris, owner(url, "lyon", ALICE, ZOE) as lyon:
            await paris.service.handle("alice", LoggedIn("tab"))
            await paris.service.handle("alice", DeviceSelected(Device.DESKPHONE))
            before = await paris.service.handle("alice", ForwardSet(Setting.BUSY, True, "2001"))
            assert await paris.reads(MOVED, ZOE) == "1 left"
            assert (paris.service.users, await paris.planned()) == ((), set())
            assert paris.pbx.hints["1001"] is Presence.UNAVAILABLE  # until the other group shows it
            assert "alice" not in paris.cti.shown
            assert await lyon.reads(MOVED, ZOE) == "1 joined"
            after = lyon.service.account("alice")
            assert (after.user, after.version) == (MOVED, before.version + 1)
            assert (after.selection, after.forwarding) == (before.selection, before.forwarding)
            assert after.forwarding.busy == Forward("2001")
            assert await lyon.planned() == {"alice", "zoe"}
            (session,) = after.kept.sessions
            assert session.last_seen == paris.clock.now()

    @in_loop
    async def test_the_other_waits_until_it_is_let_go(self, url: str) -> None:
        async with owner(url, "paris", ALICE) as paris, owner(url, "lyon") as lyon:
            assert await lyon.reads(MOVED) == "1 awaited"
            assert str(await lyon.sync.look_again()) == "1 awaited"
            assert (await paris.planned(), await lyon.planned()) == ({"alice"}, set())
            await paris.service.handle("alice", LoggedIn("tab"))
            await paris.service.handle("alice", DeviceSelected(Device.DESKPHONE))
            await paris.reads(MOVED)
            assert str(await lyon.sync.look_again()) == "1 joined"
            assert lyon.sync.awaited == ()
            assert lyon.service.account("alice").selection is Device.DESKPHONE

    @in_loop
    async def test_an_owner_that_dies_before_it_lets_go_is_followed_by_one_that_does(self, url: str) -> None:
        async with owner(url, "paris", ALICE):
            pass
        async with owner(url, "lyon", MOVED) as lyon, owner(url, "paris", MOVED) as paris:
            assert paris.service.users == ()
            assert await lyon.reads(MOVED) == "1 joined"

    @in_loop
    async def test_an_owner_that_dies_after_it_let_go_is_not_needed_any_more(self, url: str) -> None:
        async with owner(url, "paris", ALICE) as paris:
            now = paris.service.account("alice")
            await paris.store.save(MOVED, evolve(now.kept, version=now.version + 1), now.version)
        async with owner(url, "lyon", MOVED) as lyon, owner(url, "paris", MOVED) as paris:
            assert (lyon.service.users, paris.service.users) == (("alice",), ())

    @in_loop
    async def test_who_let_go_writes_nothing_any_more(self, url: str) -> None:
        """An owner that does not know of it yet finds it out at its next write."""
        async with owner(url, "paris", ALICE) as paris, owner(url, "lyon") as lyon:
            now = paris.service.account("alice")
            moved = evolve(now.kept, version=now.version + 1)
            await paris.store.save(MOVED, moved, now.version)
            for expected in (now.version, moved.version):
                with pytest.raises(StaleVersion):
                    await paris.store.save(ALICE, evolve(moved, version=expected + 1), expected)
                with pytest.raises(StaleVersion):
                    await paris.store.remove("alice", expected)
            with pytest.raises(UnknownUser):
                await paris.service.handle("alice", DeviceSelected(Device.DESKPHONE))
            assert (paris.service.users, await paris.planned()) == ((), set())
            assert await lyon.reads(MOVED) == "1 joined"

    @in_loop
    async def test_a_write_whose_answer_is_lost_keeps_what_the_user_set(self, url: str) -> None:
        """It is found out later that the account went; its user is not taken for one without an account."""
        async with owner(url, "paris", ALICE) as paris:
            paris.loses_answers()
            assert await paris.reads(MOVED) == "1 refused"
            assert paris.service.users == ("alice",)
            await paris.clock.advance(STORE_RETRY)
            assert paris.cti.released == ["alice"]
            assert not list(paris.service.users)
            assert paris.pbx.hints["1001"] is Presence.UNAVAILABLE

    @in_loop
    async def test_what_the_other_group_shows_of_the_number_is_shown(self, url: str) -> None:
        """P1: it may have come while the number was this group's own."""
        async with owner(url, "paris", ALICE) as paris:
            await paris.service.other_numbers.show("1001", Presence.BUSY)
            await paris.reads(MOVED)
            assert paris.pbx.hints["1001"] is Presence.BUSY
            assert paris.cti.presences["1001"] is Presence.BUSY
