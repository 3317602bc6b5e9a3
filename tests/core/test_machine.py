"""The machine (M): its rules one by one, and what its compiler refuses."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unique_account.core.account import Account, LineStatus
from unique_account.core.errors import Refused
from unique_account.core.events import (
    DeviceSelected,
    LineChanged,
    LoggedIn,
    LoggedOut,
    apply,
    restore,
)
from unique_account.core.machine import DECLARATION, TABLE, Device, State, Trigger, compile_table
from unique_account.core.user import User
from unique_account.testing import strategies

if TYPE_CHECKING:
    from transitions.core import TransitionConfigDict

ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
OUT = Account(ALICE)
ACTIVE = apply(OUT, LoggedIn("tab-1"))

IN_CALL = [LineStatus.ON_HOLD, LineStatus.IN_USE, LineStatus.BUSY, LineStatus.RINGING_IN_USE]
NOT_IN_CALL = [status for status in LineStatus if status not in IN_CALL]


def reported(account: Account, status: LineStatus) -> Account:
    """The account after a word on its deskphone's line."""
    return apply(account, LineChanged(Device.DESKPHONE, status))


class TestLoginDuringCall:
    """M1: an account that logs in while its deskphone is in a call is at once `deskphone_in_use`."""

    @pytest.mark.parametrize("status", IN_CALL)
    def test_logging_in_finds_the_deskphone_in_use(self, status: LineStatus) -> None:
        assert apply(reported(OUT, status), LoggedIn("tab-1")).state is State.DESKPHONE_IN_USE

    @pytest.mark.parametrize("status", NOT_IN_CALL)
    def test_logging_in_beside_an_idle_deskphone_restores_the_selection(self, status: LineStatus) -> None:
        assert apply(reported(OUT, status), LoggedIn("tab-1")).state is State.WEBRTC_ACTIVE

    def test_a_second_session_changes_nothing_of_it(self) -> None:
        account = apply(reported(ACTIVE, LineStatus.IN_USE), LoggedIn("tab-2"))
        assert account.state is State.DESKPHONE_IN_USE

    def test_an_account_restored_during_the_call_is_in_use_too(self) -> None:
        in_call = reported(ACTIVE, LineStatus.IN_USE)
        assert restore(ALICE, ACTIVE.kept, observed=in_call.observed).state is State.DESKPHONE_IN_USE


class TestInUse:
    """M2: in use means in a call; a deskphone that only rings is not in use."""

    @pytest.mark.parametrize("status", IN_CALL)
    def test_a_deskphone_in_a_call_is_in_use(self, status: LineStatus) -> None:
        assert reported(ACTIVE, status).state is State.DESKPHONE_IN_USE

    @pytest.mark.parametrize("status", NOT_IN_CALL)
    def test_any_other_deskphone_is_not(self, status: LineStatus) -> None:
        assert reported(ACTIVE, status).state is State.WEBRTC_ACTIVE

    @pytest.mark.parametrize("status", LineStatus)
    def test_the_webrtc_line_never_makes_the_deskphone_in_use(self, status: LineStatus) -> None:
        assert apply(ACTIVE, LineChanged(Device.WEBRTC, status)).state is State.WEBRTC_ACTIVE


class TestRefusal:
    """M3: a refused trigger changes nothing and names the state, the trigger and the way out."""

    def test_it_names_the_state_and_the_trigger(self) -> None:
        with pytest.raises(Refused) as refusal:
            apply(OUT, DeviceSelected(Device.WEBRTC))
        assert refusal.value.state == State.LOGGED_OUT
        assert refusal.value.trigger == Trigger.SELECT_WEBRTC

    def test_it_names_a_reason_and_the_way_out(self) -> None:
        with pytest.raises(Refused) as refusal:
            apply(OUT, DeviceSelected(Device.DESKPHONE))
        assert "S6" in refusal.value.reason
        assert refusal.value.way_out == "log in first"

    def test_it_reads_as_a_sentence(self) -> None:
        with pytest.raises(Refused) as refusal:
            apply(OUT, DeviceSelected(Device.DESKPHONE))
        reads = "is refused while logged_out: selecting a device needs a session (S6); log in first"
        assert str(refusal.value) == f"select_deskphone {reads}"

    def test_nothing_changed(self) -> None:
        account = Account(ALICE)
        with pytest.raises(Refused):
            apply(account, DeviceSelected(Device.DESKPHONE))
        assert account == OUT

    def test_only_selections_while_logged_out_have_no_entry(self) -> None:
        missing = {(s, t) for s in State for t in Trigger for d in Device if (s, t, d) not in TABLE}
        selections = (Trigger.SELECT_WEBRTC, Trigger.SELECT_DESKPHONE)
        assert missing == {(State.LOGGED_OUT, trigger) for trigger in selections}


