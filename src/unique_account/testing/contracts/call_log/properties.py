"""What holds for any records: a log is a history, and several logs make one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unique_account.core.history import CallRecord, HistoryStatus, merge
from unique_account.core.search import matches
from unique_account.ports.call_log import CallLog
from unique_account.testing.contracts.call_log.records import NINE, SECOND, called, listed, records
from unique_account.testing.contracts.scenario import Contract

_SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


class PropertiesContract(Contract[CallLog]):
    """A log agrees with the core on what a history is, whatever its records are."""

    @given(drawn=st.lists(records(), max_size=12))
    @_SETTINGS
    def test_answered_anywhere_is_missed_nowhere(self, drawn: list[CallRecord]) -> None:
        """H2: a call that any record says was answered is one entry of its user, and not missed."""
        answered = {(one.user, one.key) for one in drawn if one.status is HistoryStatus.ANSWERED}

        async def check() -> None:
            entries = [entry for user in ("alice", "bob") for entry in await self._kept(drawn, user)]
            places = [(entry.user, entry.key) for entry in entries]
            assert sorted(places) == sorted({(one.user, one.key) for one in drawn})
            missed = {(one.user, one.key) for one in entries if one.status is HistoryStatus.MISSED}
            assert not answered & missed

        asyncio.run(check())

    @given(drawn=st.lists(records(), max_size=12), place=st.integers(0, 12))
    @_SETTINGS
    def test_logs_of_parts_merge_to_the_log_of_the_whole(self, drawn: list[CallRecord], place: int) -> None:
        """H1: what several sources hold is one history, whichever is named first."""

        async def check() -> None:
            parts = [await self._kept(part, "alice") for part in (drawn[:place], drawn[place:])]
            whole = await self._kept(drawn, "alice")
            assert list(merge(*parts)) == list(merge(*reversed(parts))) == list(merge(whole, *parts)) == whole

        asyncio.run(check())

    @given(drawn=st.lists(records(), max_size=12), seconds=st.integers(0, 5), early=st.integers(-1, 1))
    @_SETTINGS
    def test_what_is_younger_stays(self, drawn: list[CallRecord], seconds: int, early: int) -> None:
        """Records of calls that started before an instant are taken away, and no others."""
        instant = NINE + seconds * SECOND + timedelta(microseconds=early)

        async def check() -> None:
            async with self.open() as log:
                await log.add(drawn)
                gone = await log.forget_before(instant)
                left = [await log.before(user, None, 100) for user in ("alice", "bob")]
            entries = [entry for user in ("alice", "bob") for entry in listed(drawn, user)]
            stay = [entry for entry in entries if entry.start >= instant]
            assert [entry for of_one in left for entry in of_one] == stay
            assert gone == len(entries) - len(stay)

        asyncio.run(check())

    @given(parties=st.lists(st.tuples(_TEXTS, _TEXTS), max_size=6), data=st.data())
    @_SETTINGS
    def test_a_search_compares_as_the_core_does(
        self, parties: list[tuple[str, str]], data: st.DataObject
    ) -> None:
        """Only calls with a party whose number or name holds this text, in whatever script."""
        calls = [called(number, *party) for number, party in enumerate(parties)]
        parts = [text[1:] for party in parties for text in party]
        sought = data.draw(st.one_of(_TEXTS, st.sampled_from([*parts, ""])))

        async def check() -> None:
            async with self.open() as log:
                await log.add(calls)
                found = await log.before("alice", None, 100, matching=sought)
            assert list(found) == [call for call in reversed(calls) if matches(call, sought)]

        asyncio.run(check())

    async def _kept(self, drawn: Sequence[CallRecord], user: str) -> list[CallRecord]:
        async with self.open() as log:
            await log.add(drawn)
            return list(await log.before(user, None, 100))
