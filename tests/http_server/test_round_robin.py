"""Strangers take turns."""

from __future__ import annotations

import asyncio

from unique_account.http_server.round_robin import SHARE, RoundRobin


class TestTurns:
    """S5: work is done in its order, a share of it at a time."""

    def test_in_order_and_not_all_at_once(self) -> None:
        async def scenario() -> list[list[int]]:
            loop, done, rounds = asyncio.get_running_loop(), list[int](), list[list[int]]()
            round_robin = RoundRobin(loop)
            for number in range(6):

                def work(number: int = number) -> float:
                    done.append(number)
                    return SHARE / 2

                round_robin.enter(work)
            while len(done) < 6:
                await asyncio.sleep(0)
                rounds.append(done[:])
            return rounds

        rounds = asyncio.run(scenario())
        assert rounds[-1] == [0, 1, 2, 3, 4, 5]
        assert max(len(rounds[0]), 1) <= 2

    def test_one_that_fails_keeps_nobody_else(self) -> None:
        async def scenario() -> list[str]:
            loop, errors = asyncio.get_running_loop(), list[str]()
            loop.set_exception_handler(lambda _, context: errors.append(str(context["exception"])))
            round_robin, done = RoundRobin(loop), asyncio.Event()

            def fails() -> float:
                raise ValueError("no")

            def works() -> float:
                done.set()
                return 0.0

            round_robin.enter(fails)
            round_robin.enter(works)
            await asyncio.wait_for(done.wait(), 5)
            return errors

        assert asyncio.run(scenario()) == ["no"]
