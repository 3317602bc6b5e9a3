"""Make the recordings in ``tests/data/cel`` anew: ``python -m tests.e2e.record_cel [SCENE ...]``, as root.

Each scene is played on a node of its own, so that no recording holds anything of another.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from attrs import asdict

from lab.network import own_network
from tests.e2e.people import Truth
from tests.e2e.scenes import SCENES, Scene
from tests.e2e.stage import stage
from unique_account.adapters.asterisk.ami import Message

FOLDER: Final = Path(__file__).parents[1] / "data/cel"
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
        "VarSet",
    }
)
_LEFT_OUT: Final = ("Privilege", "SystemName", "SequenceNumber", "AccountCode", "Language", "Priority")


async def play(scene: Scene) -> None:
    """Play a scene, and write down what happened, and what the node told."""
    async with stage() as at:
        start = len(at.pbx.ami.messages)
        async with asyncio.timeout(60):
            truth = await scene(at)
            await at.quiet()
        write(scene, truth, at.pbx.ami.messages[start:])


def write(scene: Scene, truth: Iterable[Truth], messages: Iterable[Message]) -> None:
    """Write a recording down: the truth, then a line for each message."""
    lines = [json.dumps({"scene": scene.__name__, "what": scene.__doc__})]
    lines += [json.dumps({"truth": _told(one)}) for one in truth]
    for message in messages:
        if message.event == "CEL":
            lines.append(json.dumps({"cel": _headers(message)}))
        elif message.event in _LIVE and _matters(message):
            lines.append(json.dumps({"ami": _headers(message)}))
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{scene.__name__}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def _headers(message: Message) -> dict[str, str]:
    return {name: value for name, value in message.headers if name not in _LEFT_OUT}


def _matters(message: Message) -> bool:
    return message.event != "VarSet" or message["Variable"] == "UNIQUE_ACCOUNT_CALL"


def _told(truth: Truth) -> dict[str, Any]:
    told = asdict(truth, filter=lambda _, value: value not in (None, ""))
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in told.items()}


def main(names: list[str]) -> None:
    failed = []
    with own_network():
        for scene in SCENES:
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
