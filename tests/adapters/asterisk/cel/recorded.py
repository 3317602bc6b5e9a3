"""Recorded calls of real phones: rows of CEL, and what happened; `tests.e2e.scenes.record_cel` makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from tests.adapters.asterisk.cel.event_rows import row_of
from tests.e2e.scenes.people import Truth
from tests.paths import DATA
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.adapters.asterisk.wire_names import DIVERSION_EVENT
from unique_account.core.account import Direction
from unique_account.core.history import HistoryStatus
from unique_account.core.machine import Device

FOLDER: Final = DATA / "cel"


@frozen(weakref_slot=False)
class Recording:
    """A call as the PBX wrote it down, as it reported it live, and as it really was.

    Attributes:
        live: What was reported live, each message with the name of its node; ids of calls that our command
            joined stand where it did.
    """

    name: str
    truth: tuple[Truth, ...]
    cel: tuple[Message, ...]
    live: tuple[tuple[str, Message | tuple[str, ...]], ...]

    @property
    def rows(self) -> tuple[CelRow, ...]:
        return tuple(row for message in self.cel if (row := row_of(message)) is not None)


def recordings() -> list[Recording]:
    return [_recording(file) for file in sorted(FOLDER.glob("*.jsonl"))]


def _recording(file: Path) -> Recording:
    lines: list[dict[str, Any]] = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return Recording(
        file.stem,
        tuple(_truth(line["truth"]) for line in lines if "truth" in line),
        tuple(_message(line["cel"]) for line in lines if "cel" in line),
        tuple((line["node"], _live(line)) for line in lines if _is_live(line)),
    )


def _is_live(line: dict[str, Any]) -> bool:
    return "ami" in line or "joined" in line or line.get("cel", {}).get("EventName") == DIVERSION_EVENT


def _live(line: dict[str, Any]) -> Message | tuple[str, ...]:
    headers = line.get("ami") or line.get("cel")
    return _message(headers) if headers else tuple(line["joined"])


def _truth(reported: dict[str, Any]) -> Truth:
    device = reported.pop("device", None)
    return Truth(
        status=HistoryStatus(reported.pop("status")),
        direction=Direction(reported.pop("direction")),
        device=None if device is None else Device(device),
        **reported,
    )


def _message(headers: dict[str, str]) -> Message:
    first = {"Event": headers["Event"]}
    return Message("\r\n".join(f"{name}: {value}" for name, value in (first | headers).items()))
