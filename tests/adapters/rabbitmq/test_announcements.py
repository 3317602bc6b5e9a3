"""What waits for a broker: the last word on each key, in the order of waiting, and no more than may be."""

from __future__ import annotations

import pytest

from unique_account.adapters.rabbitmq.announcements import Announcements, Key, Kind
from unique_account.adapters.rabbitmq.errors import BusFull
from unique_account.core.presence import Presence

ONE: Key = (Kind.PRESENCE, "1")
TWO: Key = (Kind.PRESENCE, "2")


class TestWaiting:
    """Nothing is lost until it is confirmed."""

    def test_a_newer_word_takes_the_place_of_an_older_one(self) -> None:
        announcements = Announcements()
        for key, word in ((ONE, Presence.BUSY), (TWO, Presence.BUSY), (ONE, Presence.AVAILABLE)):
            announcements.put(key, word)
        assert announcements.take(10) == [(ONE, Presence.AVAILABLE), (TWO, Presence.BUSY)]

    def test_what_is_given_back_comes_first_with_its_newest_word(self) -> None:
        announcements = Announcements()
        announcements.put(ONE, Presence.BUSY)
        taken = announcements.take(10)
        assert len(announcements) == 1
        announcements.put(TWO, Presence.BUSY)
        announcements.put(ONE, Presence.AVAILABLE)
        announcements.give_back(taken)
        assert announcements.take(10) == [(ONE, Presence.AVAILABLE), (TWO, Presence.BUSY)]

    def test_what_changed_under_way_waits(self) -> None:
        announcements = Announcements()
        announcements.put(ONE, Presence.BUSY)
        taken = announcements.take(10)
        announcements.put(ONE, Presence.AVAILABLE)
        announcements.confirm(taken)
        assert not announcements.empty.is_set()
        announcements.confirm(announcements.take(10))
        assert announcements.empty.is_set()

    def test_a_number_that_is_gone_is_forgotten_once_that_is_confirmed(self) -> None:
        announcements = Announcements()
        announcements.put(ONE, Presence.UNEXISTING)
        announcements.put(TWO, Presence.BUSY)
        announcements.confirm(announcements.take(10))
        announcements.repeat()
        assert announcements.take(10) == [(TWO, Presence.BUSY)]

    def test_there_is_a_bound(self) -> None:
        announcements = Announcements(most=1)
        announcements.put(ONE, Presence.BUSY)
        announcements.put(ONE, Presence.AVAILABLE)
        with pytest.raises(BusFull, match="2 is not announced: the bus holds 1 numbers and users already"):
            announcements.put(TWO, Presence.BUSY)
        assert announcements.presences() == {"1": Presence.AVAILABLE}
