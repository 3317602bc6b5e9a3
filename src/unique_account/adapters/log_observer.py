"""The log of the standard library, as an observer."""

from __future__ import annotations

import logging

from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.ports.accounts import StoreDown
from unique_account.ports.group_leases import NodeTaken
from unique_account.ports.observer import PortRequest
from unique_account.ports.pbx import NodeDown


class LogObserver:
    """Writes what the service did to a logger: changes and refusals as information, failures as errors."""

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("unique_account")

    def applied(self, event: Event, before: Account, after: Account) -> None:
        """Log an event that moved the machine; others at debug level."""
        level = logging.DEBUG if before.state is after.state else logging.INFO
        name, user = type(event).__name__, after.user.id
        states = {"before": before.state, "after": after.state}
        extra = {"user": user, "event": name, **states}
        self._logger.log(level, "%s: %s: %s -> %s", user, name, before.state, after.state, extra=extra)

    def refused(self, event: Event, account: Account, refusal: Refused) -> None:
        """Log a refusal."""
        extra = {"user": account.user.id, "event": type(event).__name__}
        self._logger.info("%s: %s", account.user.id, refusal, extra=extra)

    def failed(self, request: PortRequest, error: Exception) -> None:
        """Log a failure, with where it came from; at debug level if the loss was logged before."""
        level = logging.DEBUG if isinstance(error, (NodeDown, StoreDown)) else logging.ERROR
        self._logger.log(
            level, "%s failed: %s", request, error, exc_info=error, extra={"failed": str(request)}
        )

    def recovered(self, request: PortRequest) -> None:
        """Log that something works again."""
        self._logger.info("%s works again", request, extra={"recovered": str(request)})

    def node_taken(self, taken: NodeTaken) -> None:
        """Log that this process took a node."""
        self._logger.info("%s", taken, extra={"node": taken.media_server, "epoch": taken.fence.epoch})
