"""The machine (M): four states, six triggers, and the selection that is saved for the user.

Theory of operation
-------------------

The machine is declared once, below, in the terms of the ``transitions`` library. `compile_table` runs
that declaration at import over every (state, trigger, saved selection) and keeps the outcome of each as
one entry of `TABLE`; what the declaration does not allow has no entry and is refused. From then on
nothing runs the declaration again: `unique_account.core.events.apply` looks the table up, and the
diagram, the printed table and the exhaustive tests are made from it.

The saved selection is part of the key because two triggers fork on it: ``log_in`` restores it (S3) and
``deskphone_on_hook`` returns to it. It is part of the outcome because selecting saves it (S2).

``transitions`` accepts unknown states silently and lets the first of two rules for the same fork win;
`compile_table` therefore validates the declaration before it runs it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from transitions import Machine, MachineError

if TYPE_CHECKING:
    from transitions.core import TransitionConfigDict


class Device(StrEnum):
    """One of the two devices of a Unique Account; also the value of the device selection."""

    DESKPHONE = "deskphone"
    WEBRTC = "webrtc"

    @property
    def other(self) -> Device:
        """The account's other device."""
        return Device.WEBRTC if self is Device.DESKPHONE else Device.DESKPHONE


class State(StrEnum):
    """Where the account stands; see the table of group M."""

    LOGGED_OUT = "logged_out"
    WEBRTC_ACTIVE = "webrtc_active"
    DESKPHONE_SELECTED = "deskphone_selected"
    DESKPHONE_IN_USE = "deskphone_in_use"


class Trigger(StrEnum):
    """What moves the machine (M5)."""

    LOG_IN = "log_in"
    LOG_OUT = "log_out"
    SELECT_WEBRTC = "select_webrtc"
    SELECT_DESKPHONE = "select_deskphone"
    DESKPHONE_OFF_HOOK = "deskphone_off_hook"
    DESKPHONE_ON_HOOK = "deskphone_on_hook"


class Transition(NamedTuple):
    """The result of one trigger: the next state, and the selection that is saved from then on."""

    state: State
    selection: Device


Table = Mapping[tuple[State, Trigger, Device], Transition]

_HERE: Final = "="  # in ``transitions``: the destination is the source

DECLARATION: Final[Sequence[TransitionConfigDict]] = [
    # One row per arrow. A condition names a method of `_Model`; "save_..." saves the selection (S2).
    {"trigger": "log_in", "source": "logged_out", "dest": "webrtc_active", "conditions": "webrtc_saved"},
    {
        "trigger": "log_in",
        "source": "logged_out",
        "dest": "deskphone_selected",
        "conditions": "deskphone_saved",
    },
    {
        "trigger": "log_in",
        "source": ["webrtc_active", "deskphone_selected", "deskphone_in_use"],
        "dest": _HERE,
    },
    {"trigger": "log_out", "source": "*", "dest": "logged_out"},
    {
        "trigger": "select_webrtc",
        "source": ["webrtc_active", "deskphone_selected"],
        "dest": "webrtc_active",
        "after": "save_webrtc",
    },
    {"trigger": "select_webrtc", "source": "deskphone_in_use", "dest": _HERE, "after": "save_webrtc"},
    {
        "trigger": "select_deskphone",
        "source": ["webrtc_active", "deskphone_selected"],
        "dest": "deskphone_selected",
        "after": "save_deskphone",
    },
    {"trigger": "select_deskphone", "source": "deskphone_in_use", "dest": _HERE, "after": "save_deskphone"},
    {
        "trigger": "deskphone_off_hook",
        "source": ["webrtc_active", "deskphone_selected", "deskphone_in_use"],
        "dest": "deskphone_in_use",
    },
    {"trigger": "deskphone_off_hook", "source": "logged_out", "dest": _HERE},
    {
        "trigger": "deskphone_on_hook",
        "source": "deskphone_in_use",
        "dest": "webrtc_active",
        "conditions": "webrtc_saved",
    },
    {
        "trigger": "deskphone_on_hook",
        "source": "deskphone_in_use",
        "dest": "deskphone_selected",
        "conditions": "deskphone_saved",
    },
    {
        "trigger": "deskphone_on_hook",
        "source": ["logged_out", "webrtc_active", "deskphone_selected"],
        "dest": _HERE,
    },
]


class _Model:
    """What the declaration is run on: a state (set by ``transitions``) and a saved selection."""

    state: str

    def __init__(self, selection: Device) -> None:
        self.selection = selection

    def webrtc_saved(self) -> bool:
        return self.selection is Device.WEBRTC

    def deskphone_saved(self) -> bool:
        return self.selection is Device.DESKPHONE

    def save_webrtc(self) -> None:
        self.selection = Device.WEBRTC

    def save_deskphone(self) -> None:
        self.selection = Device.DESKPHONE


def _forks(declaration: Sequence[TransitionConfigDict]) -> list[tuple[str, str, str]]:
    """Every (state, trigger, condition) that a declaration names, wildcards spelt out."""
    forks = []
    for rule in declaration:
        source = rule["source"]
        sources = list(State) if source == "*" else source if isinstance(source, list) else [source]
        forks += [(str(state), rule["trigger"], str(rule.get("conditions", "always"))) for state in sources]
    return forks


def _validate(declaration: Sequence[TransitionConfigDict]) -> None:
    forks = _forks(declaration)
    states = {state for state, _, _ in forks} | {str(rule["dest"]) for rule in declaration} - {_HERE}
    strangers = sorted(states - set(State)) + sorted({trigger for _, trigger, _ in forks} - set(Trigger))
    if strangers:
        raise ValueError(f"the machine's declaration names what does not exist: {', '.join(strangers)}")
    unheard = sorted(set(Trigger) - {trigger for _, trigger, _ in forks})
    if unheard:
        raise ValueError(f"the machine's declaration never answers {', '.join(unheard)}")
    for state, trigger in {(state, trigger) for state, trigger, _ in forks}:
        conditions = sorted(fork[2] for fork in forks if fork[:2] == (state, trigger))
        if conditions not in (["always"], ["deskphone_saved", "webrtc_saved"]):
            raise ValueError(
                f"the machine's declaration is not one answer for {trigger} in {state}: "
                f"it answers {', '.join(conditions)}"
            )


def compile_table(
    declaration: Sequence[TransitionConfigDict],
) -> dict[tuple[State, Trigger, Device], Transition]:
    """Run a declaration over every (state, trigger, saved selection) and keep each result.

    Raises:
        ValueError: The declaration names a state or trigger that does not exist, leaves a trigger out,
            or has two answers, or only half an answer, for one state and trigger.
    """
    _validate(declaration)
    chatter = logging.getLogger("transitions.core")
    disabled, chatter.disabled = chatter.disabled, True  # it has much to say, and at every import
    try:
        return _run(declaration)
    finally:
        chatter.disabled = disabled


def _run(declaration: Sequence[TransitionConfigDict]) -> dict[tuple[State, Trigger, Device], Transition]:
    table = {}
    for selection in Device:
        model = _Model(selection)
        machine = Machine(
            model, states=[str(state) for state in State], transitions=list(declaration), initial="logged_out"
        )
        for state in State:
            for trigger in Trigger:
                model.selection = selection
                machine.set_state(str(state))
                try:
                    machine.events[trigger].trigger(model)
                except MachineError:
                    continue
                table[state, trigger, selection] = Transition(State(model.state), model.selection)
    return table


TABLE: Final[Table] = compile_table(DECLARATION)
"""The result of each trigger in each state, by the selection that is saved. No entry: refused (M3)."""
