"""``replay``: a recorded AMI stream, shown as what happened to the users' accounts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO, Final

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from unique_account.adapters.asterisk import ReplayStep, json_line
from unique_account.adapters.asterisk import replay as replayed
from unique_account.adapters.asterisk.replay import NoAmiStream, Projections, event_name, require_ami
from unique_account.adapters.rosters.users_file import read_users_file
from unique_account.cli import options
from unique_account.cli.exits import file_name, say
from unique_account.core.account import Account, Call
from unique_account.core.user import User

_CHUNK: Final = 1 << 16


@click.command()
@click.argument("capture", type=click.File("rb"))
@click.option(
    "--users",
    "users_file",
    required=True,
    type=options.FILE,
    help="Whose accounts to follow: a TOML file of [[users]], or XiVO's CSV.",
)
@click.option("--media-server", default="default", help="Which media server the recording is of.")
@options.json("One JSON object a line, for machines.")
def replay(capture: BinaryIO, users_file: Path, media_server: str, as_json: bool) -> None:
    """Show what a recorded AMI stream did to Unique Accounts.

    CAPTURE holds the raw bytes of an AMI connection; - reads them from stdin. Each event that changed an
    account, or was refused, is a line. Below it stands what changed: the state, where a call would ring and
    why, and what colleagues see. The clock is the recording's own. Messages that cannot be understood are
    named on stderr, and do not stop the replay. Bytes without any message of AMI are an error.
    """
    users = read_users_file(users_file, say)
    try:
        _show(capture, users, media_server, as_json)
    except NoAmiStream as error:
        raise click.ClickException(f"{file_name(capture)} {error}") from error


def _show(capture: BinaryIO, users: tuple[User, ...], media_server: str, as_json: bool) -> None:
    console, errors = (Console(stderr=err, highlight=False, soft_wrap=True) for err in (False, True))
    with Progress(console=errors, transient=True, disable=not sys.stderr.isatty()) as progress:
        for reported in replayed(require_ami(_chunks(capture, progress)), users, media_server=media_server):
            if not isinstance(reported, ReplayStep):
                errors.print(escape(str(reported)), style="yellow")
            elif as_json:
                click.echo(json.dumps(json_line(reported), ensure_ascii=False))
            else:
                console.print(_line(reported))


def _chunks(capture: BinaryIO, progress: Progress) -> Iterator[bytes]:
    size = capture.seek(0, SEEK_END) if capture.seekable() else None
    if size is not None:
        capture.seek(0)
    task = progress.add_task("replay", total=size)
    while chunk := capture.read(_CHUNK):
        yield chunk
        progress.advance(task, len(chunk))


def _line(step: ReplayStep) -> str:
    """One step for people: the event, what it changed, and why calls now go elsewhere."""
    what = f"{step.at:%H:%M:%S.%f}"[:-3] + f"  {step.user}  [bold]{escape(_event(step))}[/bold]"
    if step.refused is not None:
        return f"{what}\n              [red]refused: {escape(str(step.refused))}[/red]"
    before, after = (
        _seen(step.before, step.outlook_before),
        _seen(step.after, step.outlook_after),
    )
    changes = [
        f"{name} [cyan]{old} -> {new}[/cyan]"
        for (name, old), (_, new) in zip(before, after, strict=True)
        if old != new
    ]
    lines = [", ".join(changes)] if changes else []
    if step.outlook_before.route != step.outlook_after.route:
        lines += [f"[dim]{escape(str(reason))}[/dim]" for reason in step.outlook_after.route.because]
    return "\n              ".join((what, *lines))


def _event(step: ReplayStep) -> str:
    call = getattr(step.event, "call", None)
    if isinstance(call, Call):
        peer = f", {call.peer}" if call.peer else ""
        return f"{event_name(step.event)} {call.direction} {call.status} on {call.device}{peer}"
    details = (getattr(step.event, name) for name in _fields(step))
    return " ".join((event_name(step.event), *(getattr(d, "name", str(d)).lower() for d in details)))


def _fields(step: ReplayStep) -> list[str]:
    return [
        name for name in ("session", "device", "status", "reachable", "call_id") if hasattr(step.event, name)
    ]


def _seen(account: Account, outlook: Projections) -> list[tuple[str, str]]:
    ring = outlook.route.ring
    goes = f"{ring.device} rings" if ring else f"call goes to {outlook.route.destination}"
    return [
        ("state", str(account.state)),
        ("route", escape(goes)),
        ("presence", outlook.presence.name.lower()),
    ]
