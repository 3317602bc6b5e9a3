"""Rows of CEL, from a table and from the manager interface."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.asterisk.cel.recorded import recordings
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.cel.rows import LONGEST, UnreadableRow, from_table
from unique_account.adapters.asterisk.translation.linked_ids import LinkedIds, transferred

NOON: Final = datetime(2027, 3, 1, 12, tzinfo=UTC)
ROW: Final[dict[str, Any]] = {
    "eventtype": "CHAN_START",
    "eventtime": NOON,
    "uniqueid": "pbx-1.1",
    "linkedid": "pbx-1.0",
    "channame": "PJSIP/alice-00000001",
}
COLUMNS: Final = {
    "EventName": "eventtype",
    "CallerIDnum": "cid_num",
    "CallerIDname": "cid_name",
    "CallerIDrdnis": "cid_rdnis",
    "Exten": "exten",
    "Context": "context",
    "Channel": "channame",
    "Application": "appname",
    "UniqueID": "uniqueid",
    "LinkedID": "linkedid",
    "Peer": "peer",
    "Extra": "extra",
}


class TestTable:
    """H6: a row of a table and an event of the manager interface say the same."""

    @pytest.mark.parametrize("recording", recordings(), ids=lambda one: one.name)
    def test_what_was_told_is_what_would_be_written(self, recording: Any) -> None:
        for message, row in zip(recording.cel, recording.rows, strict=True):
            columns: dict[str, Any] = {column: message.get(name) for name, column in COLUMNS.items()}
            if columns["eventtype"].startswith("unique_account"):
                columns |= {"userdeftype": columns["eventtype"], "eventtype": "USER_DEFINED"}
            assert from_table(columns | {"eventtime": row.at}) == row

    @pytest.mark.parametrize(
        "reported",
        [
            NOON,
            NOON.astimezone(timezone(timedelta(hours=2))),
            NOON.replace(tzinfo=None),
            "2027-03-01 12:00:00",
            "2027-03-01T13:00:00+01:00",
            "1803902400",
            "1803902400.000000",
            1803902400,
            1803902400.0,
        ],
    )
    def test_instants_are_read_in_utc(self, reported: object) -> None:
        assert from_table(ROW | {"eventtime": reported}).at == NOON

    def test_the_zone_of_the_table_counts_where_none_is_named(self) -> None:
        east = timezone(timedelta(hours=2))
        assert from_table(ROW | {"eventtime": "2027-03-01 14:00:00"}, east).at == NOON
        assert from_table(ROW, east).at == NOON

    def test_an_epoch_keeps_its_microseconds(self) -> None:
        assert from_table(ROW | {"eventtime": "1803902400.25"}).at == NOON + timedelta(seconds=0.25)
        assert from_table(ROW | {"eventtime": "1803902400.000001"}).at == NOON + timedelta(microseconds=1)

    @pytest.mark.parametrize("column", ["eventtype", "eventtime", "uniqueid"])
    @pytest.mark.parametrize("value", ["", " ", None, 7, b"1"])
    def test_a_row_that_cannot_be_read_names_its_column(self, column: str, value: object) -> None:
        with pytest.raises(UnreadableRow) as refused:
            from_table(ROW | {column: value})
        assert refused.value.column == column
        assert column in str(refused.value)

    @pytest.mark.parametrize(
        "reported",
        ["0001-01-01T00:00:00", "9999-12-31 23:59:59.999999", "0001-01-01T00:00:00+14:00", datetime.max],
    )
    def test_an_instant_that_is_too_far_away_is_none(self, reported: object) -> None:
        with pytest.raises(UnreadableRow, match="eventtime"):
            from_table(ROW | {"eventtime": reported})

    def test_no_text_is_longer_than_what_is_kept(self) -> None:
        assert len(from_table(ROW | {"cid_name": "x" * 100_000}).name) == LONGEST

    @pytest.mark.parametrize("reported", ["\0+33\0 612", "+33\ud800 612"])
    def test_a_text_can_be_kept_by_every_store(self, reported: str) -> None:
        kept = {"+33 612", "+33? 612"}
        assert from_table(ROW | {"cid_num": reported}).number in kept
        assert from_table(ROW | {"extra": json.dumps({"extension": reported})}).detail("extension") in kept

    @given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
    def test_details_that_are_none_are_nothing(self, extra: str) -> None:
        row = from_table(ROW | {"extra": extra})
        assert row.details() == {}
        assert row.detail("bridge_id") == ""


PARIS: Final = ZoneInfo("Europe/Paris")


def in_paris(instant: datetime, begun: datetime) -> datetime:
    """The instant of a row, written in local time, of a channel that began at another one."""
    local = instant.astimezone(PARIS).replace(tzinfo=None)
    channel = {"uniqueid": f"pbx-{int(begun.timestamp())}.1"}
    return from_table(ROW | channel | {"eventtime": local.isoformat(" ")}, PARIS).at


class TestAutumn:
    """H6: the hour that a clock shows twice is told apart by the second in the channel's id."""

    MINUTES: Final = st.integers(0, 59)

    @given(st.integers(-90, 90), MINUTES)
    def test_a_call_lasts_as_long_as_it_did(self, start: int, length: int) -> None:
        change = datetime(2026, 10, 25, 1, tzinfo=UTC)
        begun = change + timedelta(minutes=start, seconds=0.4)
        over = begun + timedelta(minutes=length)
        assert (in_paris(begun, begun), in_paris(over, begun)) == (begun, over)

    @given(st.integers(-90, 90), MINUTES)
    def test_no_hour_is_taken_for_a_repeated_one_in_spring(self, start: int, length: int) -> None:
        begun = datetime(2026, 3, 29, 1, tzinfo=UTC) + timedelta(minutes=start)
        assert in_paris(begun + timedelta(minutes=length), begun) == begun + timedelta(minutes=length)

    @pytest.mark.parametrize("uniqueid", ["x", "crm-7f3a", "unique-account-dial-1"])
    def test_without_a_second_in_the_id_it_is_the_first_time(self, uniqueid: str) -> None:
        row = from_table(ROW | {"uniqueid": uniqueid, "eventtime": "2026-10-25 02:30:00"}, PARIS)
        assert row.at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


