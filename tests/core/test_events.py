"""What can happen to an account beside sessions and lines: forwards, users, calls, messages, nodes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from unique_account.core.account import Account, Call, CallStatus, Direction, LineStatus, Messages
from unique_account.core.errors import NoDestination, Refused
from unique_account.core.events import (
    CallChanged,
    CallEnded,
    ContactsChanged,
    DeviceSelected,
    DeviceToggled,
    DoNotDisturbSet,
    Event,
    Fact,
    FactsReplaced,
    ForwardingChanged,
    ForwardingDialled,
    ForwardSet,
    LeaseExpired,
    LineChanged,
    LoggedIn,
    MessagesChanged,
    SessionLost,
    UserChanged,
    apply,
)
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.forwarding_changes import Setting
from unique_account.core.machine import Device, State
from unique_account.core.observations import ENDED_CALLS_REMEMBERED
from unique_account.core.user import User
from unique_account.testing import strategies

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ALICE = User(
    id="alice",
    extension="1001",
    dids=("+33 1 23 45 00 01", "0612345678"),
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    mailbox="1001@default",
)
IN = apply(Account(ALICE), LoggedIn("tab-1"))
NO_MAILBOX = apply(IN, UserChanged(evolve(ALICE, mailbox=None)))

NAMES = ("unconditional", "no_answer", "busy")
TO: dict[str, Callable[[Forward], Forwarding]] = {
    "unconditional": lambda forward: Forwarding(unconditional=forward),
    "no_answer": lambda forward: Forwarding(no_answer=forward),
    "busy": lambda forward: Forwarding(busy=forward),
}


def leg(call_id: str, status: CallStatus = CallStatus.RINGING) -> Call:
    """A call of the browser's."""
    return Call(id=call_id, device=Device.WEBRTC, direction=Direction.INCOMING, status=status, started=NOON)


def refused(account: Account, event: Event) -> Refused:
    """The refusal of an event, which changed nothing."""
    before = copy.deepcopy(account)
    with pytest.raises(Refused) as refusal:
        apply(account, event)
    assert account == before
    return refusal.value


class TestForwarding:
    """R11, R13: the user's forwards are one value; one that cannot work is refused when it is set."""

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize(
        "number", ["1001", "10-01", "+33123450001", "+33 (1) 23.45/00 01", "06 12 34 56 78"]
    )
    def test_a_forward_to_oneself_is_refused_however_it_is_written(self, name: str, number: str) -> None:
        refusal = refused(IN, ForwardingChanged(TO[name](Forward(number))))
        assert (refusal.state, refusal.trigger) == (State.WEBRTC_ACTIVE, f"forward_{name}")
        assert "the user's own number (R13)" in refusal.reason
        assert refusal.way_out == "forward to another number"

    @pytest.mark.parametrize("name", NAMES)
    def test_a_forward_to_voicemail_without_a_mailbox_is_refused(self, name: str) -> None:
        refusal = refused(NO_MAILBOX, ForwardingChanged(TO[name](Forward("*98"))))
        assert (refusal.reason, refusal.way_out) == ("the user has no mailbox (R10)", "forward to a number")

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize(
        "number",
        [
            "",
            " - ",
            "+",
            "++33",
            "33+",
            "2000&PJSIP/boss",
            "2000,30,${SHELL(id)}",
            "2000@other",
            "2000\n",
            "2000;x",
            "\u0662\u0660",
            "é",
            "bob",
            "1" * 41,
        ],
    )
    def test_what_cannot_be_dialled_is_refused(self, name: str, number: str) -> None:
        refusal = refused(IN, ForwardingChanged(TO[name](Forward(number))))
        assert "cannot be dialled" in refusal.reason
        assert (
            str(refusal)
            == f"forward_{name} is refused while webrtc_active: {refusal.reason}; {refusal.way_out}"
        )

    @pytest.mark.parametrize(
        "number", ["2000", "+33 6 00-00", "*98", "#31#0612", "2000\u00a0", "1" * 40, "10010"]
    )
    def test_what_can_be_dialled_is_taken_as_it_was_written(self, number: str) -> None:
        wanted = Forwarding(no_answer=Forward(number))
        after = apply(IN, ForwardingChanged(wanted))
        assert after.forwarding == wanted
        assert after.version == IN.version + 1

    def test_logged_out_a_forward_may_be_set_too(self) -> None:
        wanted = Forwarding(do_not_disturb=True, busy=Forward("2000"))
        assert apply(Account(ALICE), ForwardingChanged(wanted)).forwarding == wanted

    def test_one_wrong_forward_refuses_the_whole_value(self) -> None:
        refusal = refused(
            IN, ForwardingChanged(Forwarding(unconditional=Forward("2000"), busy=Forward("1001")))
        )
        assert refusal.trigger == "forward_busy"

    def test_a_forward_that_is_off_may_be_anything_until_it_is_turned_on(self) -> None:
        off = Forward("1001", enabled=False)
        kept = apply(IN, ForwardingChanged(Forwarding(busy=off)))
        assert kept.forwarding.busy == off
        refused(kept, ForwardingChanged(Forwarding(busy=Forward("1001"))))

    def test_a_forward_that_went_stale_does_not_stand_in_the_way_of_other_choices(self) -> None:
        forwarded = apply(IN, ForwardingChanged(Forwarding(busy=Forward("*98"))))
        stale = apply(forwarded, UserChanged(evolve(ALICE, mailbox=None)))
        silent = Forwarding(do_not_disturb=True, busy=Forward("*98"))
        assert apply(stale, ForwardingChanged(silent)).forwarding == silent

    def test_the_same_value_again_changes_nothing(self) -> None:
        event = ForwardingChanged(Forwarding(busy=Forward("2000")))
        once = apply(IN, event)
        assert apply(once, event) is once

    @given(st.data())
    def test_what_the_strategies_say_a_user_may_set_is_never_refused(self, data: st.DataObject) -> None:
        account = data.draw(strategies.accounts())
        wanted = data.draw(strategies.forwardings(account.user))
        assert apply(account, ForwardingChanged(wanted)).forwarding == wanted


