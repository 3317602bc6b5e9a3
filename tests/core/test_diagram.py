"""M: the machine drawn from its table says what the rule book says."""

from __future__ import annotations

import pytest

from unique_account.core.diagram import cell, markdown, mermaid, outcomes, rows
from unique_account.core.machine import TABLE, Device, State, Transition, Trigger

RULE_BOOK = """
from \\ trigger     | log_in                                                 | log_out    | select_webrtc       | select_deskphone       | deskphone_off_hook | deskphone_on_hook
logged_out         | webrtc_active, or deskphone_selected if that is saved  | stays      | refused             | refused                | stays              | stays
webrtc_active      | stays                                                  | logged_out | stays               | deskphone_selected     | deskphone_in_use   | stays
deskphone_selected | stays                                                  | logged_out | webrtc_active       | stays                  | deskphone_in_use   | stays
deskphone_in_use   | stays                                                  | logged_out | stays, saves webrtc | stays, saves deskphone | stays              | webrtc_active, or deskphone_selected if that is saved
"""  # noqa: E501 - a table reads better whole


class TestRows:
    """M: the table of states and triggers."""

    def test_it_is_the_table_of_the_rule_book(self) -> None:
        written = [tuple(map(str.strip, line.split("|"))) for line in RULE_BOOK.strip().splitlines()]
        assert [tuple(row) for row in rows()] == written

    def test_markdown_has_the_same_cells(self) -> None:
        lines = markdown().splitlines()
        assert lines[1] == "| --- | --- | --- | --- | --- | --- | --- |"
        cells = [tuple(map(str.strip, line.strip("|").split("|"))) for line in (lines[0], *lines[2:])]
        assert cells == [tuple(row) for row in rows()]

    def test_another_table_is_drawn_as_it_is(self) -> None:
        table = {
            (State.LOGGED_OUT, Trigger.LOG_IN, device): Transition(State.DESKPHONE_SELECTED, device)
            for device in Device
        }
        assert cell(table, State.LOGGED_OUT, Trigger.LOG_IN) == "deskphone_selected"
        assert cell(table, State.LOGGED_OUT, Trigger.LOG_OUT) == "refused"
        assert rows(table)[1] == ("logged_out", "deskphone_selected", *["refused"] * 5)
        assert "| logged_out | deskphone_selected |" in markdown(table)
        assert mermaid(table).splitlines()[2:] == ["    logged_out --> deskphone_selected: log_in"]


class TestMermaid:
    """M: the arrows between states."""

    def test_it_begins_logged_out(self) -> None:
        assert mermaid().splitlines()[:2] == ["stateDiagram-v2", "    [*] --> logged_out"]

    @pytest.mark.parametrize(
        "arrow",
        [
            "logged_out --> webrtc_active: log_in [webrtc saved]",
            "logged_out --> deskphone_selected: log_in [deskphone saved]",
            "webrtc_active --> logged_out: log_out",
            "deskphone_in_use --> webrtc_active: deskphone_on_hook [webrtc saved]",
            "deskphone_in_use --> deskphone_selected: deskphone_on_hook [deskphone saved]",
        ],
    )
    def test_an_arrow_says_its_trigger_and_what_it_depends_on(self, arrow: str) -> None:
        assert f"    {arrow}" in mermaid().splitlines()

    def test_it_has_an_arrow_wherever_a_state_changes_and_none_elsewhere(self) -> None:
        arrows = {tuple(line.split(": ")[0].strip().split(" --> ")) for line in mermaid().splitlines()[2:]}
        changes = {(state, step.state) for (state, _, _), step in TABLE.items() if step.state is not state}
        assert arrows == {(str(source), str(target)) for source, target in changes}

    def test_triggers_that_share_an_arrow_are_on_it_together(self) -> None:
        table = {
            (State.WEBRTC_ACTIVE, trigger, device): Transition(State.LOGGED_OUT, device)
            for trigger in (Trigger.LOG_OUT, Trigger.LOG_IN)
            for device in Device
        }
        assert mermaid(table).splitlines()[2:] == ["    webrtc_active --> logged_out: log_in / log_out"]


class TestOutcomes:
    """M: the table as programs read it."""

    def test_each_place_has_the_state_and_the_selection_or_nothing(self) -> None:
        found = outcomes()
        assert found[State.LOGGED_OUT][Trigger.SELECT_WEBRTC] == dict.fromkeys(Device)
        for (state, trigger, saved), step in TABLE.items():
            assert found[state][trigger][saved] == {"state": step.state, "selection": step.selection}
        places = [one for triggers in found.values() for saved in triggers.values() for one in saved.values()]
        assert len(places) - places.count(None) == len(TABLE)
