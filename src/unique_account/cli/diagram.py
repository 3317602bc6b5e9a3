"""``table`` and ``diagram``: the machine, made from the code."""

from __future__ import annotations

import json

import click

from unique_account.cli import options
from unique_account.core.diagram import markdown, mermaid, outcomes, rows


@click.command()
@options.json("One JSON object: by state, trigger, saved selection.")
@click.option("--markdown", "as_markdown", is_flag=True, help="A table of Markdown, for documents.")
def table(as_json: bool, as_markdown: bool) -> None:
    """Print the result of each trigger in each state."""
    heading, *states = rows()
    if as_json:
        click.echo(json.dumps(outcomes()))
    elif as_markdown:
        click.echo(markdown())
    else:
        for state, *cells in states:
            click.secho(state, bold=True)
            for trigger, cell in zip(heading[1:], cells, strict=True):
                click.echo(f"  {trigger:<20} {cell}")


@click.command()
def diagram() -> None:
    """Print the machine as a Mermaid diagram."""
    click.echo(mermaid())
