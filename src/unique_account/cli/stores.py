"""The call log that an option names: a SQLite file, or a PostgreSQL database."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import click

from unique_account.bootstrap import open_adapter
from unique_account.ports.call_log import CallLog

_POSTGRESQL: Final = ("postgresql://", "postgres://")

# What the pool of connections says of a database that is lost, a command says itself, in a sentence.
logging.getLogger("psycopg.pool").addHandler(logging.NullHandler())

store_option: Final = click.option(
    "--store",
    required=True,
    envvar="UNIQUE_ACCOUNT_CALL_LOG",
    show_envvar=True,
    metavar="FILE|URL",
    help="The call log: a SQLite file, or postgresql://USER@HOST/NAME.",
)


def is_url(place: str) -> bool:
    """Whether a place is a PostgreSQL database."""
    return place.startswith(_POSTGRESQL)


@asynccontextmanager
async def opened(place: str, must_exist: bool = False) -> AsyncIterator[CallLog]:
    """A call log, closed in the end.

    Raises:
        UniqueAccountError: It cannot be used, or what it needs is not installed.
        click.BadParameter: It must be there and is not.
    """
    if must_exist and not is_url(place) and not Path(place).is_file():  # noqa: ASYNC240 - nobody else waits
        raise click.BadParameter(f"there is no file {place}", param_hint="--store")
    async with open_adapter("call_log", "postgresql" if is_url(place) else "sqlite", place) as store:
        yield store
