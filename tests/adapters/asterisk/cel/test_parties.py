"""With whom a user spoke: numbers are digits, and names are those of the time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.adapters.asterisk.cel.written_calls import ANNA, BEN, EPOCH, Channel, history
from unique_account.core.account import Direction
from unique_account.core.history import HistoryStatus


class TestNumbers:
    """H7: letters name a place in a dialplan, and no party."""

    @pytest.mark.parametrize(
        "place", ["dial", "s", "outcall", "7c1e55aa-90b1", "meeting-3f", "PJSIP_ben", "h", ""]
    )
    def test_a_place_in_a_dialplan_is_no_party(self, place: str) -> None:
        anna, trunk = Channel(1, "PJSIP/anna", "2101"), Channel(2, "PJSIP/trunk", "0470112233")
        rows = [
            anna("CHAN_START", 0, place),
            anna("APP_START", 1, place, application="Dial"),
            trunk("CHAN_START", 1),
            trunk("ANSWER", 2, place, application="AppDial"),
            anna("ANSWER", 2, place, application="Dial"),
            trunk.enters(2),
            anna.enters(2),
        ]
        assert history(rows)["anna"].peer == "0470112233"
        assert history(rows[:3])["anna"].peer == "0470112233"
        given = anna("BLINDTRANSFER", 3, extra=f'{{"extension":"{place}"}}')
        assert history([*rows, given])["anna"].transferred_to == ""

    @pytest.mark.parametrize("number", ["2102", "*98", "+33470112233", "#9", "01 23.45-67/89"])
    def test_digits_stars_and_separators_are_one(self, number: str) -> None:
        assert history([Channel(1, "PJSIP/anna", "2101")("CHAN_START", 0, number)])["anna"].peer == number

    def test_a_conference_has_the_number_that_was_dialled(self) -> None:
        anna = Channel(1, "PJSIP/anna", "2101")
        rows = [
            anna("CHAN_START", 0, "4000"),
            anna("ANSWER", 1, "meeting-3f", application="Playback"),
            anna.enters(5, technology="softmix"),
            anna("CHAN_END", 15),
        ]
        record = history(rows)["anna"]
        assert (record.peer, record.duration) == ("4000", timedelta(seconds=10))

    def test_a_caller_without_a_number_keeps_what_it_shows(self) -> None:
        trunk, anna = Channel(1, "PJSIP/trunk", "anonymous"), Channel(2, "PJSIP/anna", "2101")
        rows = [trunk("CHAN_START", 0, "2101"), anna("CHAN_START", 1), anna("CHAN_END", 2)]
        assert history(rows)["anna"].peer == "anonymous"


class TestNames:
    """H7: a party has the number and name that it had when the user's phone began to ring."""

    def missed(self, *names: str) -> str:
        """The name of a caller that showed these, one a second, the last one before anna's phone rang."""
        trunk, anna = Channel(1, "PJSIP/trunk", "0699"), Channel(2, "PJSIP/anna", "2101")
        rows = [trunk("APP_START", second, "2101", name=name) for second, name in enumerate(names)]
        later = trunk("APP_START", 60, "dial", number="0299001100", name="Company")
        return history([*rows, anna("CHAN_START", 30), anna("CHAN_END", 40), later])["anna"].peer_name

    def test_a_name_that_was_looked_up_before_it_rang_counts(self) -> None:
        assert self.missed("", "Dora") == self.missed("0699", "Dora") == "Dora"

    @pytest.mark.parametrize("shown", ["Anna -> Dora", "Support: Dora", "[VIP] Dora"])
    def test_what_is_put_before_a_name_is_not_part_of_it(self, shown: str) -> None:
        assert self.missed("Dora", shown) == "Dora"

    def test_a_name_that_only_ends_alike_is_another_one(self) -> None:
        assert self.missed("Ben", "Reuben") == "Reuben"

    def test_a_member_without_an_account_keeps_its_own_name_as_it_answers(self) -> None:
        anna, zoe = Channel(1, "PJSIP/anna", "2101", "Anna"), Channel(2, "PJSIP/zoe", "2199", "Zoe")
        rows = [
            anna("CHAN_START", 0, "2900"),
            zoe("CHAN_START", 1),
            zoe("ANSWER", 2, "s", number="2101", name="Anna", application="AppDial2"),
            zoe.enters(2),
            anna.enters(2),
        ]
        record = history(rows)["anna"]
        assert (record.peer, record.peer_name) == ("2199", "Zoe")


class TestOrigin:
    """H4: who dialled began the call, by whichever channel the PBX dials for him."""

    def test_an_id_that_no_channel_has_is_that_of_a_lost_one(self) -> None:
        anna = Channel(2, "PJSIP/anna", "2101", call=f"{EPOCH}.77")
        ben = Channel(3, "PJSIP/ben", "2102", call=f"{EPOCH}.77")
        rows = [
            anna("CHAN_START", 0, "2102"),
            ben("CHAN_START", 1),
            ben("ANSWER", 4, "2102", application="AppDial"),
            ben("CHAN_END", 9),
            anna("CHAN_END", 9),
        ]
        made = history(rows)
        assert (made["anna"].status, made["anna"].peer) == (HistoryStatus.EMITTED, "2102")
        assert (made["ben"].status, made["ben"].peer) == (HistoryStatus.ANSWERED, "2101")

    def test_who_was_called_under_such_an_id_did_not(self) -> None:
        ben = Channel(3, "PJSIP/ben", "2102", call=f"{EPOCH}.77")
        (record,) = history([ben("CHAN_START", 1), ben("ANSWER", 4, "2102", application="AppDial")]).values()
        assert (record.direction, record.status) == (Direction.INCOMING, HistoryStatus.ANSWERED)

    def test_a_click_that_is_not_picked_up_is_no_call_that_came_in(self) -> None:
        halves = [Channel(number, "Local/2101@default", "") for number in (1, 2)]
        anna = Channel(3, "PJSIP/anna", "2101")
        rows = [*(half("CHAN_START", 0, "2101") for half in halves), anna("CHAN_START", 1)]
        assert history([*rows, anna("CHAN_END", 9)])["anna"].direction is Direction.OUTGOING

    def test_who_calls_the_own_number_gives_nothing_away(self) -> None:
        anna, web = Channel(1, "PJSIP/anna", "2101"), Channel(2, "PJSIP/anna_w", "2101")
        rows = [
            anna("CHAN_START", 0, "2101"),
            web("CHAN_START", 1),
            web("ANSWER", 2, "2101", application="AppDial"),
            web.enters(2),
            anna.enters(2),
        ]
        assert history(rows)["anna"].transferred_to == ""


