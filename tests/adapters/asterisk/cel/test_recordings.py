"""Histories made of what a real Asterisk wrote down of calls on real phones, and what really happened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from tests.adapters.asterisk.cel.recorded import Recording, recordings
from tests.e2e.scenes.people import EVERYBODY, Truth
from unique_account.adapters.asterisk.cel.records import CallHistory
from unique_account.core.history import CallRecord

RECORDINGS: Final = recordings()
EACH: Final = pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
TOLERANCE: Final = timedelta(seconds=0.25)
"""How far the clocks of a phone and of the PBX may be apart on when a call was answered or over."""


def history(recording: Recording) -> list[CallRecord]:
    history = CallHistory(EVERYBODY)
    history.feed(recording.rows)
    last = max(row.at for row in recording.rows)
    return history.final(last + timedelta(seconds=5))


def reported(record: CallRecord | Truth) -> dict[str, Any]:
    """What a record and the truth have in common, to the letter."""
    names = ("user", "status", "direction", "device", "peer", "forwarded_from", "transferred_to")
    return {name: getattr(record, name) for name in names}


def by_words(record: CallRecord | Truth) -> str:
    return str(reported(record))


@EACH
class TestRecordings:
    """H1, H2, H4, H7: the history agrees with what the phones and the script saw."""

    def test_each_user_has_the_entries_that_the_phones_know_of_and_no_others(
        self, recording: Recording
    ) -> None:
        entries = sorted(map(reported, history(recording)), key=str)
        assert entries == sorted(map(reported, recording.truth), key=str)

    def test_ring_and_talk_times_are_those_of_the_phones(self, recording: Recording) -> None:
        entries = sorted(history(recording), key=by_words)
        for entry, truth in zip(entries, sorted(recording.truth, key=by_words), strict=True):
            if truth.rang is not None:
                assert abs(entry.rang - timedelta(seconds=truth.rang)) < TOLERANCE, entry
            if truth.talked is not None:
                connected = entry.duration + entry.waited
                assert abs(connected - timedelta(seconds=truth.talked)) < TOLERANCE, entry

    def test_everything_is_settled_and_over(self, recording: Recording) -> None:
        assert all(entry.settled and entry.ended for entry in history(recording))


def test_there_are_enough_of_them() -> None:
    assert len(RECORDINGS) >= 20
    assert sum(len(recording.truth) for recording in RECORDINGS) >= 50
