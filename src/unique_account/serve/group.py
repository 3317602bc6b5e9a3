"""The life of a process of a group: a standby, or the owner that serves, as its lease says."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import TYPE_CHECKING, Final

from unique_account.adapters.decorators.fan_out import FanOut
from unique_account.adapters.log_observer import LogObserver
from unique_account.bootstrap import find_adapter
from unique_account.cluster.member import DidNotClose, GroupMember
from unique_account.cluster.tenure import Tenure
from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.core.plural import counted
from unique_account.http_server.file_descriptors import raise_limit
from unique_account.ports.bus import BusStanding
from unique_account.ports.group_leases import Fenced, NodeTaken
from unique_account.ports.observer import Observer, PortRequest
from unique_account.serve.assistants import standing_by
from unique_account.serve.config import ClusterSettings, Config
from unique_account.serve.lifecycle import LOGGER, Signals, enrol, keep_in_step
from unique_account.serve.nodes import reaches_any
from unique_account.serve.wiring import Served, monitor, new_metrics, served

if TYPE_CHECKING:
    from unique_account.adapters.postgresql import PostgresqlGroupLeases
    from unique_account.adapters.xuc import XucCti

STILL_OPEN: Final = os.EX_TEMPFAIL
"""The exit status of a process whose service did not close: a supervisor should start it again."""


class FenceObserver:
    """Ends a tenure when a port was kept out, as another process owns the group."""

    def __init__(self, tenure: Tenure) -> None:
        self._tenure = tenure

    def applied(self, event: Event, before: Account, after: Account) -> None:
        """Nothing of interest."""

    def refused(self, event: Event, account: Account, refusal: Refused) -> None:
        """Nothing of interest."""

    def failed(self, request: PortRequest, error: Exception) -> None:
        """End the tenure, if this is a fence."""
        if isinstance(error, Fenced):
            self._tenure.end(error)

    def recovered(self, request: PortRequest) -> None:
        """Nothing of interest."""

    def node_taken(self, taken: NodeTaken) -> None:
        """Nothing of interest."""


class GroupServer:
    """Serves while this process owns its group.

    Args:
        config: The configuration.
        observer: Is notified of what happens.
        again: Set when users are to be read again.
        cti: The server of the UC Assistants, which serves whoever owns the group; None for none.
    """

    def __init__(self, config: Config, observer: Observer, again: asyncio.Event, cti: XucCti | None) -> None:
        self._config = config
        self._observer = observer
        self._again = again
        self._cti = cti
        self._served: Served | None = None

    async def serve(self, tenure: Tenure) -> None:
        """Run the service until the tenure is over, or its start fails."""
        observer = FanOut(self._observer, FenceObserver(tenure))
        try:
            if self._cti is not None:
                self._cti.own(tenure.fence)
            async with served(self._config, observer, tenure, self._cti) as at:
                self._served = at
                await enrol(at.service, at.enrolment, first=True)
                tenure.nodes = lambda: any(at.nodes().values())
                tenure.is_ready = True
                LOGGER.info(
                    "serving: %s; epoch %d", counted(len(at.service.users), "account"), tenure.fence.epoch
                )
                await keep_in_step(at.service, at.enrolment, at.every, tenure.over, self._again)
        finally:
            self._served = None

    def accounts(self) -> Iterable[Account]:
        """The accounts, while there is a service."""
        return self._served.accounts() if self._served else ()

    def nodes(self) -> Mapping[str, bool]:
        """Which nodes are connected, while there is a service."""
        return self._served.nodes() if self._served else {}

    def stored(self) -> bool:
        """Whether the store can be reached, as far as is known."""
        return self._served.stored() if self._served else True

    def announcing(self) -> BusStanding | None:
        """How the bus stands, while there is a service that has one."""
        return self._served.announcing() if self._served else None


async def serve_in_group(config: Config, cluster: ClusterSettings) -> None:
    """Serve whenever this process owns its group, until a signal says to stop.

    Raises:
        UniqueAccountError: The database cannot be used.
        OSError: The monitor's address cannot be listened on.
    """
    raise_limit()
    with Signals().received() as signals:
        signals.ready = True
        try:
            await _contend(config, cluster, signals)
        except asyncio.CancelledError:
            LOGGER.warning("stopped without waiting")
        except DidNotClose as error:
            LOGGER.critical("%s", error)
            logging.shutdown()
            os._exit(STILL_OPEN)
        else:
            LOGGER.info("stopped")


def _leases(config: Config) -> PostgresqlGroupLeases:
    """Where the processes of the group agree."""
    if (database := config.accounts.postgresql) is None:
        raise ValueError("a group needs a database")
    find_adapter("accounts", "postgresql")  # says what is missing, if anything is
    from unique_account.adapters.postgresql import PostgresqlGroupLeases

    return PostgresqlGroupLeases(database.address())


async def _contend(config: Config, cluster: ClusterSettings, signals: Signals) -> None:
    metrics = new_metrics()
    observer = FanOut(LogObserver(), metrics)
    async with AsyncExitStack() as opened:
        leases = await opened.enter_async_context(aclosing(_leases(config)))
        member = GroupMember(
            leases,
            cluster.group,
            cluster.name,
            cluster.address,
            reaches=partial(reaches_any, config.own_nodes),
            times=cluster.times,
        )
        cti = await opened.enter_async_context(standing_by(config, cluster, observer, member))
        server = GroupServer(config, observer, signals.again, cti)
        metrics.watch(server.accounts, server.nodes, server.stored)
        metrics.watch_bus(server.announcing)
        metrics.watch_group(lambda: member.standing)
        standing = (server.announcing, lambda: member.standing)
        pages = monitor(config, server.nodes, server.stored, metrics, *standing)
        address = await opened.enter_async_context(pages)
        LOGGER.info("ready: %s of the group %s; %s/health", cluster.name, cluster.group, address)
        await member.run(server.serve, signals.stop)
