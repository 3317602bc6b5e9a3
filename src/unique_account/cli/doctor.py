"""``doctor``: what the PBX nodes of a configuration lack, all at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from unique_account.adapters.asterisk import Expected, examine, exposures
from unique_account.serve.config import Config, read_config
from unique_account.serve.config.tables import NodeSettings
from unique_account.serve.nodes import expectations, login
from unique_account.serve.rosters import roster


@click.command()
@click.option(
    "--config",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The TOML file of serve.",
)
def doctor(file: Path) -> None:
    """Examine each PBX node, live, and say what it lacks and what to do about it.

    Notes name where strangers' text comes in, which is no fault. Exit code 1 if anything is in the way.
    """
    problems = asyncio.run(_examine(read_config(file)))
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise click.exceptions.Exit(1)


async def _examine(config: Config) -> list[str]:
    problems = []
    for node, expected in expectations(config, await roster(config.users).users()):
        found = await examine(login(node), expected)
        problems += [f"{node.name}: {problem}" for problem in found]
        click.echo(f"{node.name}: {_verdict(expected, found)}")
        for note in await _notes(node):
            click.echo(f"{node.name}: note: {note}")
    return problems


async def _notes(node: NodeSettings) -> tuple[str, ...]:
    try:
        return await exposures(login(node))
    except ConnectionError:
        return ()  # a problem that was named


def _verdict(expected: Expected, problems: tuple[str, ...]) -> str:
    if not problems:
        return f"ready for {len(expected.users)} users"
    return "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
