"""``accounts``: the accounts of a running service, as they are now, and copies of stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from unique_account.cli import options
from unique_account.cli.accounts_copy import copy
from unique_account.cli.live import ask
from unique_account.core.plural import counted


@click.group(invoke_without_command=True)
@options.config("The TOML file of the running serve.", required=False)
@options.json("One JSON object a line, for machines.")
@click.pass_context
def accounts(context: click.Context, file: Path | None, as_json: bool) -> None:
    """List the accounts of a running service, as they are now.

    It asks over a socket beside the store, which answers the service's own user only.
    """
    if context.invoked_subcommand is not None:
        return
    if file is None:
        raise click.UsageError("Missing option '--config'.")
    for account in _all(file):
        click.echo(json.dumps(account, ensure_ascii=False) if as_json else _line(account))


accounts.add_command(copy)


def _all(file: Path) -> Iterator[dict[str, Any]]:
    after: int | None = 0
    while after is not None:
        page = ask(file, ask="accounts", after=after)
        yield from page["answer"]
        after = page["after"]


def _line(account: dict[str, Any]) -> str:
    sessions, calls = counted(account["sessions"], "session"), counted(account["calls"], "call")
    where = f"{account['user']:<12}  {account['number']:<8}  {account['state']:<18}"
    return f"{where}  {account['device_in_use']:<9}  {account['presence']:<14}  {sessions}, {calls}"
