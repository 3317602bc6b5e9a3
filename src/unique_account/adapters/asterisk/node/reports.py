"""What the observer learns of a node: what failed, what works again, and what was not understood."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from unique_account.adapters.asterisk.ami.message import Malformed
from unique_account.adapters.asterisk.translation.results import Untranslatable
from unique_account.core.errors import UniqueAccountError
from unique_account.ports.group_leases import Fence, NodeTaken
from unique_account.ports.observer import Observer, PortRequest

REPORTS_A_MINUTE: Final = 20
"""How many messages that are not understood are reported; strangers can cause any number of them."""


class NotUnderstood(UniqueAccountError):
    """The node sent a message that cannot be understood; the sentence says what."""


class NodeReports:
    """Reports to the observer under the name of the node."""

    def __init__(self, observer: Observer, media_server: str) -> None:
        self._observer = observer
        self._name = media_server
        self._lately: deque[float] = deque(maxlen=REPORTS_A_MINUTE)
        self._unreported = 0

    def failed(self, request: str, error: Exception, user: str = "") -> None:
        """A request, such as ``hints``, failed; for a user if one is given."""
        self._observer.failed(PortRequest("pbx", request, self._name, user), error)

    def recovered(self, request: str) -> None:
        """A request that failed before works again."""
        self._observer.recovered(PortRequest("pbx", request, self._name))

    def taken(self, fence: Fence, ended: int, seconds: float) -> None:
        """The process took the node; so many sessions were ended."""
        taken = NodeTaken(media_server=self._name, fence=fence, ended=ended, seconds=seconds)
        self._observer.node_taken(taken)

    def not_understood(self, problem: Untranslatable | Malformed) -> None:
        """A message is not understood; it is only counted if too many were reported lately."""
        now = asyncio.get_running_loop().time()
        if len(self._lately) == REPORTS_A_MINUTE and now - self._lately[0] < 60:
            self._unreported += 1
            return
        self._lately.append(now)
        more = f"; {self._unreported} more were not reported" if self._unreported else ""
        self._unreported = 0
        self.failed("message", NotUnderstood(f"{problem}{more}"))
