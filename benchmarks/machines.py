"""The machine (M) as three other libraries would have it, each in that library's own idiom.

``transitions`` runs our own declaration. Automat has no conditional transitions, by design: what a fork
depends on is part of the state, so the saved selection splits the states on which it matters, and saving
it is the change of state. It looks a transition up by going through a set of them, so what one costs
depends on the order of that set, which is another one in every machine that is built; several are built,
and their average counts. python-statemachine has guards and actions, as ``transitions`` has.

`check` walks a machine from its first state through every state and selection that it can reach, and
compares what each trigger does there with the library's own table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from automat import NoTransition, TypeMachine, TypeMachineBuilder
from statemachine import State as Node
from statemachine import StateMachine
from statemachine.exceptions import TransitionNotAllowed
from transitions import Machine, MachineError

from unique_account.core.machine import DECLARATION, TABLE, Device, State, Table, Transition, Trigger


class Peer(Protocol):
    """One account's machine, as some library has it.

    Attributes:
        native: The object whose methods are the triggers.
        position: The state that it is in, and the selection that is saved.
    """

    @property
    def native(self) -> object: ...
    @property
    def position(self) -> Transition: ...
    def fire(self, trigger: Trigger) -> bool:
        """Fire a trigger; whether it was taken."""


# -- transitions -------------------------------------------------------------------------------------


class Model:
    """A model for ``transitions``; the machine gives it a state and a method for each trigger."""

    state: str

    def __init__(self) -> None:
        self.selection = Device.WEBRTC

    def webrtc_saved(self) -> bool:
        return self.selection is Device.WEBRTC

    def deskphone_saved(self) -> bool:
        return self.selection is Device.DESKPHONE

    def save_webrtc(self) -> None:
        self.selection = Device.WEBRTC

    def save_deskphone(self) -> None:
        self.selection = Device.DESKPHONE


def transitions_machine() -> Machine:
    """A machine that any number of models share."""
    states, rules = [str(state) for state in State], list(DECLARATION)
    return Machine(None, states=states, transitions=rules, initial="logged_out", auto_transitions=False)


class TransitionsPeer:
    def __init__(self) -> None:
        self.native = Model()
        self.machine = transitions_machine()
        self.machine.add_model(self.native)

    def fire(self, trigger: Trigger) -> bool:
        try:
            return self.machine.events[trigger].trigger(self.native)
        except MachineError:
            return False

    @property
    def position(self) -> Transition:
        return Transition(State(self.native.state), self.native.selection)


# -- Automat -----------------------------------------------------------------------------------------


class Inputs(Protocol):
    """The triggers; each tells where it led."""

    def log_in(self) -> Transition: ...
    def log_out(self) -> Transition: ...
    def select_webrtc(self) -> Transition: ...
    def select_deskphone(self) -> Transition: ...
    def deskphone_off_hook(self) -> Transition: ...
    def deskphone_on_hook(self) -> Transition: ...


class Core:
    """What the machine is about; all that it has to remember is in its states."""


def automat_machine() -> TypeMachine[Inputs, Core]:
    """Makes machines: two states for each of ours that a selection forks."""
    builder = TypeMachineBuilder(Inputs, Core)
    steps = (
        Transition(State.LOGGED_OUT, Device.WEBRTC),
        Transition(State.LOGGED_OUT, Device.DESKPHONE),
        Transition(State.WEBRTC_ACTIVE, Device.WEBRTC),
        Transition(State.DESKPHONE_SELECTED, Device.DESKPHONE),
        Transition(State.DESKPHONE_IN_USE, Device.WEBRTC),
        Transition(State.DESKPHONE_IN_USE, Device.DESKPHONE),
    )
    states = {step: builder.state(f"{step.state}, {step.selection} saved") for step in steps}

    def arrow(source: Transition, trigger: Callable[[Inputs], Transition], target: Transition) -> None:
        states[source].upon(trigger).to(states[target]).returns(target)

    out_webrtc, out_deskphone, active, selected, in_use_webrtc, in_use_deskphone = steps
    for out, chosen in ((out_webrtc, active), (out_deskphone, selected)):
        arrow(out, Inputs.log_in, chosen)
        arrow(out, Inputs.log_out, out)
        arrow(out, Inputs.deskphone_off_hook, out)
        arrow(out, Inputs.deskphone_on_hook, out)
    for out, chosen, in_use in (
        (out_webrtc, active, in_use_webrtc),
        (out_deskphone, selected, in_use_deskphone),
    ):
        arrow(chosen, Inputs.log_in, chosen)
        arrow(chosen, Inputs.log_out, out)
        arrow(chosen, Inputs.select_webrtc, active)
        arrow(chosen, Inputs.select_deskphone, selected)
        arrow(chosen, Inputs.deskphone_off_hook, in_use)
        arrow(chosen, Inputs.deskphone_on_hook, chosen)
        arrow(in_use, Inputs.log_in, in_use)
        arrow(in_use, Inputs.log_out, out)
        arrow(in_use, Inputs.select_webrtc, in_use_webrtc)
        arrow(in_use, Inputs.select_deskphone, in_use_deskphone)
        arrow(in_use, Inputs.deskphone_off_hook, in_use)
        arrow(in_use, Inputs.deskphone_on_hook, chosen)
    return builder.build()


class AutomatPeer:
    def __init__(self) -> None:
        self.native = automat_machine()(Core())
        self._position = Transition(State.LOGGED_OUT, Device.WEBRTC)

    def fire(self, trigger: Trigger) -> bool:
        try:
            self._position = getattr(self.native, trigger)()
        except NoTransition:
            return False
        return True

    @property
    def position(self) -> Transition:
        return self._position


# -- python-statemachine -----------------------------------------------------------------------------


class Statechart(StateMachine):
    """The rows of our declaration, as that library writes them."""

    logged_out = Node(initial=True)
    webrtc_active = Node()
    deskphone_selected = Node()
    deskphone_in_use = Node()

    log_in = (
        logged_out.to(webrtc_active, cond="webrtc_saved")
        | logged_out.to(deskphone_selected, cond="deskphone_saved")
        | webrtc_active.to(webrtc_active)
        | deskphone_selected.to(deskphone_selected)
        | deskphone_in_use.to(deskphone_in_use)
    )
    log_out = logged_out.from_(logged_out, webrtc_active, deskphone_selected, deskphone_in_use)
    select_webrtc = webrtc_active.from_(
        webrtc_active, deskphone_selected, on="save_webrtc"
    ) | deskphone_in_use.to(deskphone_in_use, on="save_webrtc")
    select_deskphone = deskphone_selected.from_(
        webrtc_active, deskphone_selected, on="save_deskphone"
    ) | deskphone_in_use.to(deskphone_in_use, on="save_deskphone")
    deskphone_off_hook = deskphone_in_use.from_(
        webrtc_active, deskphone_selected, deskphone_in_use
    ) | logged_out.to(logged_out)
    deskphone_on_hook = (
        deskphone_in_use.to(webrtc_active, cond="webrtc_saved")
        | deskphone_in_use.to(deskphone_selected, cond="deskphone_saved")
        | logged_out.to(logged_out)
        | webrtc_active.to(webrtc_active)
        | deskphone_selected.to(deskphone_selected)
    )

    def __init__(self) -> None:
        self.selection = Device.WEBRTC
        super().__init__()

    def webrtc_saved(self) -> bool:
        return self.selection is Device.WEBRTC

    def deskphone_saved(self) -> bool:
        return self.selection is Device.DESKPHONE

    def save_webrtc(self) -> None:
        self.selection = Device.WEBRTC

    def save_deskphone(self) -> None:
        self.selection = Device.DESKPHONE


class StatechartPeer:
    def __init__(self) -> None:
        self.native = Statechart()

    def fire(self, trigger: Trigger) -> bool:
        try:
            self.native.send(trigger)
        except TransitionNotAllowed:
            return False
        return True

    @property
    def position(self) -> Transition:
        return Transition(State(self.native.current_state_value), self.native.selection)


# -- whether they are the same machine ---------------------------------------------------------------

PEERS: Final[dict[str, Callable[[], Peer]]] = {
    "transitions": TransitionsPeer,
    "Automat": AutomatPeer,
    "python-statemachine": StatechartPeer,
}


class OtherMachine(Exception):
    """A peer does not do what the table says, so there is nothing to compare."""


def check(name: str) -> int:
    """Walk a peer, compare it with the table, and say how many entries and refusals were compared.

    Raises:
        OtherMachine: It does something else.
    """
    walked, refused = _walk(PEERS[name])
    reached = {(state, selection) for state, _, selection in (*walked, *refused)}
    expected = {key: step for key, step in TABLE.items() if (key[0], key[2]) in reached}
    if walked != expected or refused & set(TABLE):
        raise OtherMachine(f"{name} does not do what the table says")
    return len(walked) + len(refused)


def _walk(make: Callable[[], Peer]) -> tuple[Table, set[tuple[State, Trigger, Device]]]:
    walked: dict[tuple[State, Trigger, Device], Transition] = {}
    refused = set()
    paths: dict[Transition, tuple[Trigger, ...]] = {make().position: ()}
    unseen = list(paths)
    while unseen:
        here = unseen.pop()
        for trigger in Trigger:
            peer = make()
            for earlier in paths[here]:
                peer.fire(earlier)
            key = (here.state, trigger, here.selection)
            if not peer.fire(trigger):
                refused.add(key)
            else:
                walked[key] = peer.position
            if peer.position not in paths:
                paths[peer.position] = (*paths[here], trigger)
                unseen.append(peer.position)
    return walked, refused
