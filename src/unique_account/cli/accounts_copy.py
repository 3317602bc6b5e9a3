"""``accounts copy``: accounts and their calls from one store to another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import click

from unique_account.bootstrap import open_adapter
from unique_account.cli.stores import is_url
from unique_account.core.account import Kept
from unique_account.core.history import CallRecord
from unique_account.core.plural import counted
from unique_account.core.user import User
from unique_account.ports.accounts import Accounts, StaleVersion
from unique_account.ports.call_log import CallLog

_PAGE: Final = 1000
"""How many records are copied at once."""


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy(source: str, target: str) -> None:
    """Copy all accounts, with what their users chose and their calls, from one store to another.

    Each store is a SQLite file or postgresql://USER@HOST/NAME; a file is made if it is not there. If an
    account is in the other store already, nothing is copied. Stop the service first: what it writes meanwhile
    may be missing in the copy.
    """
    if not is_url(source) and not Path(source).is_file():
        raise click.BadParameter(f"there is no file {source}", param_hint="FROM")
    accounts, records = asyncio.run(_copy(source, target))
    click.echo(f"{counted(accounts, 'account')} and {counted(records, 'call')} copied to {_shown(target)}")


async def _copy(source: str, target: str) -> tuple[int, int]:
    """How many accounts and how many records were copied."""
    async with AsyncExitStack() as opened:
        stores: list[Accounts] = [await _opened(opened, "accounts", place) for place in (source, target)]
        logs: list[CallLog] = [await _opened(opened, "call_log", place) for place in (source, target)]
        there = {user.id: kept.version async for user, kept in stores[1].all()}
        accounts = [stored async for stored in stores[0].all()]
        _check_new(accounts, there)
        # Records first: to copy them again changes nothing, so a copy that was cut off can be made again.
        records = 0
        for user, _ in accounts:
            async for page in _pages(logs[0], user.id):
                await logs[1].add(page)
                records += len(page)
        await stores[1].add_stored(accounts)
    return len(accounts), records


async def _opened(opened: AsyncExitStack, port: str, place: str) -> Any:
    kind = "postgresql" if is_url(place) else "sqlite"
    return await opened.enter_async_context(open_adapter(port, kind, place))


def _check_new(accounts: list[tuple[User, Kept]], there: dict[str, int]) -> None:
    for user, _ in accounts:
        if user.id in there:
            raise StaleVersion(user.id, None, there[user.id])


async def _pages(log: CallLog, user: str) -> AsyncIterator[list[CallRecord]]:
    key = None
    while page := list(await log.before(user, key, _PAGE)):
        yield page
        key = page[-1].key


def _shown(place: str) -> str:
    """A place without a password."""
    scheme, found, rest = place.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if found else place
