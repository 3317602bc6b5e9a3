"""``explain``: what a call to an account would do, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO, cast

import click
from attrs import evolve, frozen
from rich.console import Console
from rich.text import Text

from unique_account.cli import options
from unique_account.cli.exits import file_name
from unique_account.cli.live import ask
from unique_account.core.account import (
    LINES,
    NOTHING_KEPT,
    NOTHING_OBSERVED,
    Account,
    Kept,
    LineStatus,
    Observed,
    Session,
)
from unique_account.core.events import ForwardingChanged, apply, restore
from unique_account.core.forwarding import Forward
from unique_account.core.machine import Device
from unique_account.core.reasons import Reason
from unique_account.core.user import User
from unique_account.files.text import decoded, named, read_bytes
from unique_account.json_documents import from_json
from unique_account.serve.explanation import explained

_SOMEBODY = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
_STATUS = click.Choice([status.name.lower() for status in LineStatus])


@frozen
class _Described:
    """An account as a file describes it; where its machine stands follows."""

    user: User = _SOMEBODY
    kept: Kept = NOTHING_KEPT
    observed: Observed = NOTHING_OBSERVED


@click.command()
@click.argument("account", required=False)
@options.config(
    "The TOML file of a running serve, to ask about the user ACCOUNT as things are now.", required=False
)
@click.option("--logged-in/--logged-out", default=None, help="Whether a session is held.")
@click.option(
    "--selection", type=click.Choice([str(device) for device in Device]), help="The saved device selection."
)
@click.option("--deskphone", type=_STATUS, help="The deskphone's line status.")
@click.option("--webrtc", type=_STATUS, help="The WebRTC line's status.")
@click.option("--deskphone-contact/--no-deskphone-contact", default=None, help="Has it a usable contact?")
@click.option("--webrtc-contact/--no-webrtc-contact", default=None, help="Has it a usable contact?")
@click.option("--mailbox", help="The user's voicemail box.")
@click.option("--do-not-disturb", is_flag=True, default=None, help="It is on.")
@click.option("--forward", metavar="NUMBER", help="Unconditional forward.")
@click.option("--forward-no-answer", metavar="NUMBER", help="Forward when nobody answers.")
@click.option("--forward-busy", metavar="NUMBER", help="Forward when busy.")
@click.option("--dialled", default="", metavar="NUMBER", help="The number by which the call comes.")
@click.option("--forwards", type=click.IntRange(0), default=0, help="How often it was forwarded already.")
@options.json("Print one JSON object.")
@click.pass_context
def explain(
    context: click.Context,
    /,
    account: str | None,
    file: Path | None,
    dialled: str,
    forwards: int,
    as_json: bool,
    **flags: Any,
) -> None:
    """Say what a call to an account would do, and why.

    ACCOUNT is a JSON file (or - for stdin) with any of "user", "kept" and "observed"; flags change what it
    says. Without it, the account is that of alice, number 1001, of whom nothing is known.

    With --config, ACCOUNT is a user's id or number, and the running service says what a call would do now.
    """
    if file is None:
        answer = explained(_with_flags(_described(context, account), flags), dialled, forwards)
    elif account is None or any(flag is not None for flag in flags.values()):
        raise click.UsageError("--config needs a user's id or number, and no facts: the service knows them")
    else:
        answer = ask(file, ask="explain", user=account, dialled=dialled, forwards=forwards)["answer"]
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        _print(answer)


def _described(context: click.Context, account: str | None) -> _Described:
    if account is None:
        return _Described()
    parameter = next(one for one in context.command.params if one.name == "account")
    return _read(cast(BinaryIO, click.File("rb").convert(account, parameter, context)))


def _read(file: BinaryIO) -> _Described:
    with named(file_name(file)):
        return from_json(_Described, decoded(read_bytes(file)))


def _with_flags(described: _Described, flags: dict[str, Any]) -> Account:
    user, kept, observed = described.user, described.kept, described.observed
    if flags["mailbox"]:
        user = evolve(user, mailbox=flags["mailbox"])
    if flags["selection"]:
        kept = evolve(kept, selection=Device(flags["selection"]))
    if flags["logged_in"] is not None:
        kept = evolve(kept, sessions=(kept.sessions or (Session("a tab"),)) if flags["logged_in"] else ())
    for device in Device:
        line = getattr(observed, device)
        status = LineStatus[flags[device].upper()] if flags[device] else line.status
        contact = flags[f"{device}_contact"]
        line = LINES[status, line.reachable if contact is None else contact]
        webrtc = device is Device.WEBRTC
        observed = evolve(observed, webrtc=line) if webrtc else evolve(observed, deskphone=line)
    return _forwarded(restore(user, kept, observed=observed), flags)


def _forwarded(account: Account, flags: dict[str, Any]) -> Account:
    named = {"unconditional": "forward", "no_answer": "forward_no_answer", "busy": "forward_busy"}
    changes: dict[str, Any] = {name: Forward(flags[flag]) for name, flag in named.items() if flags[flag]}
    if flags["do_not_disturb"]:
        changes["do_not_disturb"] = True
    return apply(account, ForwardingChanged(evolve(account.forwarding, **changes)))


def _print(answer: dict[str, Any]) -> None:
    say = Console(highlight=False, soft_wrap=True, markup=False).print
    ring, destination = answer["route"]["ring"], answer["route"]["destination"]
    does = f"rings {ring['device']}" if ring else f"goes to {destination}"
    say(Text.assemble(f"A call to {answer['number']} ", (does, "bold"), "."))
    for reason in answer["because"]:
        say(f"  {Reason(reason['rule'], reason['text'], tuple(reason['facts']))}")
    say(
        f"{answer['user']} is {answer['state']}, {answer['selection']} is saved; "
        f"the device in use is {answer['device_in_use']}; colleagues see {answer['presence']}."
    )
    if ring:
        say(f"It rings for {ring['seconds']} s. If it is not answered:")
        for outcome, goes in answer["otherwise"].items():
            say(f"  {outcome.replace('_', ' '):<12} {goes}")
