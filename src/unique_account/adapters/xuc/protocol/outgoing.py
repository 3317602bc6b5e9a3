"""Frames to a client: a message is an object of its type and content.

Where several processes serve, it has a stamp, too: the epoch under which this process owns the client's
group, and a number that grows with each frame. So a client drops a late frame of an earlier owner.
"""

from __future__ import annotations

import json
from typing import Any, Final

HEARTBEAT: Final = '{"claz":"ping"}'


class Frames:
    """Makes frames.

    Attributes:
        epoch: The epoch under which this process owns its group; None: no other process can own it, and
            frames have no stamp.
    """

    def __init__(self) -> None:
        self.epoch: int | None = None
        self._made = 0

    def message(self, kind: str, content: object) -> str:
        """One message, as its frame."""
        frame: dict[str, Any] = {"msgType": kind, "ctiMessage": content}
        if self.epoch is not None:
            self._made += 1
            frame["stamp"] = (self.epoch, self._made)
        return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
