"""Frames to a client: a message is an object of its type and content.

Where several processes serve, it has a stamp, too: the group that this process owns, the epoch under which it
does, and a number that grows with each frame. So a client drops a late frame of an earlier owner.
"""

from __future__ import annotations

import json
from typing import Any, Final

from unique_account.ports.group_leases import Fence

HEARTBEAT: Final = '{"claz":"ping"}'


class Frames:
    """Makes frames.

    Attributes:
        fence: The fence under which this process owns its group; None: it owns none, or there is no other
            process, and frames have no stamp.
    """

    def __init__(self) -> None:
        self.fence: Fence | None = None
        self._made = 0

    def message(self, kind: str, content: object) -> str:
        """One message, as its frame."""
        if self.fence is None:
            return message(kind, content)
        self._made += 1
        return message(kind, content, stamp=(self.fence.group, self.fence.epoch, self._made))


def message(kind: str, content: object, **more: Any) -> str:
    """One message without a stamp, as its frame."""
    frame = {"msgType": kind, "ctiMessage": content, **more}
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
