"""The composition root of ``serve``: the adapters that a configuration names, and the service on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from attrs import frozen

from unique_account.adapters.decorators.circuit_breaker import AccountsCircuitBreaker
from unique_account.adapters.decorators.fan_out import FanOut
from unique_account.adapters.log_observer import LogObserver
from unique_account.adapters.memory import MemoryCti
from unique_account.adapters.system_clock import SystemClock
from unique_account.bootstrap import bootstrap, open_adapter
from unique_account.ports.call_log import CallLog
from unique_account.ports.clock import Clock
from unique_account.ports.cti import Cti
from unique_account.ports.observer import Observer
from unique_account.ports.pbx import Pbx
from unique_account.serve.assistants import assistant_server
from unique_account.serve.config import Config
from unique_account.serve.extras import extra
from unique_account.serve.lifecycle import Running, log_difference
from unique_account.serve.live_answers import LiveAnswers
from unique_account.serve.live_socket import answering, socket_path
from unique_account.serve.nodes import connected, pbx
from unique_account.serve.rosters import roster
from unique_account.service.roster_sync import RosterSync
from unique_account.service.service import Service

if TYPE_CHECKING:
    from unique_account.adapters.prometheus import PrometheusObserver


@frozen(weakref_slot=False, kw_only=True)
class Ports:
    """The ports of a configuration, closed with the stack on which they were opened."""

    accounts: AccountsCircuitBreaker
    call_log: CallLog
    clock: Clock
    pbxs: dict[str, Pbx]
    cti: Cti


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Running]:
    """Run what a configuration describes: the service on its nodes and store, its roster, its monitor.

    Raises:
        MissingExtra: A package that it needs is not installed.
        OSError: A store cannot be used, or an address of the monitor or of the UC Assistant is taken.
    """
    metrics = _metrics()
    observer = FanOut(LogObserver(), metrics)
    users = roster(config.users)
    async with AsyncExitStack() as opened:
        ports = await _open_ports(config, observer, opened)
        service = await opened.enter_async_context(_service(config, ports, observer))
        opened.callback(asyncio.create_task(ports.accounts.look_after()).cancel)
        monitor = await opened.enter_async_context(_monitor(config, ports, service, metrics))
        await opened.enter_async_context(answering(socket_path(config), LiveAnswers(service).answer))
        every = config.users.confd.every if config.users.confd else None
        yield Running(service, RosterSync(service, users, observer), monitor, every)


def _metrics() -> PrometheusObserver:
    """The metrics; names what the monitor lacks before anything is opened."""
    with extra():
        import_module("unique_account.adapters.health")
        from unique_account.adapters.prometheus import PrometheusObserver
    return PrometheusObserver()


async def _open_ports(config: Config, observer: Observer, opened: AsyncExitStack) -> Ports:
    """The adapters that a configuration names, which are closed with the stack."""
    database = config.accounts.postgresql
    kind = "postgresql" if database else "sqlite"
    place = database.address() if database else config.accounts.file
    accounts = await opened.enter_async_context(open_adapter("accounts", kind, place))
    call_log = await opened.enter_async_context(open_adapter("call_log", kind, place))
    clock = await opened.enter_async_context(aclosing(SystemClock()))
    return Ports(
        accounts=AccountsCircuitBreaker(accounts, observer),
        call_log=call_log,
        clock=clock,
        pbxs={node.name: pbx(node, clock, observer) for node in config.nodes},
        cti=_cti(config, observer, opened),
    )


def _cti(config: Config, observer: Observer, opened: AsyncExitStack) -> Cti:
    if config.assistant is None:
        return MemoryCti()
    server = assistant_server(config.assistant, config, observer)
    opened.callback(server.bind().close)
    return server


def _service(config: Config, ports: Ports, observer: Observer) -> AbstractAsyncContextManager[Service]:
    return bootstrap(
        accounts=ports.accounts,
        clock=ports.clock,
        pbxs=tuple(ports.pbxs.values()),
        cti=ports.cti,
        call_log=ports.call_log,
        observer=observer,
        lease=config.lease,
        owner=config.owner,
        on_difference=log_difference,
    )


def _monitor(
    config: Config, ports: Ports, service: Service, metrics: PrometheusObserver
) -> AbstractAsyncContextManager[str]:
    """Health and metrics over HTTP; enters with their address."""
    from unique_account.adapters import health

    nodes, stored = partial(connected, ports.pbxs), lambda: ports.accounts.reachable
    metrics.watch(lambda: map(service.account, service.users), nodes, stored)
    app = health.application(nodes, stored, metrics.text)
    return health.serving(app, config.monitor.host, config.monitor.port)
