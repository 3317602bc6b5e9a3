"""Whatever happens to a service, in whatever order, every port shows what the accounts come to."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.event_loop import in_loop
from tests.service.installation import Installation
from unique_account.adapters.memory import SettableClock
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.core.presence import known, presence
from unique_account.core.user import User
from unique_account.core.view import view
from unique_account.service.service import Service
from unique_account.testing import strategies
from unique_account.testing.strategies import EPOCH, MEDIA_SERVERS

Step = tuple[str, Event] | str
"""A user's event, or what befalls the whole installation."""

BEFALLS = ("resync", "restart", "time", "plans are lost", "ports break", "ports heal")

ANNOUNCEMENTS = ("presence_changed", "forwarding_changed", "selection_changed")


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[User], list[Step]]:
    """Users, and what happens to them."""
    users = draw(st.lists(strategies.users(), min_size=1, max_size=2, unique_by=lambda user: user.id))
    event = st.one_of([st.tuples(st.just(user.id), strategies.events(user)) for user in users])
    return users, draw(st.lists(event | st.sampled_from(BEFALLS), max_size=20))


class Walk:
    """An installation, and the service that runs on it now."""

    def __init__(self) -> None:
        self.at = Installation(MEDIA_SERVERS)
        self.at.clock = SettableClock(EPOCH)
        self.breakable = (*self.at.pbxs.values(), self.at.cti, self.at.bus)
        self.whole = True

    async def go(self, service: Service, steps: list[Step]) -> list[Step]:
        """Take steps up to the next restart; returns those that are left."""
        for position, step in enumerate(steps):
            if step == "restart":
                return steps[position + 1 :]
            if isinstance(step, str):
                await self.befall(service, step)
            else:
                with suppress(Refused):
                    await service.handle(*step)
            await self.check(service)
        return []

    async def befall(self, service: Service, step: str) -> None:
        """Let something happen to the whole installation."""
        if step == "time":
            await self.at.clock.advance(timedelta(seconds=7))
        elif step == "plans are lost":
            for pbx in self.at.memory_pbxs.values():
                for user in service.users:
                    pbx._plans.by_user.pop(user, None)
                    pbx._plans.versions.pop(user, None)
        elif step == "ports break":
            for port in self.breakable:
                port.fail("install", "hint", "show", "publish", *ANNOUNCEMENTS)
        elif step == "ports heal":
            for port in self.breakable:
                port.heal()
        if step in ("resync", "plans are lost", "ports heal"):
            await service.resync()
        self.whole = step != "ports break" and (self.whole or step == "ports heal")

    async def check(self, service: Service) -> None:
        """Every port shows what every account comes to."""
        for user in service.users:
            account = service.account(user)
            stored = await self.at.stored(user)
            assert stored is not None
            assert (stored.user, stored.kept) == (account.user, account.kept)
            if not self.whole:
                continue
            assert await self.at.follows(account)
            elsewhere = set(MEDIA_SERVERS) - {account.user.media_server}
            assert all([user not in await self.at.plans(node) for node in elsewhere])
            assert self.at.memory_cti.shown[user] == view(account)
            assert self.at.memory_bus.forwardings[user] == account.forwarding
            assert self.at.memory_bus.selections[user] is account.selection
            shown = [*map(self.at.hints, MEDIA_SERVERS)]
            shown += [self.at.memory_cti.presences, self.at.memory_bus.presences]
            if known(account):
                for presences in shown:
                    assert [presences[number] for number in account.user.numbers] == [
                        presence(account)
                    ] * len(account.user.numbers)


class TestWalk:
    """S2, R16, P5: stored, installed and shown is what the account comes to, after every step."""

    @given(history=histories())
    @settings(deadline=None)
    def test_every_port_shows_what_the_accounts_come_to(self, history: tuple[list[User], list[Step]]) -> None:
        users, steps = history

        @in_loop
        async def walk() -> None:
            walk, added, left = Walk(), users, [*steps, "restart", "ports heal"]
            while left:
                async with walk.at.running(*added) as service:
                    await walk.check(service)
                    added, left = [], await walk.go(service, left)

        walk()
