"""From rows of CEL to a store: the same rows are the same history, whatever happens to them on the way."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.adapters.asterisk.cel.recorded import recordings
from tests.e2e.scenes.people import EVERYBODY
from unique_account.adapters.asterisk.cel.records import CallHistory
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.core.history import CallRecord
from unique_account.ports.call_log import CallLog

ROWS = {recording.name: recording.rows for recording in recordings()}
NAMES = st.lists(st.sampled_from(sorted(ROWS)), min_size=1, max_size=3, unique=True)


async def _whole(log: CallLog) -> list[CallRecord]:
    return [entry for user in EVERYBODY for entry in await log.before(user.id, None, 100)]


class StoredRows:
    """H2, H6: to inherit for each store; ``open`` gives an empty one."""

    def open(self) -> AbstractAsyncContextManager[CallLog]:
        raise NotImplementedError

    @given(names=NAMES, cuts=st.lists(st.integers(0, 300), max_size=4), data=st.data())
    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    def test_any_order_doubling_and_split_is_the_same_history(
        self, names: list[str], cuts: list[int], data: st.DataObject
    ) -> None:
        rows = [row for name in names for row in ROWS[name]]
        again = data.draw(st.lists(st.sampled_from(rows), max_size=10))
        shuffled = data.draw(st.permutations([*rows, *again]))
        once = CallHistory(EVERYBODY)
        once.feed(rows)
        expected = once.rest()

        async def check() -> None:
            async with self.open() as log:
                for order in (shuffled, rows):  # two who read the same rows
                    await self._taken_in(log, order, sorted(cuts))
                entries = await _whole(log)
            assert sorted(entries, key=_place) == sorted(expected, key=_place)

        asyncio.run(check())

    async def _taken_in(self, log: CallLog, rows: list[CelRow], cuts: list[int]) -> None:
        made = CallHistory(EVERYBODY)
        for start, end in pairwise([0, *cuts, len(rows)]):
            made.feed(rows[start : max(start, end)])
        for record in made.rest():
            await log.add([record])


def _place(record: CallRecord) -> tuple[str, object]:
    return (record.user, record.key)
