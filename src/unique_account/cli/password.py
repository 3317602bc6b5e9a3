"""``password``: the hash of a password, as it stands in a directory of people."""

from __future__ import annotations

import sys

import click


@click.command()
def password() -> None:
    """Print the hash of a password, for the file of people who may log in.

    It is asked for twice, or read from the first line of standard input; it is never an argument, which
    others would see in the list of processes.
    """
    try:
        from unique_account.adapters.people_file import hash_password
    except ModuleNotFoundError as error:
        raise click.ClickException(str(error)) from error
    try:
        click.echo(hash_password(_asked()))
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _asked() -> str:
    if sys.stdin.isatty():
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
        return asked
    return sys.stdin.readline().rstrip("\r\n")
