"""Presence (P): one status out of two devices."""

from __future__ import annotations

from functools import reduce
from itertools import permutations, product

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from unique_account.core.account import Account, LineStatus
from unique_account.core.device_in_use import device_in_use
from unique_account.core.events import (
    ContactsChanged,
    DeviceSelected,
    FactsReplaced,
    LineChanged,
    LoggedIn,
    apply,
)
from unique_account.core.machine import Device, State
from unique_account.core.presence import Presence, join, known, presence, published
from unique_account.core.user import User
from unique_account.testing import strategies

ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
OUT = Account(ALICE)
statuses = st.sampled_from(LineStatus)

IN_CALL = [LineStatus.ON_HOLD, LineStatus.IN_USE, LineStatus.BUSY, LineStatus.RINGING_IN_USE]
NOT_IN_CALL = [status for status in LineStatus if status not in IN_CALL]


def account(
    deskphone: LineStatus, webrtc: LineStatus, *, selected: Device | None, registered: bool = True
) -> Account:
    """An account with these lines, logged in with this selection; None: logged out."""
    made = apply(OUT, LineChanged(Device.DESKPHONE, deskphone))
    made = apply(made, LineChanged(Device.WEBRTC, webrtc))
    made = apply(made, ContactsChanged(Device.WEBRTC, registered))
    if selected is None:
        return made
    return apply(apply(made, LoggedIn("tab-1")), DeviceSelected(selected))


class TestDeviceInUse:
    """P1: presence is the status of the device in use, joined with *In Use* when the other is in a call."""

    @given(strategies.accounts())
    def test_it_is_the_join_that_the_rule_says(self, any_account: Account) -> None:
        device = device_in_use(any_account)
        status = any_account.line(device).status
        if any_account.line(device.other).in_call:
            status = join(status, LineStatus.IN_USE)
        assert presence(any_account) is published(status)

    @pytest.mark.parametrize("status", LineStatus)
    def test_beside_an_idle_deskphone_the_browser_is_shown(self, status: LineStatus) -> None:
        shown = presence(account(LineStatus.NOT_IN_USE, status, selected=Device.WEBRTC))
        assert shown is published(status)


class TestStates:
    """P2: what each state shows."""

    @pytest.mark.parametrize("status", LineStatus)
    def test_logged_out_shows_the_deskphone(self, status: LineStatus) -> None:
        assert presence(account(status, LineStatus.RINGING, selected=None)) is published(status)

    @pytest.mark.parametrize("status", IN_CALL)
    def test_the_deskphone_in_a_call_beside_webrtc_shows_in_use(self, status: LineStatus) -> None:
        talking = account(status, LineStatus.NOT_IN_USE, selected=Device.WEBRTC)
        assert talking.state is State.DESKPHONE_IN_USE
        assert presence(talking) is Presence.IN_USE

    def test_a_browser_that_rings_meanwhile_shows_in_use_and_ringing(self) -> None:
        talking = account(LineStatus.IN_USE, LineStatus.RINGING, selected=Device.WEBRTC)
        assert presence(talking) is Presence.RINGING_IN_USE

    @pytest.mark.parametrize("status", NOT_IN_CALL)
    def test_after_a_fallback_the_deskphone_is_shown(self, status: LineStatus) -> None:
        fallen = account(status, LineStatus.RINGING, selected=Device.WEBRTC, registered=False)
        assert presence(fallen) is published(status)

    @pytest.mark.parametrize("selected", [None, *Device])
    @pytest.mark.parametrize("registered", [True, False])
    def test_a_call_still_up_in_the_browser_shows_in_every_state(
        self, selected: Device | None, registered: bool
    ) -> None:
        up = account(LineStatus.NOT_IN_USE, LineStatus.IN_USE, selected=selected, registered=registered)
        assert presence(up) is Presence.IN_USE

    def test_a_selected_deskphone_that_is_held_shows_on_hold(self) -> None:
        held = account(LineStatus.ON_HOLD, LineStatus.NOT_IN_USE, selected=Device.DESKPHONE)
        assert presence(held) is Presence.ON_HOLD


