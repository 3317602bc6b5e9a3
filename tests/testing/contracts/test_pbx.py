"""The PBX contract can fail: a PBX that breaks a promise is found out by a test of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from attrs import evolve

from tests.adapters.memory.drivers import MemoryPhones
from tests.testing.promises import broken_promises, keeps
from unique_account.adapters.memory import (
    MemoryPbx,
    SettableClock,
)
from unique_account.core.events import Event, FactsReplaced
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.core.routing import Plan
from unique_account.core.user import User
from unique_account.ports.inbound.events import EventHandler
from unique_account.testing.contracts import (
    PbxContract,
)
from unique_account.testing.contracts.pbx.node import one_by_one


class InstallsAnything(MemoryPbx):
    async def install(self, plan: Plan) -> bool:
        self._plans.versions.pop(plan.user, None)
        return await super().install(plan)


class SaysYes(MemoryPbx):
    async def install(self, plan: Plan) -> bool:
        await super().install(plan)
        return True


class InstallsNewVersionsOnly(MemoryPbx):
    async def install(self, plan: Plan) -> bool:
        if self._plans.versions.get(plan.user, -1) >= plan.version:
            return False
        return await super().install(plan)


class TellsEveryonesPlans(MemoryPbx):
    async def installed(self, owner: str) -> Mapping[str, Plan]:
        return {**await super().installed("contract"), **await super().installed("another")}


class KeepsVersions(MemoryPbx):
    async def forget(self, user: str) -> None:
        version = self._plans.versions.get(user)
        await super().forget(user)
        if version is not None:
            self._plans.versions[user] = version


class KeepsHints(MemoryPbx):
    async def forget(self, user: str) -> None:
        hints = dict(self.hints)
        await super().forget(user)
        self.hints |= hints


class TellsFactsOfForgottenUsers(MemoryPbx):
    async def forget(self, user: str) -> None:
        known = self._phones.users.get(user)
        await super().forget(user)
        if known is not None:
            await self._phones.watch(known, self.media_server)


class TellsNoLoss(MemoryPbx):
    async def listen(self, on_event: EventHandler, on_return: Callable[[], None]) -> None:
        async def report(user: str, event: Event) -> None:
            for one in one_by_one(event):
                if not isinstance(one, FactsReplaced):
                    await on_event(user, one)

        await super().listen(report, on_return)


class TellsHalves(MemoryPbx):
    """Tells what is known fact by fact, so that somebody is shown half of it."""

    async def listen(self, on_event: EventHandler, on_return: Callable[[], None]) -> None:
        async def report(user: str, event: Event) -> None:
            for one in one_by_one(event):
                await on_event(user, one)

        await super().listen(report, on_return)


class TellsOnlyTheLoss(MemoryPbx):
    async def watch(self, user: User) -> None:
        on_event, self._phones.on_event = self._phones.on_event, None
        await super().watch(user)
        self._phones.on_event = on_event
        if on_event is not None:
            await on_event(user.id, FactsReplaced(self.media_server))


class Fragile(MemoryPbx):
    async def listen(self, on_event: EventHandler, on_return: Callable[[], None]) -> None:
        async def report(user: str, event: Event) -> None:
            try:
                await on_event(user, event)
            except Exception:
                self._phones.on_event = None

        await super().listen(report, on_return)


class OneThingAtATime(MemoryPbx):
    """Takes nothing while a fact is being heard."""

    def __init__(self, clock: SettableClock) -> None:
        super().__init__(clock)
        self._busy = asyncio.Lock()

    async def listen(self, on_event: EventHandler, on_return: Callable[[], None]) -> None:
        async def report(user: str, event: Event) -> None:
            async with self._busy:
                await on_event(user, event)

        await super().listen(report, on_return)

    async def hint(self, number: Number, presence: Presence) -> None:
        async with self._busy:
            await super().hint(number, presence)


class NeverSaysThatItIsBack(MemoryPbx):
    async def listen(self, on_event: EventHandler, on_return: Callable[[], None]) -> None:
        await super().listen(on_event, lambda: None)


class SaysThatItIsBackAtFirst(MemoryPbx):
    async def listen(self, on_event: EventHandler, on_return: Callable[[], None]) -> None:
        on_return()
        await super().listen(on_event, on_return)


class ReportsFactsBeforeItIsBack(MemoryPbx):
    async def come_back(self) -> None:
        self._phones.is_up = True
        await self._watch_all()
        self._on_return()


class LetsNobodyAskFirst(MemoryPbx):
    async def come_back(self) -> None:
        self._phones.is_up = True
        self._on_return()
        await self._watch_all()


class TakesPlansWhileItIsDown(MemoryPbx):
    def _check_up(self) -> None:
        pass


class DialsAtOnce(MemoryPbx):
    async def dial(self, interface: str, number: str, *, answers_itself: bool = False) -> None:
        await super().dial(interface, number, answers_itself=answers_itself)
        await self.pick_up(self.calls[-1])


class FailsInSilence(MemoryPbx):
    async def hold(self, call_id: str) -> None:
        pass


class HangsUpInstead(MemoryPbx):
    async def transfer(self, call_id: str, number: str) -> None:
        await self.hang_up(call_id)


class FollowsTheNewestPlan(MemoryPbx):
    """Moves calls that ring as a plan is installed."""

    async def install(self, plan: Plan) -> bool:
        done = await super().install(plan)
        for call in self.calls:
            if call.ringing_leg is not None:
                await self._engine.arrive(call, call.number)
        return done


class NeverFallsBack(MemoryPbx):
    async def install(self, plan: Plan) -> bool:
        return await super().install(evolve(plan, candidates=plan.candidates[:1]))


class RingsForEver(MemoryPbx):
    async def install(self, plan: Plan) -> bool:
        slow = tuple(evolve(candidate, seconds=10**6) for candidate in plan.candidates)
        return await super().install(evolve(plan, candidates=slow))


@pytest.mark.parametrize(
    "adapter",
    [
        InstallsAnything,
        SaysYes,
        InstallsNewVersionsOnly,
        TellsEveryonesPlans,
        KeepsVersions,
        KeepsHints,
        TellsFactsOfForgottenUsers,
        TellsNoLoss,
        TellsHalves,
        TellsOnlyTheLoss,
        Fragile,
        OneThingAtATime,
        NeverSaysThatItIsBack,
        SaysThatItIsBackAtFirst,
        ReportsFactsBeforeItIsBack,
        LetsNobodyAskFirst,
        TakesPlansWhileItIsDown,
        DialsAtOnce,
        FailsInSilence,
        HangsUpInstead,
        FollowsTheNewestPlan,
        NeverFallsBack,
        RingsForEver,
    ],
)
def test_a_broken_pbx_is_found_out(adapter: type[MemoryPbx]) -> None:
    def opened() -> Any:
        clock = SettableClock()
        pbx = adapter(clock)
        return pbx, MemoryPhones(pbx, clock)

    assert broken_promises(keeps(PbxContract, opened))


def test_a_whole_one_breaks_no_promise() -> None:
    def opened() -> Any:
        clock = SettableClock()
        pbx = MemoryPbx(clock)
        return pbx, MemoryPhones(pbx, clock)

    assert broken_promises(keeps(PbxContract, opened, within=5)) == []


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
