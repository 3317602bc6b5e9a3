"""What is reported live of a call and what is written down of it are one entry."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import reduce
from typing import Final

import pytest
from attrs import evolve

from tests.adapters.asterisk.cel.recorded import Recording, recordings
from tests.e2e.scenes.people import EVERYBODY
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.cel.records import CallHistory
from unique_account.adapters.asterisk.translation.results import TranslatedEvent
from unique_account.adapters.asterisk.translation.translator import Translator
from unique_account.core.account import Account
from unique_account.core.diversions import CallDiverted, diverted
from unique_account.core.events import CallEnded, apply
from unique_account.core.history import CallRecord, combine, finished, merge, ongoing

EACH: Final = pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)


class Live:
    """The accounts as a service holds them, fed with what the manager interface reported."""

    def __init__(self, recording: Recording) -> None:
        self._accounts = {user.id: Account(user) for user in EVERYBODY}
        self._nodes = {name: Translator(EVERYBODY, name) for name in ("default", "mds1")}
        self._recording = recording
        self.finished: list[CallRecord] = []

    def play(self) -> Iterator[list[CallRecord]]:
        """What is ongoing after each message."""
        for node, reported in self._recording.live:
            if isinstance(reported, tuple):
                self._nodes[node].join(*reported)
                continue
            for received in self._nodes[node].translate(reported):
                assert isinstance(received, TranslatedEvent)
                self._take(received)
            yield [record for account in self._accounts.values() for record in ongoing(account)]

    def _take(self, received: TranslatedEvent) -> None:
        account = self._accounts[received.user]
        if isinstance(received.event, CallEnded):
            record = finished(account, received.event.call_id, received.event.at)
            self.finished += [] if record is None else [record]
        if isinstance(received.event, CallDiverted):
            self.finished.append(diverted(self._accounts[received.user], received.event))
        self._accounts[received.user] = apply(account, received.event)


def written(recording: Recording) -> list[CallRecord]:
    made = CallHistory(EVERYBODY)
    made.feed(recording.rows)
    return made.rest()


def reported(recording: Recording) -> list[CallRecord]:
    """What the live calls came to, once all are over."""
    live = Live(recording)
    for _ in live.play():
        pass
    calls: dict[object, list[CallRecord]] = {}
    for record in live.finished:
        calls.setdefault((record.user, record.key), []).append(record)
    return [reduce(combine, records) for records in calls.values()]


@EACH
class TestOneEntry:
    """H2, H3, H6: what was reported live has the key and the status of what is written down."""

    def test_every_live_call_is_one_that_is_written_down(self, recording: Recording) -> None:
        known = {(record.user, record.key): record.status for record in written(recording)}
        assert {(one.user, one.key): known.get((one.user, one.key)) for one in reported(recording)} == {
            (one.user, one.key): one.status for one in reported(recording)
        }

    def test_no_call_is_written_down_alone(self, recording: Recording) -> None:
        """H4: a call that rings no device is reported as well."""
        live = {(one.user, one.key) for one in reported(recording)}
        assert [one for one in written(recording) if (one.user, one.key) not in live] == []

    def test_the_written_record_replaces_the_live_one(self, recording: Recording) -> None:
        entries = sorted(written(recording), key=lambda one: one.key, reverse=True)
        live = sorted(reported(recording), key=lambda one: one.key, reverse=True)
        assert list(merge(entries, live)) == list(merge(live, entries)) == list(merge(entries))

    def test_a_call_is_ongoing_before_it_is_over_and_never_after(self, recording: Recording) -> None:
        """One that rings no device is over for the user as it goes on."""
        seen = {(one.user, one.device) for now in Live(recording).play() for one in now}
        assert {(one.user, one.device) for one in reported(recording) if one.device} <= seen
        *_, last = Live(recording).play()
        assert last == []


CHOSEN_IDS: Final = pytest.mark.parametrize(
    "chosen", ["crm-7f3a", "0b1e55aa-90b1-4c11-8d5e-1f2e3d4c5b6a", "ticket-20260105.1", "order-1234567890.1"]
)
RENAMED: Final = ("deskphone_answers", "caller_gives_up", "dialled_by_assistant", "attended_transfer")


@CHOSEN_IDS
@pytest.mark.parametrize("name", RENAMED)
class TestChosenIds:
    """H2, H6: a client that originates a call may choose an id in which there is no second."""

    def test_the_call_is_one_entry_that_began_when_it_was_first_seen(self, name: str, chosen: str) -> None:
        recording, first_seen = renamed(name, chosen)
        starts = {one.start for one in [*written(recording), *reported(recording)] if one.id == chosen}
        assert starts == {first_seen.replace(microsecond=0)}

    def test_what_is_reported_live_is_what_is_written_down(self, name: str, chosen: str) -> None:
        recording, _ = renamed(name, chosen)
        live = {(one.user, one.key): one.status for one in reported(recording)}
        assert live.items() <= {(one.user, one.key): one.status for one in written(recording)}.items()

    def test_all_that_is_ongoing_of_it_has_one_key(self, name: str, chosen: str) -> None:
        recording, _ = renamed(name, chosen)
        seen = {one.key for now in Live(recording).play() for one in now if one.id == chosen}
        assert len(seen) == 1


def renamed(name: str, chosen: str) -> tuple[Recording, datetime]:
    """A recording whose first channel has an id of the client's, and when that was first seen."""
    (recording,) = [one for one in recordings() if one.name == name]
    first = next(row for row in recording.rows if row.kind == "CHAN_START" and row.uniqueid == row.linkedid)

    def with_the_id(message: Message) -> Message:
        return Message(message.text.replace(first.uniqueid, chosen))

    live = tuple(
        (node, item if isinstance(item, tuple) else with_the_id(item)) for node, item in recording.live
    )
    return evolve(recording, cel=tuple(map(with_the_id, recording.cel)), live=live), first.at


JOINED: Final = [one for one in recordings() if any(isinstance(reported, tuple) for _, reported in one.live)]


@pytest.mark.parametrize("recording", JOINED, ids=lambda recording: recording.name)
def test_the_legs_of_who_joins_two_calls_may_end_in_either_order(recording: Recording) -> None:
    """H7: they end at once, so Asterisk may report either end first."""
    ends: dict[str, list[int]] = {}
    for position, (_, told_then) in enumerate(recording.live):
        if not isinstance(told_then, tuple) and told_then.event == "Hangup":
            ends.setdefault(told_then["Channel"].rpartition("-")[0], []).append(position)
    (phone,) = [phone for phone, positions in ends.items() if len(positions) == 2]
    one, other = ends[phone]
    live = list(recording.live)
    live[one], live[other] = live[other], live[one]
    assert keyed(reported(evolve(recording, live=tuple(live)))) == keyed(reported(recording))


def keyed(records: list[CallRecord]) -> dict[object, tuple[object, ...]]:
    """What of records does not depend on a few milliseconds."""
    return {(one.user, one.key): (one.status, one.direction, one.peer, one.device) for one in records}