class TestDialled:
    """R10, S6: codes that the user dials, each a choice like those of the UC Assistant."""

    def test_the_selection_is_switched_over(self) -> None:
        there = apply(IN, DeviceToggled())
        assert there.selection is Device.DESKPHONE
        assert apply(there, DeviceToggled()).selection is Device.WEBRTC

    def test_switching_over_needs_a_session(self) -> None:
        refusal = refused(Account(ALICE), DeviceToggled())
        assert refusal.state is State.LOGGED_OUT
        assert "S6" in refusal.reason

    def test_do_not_disturb_is_switched_over_and_needs_none(self) -> None:
        silent = apply(Account(ALICE), ForwardingDialled(Setting.DO_NOT_DISTURB))
        assert silent.forwarding == Forwarding(do_not_disturb=True)
        assert apply(silent, ForwardingDialled(Setting.DO_NOT_DISTURB)).forwarding == Forwarding()

    @pytest.mark.parametrize("name", NAMES)
    def test_a_forward_is_on_with_a_number_and_off_without(self, name: str) -> None:
        on = apply(IN, ForwardingDialled(Setting(name), "2000"))
        assert on.forwarding == TO[name](Forward("2000"))
        off = apply(on, ForwardingDialled(Setting(name)))
        assert off.forwarding == TO[name](Forward("2000", enabled=False))
        assert apply(off, ForwardingDialled(Setting(name))) is off

    @pytest.mark.parametrize("name", NAMES)
    def test_a_forward_that_was_never_set_is_off_already(self, name: str) -> None:
        assert apply(IN, ForwardingDialled(Setting(name))) is IN

    @pytest.mark.parametrize("name", NAMES)
    def test_a_number_that_cannot_work_is_refused(self, name: str) -> None:
        assert refused(IN, ForwardingDialled(Setting(name), "1001")).trigger == f"forward_{name}"

    def test_one_code_puts_all_off_and_keeps_the_destinations(self) -> None:
        busy = Forward("2000")
        set_up = apply(IN, ForwardingChanged(Forwarding(do_not_disturb=True, busy=busy)))
        after = apply(set_up, ForwardingDialled(Setting.ALL)).forwarding
        assert after == Forwarding(busy=Forward("2000", enabled=False))


