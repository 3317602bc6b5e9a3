"""Record ``tests/data/cel`` again: ``python -m tests.e2e.scenes.record_cel [SCENE ...]``, as root.

Each scene is played on nodes of its own, so that no recording holds anything of another.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from attrs import asdict

from lab.network import own_network
from tests.e2e.fixtures.recording_stage import stage, two_nodes
from tests.e2e.scenes.calls import OF_TWO_NODES, SCENES, Scene
from tests.e2e.scenes.commands import COMMANDED
from tests.e2e.scenes.missed_calls import UNREACHED
from tests.e2e.scenes.people import Truth
from tests.e2e.scenes.transfers import MOVED
from tests.e2e.scenes.waiting import WAITING
from tests.paths import DATA
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.wire_names import CALL_ID_EVENT

FOLDER: Final = DATA / "cel"
_LIVE: Final = frozenset(
    {
        "AttendedTransfer",
        "BridgeEnter",
        "Hangup",
        "Hold",
        "NewConnectedLine",
        "Newchannel",
        "Newstate",
        "Pickup",
        "Unhold",
    }
)
_LEFT_OUT: Final = ("Privilege", "SystemName", "SequenceNumber", "AccountCode", "Language", "Priority")


async def play(scene: Scene) -> None:
    """Play a scene, and record what happened and what the nodes reported."""
    async with two_nodes() if scene in OF_TWO_NODES else stage() as at:
        start = {name: len(node.ami.messages) for name, node in at.nodes.items()}
        async with asyncio.timeout(60):
            truth = await scene(at)
            await at.quiet()
        joinings = at.joined
        reported = [(name, node.ami.messages[start[name] :]) for name, node in at.nodes.items()]
    lines = [{"scene": scene.__name__, "what": scene.__doc__}, *({"truth": _reported(one)} for one in truth)]
    joined = {place - start["default"]: {"node": "default", "joined": ids} for place, ids in joinings}
    lines += [line for name, messages in reported for line in _lines(name, messages, joined)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (FOLDER / f"{scene.__name__}.jsonl").write_text(text, "utf-8")


def _lines(
    node: str, messages: Iterable[Message], joined: Mapping[int, dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """What is kept of a node's messages: the channel events, and what concerns live calls.

    Between it stands which calls were joined by a command.
    """
    for place, message in enumerate(messages):
        if node == "default" and place in joined:
            yield joined[place]
        if message.event == "CEL":
            yield {"node": node, "cel": _headers(message)}
        if message.event in _LIVE or (message.event == "CEL" and message["EventName"] == CALL_ID_EVENT):
            yield {"node": node, "ami": _headers(message)}


def _headers(message: Message) -> dict[str, str]:
    return {name: value for name, value in message.headers if name not in _LEFT_OUT}


def _reported(truth: Truth) -> dict[str, Any]:
    reported = asdict(truth, filter=lambda _, value: value not in (None, ""))
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in reported.items()}


def main(names: list[str]) -> None:
    failed = []
    with own_network():
        for scene in (*SCENES, *MOVED, *UNREACHED, *COMMANDED, *WAITING, *OF_TWO_NODES):
            if names and scene.__name__ not in names:
                continue
            try:
                asyncio.run(play(scene))
            except Exception as error:
                failed.append(f"{scene.__name__}: {error!r}")
            print(scene.__name__, failed[-1:] if failed and failed[-1].startswith(scene.__name__) else "")
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main(sys.argv[1:])
