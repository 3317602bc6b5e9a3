"""Frames of other groups, in any order: the newest counts, and nothing else does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from unique_account.adapters.rabbitmq.other_groups import OtherGroups
from unique_account.adapters.rabbitmq.presence_frames import PresenceFrame, Stamp, decode_frame, snapshot
from unique_account.core.presence import Presence

BUSY, FREE, GONE = Presence.BUSY, Presence.AVAILABLE, Presence.UNEXISTING
STATES: Final = (BUSY, FREE, GONE)


def change(
    sequence: int, presences: dict[str, Presence], epoch: int = 1, group: str = "lyon", instance: str = "a"
) -> PresenceFrame:
    return PresenceFrame(group=group, instance=instance, stamp=Stamp(epoch, sequence), presences=presences)


def whole(
    sequence: int, presences: Mapping[str, Presence | None], epoch: int = 1, instance: str = "a"
) -> list[PresenceFrame]:
    return [*snapshot("lyon", instance, Stamp(epoch, sequence), presences)]


def receive(others: OtherGroups, *frames: PresenceFrame) -> dict[str, Presence]:
    changed: dict[str, Presence] = {}
    for frame in frames:
        changed |= others.receive(frame)
    return changed


class TestFrames:
    """Late frames change nothing; a snapshot replaces what is older."""

    def test_a_change_is_reported_once(self) -> None:
        others = OtherGroups("paris")
        assert receive(others, change(1, {"1": BUSY})) == {"1": BUSY}
        assert receive(others, change(1, {"1": BUSY}), change(2, {"1": BUSY})) == {}

    def test_ones_own_frames_are_left_out(self) -> None:
        assert receive(OtherGroups("lyon"), change(1, {"1": BUSY})) == {}

    def test_a_late_frame_of_an_earlier_epoch_is_dropped(self) -> None:
        others = OtherGroups("paris")
        receive(others, *whole(1, {"1": BUSY}, epoch=2))
        assert receive(others, change(99, {"1": GONE}, epoch=1), *whole(100, {}, epoch=1)) == {}
        assert (others.presences(), others.late) == ({"1": BUSY}, 2)

    def test_a_late_number_gone_does_not_come_after_a_snapshot(self) -> None:
        others = OtherGroups("paris")
        receive(others, *whole(5, {"1": BUSY}))
        assert receive(others, change(4, {"1": GONE})) == {}

    def test_a_number_whose_node_has_not_reported_is_not_gone(self) -> None:
        """P5: it stays as the owner before showed it; one that nobody ever showed has no presence."""
        others = OtherGroups("paris")
        receive(others, *whole(5, {"1": BUSY, "2": FREE}))
        frames = [decode_frame(frame.encode()) for frame in whole(1, {"1": None, "3": None}, epoch=2)]
        assert receive(others, *frames) == {"2": GONE}
        assert others.presences() == {"1": BUSY}
        assert receive(others, change(2, {"1": FREE}, epoch=2)) == {"1": FREE}

    def test_a_late_presence_does_not_bring_back_a_number(self) -> None:
        others = OtherGroups("paris")
        receive(others, *whole(1, {"1": BUSY}), change(3, {"1": GONE}))
        assert receive(others, change(2, {"1": FREE})) == {}

    def test_what_changed_after_a_snapshot_was_taken_stays(self) -> None:
        others = OtherGroups("paris")
        receive(others, *whole(1, {"1": BUSY, "2": BUSY}), change(7, {"1": FREE, "2": GONE}))
        assert receive(others, *whole(6, {"1": BUSY, "2": BUSY, "3": BUSY})) == {"3": BUSY}

    def test_a_number_that_a_snapshot_lacks_is_gone(self) -> None:
        others = OtherGroups("paris")
        receive(others, *whole(1, {"1": BUSY, "2": BUSY}))
        assert receive(others, *whole(2, {"2": BUSY})) == {"1": GONE}

    def test_a_new_owner_is_followed_at_its_first_frame(self) -> None:
        others = OtherGroups("paris")
        receive(others, *whole(50, {"1": BUSY, "2": BUSY}))
        assert receive(others, change(1, {"1": FREE}, epoch=2)) == {"1": FREE}
        assert others.incomplete == {"lyon"}
        assert receive(others, *whole(2, {"1": FREE}, epoch=2)) == {"2": GONE}
        assert others.incomplete == set()

    def test_another_process_of_the_same_epoch_begins_with_a_snapshot(self) -> None:
        others = OtherGroups("paris")
        receive(others, *whole(50, {"1": BUSY}))
        assert receive(others, change(51, {"1": FREE}, instance="b")) == {}
        assert others.incomplete == {"lyon"}
        assert receive(others, *whole(1, {"1": FREE}, instance="b")) == {"1": FREE}

    def test_a_gap_asks_for_a_snapshot(self) -> None:
        others = OtherGroups("paris")
        receive(others, *whole(1, {}), change(2, {"1": BUSY}))
        assert others.incomplete == set()
        receive(others, change(4, {"1": FREE}))
        assert others.incomplete == {"lyon"}

    def test_parts_may_come_in_any_order_and_nothing_shows_before_all_are_there(self) -> None:
        numbers = {str(number): BUSY for number in range(1200)}
        first, second, third = whole(1, numbers)
        others = OtherGroups("paris")
        assert receive(others, third, first, first) == {}
        assert receive(others, second) == numbers

    def test_a_number_that_moved_to_another_group_is_not_gone(self) -> None:
        others = OtherGroups("paris")
        receive(others, change(1, {"1": BUSY}), change(1, {"1": FREE}, group="nice"))
        assert others.presences() == {"1": BUSY}
        assert receive(others, change(2, {"1": GONE})) == {"1": FREE}
        assert others.presences() == {"1": FREE}


@given(st.data())
def test_any_order_and_repetition_ends_with_the_last_word(data: st.DataObject) -> None:
    """Frames of two owners, shuffled and repeated, and the newest snapshot at any place."""
    numbers, frames = ("1", "2", "3"), list[PresenceFrame]()
    now: dict[str, Presence] = {}
    for epoch in (1, 2):
        now = {}
        for sequence in range(1, data.draw(st.integers(2, 6))):
            number = data.draw(st.sampled_from(numbers))
            now[number] = data.draw(st.sampled_from(STATES))
            frames.append(change(sequence, {number: now[number]}, epoch))
    newest = whole(data.draw(st.integers(1, sequence)), {}, epoch=2)[0].stamp.sequence
    as_of: dict[str, Presence | None] = {}
    for frame in frames:
        if frame.stamp.epoch == 2 and frame.stamp.sequence <= newest:
            as_of |= frame.presences
    frames += whole(newest, {n: p for n, p in as_of.items() if p is not GONE}, epoch=2)
    others = OtherGroups("paris")
    shown: dict[str, Presence] = {}
    for frame in data.draw(st.permutations(frames + frames)):
        shown |= others.receive(frame)
    ends = {number: presence for number, presence in now.items() if presence is not GONE}
    assert others.presences() == ends
    assert {number: presence for number, presence in shown.items() if presence is not GONE} == ends
