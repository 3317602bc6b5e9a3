"""The composition root of ``serve``: the adapters that a configuration names, and the service on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from unique_account.adapters.asterisk import (
    AsteriskPbx,
    Expected,
    ManagerLogin,
    NodeCredentials,
    RenderedCredentials,
    Trunk,
)
from unique_account.adapters.decorators.circuit_breaker import AccountsCircuitBreaker
from unique_account.adapters.decorators.fan_out import FanOut
from unique_account.adapters.memory import MemoryCti, MemoryPbx
from unique_account.adapters.rosters.users_file import FileRoster
from unique_account.adapters.system import LogObserver, SystemClock
from unique_account.core.eligibility import MediaServer
from unique_account.core.errors import InvalidFields, UniqueAccountError
from unique_account.core.user import User
from unique_account.ports.accounts import Accounts
from unique_account.ports.call_log import CallLog
from unique_account.ports.clock import Clock
from unique_account.ports.cti import Cti
from unique_account.ports.observer import Observer
from unique_account.ports.pbx import Pbx
from unique_account.ports.roster import Roster
from unique_account.serve.config import (
    AccountsSettings,
    AssistantSettings,
    Config,
    InvalidConfig,
    NodeKind,
    NodeSettings,
    UsersSettings,
)
from unique_account.serve.lifecycle import Running
from unique_account.serve.node_resync import NodeResync
from unique_account.service.roster_sync import RosterSync

if TYPE_CHECKING:
    from unique_account.adapters.xuc import XucCti

from unique_account.bootstrap import bootstrap, find_adapter


class MissingExtra(UniqueAccountError):
    """What a configuration asks for needs a package that is not installed.

    Attributes:
        package: The package.
    """

    def __init__(self, package: str) -> None:
        super().__init__(package)
        self.package = package

    def __str__(self) -> str:
        return f"serve needs {self.package}: pip install 'unique_account[serve]' brings it"


def roster(users: UsersSettings) -> Roster:
    """The roster that a configuration names.

    Raises:
        MissingExtra: A package that it needs is not installed.
        ValueError: The token is not there any more.
    """
    if users.confd is None:
        return FileRoster(Path(users.file or ""))
    try:
        from unique_account.adapters.rosters.confd import ConfdOptions, ConfdRoster
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name)) from error
    asked = users.confd
    reading = ConfdOptions(
        webrtc_option=asked.webrtc_option,
        webrtc_suffix=asked.webrtc_suffix,
        technology=asked.technology,
        id=asked.id,
        media_server=asked.media_server,
        page=asked.page,
    )
    return ConfdRoster(asked.url, asked.token.look_up() if asked.token else "", reading)


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Running]:
    """Run what a configuration describes: the service on its nodes and store, its roster, its monitor.

    Raises:
        MissingExtra: A package that it needs is not installed.
        OSError: A store cannot be used, or the monitor's address or the UC Assistant's not be listened on.
    """
    try:
        from unique_account.adapters import health
        from unique_account.adapters.prometheus import PrometheusObserver
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name)) from error
    metrics = PrometheusObserver()
    returning = NodeResync(node.name for node in config.nodes)
    observer = FanOut(LogObserver(), metrics, returning)
    users = roster(config.users)
    async with AsyncExitStack() as made:
        accounts, call_log = _stores(config.accounts, made)
        store = AccountsCircuitBreaker(accounts, observer)
        clock = SystemClock()
        made.push_async_callback(clock.aclose)
        pbxs = {node.name: _node(node, clock, observer) for node in config.nodes}

        def user(named: str) -> User:
            return service.account(named).user

        cti: Cti = MemoryCti()
        if config.assistant:
            cti = assistant = _assistant(config.assistant, config, user, observer)
            made.callback(assistant.bind().close)
        service = await made.enter_async_context(
            bootstrap(
                accounts=store,
                clock=clock,
                pbxs=tuple(pbxs.values()),
                cti=cti,
                call_log=call_log,
                observer=observer,
                lease=config.lease,
                owner=config.owner,
            )
        )
        made.enter_context(returning.watched_by(service))
        looking = asyncio.create_task(store.look_after())
        made.callback(looking.cancel)
        connected, stored = partial(_connected, pbxs), lambda: store.reachable
        metrics.watch(lambda: map(service.account, service.users), connected, stored)
        app = health.application(connected, stored, metrics.text)
        where = await made.enter_async_context(health.serving(app, config.monitor.host, config.monitor.port))
        every = config.users.confd.every if config.users.confd else None
        yield Running(service, RosterSync(service, users, observer), where, every)


def _stores(asked: AccountsSettings, made: AsyncExitStack) -> tuple[Accounts, CallLog]:
    """The stores that a configuration names, which are closed with what is made."""
    kind = "postgresql" if asked.postgresql else "sqlite"
    where = asked.postgresql.address() if asked.postgresql else asked.file
    accounts = find_adapter("accounts", kind)(where)
    made.push_async_callback(accounts.aclose)
    call_log = find_adapter("call_log", kind)(where)
    made.push_async_callback(call_log.aclose)
    return accounts, call_log


def _assistant(
    asked: AssistantSettings, config: Config, user: Callable[[str], User], observer: Observer
) -> XucCti:
    """The server that UC Assistants connect to, with the page that is one."""
    try:
        from unique_account.adapters.people_file import PeopleFile
        from unique_account.adapters.xuc import XucCti, XucSettings
        from unique_account.assistant.static_files import PageFiles
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name)) from error
    try:
        settings = XucSettings(
            key=asked.key.look_up(),
            host=asked.host,
            port=asked.port,
            origins=asked.origins,
            proxies=asked.proxies,
            sockets_per_address=asked.sockets_per_address,
            stun=asked.stun,
            time_zone=asked.time_zone,
            store=Path(asked.store.file if asked.store else config.accounts.file or ""),
        )
        lines = RenderedCredentials({node.name: _lines(asked, node) for node in config.nodes}, user, observer)
    except ValueError as error:
        raise InvalidConfig("the table assistant", (str(error),)) from error
    page = PageFiles("://".join(urlsplit(asked.sip)[:2]))
    return XucCti(settings, PeopleFile(Path(asked.people.file), observer), lines, observer, page)


def _lines(asked: AssistantSettings, node: NodeSettings) -> NodeCredentials:
    """How browsers register on a node: by its own path through the web proxy, if it has one."""
    url = urlsplit(asked.sip)._replace(path=node.proxy_path).geturl() if node.proxy_path else asked.sip
    passwords = node.passwords or asked.passwords
    return NodeCredentials(passwords=Path(passwords.file), url=url, domain=asked.domain)


def _node(node: NodeSettings, clock: Clock, observer: Observer) -> Pbx:
    if node.kind is NodeKind.MEMORY or node.secret is None:
        return MemoryPbx(clock, node.name)
    return AsteriskPbx(login(node), observer, node.name, controllable=node.controllable)


def login(node: NodeSettings) -> ManagerLogin:
    """As whom a configuration logs in to a node.

    Raises:
        ValueError: The node has no secret, or it is not there any more.
    """
    if node.secret is None:
        raise ValueError(f"the node {node.name} has no secret")
    return ManagerLogin(username=node.username, secret=node.secret.look_up(), host=node.host, port=node.port)


def _connected(pbxs: Mapping[str, Pbx]) -> Mapping[str, bool]:
    """Which nodes are connected; a double always is."""
    return {name: pbx.connected if isinstance(pbx, AsteriskPbx) else True for name, pbx in pbxs.items()}


def expectations(config: Config, users: tuple[User, ...]) -> Iterator[tuple[NodeSettings, Expected]]:
    """What each Asterisk of a configuration is to carry of these users.

    Raises:
        InvalidFields: A user's media server is none of the nodes; all such users are named.
    """
    names = {node.name for node in config.nodes}
    if lost := [user for user in users if user.media_server not in names]:
        raise InvalidFields([f"{user.id}: {user.media_server} is none of the nodes" for user in lost])
    nodes = [node for node in config.nodes if node.kind is NodeKind.ASTERISK]
    servers = {node.name: _server(node) for node in nodes}
    for node in nodes:
        others = [other for other in nodes if other is not node]
        trunks = tuple(Trunk(name=other.name, address=other.sip) for other in others if other.sip)
        behind = {trunk.name for trunk in trunks}
        yield (
            node,
            Expected(
                media_server=node.name,
                users=tuple(user for user in users if user.media_server == node.name),
                away=tuple(user for user in users if user.media_server in behind),
                trunks=trunks,
                websocket=node.websocket,
                proxy_path=node.proxy_path,
                others=tuple(servers[other.name] for other in others),
            ),
        )


def _server(node: NodeSettings) -> MediaServer:
    """A node as another one sees it: only its name and its proxy path matter there."""
    path = node.proxy_path
    return MediaServer(name=node.name, webrtc_transport=True, certificate=True, ice=True, proxy_path=path)
