"""Items are worked on side by side, each once, a bounded number at a time."""

from __future__ import annotations

import asyncio

import pytest

from tests.event_loop import in_loop
from unique_account.service.worker_pool import WORKERS, for_each


@pytest.mark.parametrize("number", [0, 1, WORKERS, 3 * WORKERS + 1])
@in_loop
async def test_each_is_done_once_and_begun_in_order(number: int) -> None:
    begun: list[int] = []
    ended: list[int] = []

    async def do(item: int) -> None:
        begun.append(item)
        await asyncio.sleep(0.001 * (item % 3))
        ended.append(item)

    await for_each(range(number), do)
    assert begun == list(range(number))
    assert sorted(ended) == begun


@in_loop
async def test_so_many_at_a_time_and_no_more() -> None:
    busy = most = 0

    async def do(_: int) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0)
        busy -= 1

    await for_each(range(5 * WORKERS), do)
    assert most == WORKERS


@in_loop
async def test_it_ends_with_its_caller() -> None:
    async def hang(_: int) -> None:
        await asyncio.Event().wait()

    hanging = asyncio.create_task(for_each(range(3), hang))
    await asyncio.sleep(0)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert asyncio.all_tasks() == {asyncio.current_task()}
