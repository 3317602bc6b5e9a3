"""The machine drawn from its table: as a Mermaid diagram and as a table of Markdown (M)."""

from __future__ import annotations

from unique_account.core.machine import TABLE, Device, State, Table, Transition, Trigger


def mermaid(table: Table = TABLE) -> str:
    """The machine as a Mermaid state diagram: every arrow that leads to another state.

    An arrow that depends on what is saved says so; triggers with the same arrow share it.
    """
    arrows: dict[tuple[State, State], list[str]] = {}
    for state in State:
        for trigger in Trigger:
            steps = _steps(table, state, trigger)
            for target in dict.fromkeys(step.state for step in steps.values() if step.state is not state):
                saved = [device for device, step in steps.items() if step.state is target]
                fork = "" if len(saved) == len(Device) else f" [{saved[0]} saved]"
                arrows.setdefault((state, target), []).append(f"{trigger}{fork}")
    lines = [
        f"    {source} --> {target}: {' / '.join(labels)}" for (source, target), labels in arrows.items()
    ]
    return "\n".join(("stateDiagram-v2", f"    [*] --> {State.LOGGED_OUT}", *lines))


def rows(table: Table = TABLE) -> tuple[tuple[str, ...], ...]:
    """The machine as rows of text: a heading with the triggers, then one row for each state."""
    heading = ("from \\ trigger", *Trigger)
    return (heading, *((state, *(cell(table, state, trigger) for trigger in Trigger)) for state in State))


def outcomes(table: Table = TABLE) -> dict[State, dict[Trigger, dict[Device, dict[str, str] | None]]]:
    """The machine by state, trigger and saved selection: what is reached and saved, None: refused."""
    return {
        state: {
            trigger: {saved: _outcome(table.get((state, trigger, saved))) for saved in Device}
            for trigger in Trigger
        }
        for state in State
    }


def _outcome(step: Transition | None) -> dict[str, str] | None:
    return None if step is None else {"state": step.state, "selection": step.selection}


def markdown(table: Table = TABLE) -> str:
    """The rows as a table of Markdown."""
    heading, *states = rows(table)
    lines = [heading, ("---",) * len(heading), *states]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(table: Table, state: State, trigger: Trigger) -> str:
    """The result of a trigger in a state, in the words of the rule book.

    What is saved goes without saying where the state that is reached is named after it.
    """
    steps = _steps(table, state, trigger)
    if not steps:
        return "refused"
    webrtc, deskphone = steps[Device.WEBRTC], steps[Device.DESKPHONE]
    if webrtc.state is not deskphone.state:
        return f"{webrtc.state}, or {deskphone.state} if that is saved"
    target = "stays" if webrtc.state is state else str(webrtc.state)
    reported = webrtc.selection is deskphone.selection and webrtc.state is State.DESKPHONE_IN_USE
    return f"{target}, saves {webrtc.selection}" if reported else target


def _steps(table: Table, state: State, trigger: Trigger) -> dict[Device, Transition]:
    keys = {device: (state, trigger, device) for device in Device}
    return {device: table[key] for device, key in keys.items() if key in table}