class TestPickup:
    """H2, H7: who picks a call up has it; the other user missed it, and each names the right party."""

    def test_another_user_picks_up_what_rings_at_a_colleague(self) -> None:
        trunk, anna = Channel(1, "PJSIP/trunk", "0699", "Dora"), Channel(2, "PJSIP/anna", "2101", "Anna")
        ben = Channel(3, "PJSIP/ben", "2102", "Ben", call=f"{EPOCH}.3")
        rows = [
            trunk("CHAN_START", 0, "2101"),
            anna("CHAN_START", 1),
            ben("CHAN_START", 4, "*8"),
            ben("ANSWER", 4, "*8", application="Pickup"),
            anna("PICKUP", 5, extra=f'{{"pickup_channel_uniqueid":"{ben.id}"}}'),
            anna("CHAN_END", 5),
            ben.enters(5),
            trunk.enters(5),
            ben("CHAN_END", 9),
        ]
        made = history(rows, ANNA, BEN)
        assert (made["anna"].status, made["anna"].peer_name) == (HistoryStatus.MISSED, "Dora")
        assert (made["ben"].status, made["ben"].peer_name) == (HistoryStatus.ANSWERED, "Dora")
        assert made["anna"].rang == timedelta(seconds=4)


class TestTimes:
    """H4: talk begins with the answer of the other person, and ringing has no pauses."""

    def test_pauses_between_rings_are_not_ringing(self) -> None:
        anna = Channel(1, "PJSIP/anna", "2101")
        rows = [anna("CHAN_START", 0, "2900")]
        for number, (start, end) in enumerate([(1, 4), (2, 3), (10, 12), (11, 15)], 2):
            ben = Channel(number, "PJSIP/ben", "2102")
            rows += [ben("CHAN_START", start), ben("CHAN_END", end)]
        assert {record.rang for record in history(rows).values()} == {timedelta(seconds=3 + 5)}

    @pytest.mark.parametrize("application", ["Queue", "Playback", "Park", "Answer", "Echo", "AppDial2"])
    def test_what_an_application_answers_is_no_talk(self, application: str) -> None:
        anna, ben = Channel(1, "PJSIP/anna", "2101"), Channel(2, "PJSIP/ben", "2102")
        rows = [
            anna("CHAN_START", 0, "2900"),
            anna("ANSWER", 1, "2900", application=application),
            ben("CHAN_START", 10),
            ben("CHAN_END", 20),
            anna("CHAN_END", 30),
        ]
        unanswered = history(rows)["anna"]
        assert (unanswered.duration, unanswered.rang) == (timedelta(0), timedelta(seconds=10))
        answered = history([*rows, ben("ANSWER", 15, "2900", application="AppQueue")])["anna"]
        assert (answered.duration, answered.rang) == (timedelta(seconds=15), timedelta(seconds=5))

    def test_a_mailbox_is_a_party(self) -> None:
        anna = Channel(1, "PJSIP/anna", "2101")
        rows = [
            anna("CHAN_START", 0, "2102"),
            anna("ANSWER", 20, "2102", application="VoiceMail"),
            anna("CHAN_END", 30),
        ]
        assert history(rows)["anna"].duration == timedelta(seconds=10)


class TestLostRows:
    """H2: any row names its channel, so no single row decides whether a call was answered."""

    @pytest.mark.parametrize("lost", range(4))
    def test_an_answered_call_stays_answered(self, lost: int) -> None:
        trunk, ben = Channel(1, "PJSIP/trunk", "0699"), Channel(2, "PJSIP/ben", "2102")
        rows = [
            ben("CHAN_START", 1),
            ben("ANSWER", 4, "2102", application="AppDial"),
            ben.enters(4),
            ben("CHAN_END", 30),
        ]
        del rows[lost]
        record = history([trunk("CHAN_START", 0, "2102"), *rows, trunk("CHAN_END", 30)])["ben"]
        assert (record.status, record.device) == (HistoryStatus.ANSWERED, "deskphone")
        assert record.duration == (timedelta(seconds=26) if lost != 3 else timedelta(0))

    @pytest.mark.parametrize("first", ["APP_START", "ANSWER", "BRIDGE_ENTER"])
    def test_a_caller_whose_first_row_is_lost_still_dialled(self, first: str) -> None:
        anna, ben = Channel(1, "PJSIP/anna", "2101"), Channel(2, "PJSIP/ben", "2102")
        rows = [anna(first, 1, "2102", application="Dial"), ben("CHAN_START", 1), ben("CHAN_END", 5)]
        record = history(rows)["anna"]
        assert (record.status, record.peer) == (HistoryStatus.EMITTED, "2102")
