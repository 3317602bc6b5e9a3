"""``doctor``: what the PBX nodes of a configuration lack, all at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import click
from attrs import asdict, frozen

from unique_account.adapters.asterisk import examine, exposures
from unique_account.cli import options
from unique_account.core.plural import counted
from unique_account.serve.config import Config, read_config
from unique_account.serve.config.tables import NodeSettings
from unique_account.serve.nodes import expectations, login
from unique_account.serve.rosters import roster


@click.command()
@options.config("The TOML file of serve.")
@options.json("One JSON object for each node, for machines.")
def doctor(file: Path, as_json: bool) -> None:
    """Examine each PBX node, live, and say what it lacks and what to do about it.

    Notes name where untrusted text comes in, which is no fault. Exit code 1 if anything is in the way.
    """
    nodes = asyncio.run(_examine(read_config(file)))
    for node in nodes:
        click.echo(json.dumps(asdict(node), ensure_ascii=False) if as_json else "\n".join(_lines(node)))
    if any(node.problems for node in nodes):
        raise click.exceptions.Exit(1)


@frozen
class _Examined:
    node: str
    users: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]


async def _examine(config: Config) -> list[_Examined]:
    return [
        _Examined(
            node.name, len(expected.users), tuple(await examine(login(node), expected)), await _notes(node)
        )
        for node, expected in expectations(config, await roster(config.users).users())
    ]


async def _notes(node: NodeSettings) -> tuple[str, ...]:
    try:
        return await exposures(login(node))
    except ConnectionError:
        return ()  # it is a problem already


def _lines(at: _Examined) -> Iterator[str]:
    ready = f"ready for {counted(at.users, 'user')}"
    yield f"{at.node}: {counted(len(at.problems), 'problem') if at.problems else ready}"
    yield from (f"{at.node}: {problem}" for problem in at.problems)
    yield from (f"{at.node}: note: {note}" for note in at.notes)