class TestJoining:
    """H6, H7: which id a live call has."""

    def _joined(self, number: int) -> Message:
        extra = json.dumps({"extra": f"other-1.{number}"})
        reported = (
            f"Event: CEL\r\nEventName: unique_account_call\r\nLinkedID: here-1.{number}\r\nExtra: {extra}"
        )
        return Message(reported)

    def _channel(self, number: int) -> Message:
        return Message(f"Event: Newstate\r\nUniqueid: here-1.9\r\nLinkedid: here-1.{number}")

    def test_a_call_of_another_node_goes_by_its_id_there(self) -> None:
        origins = LinkedIds()
        origins.note(self._joined(1))
        named = origins.at_origin(self._channel(1))
        assert (named["Linkedid"], named.event, named["Uniqueid"]) == ("other-1.1", "Newstate", "here-1.9")
        assert origins.at_origin(self._channel(2)) == self._channel(2)

    def test_so_many_are_remembered_and_no_more(self) -> None:
        origins = LinkedIds()
        for number in range(10_001):
            origins.note(self._joined(number))
        assert origins.at_origin(self._channel(0))["Linkedid"] == "here-1.0"
        assert origins.at_origin(self._channel(1))["Linkedid"] == "other-1.1"

    def test_an_id_with_half_a_character_can_be_kept(self) -> None:
        origins = LinkedIds()
        reported = "Event: CEL\r\nEventName: unique_account_call\r\nLinkedID: here-1.1\r\nExtra: "
        origins.note(Message(reported + json.dumps({"extra": "\ud800"})))
        assert origins.at_origin(self._channel(1))["Linkedid"] == "?"

    @pytest.mark.parametrize("extra", ["", "x", "[]", "{}", '{"extra": 1}', "[" * 100_000])
    def test_an_id_that_is_none_joins_nothing(self, extra: str) -> None:
        origins = LinkedIds()
        reported = f"Event: CEL\r\nEventName: unique_account_call\r\nLinkedID: here-1.1\r\nExtra: {extra}"
        origins.note(Message(reported))
        assert origins.at_origin(self._channel(1)) == self._channel(1)

    @pytest.mark.parametrize("first", ["Orig", "Second"])
    def test_the_later_of_two_calls_ends_when_a_transfer_joins_them(self, first: str) -> None:
        second = "Second" if first == "Orig" else "Orig"
        reported = (
            "Event: AttendedTransfer\r\n"
            f"{first}TransfererLinkedid: 1.9\r\n{first}TransfererUniqueid: 1.10\r\n"
            f"{second}TransfererLinkedid: 1.11\r\n{second}TransfererUniqueid: 1.11"
        )
        assert transferred(Message(reported)) == ("1.9", "1.11")
