"""The stage on the command line: set, announced, and left at Ctrl-C."""

from __future__ import annotations

import asyncio
import signal

import click


def serve_stage(port: int) -> None:
    """Serve the UC Assistant with played phones on loopback until SIGINT or SIGTERM.

    Raises:
        click.ClickException: A package is missing, or the port cannot be listened on.
    """
    try:
        asyncio.run(_serve(port))
    except ModuleNotFoundError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"port {port}: {error.strerror or error}") from error


async def _serve(port: int) -> None:
    from unique_account.demo.company import stage  # what it needs is an extra of its own

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with stage(port) as address:
        click.echo(f"The UC Assistant:     {address}        log in as alice, password alice")
        click.echo(f"Everybody's phones:   {address}stage/  let Bob call Alice from there")
        click.echo("Ctrl-C ends it.")
        await stopped.wait()
