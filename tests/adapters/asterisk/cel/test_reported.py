"""Calls of another product's tests, in rows as its Asterisk wrote them, each with what is right.

The name of a file says what its rows show. The names and numbers are invented.
"""

from __future__ import annotations

import csv
from typing import Final

import pytest

from tests.paths import DATA
from unique_account.adapters.asterisk.cel.records import CallHistory
from unique_account.adapters.asterisk.cel.rows import from_table
from unique_account.adapters.rosters.users_file import read_users_file
from unique_account.core.history import CallRecord

FOLDER: Final = DATA / "cel" / "reported"
USERS: Final = read_users_file(FOLDER / "users.toml")
Entry = tuple[str, str, str | None, str, str, float, float]

RIGHT: Final[dict[str, list[Entry]]] = {
    # user, status, device, number and name of the party, seconds that a phone rang, seconds of talk
    "01_out_by_outcall": [("anna", "emitted", "deskphone", "0470112233", "", 4.8, 30)],
    "02_clicked_outside_unanswered": [("anna", "emitted", "deskphone", "0470112233", "", 11.8, 0)],
    "03_missed_then_forwarded_outside": [("anna", "missed", "deskphone", "0699887766", "Dora", 9.8, 0)],
    "05_dialled_by_assistant_unanswered": [
        ("anna", "emitted", "deskphone", "2102", "Ben", 20, 0),
        ("ben", "missed", "deskphone", "2101", "Anna", 20, 0),
    ],
    "07_called_leg_bears_callers_name": [
        ("anna", "emitted", "deskphone", "2102", "Ben", 3.8, 5),
        ("ben", "answered", "deskphone", "2101", "Anna", 3.8, 5),
    ],
    "08_name_changed_after_the_miss": [
        ("anna", "missed", "deskphone", "2102", "Ben", 7.8, 0),
        ("ben", "emitted", "deskphone", "2101", "Anna", 14.5, 0),
        ("cleo", "missed", "deskphone", "2102", "Ben", 6.7, 0),
    ],
    "10_member_without_account": [("anna", "emitted", "deskphone", "2199", "Zoe", 3.8, 8)],
    "11_own_number": [("anna", "emitted", "deskphone", "2101", "Anna", 2.8, 6)],
    "12_first_row_of_a_leg_missing": [("ben", "answered", "deskphone", "0699887766", "Dora", 0, 26)],
    "15_originated_to_s_unanswered": [
        ("anna", "emitted", "deskphone", "2102", "Ben", 10.3, 0),
        ("ben", "missed", "deskphone", "2101", "Anna", 10.3, 0),
    ],
    "16_eventtime_as_cel_sqlite3_custom_writes_it": [
        ("anna", "emitted", "deskphone", "2102", "Ben", 8.8, 0),
        ("ben", "missed", "deskphone", "2101", "Anna", 8.8, 0),
    ],
}


def history(name: str) -> list[CallRecord]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        made = CallHistory(USERS)
        made.feed(from_table(columns) for columns in csv.DictReader(file))
    return made.rest()


def entry(record: CallRecord) -> Entry:
    times = (record.rang.total_seconds(), record.duration.total_seconds())
    return (record.user, record.status, record.device, record.peer, record.peer_name, *times)


@pytest.mark.parametrize("name", RIGHT)
class TestFound:
    """H2, H4, H7: who called whom, who answered, and for how long, is what the rows say."""

    def test_each_entry_is_right(self, name: str) -> None:
        entries = [entry(record) for record in history(name)]
        assert [one[:5] for one in entries] == [one[:5] for one in RIGHT[name]]
        for one, right in zip(entries, RIGHT[name], strict=True):
            assert one[5:] == pytest.approx(right[5:], abs=0.05)

    def test_nobody_gave_the_call_away_nor_forwarded_it(self, name: str) -> None:
        assert {(one.transferred_to, one.forwarded_from) for one in history(name)} == {("", "")}


def test_every_file_is_looked_at() -> None:
    assert {file.stem for file in FOLDER.glob("*.csv")} == set(RIGHT)
