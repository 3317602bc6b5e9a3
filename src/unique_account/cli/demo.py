"""``demo``: the life of one account, played on the embedded defaults, or the page to play with."""

from __future__ import annotations

import asyncio
import json

import click
from rich.console import Console
from rich.markup import escape

from unique_account.cli import options
from unique_account.cli.demo_page import serve_stage
from unique_account.cli.demo_story import Scene, play


@click.command()
@options.json("One JSON object for each step.")
@click.option("--web", is_flag=True, help="Serve the UC Assistant, to play with in a browser.")
@click.option("--port", default=8090, show_default=True, help="With --web: the port on loopback; 0 for any.")
def demo(as_json: bool, web: bool, port: int) -> None:
    """Watch the life of one account: who rings, what colleagues see, and why.

    A service runs on a PBX double that carries out installed plans, in memory, and on a clock that is moved,
    so that half a minute of ringing takes no time.

    With --web nothing is printed: the UC Assistant is served with phones that are played, and beside it a
    page, the stage, on which Bob can call Alice.
    """
    if web:
        serve_stage(port)
        return
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
