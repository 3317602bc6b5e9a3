"""Numbers and names are compared the same in every store."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unique_account.core.account import Direction
from unique_account.core.history import CallRecord, HistoryStatus
from unique_account.core.search import folded, matches, searched


def with_peer(number: str, name: str) -> CallRecord:
    return CallRecord(
        id="1.1",
        user="alice",
        start=datetime(2026, 1, 5, 9, tzinfo=UTC),
        status=HistoryStatus.MISSED,
        direction=Direction.INCOMING,
        peer=number,
        peer_name=name,
    )


class TestSearch:
    """H1: a call is found by the number or the name of the other party, however these are written."""

    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("Zoé", "zoe"),
            ("STRASSE", "strasse"),
            ("Straße", "strasse"),
            ("01 23.45-67", "01234567"),
            ("+33 (1)", "+331"),
            ("*98#", "*98#"),
            ("日本", "日本"),
            (" '%_\\.", ""),
        ],
    )
    def test_letters_digits_and_what_is_dialled_are_left(self, text: str, left: str) -> None:
        assert folded(text) == left

    def test_a_number_and_a_name_do_not_run_into_each_other(self) -> None:
        record = with_peer("300", "4 Seasons")
        assert searched(record) == "300 4seasons"
        assert not matches(record, "3004")

    @given(number=st.text(), name=st.text())
    @example(number="", name="\u0131")
    def test_a_record_is_found_by_all_that_it_says(self, number: str, name: str) -> None:
        record = with_peer(number, name)
        assert matches(record, number)
        assert matches(record, name)
        assert matches(record, name.upper())
        assert matches(record, "")
