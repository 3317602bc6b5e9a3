"""Frames to a client: a message is an object of its type and content."""

from __future__ import annotations

import json
from typing import Final

HEARTBEAT: Final = '{"claz":"ping"}'


def message(kind: str, content: object) -> str:
    """One message, as its frame."""
    return json.dumps({"msgType": kind, "ctiMessage": content}, ensure_ascii=False, separators=(",", ":"))