class TestFacts:
    """M4: facts from the PBX are never refused, in any state, in any order, however often repeated."""

    @given(st.data())
    def test_no_account_refuses_a_fact(self, data: st.DataObject) -> None:
        account = data.draw(strategies.accounts())
        fact = data.draw(strategies.facts(account.user))
        after = apply(account, fact)
        assert after.kept is account.kept

    @given(st.data())
    def test_a_repeated_fact_changes_nothing(self, data: st.DataObject) -> None:
        account = data.draw(strategies.accounts())
        fact = data.draw(strategies.facts(account.user))
        once = apply(account, fact)
        assert apply(once, fact) is once


class TestTriggers:
    """M5: which events fire which triggers."""

    def test_the_first_session_logs_in(self) -> None:
        assert ACTIVE.state is State.WEBRTC_ACTIVE

    def test_the_last_session_logs_out(self) -> None:
        two = apply(ACTIVE, LoggedIn("tab-2"))
        one = apply(two, LoggedOut("tab-1"))
        assert one.state is State.WEBRTC_ACTIVE
        assert apply(one, LoggedOut("tab-2")).state is State.LOGGED_OUT

    def test_a_call_that_changes_status_is_still_one_call(self) -> None:
        account = reported(ACTIVE, LineStatus.IN_USE)
        for status in IN_CALL:
            account = reported(account, status)
            assert account.state is State.DESKPHONE_IN_USE

    @pytest.mark.parametrize("device", Device)
    def test_hanging_up_returns_to_what_is_saved(self, device: Device) -> None:
        in_use = reported(ACTIVE, LineStatus.IN_USE)
        selected = apply(in_use, DeviceSelected(device))
        assert selected.state is State.DESKPHONE_IN_USE
        hung_up = reported(selected, LineStatus.NOT_IN_USE)
        expected = {Device.WEBRTC: State.WEBRTC_ACTIVE, Device.DESKPHONE: State.DESKPHONE_SELECTED}
        assert hung_up.state is expected[device]

    def test_a_handset_lifted_while_logged_out_changes_no_state(self) -> None:
        lifted = reported(OUT, LineStatus.IN_USE)
        assert lifted.state is State.LOGGED_OUT
        assert reported(lifted, LineStatus.NOT_IN_USE).state is State.LOGGED_OUT


def row(**fields: Any) -> TransitionConfigDict:
    """One more row of a declaration, well formed or not."""
    declared: TransitionConfigDict = {"trigger": "log_in", "source": "logged_out", "dest": "=", **fields}  # type: ignore[typeddict-item]
    return declared


class TestCompiler:
    """M: the compiler takes no declaration that names strangers, or answers twice, half or never."""

    def test_the_declaration_makes_the_table(self) -> None:
        assert compile_table(DECLARATION) == TABLE

    @pytest.mark.parametrize(
        ("stranger", "fields"),
        [
            ("at_lunch", {"source": "at_lunch"}),
            ("at_lunch", {"source": ["webrtc_active", "at_lunch"]}),
            ("at_lunch", {"dest": "at_lunch"}),
            ("go_to_lunch", {"trigger": "go_to_lunch"}),
        ],
    )
    def test_a_stranger_is_named(self, stranger: str, fields: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=f"names what does not exist: {stranger}$"):
            compile_table([*DECLARATION, row(**fields)])

    def test_all_strangers_are_named_at_once(self) -> None:
        with pytest.raises(ValueError, match=r"does not exist: at_lunch, on_leave, go_to_lunch$"):
            compile_table([*DECLARATION, row(trigger="go_to_lunch", source="on_leave", dest="at_lunch")])

    def test_two_answers_are_refused(self) -> None:
        with pytest.raises(ValueError, match=r"log_out in logged_out: it answers always, always$"):
            compile_table([*DECLARATION, row(trigger="log_out")])

    def test_an_answer_beside_a_fork_is_refused(self) -> None:
        with pytest.raises(ValueError, match="not one answer for log_in in logged_out"):
            compile_table([*DECLARATION, row()])

    def test_half_an_answer_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"log_in in logged_out: it answers deskphone_saved$"):
            compile_table(DECLARATION[1:])

    def test_a_trigger_that_nothing_answers_is_refused(self) -> None:
        silent = [rule for rule in DECLARATION if rule["trigger"] not in ("log_out", "log_in")]
        with pytest.raises(ValueError, match=r"never answers log_in, log_out$"):
            compile_table(silent)


class TestDevice:
    """Each device knows the other."""

    def test_the_other_of_the_other_is_itself(self) -> None:
        assert {device: device.other for device in Device} == {
            Device.DESKPHONE: Device.WEBRTC,
            Device.WEBRTC: Device.DESKPHONE,
        }


class TestQuiet:
    """The compilation at import says nothing, whatever the importing program logs."""

    def test_transitions_does_not_log_while_it_compiles(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level("DEBUG", logger="transitions.core"):
            compile_table(DECLARATION)
        assert caplog.records == []
        assert not logging.getLogger("transitions.core").disabled
