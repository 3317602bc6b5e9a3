"""The server of the UC Assistants that a configuration names, with the page that is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from unique_account.adapters.asterisk import NodeCredentials, RenderedCredentials
from unique_account.cluster.member import GroupMember
from unique_account.ports.assistant_store import AssistantStore
from unique_account.ports.login_attempts import LoginAttempts
from unique_account.ports.observer import Observer
from unique_account.serve.config import (
    AssistantSettings,
    ClusterSettings,
    Config,
    InvalidConfig,
    NodeSettings,
)
from unique_account.serve.extras import extra

if TYPE_CHECKING:
    from unique_account.adapters.xuc import Processes, XucCti, XucSettings


@asynccontextmanager
async def standing_by(
    config: Config, cluster: ClusterSettings, observer: Observer, member: GroupMember
) -> AsyncIterator[XucCti | None]:
    """The server of a process of a group, which serves log-ins and pages whoever owns the group.

    Args:
        config: The configuration; without the table ``assistant``, there is none.
        cluster: The table on the group.
        observer: Notified of failures.
        member: Knows who owns the group.

    Raises:
        MissingExtra: A package that it needs is not installed.
        OSError: Its address cannot be listened on.
    """
    if config.assistant is None:
        yield None
        return
    with extra():
        from unique_account.adapters.xuc import Browsers, Processes
    processes = Processes(
        owner=lambda _: member.standing.lease,
        name=cluster.name,
        addresses=cluster.addresses,
        browsers=Browsers(cluster.browsers),
    )
    async with AsyncExitStack() as opened, asyncio.TaskGroup() as tasks:
        cti = assistant_server(config.assistant, config, observer, opened, processes)
        opened.callback(cti.bind().close)
        serving = tasks.create_task(cti.stand_by())  # if it fails, so does the process
        yield cti
        serving.cancel()


def assistant_server(
    asked: AssistantSettings,
    config: Config,
    observer: Observer,
    opened: AsyncExitStack,
    processes: Processes | None = None,
) -> XucCti:
    """The server that UC Assistants connect to; what it opens is closed with the stack.

    Args:
        asked: The table of the configuration.
        config: The configuration.
        observer: Notified of failures.
        opened: Closes what is opened.
        processes: The processes that share the users; None: there is only this one.

    Raises:
        MissingExtra: A package that it needs is not installed.
        InvalidConfig: A value of the table cannot be used.
        OSError: A file that the table names cannot be read.
    """
    with extra():
        from unique_account.adapters.people_file import PeopleFile
        from unique_account.adapters.xuc import XucCti
        from unique_account.assistant.static_files import PageFiles
    try:
        settings = _settings(asked, config)
        nodes = {node.name: _credentials(asked, node) for node in config.own_nodes}
        credentials = RenderedCredentials(nodes, observer)
    except ValueError as error:
        raise InvalidConfig("the table assistant", (str(error),)) from error
    people = PeopleFile(Path(asked.people.file), observer)
    page = PageFiles("://".join(urlsplit(asked.sip)[:2]), *(processes.origins if processes else ()))
    store, attempts = _shared(asked, config, observer, opened)
    return XucCti(
        settings,
        people,
        credentials,
        observer,
        page,
        store=store,
        attempts=attempts,
        processes=processes,
    )


def _shared(
    asked: AssistantSettings, config: Config, observer: Observer, opened: AsyncExitStack
) -> tuple[AssistantStore | None, LoginAttempts | None]:
    """What all processes share whose accounts are in PostgreSQL; none where the table names a file."""
    database = config.accounts.postgresql
    if database is None or asked.store is not None:
        return None, None
    from unique_account.adapters.postgresql import PostgresqlAssistantStore, PostgresqlLoginAttempts

    store = PostgresqlAssistantStore(database.address(), observer)
    opened.push_async_callback(store.aclose)
    attempts = PostgresqlLoginAttempts(database.address())
    opened.push_async_callback(attempts.aclose)
    return store, attempts


def _settings(asked: AssistantSettings, config: Config) -> XucSettings:
    from unique_account.adapters.xuc import XucSettings

    return XucSettings(
        key=asked.key.look_up(),
        host=asked.host,
        port=asked.port,
        origins=asked.origins,
        proxies=asked.proxies,
        sockets_per_address=asked.sockets_per_address,
        stun=asked.stun,
        time_zone=asked.time_zone,
        store=_file(asked, config),
    )


def _file(asked: AssistantSettings, config: Config) -> Path | None:
    """The file of sessions and preferences; None: they are in PostgreSQL."""
    file = asked.store.file if asked.store else config.accounts.file
    return None if file is None else Path(file)


def _credentials(asked: AssistantSettings, node: NodeSettings) -> NodeCredentials:
    """How browsers register on a node: by its own path through the web proxy, if it has one."""
    url = urlsplit(asked.sip)._replace(path=node.proxy_path).geturl() if node.proxy_path else asked.sip
    passwords = node.passwords or asked.passwords
    return NodeCredentials(passwords=Path(passwords.file), url=url, domain=asked.domain)
