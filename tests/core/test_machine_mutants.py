"""Every wrong table and every wrong declaration is noticed: redirected, dropped and added edges alike.

The check knows the table of group M as text only. It brings an account to each state by events and pulls
each trigger by an event (`driven`); and it reads the table as the printed table and the diagram do
(`printed`), because some entries are there for readers alone: `apply` never comes to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from unique_account.core import events, observations, sessions
from unique_account.core.account import Account, LineStatus
from unique_account.core.errors import Refused
from unique_account.core.events import DeviceSelected, Event, LineChanged, LoggedIn, LoggedOut, apply
from unique_account.core.machine import (
    DECLARATION,
    TABLE,
    Device,
    State,
    Table,
    Transition,
    Trigger,
    compile_table,
)
from unique_account.core.user import User

if TYPE_CHECKING:
    from transitions.core import TransitionConfigDict

# The table of group M. "as_saved" is webrtc_active or deskphone_selected, by what is saved.
ROWS = """
                    log_in    log_out     select_webrtc  select_deskphone    deskphone_off_hook  deskphone_on_hook
logged_out          as_saved  stays       refused        refused             stays               stays
webrtc_active       stays     logged_out  stays          deskphone_selected  deskphone_in_use    stays
deskphone_selected  stays     logged_out  webrtc_active  stays               deskphone_in_use    stays
deskphone_in_use    stays     logged_out  stays          stays               stays               as_saved
"""  # noqa: E501 - a table is read in rows
HEAD, *BODY = (line.split() for line in ROWS.strip().splitlines())
CELLS = {(row[0], trigger): cell for row in BODY for trigger, cell in zip(HEAD, row[1:], strict=True)}
AS_SAVED = {"webrtc": "webrtc_active", "deskphone": "deskphone_selected"}
SAVES = {"select_webrtc": "webrtc", "select_deskphone": "deskphone"}

Outcome = tuple[str, str] | None  # (state, saved); None: refused


def ruled(state: str, trigger: str, saved: str) -> Outcome:
    """What the rows say."""
    cell = CELLS[state, trigger]
    if cell == "refused":
        return None
    named = {"stays": state, "as_saved": AS_SAVED[saved]}
    return named.get(cell, cell), SAVES.get(trigger, saved)


# -- the check ---------------------------------------------------------------------------------------

ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
PULLED: Mapping[str, Event] = {
    "log_in": LoggedIn("tab-2"),
    "log_out": LoggedOut("tab-1"),
    "select_webrtc": DeviceSelected(Device.WEBRTC),
    "select_deskphone": DeviceSelected(Device.DESKPHONE),
    "deskphone_off_hook": LineChanged(Device.DESKPHONE, LineStatus.IN_USE),
    "deskphone_on_hook": LineChanged(Device.DESKPHONE, LineStatus.NOT_IN_USE),
}
LOG_IN, LOG_OUT = LoggedIn("tab-1"), LoggedOut("tab-1")
DESKPHONE, OFF_HOOK = PULLED["select_deskphone"], PULLED["deskphone_off_hook"]
WAYS: Mapping[tuple[str, str, bool], Sequence[Event]] = {  # (state, saved, deskphone in a call)
    ("logged_out", "webrtc", False): (),
    ("logged_out", "deskphone", False): (LOG_IN, DESKPHONE, LOG_OUT),
    ("logged_out", "webrtc", True): (OFF_HOOK,),
    ("logged_out", "deskphone", True): (LOG_IN, DESKPHONE, LOG_OUT, OFF_HOOK),
    ("webrtc_active", "webrtc", False): (LOG_IN,),
    ("deskphone_selected", "deskphone", False): (LOG_IN, DESKPHONE),
    ("deskphone_in_use", "webrtc", True): (LOG_IN, OFF_HOOK),
    ("deskphone_in_use", "deskphone", True): (LOG_IN, DESKPHONE, OFF_HOOK),
}


def brought(way: Sequence[Event]) -> Account:
    account = Account(ALICE)
    for event in way:
        account = apply(account, event)
    return account


BROUGHT = {place: brought(way) for place, way in WAYS.items()}


def expected(state: str, saved: str, in_call: bool, trigger: str) -> Outcome:
    """What the rows say of an event, with M1, and with M5: a hook trigger is a *change* of the fact."""
    if trigger == ("deskphone_off_hook" if in_call else "deskphone_on_hook"):
        return state, saved
    outcome = ruled(state, trigger, saved)
    if outcome is not None and trigger == "log_in" and in_call:
        return ruled(outcome[0], "deskphone_off_hook", saved)
    return outcome


def driven() -> list[str]:
    """Where `apply` does otherwise than the rows say."""
    wrong = []
    for (state, saved, in_call), account in BROUGHT.items():
        for trigger, event in PULLED.items():
            came: object
            try:
                after = apply(account, event)
                came = (str(after.state), str(after.selection))
            except Refused:
                came = None
            except KeyError:
                came = "a crash"
            if came != expected(state, saved, in_call, trigger):
                wrong.append(f"{trigger} in {state}: {came}")
    return wrong


def printed() -> list[tuple[str, str, str]]:
    """Where the table reads otherwise than the rows."""
    cells = ((state, trigger, saved) for state in State for trigger in Trigger for saved in Device)
    return [cell for cell in cells if TABLE.get(cell) != ruled(*cell)]


@contextmanager
def instead(table: Table) -> Iterator[None]:
    """This table in place of the real one, in the very object that `apply` looks up."""
    assert isinstance(TABLE, dict)
    real = dict(TABLE)
    TABLE.clear()
    TABLE.update(table)
    try:
        yield
    finally:
        TABLE.clear()
        TABLE.update(real)


# -- the table ---------------------------------------------------------------------------------------

KEYS = [(state, trigger, saved) for state in State for trigger in Trigger for saved in Device]
STEPS = [Transition(state, saved) for state in State for saved in Device]
Key = tuple[State, Trigger, Device]


def mutants() -> Iterator[tuple[Key, Transition | None]]:
    """Each entry led to each other outcome, or away; each refused pair let through to each outcome."""
    for key in KEYS:
        was = TABLE.get(key)
        yield from ((key, step) for step in (*STEPS, None) if step != was)


def mutated(key: Key, step: Transition | None) -> Table:
    rest = {other: outcome for other, outcome in TABLE.items() if other != key}
    return rest if step is None else {**rest, key: step}


class Recording(dict[Key, Transition]):
    """A table that remembers what was looked up in it."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.asked: set[Key] = set()

    def __getitem__(self, key: Key) -> Transition:
        self.asked.add(key)
        return super().__getitem__(key)

    def get(self, key: Key, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


def never_asked(state: str, trigger: str, saved: str) -> bool:
    """The entries that no event comes to, whatever happened before."""
    never_together = (state, saved) in {("webrtc_active", "deskphone"), ("deskphone_selected", "webrtc")}
    out_twice = (state, trigger) == ("logged_out", "log_out")
    down_twice = trigger == "deskphone_on_hook" and state in AS_SAVED.values()
    return never_together or out_twice or down_twice


def only_read(key: Key, step: Transition | None) -> bool:
    """Whether a mutant changes nothing that an account can show, but only what readers see."""
    if never_asked(*key):
        return True
    (state, trigger, _), outcome = key, ruled(*key)
    if step is None or outcome is None or trigger in SAVES:
        return False
    put_right = (state, trigger) == ("deskphone_in_use", "log_in") and step.state in AS_SAVED.values()  # M1
    return put_right or step.state == outcome[0]  # only selecting saves (S2)


class TestTheTable:
    """M: the table is the rows, and any other table is noticed."""

    def test_the_real_table_passes_the_check(self) -> None:
        assert not driven()
        assert not printed()

    def test_every_mutant_is_killed(self) -> None:
        tried, survived = list(mutants()), []
        for key, step in tried:
            with instead(mutated(key, step)):
                assert printed() == [key]
                if not driven():
                    survived.append((key, step))
        assert len(tried) == 44 * (7 + 1) + 4 * 8  # led elsewhere, dropped; added
        assert survived == [mutant for mutant in tried if only_read(*mutant)]
        assert len(survived) == 16 * 8 + 20 + 8  # never asked for, selection alone, put right by M1

    def test_apply_asks_for_every_other_entry(self, monkeypatch: pytest.MonkeyPatch) -> None:
        recording = Recording(TABLE)
        for module in (events, observations, sessions):
            monkeypatch.setattr(module, "TABLE", recording)
        assert not driven()
        assert recording.asked == {key for key in KEYS if not never_asked(*key)}

    def test_no_trigger_but_a_selection_can_save_one(self) -> None:
        turned = {
            key: step if key[1] in SAVES else Transition(step.state, step.selection.other)
            for key, step in TABLE.items()
        }
        with instead(turned):
            assert not driven()


# -- the declaration ---------------------------------------------------------------------------------

Row = dict[str, Any]


def sources(row: Row) -> list[str]:
    source = row["source"]
    return list(State) if source == "*" else source if isinstance(source, list) else [source]


def changed_rows(row: Row) -> Iterator[Row]:
    """The row with one thing about it changed."""
    came_from = sources(row)
    for dest in (*State, "="):
        leads = {source if dest == "=" else str(dest) for source in came_from}
        led = {source if row["dest"] == "=" else row["dest"] for source in came_from}
        if leads != led:
            yield {**row, "dest": str(dest)}
    for source in came_from:
        yield {**row, "source": [other for other in came_from if other != source]}
    for state in State:
        if state not in came_from:
            yield {**row, "source": [*came_from, str(state)]}
    opposite = {"webrtc_saved": "deskphone_saved", "save_webrtc": "save_deskphone"}
    opposite |= {new: old for old, new in opposite.items()}
    for name in row.keys() & {"conditions", "after"}:
        yield {key: value for key, value in row.items() if key != name}
        yield {**row, name: opposite[row[name]]}


def declarations() -> Iterator[list[Row]]:
    """Each row dropped, doubled and changed; and the two forks turned round."""
    rows: list[Row] = [dict(row) for row in DECLARATION]
    for index, row in enumerate(rows):
        before, rest = rows[:index], rows[index + 1 :]
        yield [*before, *rest]
        yield [*rows, row]
        for changed in changed_rows(row):
            yield [*before, changed, *rest]


class TestTheDeclaration:
    """M: a declaration that differs in any way does not compile, or makes a table that is noticed."""

    def test_every_mutant_is_killed(self) -> None:
        refused = noticed = 0
        for rows in declarations():
            declaration: list[TransitionConfigDict] = rows  # type: ignore[assignment]
            try:
                table = compile_table(declaration)
            except ValueError:
                refused += 1
                continue
            with instead(table):
                assert driven() or printed(), rows
            noticed += 1
        assert (refused, noticed) == (54, 89)
