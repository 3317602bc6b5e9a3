"""``import``: check a CSV file of users, or load it into a store."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click

from unique_account.adapters.rosters.users_file import read_users_file
from unique_account.bootstrap import open_adapter
from unique_account.cli import options
from unique_account.cli.exits import say
from unique_account.core.plural import counted
from unique_account.core.user import User
from unique_account.json_documents import to_document


@click.command("import")
@click.argument("file", type=options.FILE)
@click.option(
    "--into",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A SQLite file of accounts; made if it is not there. Without it, the file is only checked.",
)
@options.json("Print each user as a line of JSON.")
def import_users(file: Path, into: Path | None, as_json: bool) -> None:
    """Check a file of users, XiVO's CSV or TOML, or load it; all of it or nothing.

    Every bad row is reported with its line and field. Loading gives each user a new account; if one of
    them has an account already, nothing is loaded.
    """
    users = read_users_file(file, say)
    if into is not None:
        asyncio.run(_load(users, into))
    if as_json:
        for user in users:
            click.echo(json.dumps(to_document(user), ensure_ascii=False))
    else:
        done = f"loaded into {into}" if into else "fit to import"
        click.echo(f"{file}: {counted(len(users), 'user')} with a Unique Account, {done}")


async def _load(users: tuple[User, ...], path: Path) -> None:
    async with open_adapter("accounts", "sqlite", path) as store:
        await store.add(users)
