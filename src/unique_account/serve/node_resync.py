"""A node that comes back: what it holds is compared with what the accounts are due, and made to agree."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.ports.observer import PortRequest
from unique_account.service.service import Service

LOGGER = logging.getLogger("unique_account.serve")


class NodeResync:
    """An observer by which nodes that come back are resynced.

    A resync begins in the very moment in which the node is said to be back, so it reads what the node holds
    before anybody else can write there.

    Args:
        nodes: The names of the nodes.
    """

    def __init__(self, nodes: Iterable[str]) -> None:
        self._nodes = {PortRequest("pbx", "connection", name) for name in nodes}
        self._service: Service | None = None
        self._resyncing: set[asyncio.Task[None]] = set()

    @contextmanager
    def watched_by(self, service: Service) -> Iterator[None]:
        """Resync the nodes of a service until the context is left."""
        self._service = service
        try:
            yield
        finally:
            self._service = None
            for task in self._resyncing:
                task.cancel()

    def applied(self, event: Event, before: Account, after: Account) -> None:
        """Do nothing."""

    def refused(self, event: Event, account: Account, refusal: Refused) -> None:
        """Do nothing."""

    def failed(self, request: PortRequest, error: Exception) -> None:
        """Do nothing."""

    def recovered(self, request: PortRequest) -> None:
        """Resync the node that is back."""
        if self._service is not None and request in self._nodes:
            task = asyncio.create_task(_resync(self._service, request.name))
            self._resyncing.add(task)
            task.add_done_callback(self._resyncing.discard)


async def _resync(service: Service, node: str) -> None:
    say_differed(await service.resync(node=node))


def say_differed(differed: Iterable[str]) -> None:
    """Log in what PBX and accounts differed."""
    for sentence in differed:
        LOGGER.info("resync: %s", sentence)
