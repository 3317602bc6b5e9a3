"""``demo``: the life of one account, played on the embedded defaults."""

from __future__ import annotations

import asyncio
import json

import click
from rich.console import Console
from rich.markup import escape

from unique_account.cli.story import Scene, play


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each step.")
def demo(as_json: bool) -> None:
    """Watch the life of one account: who rings, what colleagues see, and why.

    A service runs on a PBX double that carries out installed plans, on accounts in SQLite and on a clock
    that is moved, so that half a minute of ringing takes no time.
    """
    console = Console(highlight=False, soft_wrap=True)

    def show(scene: Scene) -> None:
        if as_json:
            click.echo(json.dumps(scene.as_json(), ensure_ascii=False))
        else:
            console.print(_text(scene))

    asyncio.run(play(show))


def _text(scene: Scene) -> str:
    lines = [f"[bold]{scene.number:>2}. {escape(scene.what)}[/bold]"]
    if scene.call:
        lines.append(f"    the call  [cyan]{escape(scene.call)}[/cyan]")
    lines.append(f"    colleagues see [green]{scene.presence}[/green]; alice is {scene.state}")
    lines += [f"    [dim]because {escape(str(reason))}[/dim]" for reason in scene.because]
    lines += [f"    {escape(entry)}" for entry in scene.history]
    return "\n".join(lines)
