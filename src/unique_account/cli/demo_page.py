"""The demo company's page on the command line, until a signal ends it."""

from __future__ import annotations

import asyncio

import click

from unique_account.cli.exits import until_stopped


def serve_stage(port: int) -> None:
    """Serve the UC Assistant with played phones on loopback until SIGINT or SIGTERM.

    Raises:
        click.ClickException: A package is missing.
        OSError: The port cannot be listened on; the sentence names it.
    """
    try:
        until_stopped(_serve(port))
    except ModuleNotFoundError as error:
        raise click.ClickException(str(error)) from error


async def _serve(port: int) -> None:
    from unique_account.demo.company import stage  # its packages are an extra

    async with stage(port) as address:
        click.echo(f"The UC Assistant:     {address}        log in as alice, password alice")
        click.echo(f"Everybody's phones:   {address}stage/  let Bob call Alice from there")
        click.echo("Ctrl-C ends it.")
        await asyncio.Event().wait()
