"""The bus of ``serve``: opened where the configuration has one, and connected to the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final

from unique_account.bootstrap import find_adapter
from unique_account.core.errors import UniqueAccountError
from unique_account.ports.group_leases import Fence
from unique_account.ports.observer import Observer
from unique_account.serve.config import Config
from unique_account.service.service import Service

if TYPE_CHECKING:
    from unique_account.adapters.rabbitmq import RabbitmqBus

READ_AFTER: Final = 1.0
"""How many seconds after a change the users are read again, so that many changes are one reading."""


@asynccontextmanager
async def opened_bus(
    config: Config, observer: Observer, fence: Fence | None
) -> AsyncIterator[RabbitmqBus | None]:
    """The bus of a configuration; None where it has none.

    Args:
        config: The configuration.
        observer: Is notified of what fails.
        fence: The group that the process owns, and the epoch; None: it is alone.

    Raises:
        NoSuchAdapter: A package that it needs is not installed.
    """
    settings = config.bus
    if settings is None:
        yield None
        return
    adapter = find_adapter("bus", "rabbitmq")
    async with AsyncExitStack() as opened:
        outbox = None
        if config.accounts.postgresql is not None:
            from unique_account.adapters.postgresql import PostgresqlOutbox

            address = config.accounts.postgresql.address()
            outbox = await opened.enter_async_context(aclosing(PostgresqlOutbox(address)))
        bus: RabbitmqBus = adapter(
            settings.address(),
            observer=observer,
            group=fence.group if fence else settings.group,
            epoch=fence.epoch if fence else 0,
            exchange=settings.exchange,
            presences=settings.presences,
            outbox=outbox,
        )
        yield await opened.enter_async_context(bus)


@asynccontextmanager
async def listening(
    bus: RabbitmqBus | None, service: Service, read_users: Callable[[], Awaitable[object]]
) -> AsyncIterator[None]:
    """Pass what the bus receives to the service, until the context is left.

    Args:
        bus: The bus; None for none.
        service: A service that has announced all its presences.
        read_users: Reads the users again.
    """
    if bus is None:
        yield
        return
    changed = asyncio.Event()
    tasks = (
        asyncio.create_task(bus.listen(service.other_numbers.show)),
        asyncio.create_task(_read_users(changed, read_users)),
    )
    bus.pass_to(service.handle, changed.set)
    bus.complete(lambda: _numbers(service))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _numbers(service: Service) -> Iterator[str]:
    """The numbers of all users."""
    for user in service.users:
        yield from service.account(user).user.numbers


async def _read_users(changed: asyncio.Event, read_users: Callable[[], Awaitable[object]]) -> None:
    while True:
        await changed.wait()
        await asyncio.sleep(READ_AFTER)
        changed.clear()
        try:
            await read_users()
        except (UniqueAccountError, OSError):
            continue  # which the observer knows; the roster is also read when it is due