class TestOneSetting:
    """R10, R11: what the UC Assistant sets changes that setting, and leaves the others as they are."""

    @pytest.mark.parametrize("name", NAMES)
    def test_a_forward_leaves_the_others_alone(self, name: str) -> None:
        wanted = Forwarding(do_not_disturb=True, **{other: Forward("3000") for other in NAMES})
        before = apply(IN, ForwardingChanged(wanted))
        after = apply(before, ForwardSet(Setting(name), True, "2000"))
        changes: dict[str, Any] = {name: Forward("2000")}
        assert after.forwarding == evolve(wanted, **changes)

    @pytest.mark.parametrize("name", NAMES)
    def test_without_a_destination_it_leads_where_it_led(self, name: str) -> None:
        off = apply(IN, ForwardSet(Setting(name), False, "2000"))
        assert off.forwarding == TO[name](Forward("2000", enabled=False))
        on = apply(off, ForwardSet(Setting(name), True))
        assert on.forwarding == TO[name](Forward("2000"))
        assert apply(on, ForwardSet(Setting(name), True)) is on

    @pytest.mark.parametrize("name", NAMES)
    def test_one_that_leads_nowhere_is_refused(self, name: str) -> None:
        assert apply(IN, ForwardSet(Setting(name), False)) is IN
        refusal = refused(IN, ForwardSet(Setting(name), True))
        assert isinstance(refusal, NoDestination)
        assert refusal.trigger == f"forward_{name}"
        assert refused(IN, ForwardSet(Setting(name), True, "1001")).trigger == f"forward_{name}"

    @pytest.mark.parametrize("setting", [Setting.ALL, Setting.DO_NOT_DISTURB])
    def test_what_is_no_forward_is_none(self, setting: Setting) -> None:
        with pytest.raises(ValueError, match="setting"):
            ForwardSet(setting, True)

    def test_do_not_disturb_leaves_the_forwards_alone(self) -> None:
        forwarded = apply(IN, ForwardSet(Setting.BUSY, True, "2000"))
        silent = apply(forwarded, DoNotDisturbSet(True))
        assert silent.forwarding == Forwarding(do_not_disturb=True, busy=Forward("2000"))
        assert apply(silent, DoNotDisturbSet(True)) is silent
        assert apply(silent, DoNotDisturbSet(False)).forwarding == forwarded.forwarding


class TestUserChanged:
    """A1, S2: the administrator changes the user; what the user did and what the PBX told remain."""

    def test_the_new_user_counts_as_a_version(self) -> None:
        changed = apply(IN, UserChanged(evolve(ALICE, ring_seconds=5)))
        assert changed.user.ring_seconds == 5
        assert changed.version == IN.version + 1
        assert (changed.sessions, changed.selection) == (IN.sessions, IN.selection)

    def test_the_same_user_again_changes_nothing(self) -> None:
        assert apply(IN, UserChanged(evolve(ALICE))) is IN

    def test_another_user_is_an_error(self) -> None:
        with pytest.raises(ValueError, match=r"^bob is another user than alice$"):
            apply(IN, UserChanged(evolve(ALICE, id="bob")))


class TestCalls:
    """M4: calls are told whole, in any order, and one that is over stays over."""

    def test_a_call_is_told_and_changes(self) -> None:
        ringing = apply(IN, CallChanged(leg("1")))
        talking = apply(ringing, CallChanged(leg("1", CallStatus.TALKING)))
        assert ringing.calls == (leg("1"),)
        assert talking.calls == (leg("1", CallStatus.TALKING),)

    def test_calls_keep_the_order_in_which_they_were_heard_of(self) -> None:
        account = IN
        for call in (leg("2"), leg("1"), leg("2", CallStatus.HELD)):
            account = apply(account, CallChanged(call))
        assert [call.id for call in account.calls] == ["2", "1"]

    def test_a_call_that_is_over_is_gone(self) -> None:
        two = apply(apply(IN, CallChanged(leg("1"))), CallChanged(leg("2")))
        assert apply(two, CallEnded("1", NOON)).calls == (leg("2"),)

    def test_an_end_that_overtakes_its_call_is_believed(self) -> None:
        over = apply(IN, CallEnded("1", NOON))
        assert apply(over, CallChanged(leg("1"))) is over

    def test_an_end_told_twice_changes_nothing(self) -> None:
        over = apply(IN, CallEnded("1", NOON))
        assert apply(over, CallEnded("1", NOON)) is over

    def test_ends_are_remembered_for_a_while_and_not_for_ever(self) -> None:
        account = apply(IN, CallEnded("first", NOON))
        for number in range(ENDED_CALLS_REMEMBERED - 1):
            account = apply(account, CallEnded(str(number), NOON))
        assert apply(account, CallChanged(leg("first"))) is account
        account = apply(account, CallEnded("one more", NOON))
        assert len(account.observed.ended) == ENDED_CALLS_REMEMBERED
        assert apply(account, CallChanged(leg("first"))).calls == (leg("first"),)

    @given(strategies.accounts(), strategies.calls())
    def test_no_end_is_ever_followed_by_its_call(self, account: Account, call: Call) -> None:
        reported = apply(apply(account, CallEnded(call.id, NOON)), CallChanged(call))
        assert call.id not in [live.id for live in reported.calls]