class TestOtherDevice:
    """P3: ringing on the device not in use is not shown; a held call there shows as *In Use*."""

    @pytest.mark.parametrize("selected", [None, Device.DESKPHONE])
    def test_a_browser_not_in_use_that_rings_is_not_shown(self, selected: Device | None) -> None:
        ringing = account(LineStatus.NOT_IN_USE, LineStatus.RINGING, selected=selected)
        assert presence(ringing) is Presence.AVAILABLE

    def test_a_deskphone_not_in_use_that_rings_is_not_shown(self) -> None:
        ringing = account(LineStatus.RINGING, LineStatus.NOT_IN_USE, selected=Device.WEBRTC)
        assert presence(ringing) is Presence.AVAILABLE

    def test_a_call_held_on_the_other_device_shows_in_use(self) -> None:
        held = account(LineStatus.ON_HOLD, LineStatus.NOT_IN_USE, selected=Device.WEBRTC)
        assert presence(held) is Presence.IN_USE

    def test_a_busy_device_in_use_stays_busy_beside_it(self) -> None:
        held = account(LineStatus.ON_HOLD, LineStatus.BUSY, selected=Device.WEBRTC)
        assert presence(held) is Presence.BUSY


class TestJoining:
    """P4: the highest rank wins; ringing with in use, on hold or busy gives ringing-in-use."""

    def test_the_ranks_are_those_of_the_rule(self) -> None:
        assert [status.name for status in sorted(LineStatus)] == [
            "INVALID",
            "UNKNOWN",
            "UNAVAILABLE",
            "NOT_IN_USE",
            "ON_HOLD",
            "RINGING",
            "IN_USE",
            "BUSY",
            "RINGING_IN_USE",
        ]

    @pytest.mark.parametrize("status", [LineStatus.IN_USE, LineStatus.ON_HOLD, LineStatus.BUSY])
    def test_ringing_beside_a_call_is_both(self, status: LineStatus) -> None:
        assert join(LineStatus.RINGING, status) is LineStatus.RINGING_IN_USE
        assert join(status, LineStatus.RINGING) is LineStatus.RINGING_IN_USE

    @given(statuses, statuses)
    def test_else_the_highest_wins(self, one: LineStatus, other: LineStatus) -> None:
        both = {one, other} - {LineStatus.RINGING}
        if LineStatus.RINGING not in (one, other) or not both & set(IN_CALL):
            assert join(one, other) is max(one, other)


class TestPublished:
    """P5: the integers of XiVO and Asterisk, and when they are published."""

    def test_the_integers_are_those_of_the_rule(self) -> None:
        assert {shown.name: shown.value for shown in Presence} == {
            "AVAILABLE": 0,
            "IN_USE": 1,
            "BUSY": 2,
            "UNAVAILABLE": 4,
            "RINGING": 8,
            "RINGING_IN_USE": 9,
            "ON_HOLD": 16,
            "DEACTIVATED": -1,
            "UNEXISTING": -2,
        }

    @given(strategies.accounts())
    def test_no_account_is_deactivated_or_unexisting(self, any_account: Account) -> None:
        assert presence(any_account) >= 0

    def test_of_a_new_account_nothing_is_known(self) -> None:
        assert not known(OUT)

    @pytest.mark.parametrize("device", Device)
    def test_the_first_fact_of_either_line_makes_it_known(self, device: Device) -> None:
        assert known(apply(OUT, LineChanged(device, LineStatus.UNAVAILABLE)))
        assert known(apply(OUT, ContactsChanged(device, reachable=False)))

    def test_a_lost_node_is_not_known_any_more(self) -> None:
        received = apply(OUT, LineChanged(Device.DESKPHONE, LineStatus.BUSY))
        assert not known(apply(received, FactsReplaced("default")))


CODES = {
    "UK": LineStatus.UNKNOWN,
    "NI": LineStatus.NOT_IN_USE,
    "IU": LineStatus.IN_USE,
    "BY": LineStatus.BUSY,
    "IV": LineStatus.INVALID,
    "UA": LineStatus.UNAVAILABLE,
    "RG": LineStatus.RINGING,
    "RI": LineStatus.RINGING_IN_USE,
    "OH": LineStatus.ON_HOLD,
}

