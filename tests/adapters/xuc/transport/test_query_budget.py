"""What one user may ask: a costly question at a time, and so many lines a second, over all sockets."""

from __future__ import annotations

import asyncio

import pytest

from tests.adapters.xuc.assistants import NAMES, installation
from tests.event_loop import in_loop
from unique_account.adapters.xuc.transport.query_budget import (
    AT_ONCE,
    BATCH,
    MOST_WAITING,
    PER_SECOND,
    QueryBudget,
    in_batches,
)
from unique_account.ports.pbx import CommandFailed


class Clock:
    """A time that is set."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


class TestTheBudget:
    """S5: many lines at once, and then so many a second."""

    def test_more_than_there_is_has_to_be_waited_for(self) -> None:
        clock = Clock()
        left = QueryBudget(clock)
        left.spend(AT_ONCE)
        assert left.wait == 0
        left.spend(int(PER_SECOND))
        assert left.wait == 1
        clock.time += 0.75
        assert left.wait == 0.25
        clock.time += 3600
        assert left.wait == 0
        left.spend(AT_ONCE)
        assert left.wait == 0
        left.spend(1)
        assert left.wait > 0

    @in_loop
    async def test_one_question_at_a_time_in_their_order(self) -> None:
        left, answered, under_way = QueryBudget(), list[int](), set[int]()

        async def ask(number: int) -> None:
            async with left.query():
                under_way.add(number)
                assert under_way == {number}
                await asyncio.sleep(0)
                under_way.remove(number)
                answered.append(number)

        await asyncio.gather(*(ask(number) for number in range(10)))
        assert answered == list(range(10))

    @in_loop
    async def test_so_many_wait_and_no_more(self) -> None:
        left, release = QueryBudget(), asyncio.Event()

        async def ask() -> None:
            async with left.query():
                await release.wait()

        asking = [asyncio.create_task(ask()) for _ in range(MOST_WAITING + 1)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(CommandFailed):
            await ask()
        asking[5].cancel()
        release.set()
        await asyncio.gather(*asking, return_exceptions=True)
        await ask()

    @in_loop
    async def test_one_that_fails_ends_its_turn(self) -> None:
        left = QueryBudget()
        with pytest.raises(OSError, match="gone"):
            async with left.query():
                raise OSError("gone")
        async with asyncio.timeout(1), left.query():
            pass

    @in_loop
    async def test_others_have_their_turn_after_each_part(self) -> None:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        meanwhile = asyncio.create_task(others())
        assert [line async for line in in_batches(range(10 * BATCH))] == list(range(10 * BATCH))
        assert turns >= 10
        meanwhile.cancel()


class TestOfAUser:
    """S5: the sockets of one user share what the user may ask; others have their own."""

    @in_loop
    async def test_all_sockets_of_a_user_share_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        slept: list[float] = []
        sleep = asyncio.sleep

        async def advance(seconds: float) -> None:
            slept.append(seconds)
            await sleep(0)

        async with installation() as at:
            alices = [await at.browser.tab("alice") for _ in range(4)]
            bob = await at.browser.tab("bob")
            sessions = at.cti._hub.sessions_of("alice")
            for left in (sessions.budget, sessions.log_budget):
                left.spend(AT_ONCE + 3600 * int(PER_SECOND))
            monkeypatch.setattr(asyncio, "sleep", advance)
            await bob.command("getColleagues")
            assert max(slept) == 0
            for command, fields in (
                ("getColleagues", {}),
                ("getHistoryPage", {}),
                ("getUserCallHistory", {"size": 5}),
                ("getUserCallHistoryByDays", {"days": 5}),
                ("getUserPreferences", {}),
                ("setUserPreference", {"key": "a", "value": "b", "value_type": "c"}),
                ("userStatusUpdate", {"status": "away"}),
                ("subscribeToPhoneHints", {"phoneNumbers": list(NAMES)}),
            ):
                for alice in alices:
                    slept.clear()
                    await alice.command(command, **fields)
                    assert max(slept) > 3000
            slept.clear()
            await alices[0].command("getIceConfig")
            assert not [seconds for seconds in slept if seconds > 1]

    @in_loop
    async def test_a_call_log_that_hangs_holds_nothing_else_up(self) -> None:
        async with installation() as at:
            waits, asks = [await at.browser.tab("alice") for _ in range(2)]
            begun, release = asyncio.Event(), asyncio.Event()

            async def hangs(*_: object, **__: object) -> None:
                begun.set()
                await release.wait()
                raise OSError("the log is gone")

            at.service.histories.page = hangs  # type: ignore[method-assign,assignment]
            await waits.send({"claz": "web", "command": "getHistoryPage"})
            await begun.wait()
            for command in ("getColleagues", "getUserPreferences"):
                *_, answer = await asks.command(command)
                assert answer["msgType"] == "Done"
            release.set()
            await waits.next("Error")

    @in_loop
    async def test_a_closed_tab_watches_nothing(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            (served,) = at.cti._hub.tabs
            async with at.cti._hub.sessions_of("alice").budget.query():
                await tab.send({"claz": "web", "command": "subscribeToPhoneHints", "phoneNumbers": ["1002"]})
                await at.wait_until(lambda: at.cti._hub.sessions_of("alice").budget._waiting)
                await tab.close()
                await at.wait_until(lambda: served.is_gone)
            await at.wait_until(lambda: not at.cti._hub.sessions_of("alice").budget._waiting)
            async with at.cti._hub.sessions_of("alice").budget.query():
                assert not at.cti._hub.presence._subscribers
            at.cti._hub.presence.subscribe(served, "1002")
            assert not at.cti._hub.presence._subscribers