class TestNodes:
    """R12: what a lost node told is not known any more; other nodes do not concern the account."""

    def test_everything_that_was_told_is_dropped(self) -> None:
        reported = apply(apply(IN, CallChanged(leg("1"))), MessagesChanged(1, 0))
        reported = apply(reported, LineChanged(Device.DESKPHONE, LineStatus.IN_USE))
        lost = apply(reported, FactsReplaced("default"))
        assert lost == IN
        assert lost.kept is reported.kept

    @given(strategies.accounts(), st.data())
    def test_what_is_told_again_at_once_comes_to_the_same_as_fact_by_fact(
        self, account: Account, data: st.DataObject
    ) -> None:
        reported = data.draw(st.lists(strategies.facts(account.user), max_size=6))
        known = tuple(event for event in reported if isinstance(event, Fact))
        server = account.user.media_server
        after = apply(account, FactsReplaced(server, known))
        assert after == reduce(apply, known, apply(account, FactsReplaced(server)))
        assert apply(after, FactsReplaced(server, known)) is after
        assert apply(account, FactsReplaced("elsewhere", known)) is account

    def test_another_node_changes_nothing(self) -> None:
        reported = apply(IN, CallChanged(leg("1")))
        assert apply(reported, FactsReplaced("mds1")) is reported

    def test_a_node_that_told_nothing_takes_nothing_with_it(self) -> None:
        assert apply(IN, FactsReplaced("default")) is IN


class TestMessages:
    """V2: the last word on the mailbox counts."""

    def test_counts_are_told_and_change(self) -> None:
        reported = apply(IN, MessagesChanged(new=1, old=4))
        assert reported.observed.messages == Messages(new=1, old=4)
        assert apply(reported, MessagesChanged(0, 5)).observed.messages == Messages(0, 5)

    def test_no_messages_is_news_the_first_time_only(self) -> None:
        reported = apply(IN, MessagesChanged(0, 0))
        assert reported is not IN
        assert apply(reported, MessagesChanged(0, 0)) is reported


def of_call(call_id: str) -> st.SearchStrategy[Event]:
    """What may be told of one call."""
    return st.builds(
        CallChanged, st.sampled_from(CallStatus).map(lambda status: leg(call_id, status))
    ) | st.just(CallEnded(call_id, NOON))


def of_line(device: Device) -> st.SearchStrategy[Event]:
    """What may be told of one line."""
    statuses = st.sampled_from([LineChanged(device, status) for status in LineStatus])
    return statuses | st.sampled_from([ContactsChanged(device, up) for up in (True, False)])


SOURCES: Sequence[st.SearchStrategy[Event]] = (
    of_line(Device.DESKPHONE),
    of_line(Device.WEBRTC),
    of_call("1"),
    of_call("2"),
    st.builds(MessagesChanged, st.integers(0, 2), st.integers(0, 2)),
)


class TestOrder:
    """M4: facts of different lines, calls and mailboxes may arrive in any order among one another."""

    @given(st.data())
    def test_any_interleaving_makes_the_same_account(self, data: st.DataObject) -> None:
        account = data.draw(strategies.accounts())
        reported = [data.draw(st.lists(source, max_size=3)) for source in SOURCES]
        turns = [number for number, facts in enumerate(reported) for _ in facts]
        ends = []
        for order in (turns, data.draw(st.permutations(turns))):
            waiting = [iter(facts) for facts in reported]
            end = account
            for number in order:
                end = apply(end, next(waiting[number]))
            ends.append(end)
        assert self.unordered(ends[0]) == self.unordered(ends[1])

    @staticmethod
    def unordered(account: Account) -> Account:
        """The account without the order in which it heard of calls and ends."""
        seen = account.observed
        calls = tuple(sorted(seen.calls, key=lambda call: call.id))
        return evolve(account, observed=evolve(seen, calls=calls, ended=tuple(sorted(seen.ended))))


class TestBorder:
    """S5, M4: what is no event, and what is no instant, is an error of the caller."""

    @pytest.mark.parametrize("thing", [None, "log_in", DeviceSelected, object()])
    def test_what_is_no_event_is_a_type_error(self, thing: Event) -> None:
        with pytest.raises(TypeError, match="is not an event of an account"):
            apply(IN, thing)

    @pytest.mark.parametrize(
        "make",
        [
            lambda at: SessionLost("tab-1", at),
            LeaseExpired,
            lambda at: CallEnded("1", at),
        ],
    )
    def test_a_naive_datetime_is_refused(self, make: Callable[[datetime], Event]) -> None:
        make(NOON)
        with pytest.raises(ValueError, match="has no time zone"):
            make(NOON.replace(tzinfo=None))