# What Asterisk expects of two devices behind one extension: their joined status, and the integer of the
# extension. First device by row, second by column.
JOINED = """
       UK  NI  IU  BY  IV  UA  RG  RI  OH
    UK UK  NI  IU  BY  UK  UA  RG  RI  OH
    NI NI  NI  IU  BY  NI  NI  RG  RI  OH
    IU IU  IU  IU  BY  IU  IU  RI  RI  IU
    BY BY  BY  BY  BY  BY  BY  RI  RI  BY
    IV UK  NI  IU  BY  IV  UA  RG  RI  OH
    UA UA  NI  IU  BY  UA  UA  RG  RI  OH
    RG RG  RG  RI  RI  RG  RG  RG  RI  RI
    RI RI  RI  RI  RI  RI  RI  RI  RI  RI
    OH OH  OH  IU  BY  OH  OH  RI  RI  OH
"""
EXTENSION = """
       UK  NI  IU  BY  IV  UA  RG  RI  OH
    UK  0   0   1   2   0   4   8   9  16
    NI  0   0   1   2   0   0   8   9  16
    IU  1   1   1   2   1   1   9   9   1
    BY  2   2   2   2   2   2   9   9   2
    IV  0   0   1   2   4   4   8   9  16
    UA  4   0   1   2   4   4   8   9  16
    RG  8   8   9   9   8   8   8   9   9
    RI  9   9   9   9   9   9   9   9   9
    OH 16  16   1   2  16  16   9   9  16
"""


def cells(grid: str) -> list[tuple[LineStatus, LineStatus, str]]:
    """Every cell of a grid: first device, second device, what they come to."""
    head, *rows = (line.split() for line in grid.strip().splitlines())
    pairs = ((row[0], column, cell) for row in rows for column, cell in zip(head, row[1:], strict=True))
    return [(CODES[first], CODES[second], cell) for first, second, cell in pairs]


class TestAsterisk:
    """P6: joining agrees with Asterisk's own 162 published two-device expectations, and has its laws."""

    def test_there_are_as_many_expectations_as_pairs(self) -> None:
        pairs = set(product(LineStatus, repeat=2))
        for grid in (JOINED, EXTENSION):
            assert {(first, second) for first, second, _ in cells(grid)} == pairs
        assert len(cells(JOINED)) + len(cells(EXTENSION)) == 162

    @pytest.mark.parametrize(("first", "second", "code"), cells(JOINED))
    def test_two_devices_join_to(self, first: LineStatus, second: LineStatus, code: str) -> None:
        assert join(first, second) is CODES[code]

    @pytest.mark.parametrize(("first", "second", "integer"), cells(EXTENSION))
    def test_their_extension_shows(self, first: LineStatus, second: LineStatus, integer: str) -> None:
        assert published(join(first, second)) == int(integer)

    def test_joining_is_commutative(self) -> None:
        for one, other in product(LineStatus, repeat=2):
            assert join(one, other) is join(other, one)

    def test_joining_is_associative(self) -> None:
        for one, other, third in product(LineStatus, repeat=3):
            assert join(join(one, other), third) is join(one, join(other, third))

    def test_joining_is_idempotent(self) -> None:
        for status in LineStatus:
            assert join(status, status) is status

    @given(st.lists(statuses, min_size=1, max_size=4))
    def test_any_number_of_lines_join_in_any_order(self, several: list[LineStatus]) -> None:
        assert len({reduce(join, order) for order in permutations(several)}) == 1


class TestWithoutLines:
    """P1: presence rests on the lines and the device in use, and on nothing else of an account."""

    @given(strategies.accounts(), strategies.accounts())
    def test_calls_messages_and_forwards_do_not_show(self, one: Account, other: Account) -> None:
        dressed = evolve(
            one,
            kept=evolve(one.kept, forwarding=other.forwarding),
            observed=evolve(one.observed, calls=other.calls, messages=other.observed.messages),
        )
        assert presence(dressed) is presence(one)
