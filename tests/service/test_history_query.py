"""A user's calls, those that go on and those that are over, as one list in pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.event_loop import in_loop
from tests.service.installation import ALICE, BOB, Installation
from unique_account.core.errors import InvalidCursor
from unique_account.core.history import HistoryStatus
from unique_account.ports.inbound.events import UnknownUser


async def called(at: Installation, times: int, number: str = "1001") -> None:
    """Somebody calls, and gives up, so many times."""
    for caller in range(times):
        await at.pbx.end(await at.pbx.call(number, caller=f"300{caller}"))
        await at.advance(60)


class TestHistories:
    """H1, H3, H5: one list, newest first, live calls in it, in pages that stay."""

    @in_loop
    async def test_a_live_call_becomes_its_final_record(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.pbx.register(ALICE.deskphone)
            call = await at.pbx.call("1001", caller="3000")
            seen = [await service.histories.page("alice")]
            await at.pbx.end(call)
            seen.append(await service.histories.page("alice"))
            statuses = [[entry.status for entry in page.entries] for page in seen]
            assert statuses == [[HistoryStatus.ONGOING], [HistoryStatus.MISSED]]

    @in_loop
    async def test_pages_stay_while_calls_arrive(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.pbx.register(ALICE.deskphone)
            await called(at, 5)
            first = await service.histories.page("alice", 2)
            await at.pbx.call("1001", caller="3009")
            second = await service.histories.page("alice", 2, first.next)
            third = await service.histories.page("alice", 2, second.next)
            peers = [[entry.peer for entry in page.entries] for page in (first, second, third)]
            assert peers == [["3004", "3003"], ["3002", "3001"], ["3000"]]
            assert third.next is None

    @in_loop
    async def test_a_search_chooses_among_live_and_finished_calls_in_every_page(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.pbx.register(ALICE.deskphone)
            await called(at, 5)
            for caller in ("3009", "4000"):
                await at.pbx.call("1001", caller=caller)
            found = [await service.histories.page("alice", 1, matching="300 9")]
            found.append(await service.histories.page("alice", 2, matching="4000"))
            assert [[entry.peer for entry in page.entries] for page in found] == [["3009"], ["4000"]]
            first = await service.histories.page("alice", 1, matching="3003")
            rest = await service.histories.page("alice", 5, (await service.histories.page("alice", 5)).next)
            chosen = await service.histories.page(
                "alice", 5, (await service.histories.page("alice", 5)).next, matching="3001"
            )
            assert [entry.peer for entry in first.entries] == ["3003"]
            assert first.next is None
            assert [entry.peer for entry in rest.entries] == ["3001", "3000"]
            assert [entry.peer for entry in chosen.entries] == ["3001"]

    @in_loop
    async def test_a_history_by_days_begins_there(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.pbx.register(ALICE.deskphone)
            await called(at, 3)
            page = await service.histories.page("alice", since=at.clock.now() - timedelta(seconds=120))
            assert [entry.peer for entry in page.entries] == ["3002", "3001"]

    @in_loop
    async def test_nobody_sees_the_calls_of_others(self) -> None:
        at = Installation()
        async with at.running(ALICE, BOB) as service:
            await at.pbx.register(ALICE.deskphone)
            await called(at, 2)
            cursor = (await service.histories.page("alice", 1)).next
            assert cursor is not None
            assert (await service.histories.page("bob")).entries == ()
            with pytest.raises(InvalidCursor):
                await service.histories.page("bob", 1, cursor)
            with pytest.raises(UnknownUser):
                await service.histories.page("carol")

    @in_loop
    async def test_who_sees_a_call_gone_finds_it_in_the_history(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await at.pbx.register(ALICE.deskphone)
            call = await at.pbx.call("1001", caller="3000")
            at.cti.requests.clear()
            show, statuses = at.memory_cti.show, []

            async def look(view: object) -> None:
                page = await service.histories.page("alice")
                statuses.append((len(service.account("alice").calls), page.entries[0].status))
                await show(view)  # type: ignore[arg-type] # a View

            at.memory_cti.show = look  # type: ignore[method-assign] # to look in that very moment
            await at.pbx.end(call)
            assert (0, HistoryStatus.MISSED) in statuses
            assert (0, HistoryStatus.ONGOING) not in statuses
