"""The composition root of ``serve``: the adapters that a configuration names, and the service on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Final

from attrs import frozen

from unique_account.adapters.decorators.circuit_breaker import AccountsCircuitBreaker
from unique_account.adapters.decorators.fan_out import FanOut
from unique_account.adapters.decorators.gate import GatedAccounts
from unique_account.adapters.log_observer import LogObserver
from unique_account.adapters.memory import MemoryCti
from unique_account.adapters.system_clock import SystemClock
from unique_account.bootstrap import bootstrap, open_adapter
from unique_account.cluster.tenure import Tenure
from unique_account.core.account import Account
from unique_account.ports.bus import Bus, BusStanding
from unique_account.ports.call_log import CallLog
from unique_account.ports.clock import Clock
from unique_account.ports.cti import Cti
from unique_account.ports.group_leases import GroupStanding
from unique_account.ports.observer import Observer
from unique_account.ports.pbx import Pbx
from unique_account.serve.assistants import assistant_server
from unique_account.serve.bus import listening, opened_bus
from unique_account.serve.config import Config
from unique_account.serve.extras import extra
from unique_account.serve.lifecycle import Running, log_difference
from unique_account.serve.live_answers import LiveAnswers
from unique_account.serve.live_socket import answering, socket_path
from unique_account.serve.nodes import NodeOwnership, connected, pbx
from unique_account.serve.rosters import roster
from unique_account.service.roster_sync import RosterSync
from unique_account.service.service import Service

if TYPE_CHECKING:
    from unique_account.adapters.prometheus import PrometheusObserver
    from unique_account.adapters.rabbitmq import RabbitmqBus

_UNSURE: Final = "the lease of the group could not be renewed in time; changes are taken once it is"


HINTS_WAIT_ON: Final = 2.0
"""How many seconds longer than a standby the hints wait before they follow the devices by themselves."""


@frozen(weakref_slot=False, kw_only=True)
class Ports:
    """The ports of a configuration, closed with the stack on which they were opened."""

    accounts: AccountsCircuitBreaker
    call_log: CallLog
    clock: Clock
    pbxs: dict[str, Pbx]
    cti: Cti


@frozen(weakref_slot=False, kw_only=True)
class Served:
    """A service on its ports, and what keeps its accounts in step.

    Attributes:
        ports: The ports.
        bus: The bus; None for none.
        service: The service.
        enrolment: Keeps its accounts in step with the roster.
        every: After how many seconds the roster is read again; None for only when it is asked for.
    """

    ports: Ports
    bus: RabbitmqBus | None
    service: Service
    enrolment: RosterSync
    every: int | None

    def accounts(self) -> Iterable[Account]:
        """The accounts as they are now."""
        return map(self.service.account, self.service.users)

    def nodes(self) -> Mapping[str, bool]:
        """Which nodes are connected."""
        return connected(self.ports.pbxs)

    def stored(self) -> bool:
        """Whether the store can be reached."""
        return self.ports.accounts.reachable

    def announcing(self) -> BusStanding | None:
        """How the bus stands; None where there is none."""
        return self.bus.standing if self.bus else None


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Running]:
    """Run what a configuration describes: the service on its nodes and store, its roster, its monitor.

    Raises:
        MissingExtra: A package that it needs is not installed.
        OSError: A store cannot be used, or an address of the monitor or of the UC Assistant is taken.
    """
    metrics = new_metrics()
    observer = FanOut(LogObserver(), metrics)
    async with served(config, observer) as at:
        metrics.watch(at.accounts, at.nodes, at.stored)
        metrics.watch_bus(at.announcing)
        async with monitor(config, at.nodes, at.stored, metrics, at.announcing) as address:
            yield Running(at.service, at.enrolment, address, at.every)


@asynccontextmanager
async def served(
    config: Config, observer: Observer, tenure: Tenure | None = None, cti: Cti | None = None
) -> AsyncIterator[Served]:
    """Run the service of a configuration.

    Args:
        config: The configuration.
        observer: Is notified of what happens.
        tenure: What the process owns, if it is of a group.
        cti: The server of the UC Assistants, which stays open; None: one is opened where there is a table.

    Raises:
        MissingExtra: A package that it needs is not installed.
        OSError: A store cannot be used, or the address of the UC Assistant is taken.
    """
    users = roster(config.users)
    async with AsyncExitStack() as opened:
        ports = await _open_ports(config, observer, opened, tenure, cti)
        bus = await opened.enter_async_context(opened_bus(config, observer, tenure.fence if tenure else None))
        service = await opened.enter_async_context(_service(config, ports, bus, observer, tenure))
        opened.callback(asyncio.create_task(ports.accounts.look_after()).cancel)
        await opened.enter_async_context(answering(socket_path(config), LiveAnswers(service).answer))
        elsewhere = [node.name for node in config.other_nodes]
        sync = RosterSync(service, users, observer, elsewhere)
        await opened.enter_async_context(listening(bus, service, sync.agree))
        every = config.users.confd.every if config.users.confd else None
        yield Served(ports=ports, bus=bus, service=service, enrolment=sync, every=every)


def new_metrics() -> PrometheusObserver:
    """The metrics; names what the monitor lacks before anything is opened."""
    with extra():
        import_module("unique_account.adapters.health")
        from unique_account.adapters.prometheus import PrometheusObserver
    return PrometheusObserver()


async def _open_ports(
    config: Config, observer: Observer, opened: AsyncExitStack, tenure: Tenure | None, cti: Cti | None
) -> Ports:
    """The adapters that a configuration names, which are closed with the stack."""
    database = config.accounts.postgresql
    kind = "postgresql" if database else "sqlite"
    place = database.address() if database else config.accounts.file
    fenced = {"fence": tenure.fence, "media_servers": _media_servers(config)} if tenure else {}
    own = _node_ownership(config, tenure)
    accounts = await opened.enter_async_context(open_adapter("accounts", kind, place, **fenced))
    call_log = await opened.enter_async_context(open_adapter("call_log", kind, place))
    clock = await opened.enter_async_context(aclosing(SystemClock()))
    return Ports(
        accounts=AccountsCircuitBreaker(accounts, observer),
        call_log=call_log,
        clock=clock,
        pbxs={node.name: pbx(node, clock, observer, config.owner, own) for node in config.own_nodes},
        cti=cti or _cti(config, observer, opened),
    )


def _media_servers(config: Config) -> list[str] | None:
    """The media servers whose users this process has; None: of all that there are."""
    return [node.name for node in config.own_nodes] if config.other_nodes else None


def _node_ownership(config: Config, tenure: Tenure | None) -> NodeOwnership | None:
    if tenure is None or config.cluster is None:
        return None
    pause = config.cluster.times.takeover + HINTS_WAIT_ON
    return NodeOwnership(tenure.fence, tenure.is_handed_over, pause)


def _cti(config: Config, observer: Observer, opened: AsyncExitStack) -> Cti:
    if config.assistant is None:
        return MemoryCti()
    server = assistant_server(config.assistant, config, observer, opened)
    opened.callback(server.bind().close)
    return server


def _service(
    config: Config, ports: Ports, bus: Bus | None, observer: Observer, tenure: Tenure | None
) -> AbstractAsyncContextManager[Service]:
    return bootstrap(
        accounts=GatedAccounts(ports.accounts, lambda: tenure.is_sure, _UNSURE) if tenure else ports.accounts,
        clock=ports.clock,
        pbxs=tuple(ports.pbxs.values()),
        cti=ports.cti,
        bus=bus,
        call_log=ports.call_log,
        observer=observer,
        lease=config.lease,
        owner=config.owner,
        on_difference=log_difference,
    )


def monitor(
    config: Config,
    nodes: Callable[[], Mapping[str, bool]],
    stored: Callable[[], bool],
    metrics: PrometheusObserver,
    bus: Callable[[], BusStanding | None],
    group: Callable[[], GroupStanding] | None = None,
) -> AbstractAsyncContextManager[str]:
    """Health and metrics over HTTP; enters with their address."""
    from unique_account.adapters import health

    app = health.application(nodes, stored, metrics.text, group, bus)
    return health.serving(app, config.monitor.host, config.monitor.port)
