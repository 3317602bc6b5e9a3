"""``explain``: what a call to an account would do, and why."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

import click
from attrs import evolve, frozen
from rich.console import Console

from unique_account.cli.exits import file_name
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
from unique_account.core.device_in_use import device_in_use
from unique_account.core.events import ForwardingChanged, apply, restore
from unique_account.core.forwarding import Forward, Outcome
from unique_account.core.machine import Device
from unique_account.core.number import Number
from unique_account.core.presence import presence
from unique_account.core.routing import Route, facts, plan, resolve
from unique_account.core.user import User
from unique_account.documents import from_json, to_document
from unique_account.files.text import decoded, named, read_bytes

_SOMEBODY = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
_STATUS = click.Choice([status.name.lower() for status in LineStatus])


@frozen
class _Described:
    """An account as a file describes it; where its machine stands follows."""

    user: User = _SOMEBODY
    kept: Kept = NOTHING_KEPT
    observed: Observed = NOTHING_OBSERVED


@click.command()
@click.argument("account", type=click.File("rb"), required=False)
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
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def explain(account: BinaryIO | None, dialled: str, forwards: int, as_json: bool, **flags: Any) -> None:
    """Say what a call to an account would do, and why.

    ACCOUNT is a JSON file (or - for stdin) with any of "user", "kept" and "observed"; flags change what it
    says. Without it, the account is that of alice, number 1001, of whom nothing is known.
    """
    described = _read(account) if account else _Described()
    reported = _with_flags(described, flags)
    _check_dialled(reported.user, dialled)
    known = facts(reported, dialled=dialled, forwards=forwards)
    route = resolve(plan(reported), known)
    if as_json:
        click.echo(json.dumps(_as_json(reported, route), ensure_ascii=False))
    else:
        _print(reported, route)


def _read(file: BinaryIO) -> _Described:
    with named(file_name(file)):
        return from_json(_Described, decoded(read_bytes(file)))


def _check_dialled(user: User, number: str) -> None:
    if number and Number(number) not in user.numbers:
        numbers = ", ".join(user.numbers)
        raise click.ClickException(f"--dialled: {number} is no number of {user.id}, who has {numbers}")


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


def _as_json(account: Account, route: Route) -> dict[str, Any]:
    installed = plan(account)
    return {
        "user": account.user.id,
        "state": account.state,
        "selection": account.selection,
        "device_in_use": device_in_use(account),
        "presence": presence(account).name.lower(),
        "route": {"ring": to_document(route.ring), "destination": _destination(route)},
        "because": to_document(route.because),
        "otherwise": {outcome: str(installed.destination(outcome)) for outcome in Outcome},
    }


def _destination(route: Route) -> str | None:
    return None if route.destination is None else str(route.destination)


def _print(account: Account, route: Route) -> None:
    say = Console(highlight=False, soft_wrap=True).print
    installed = plan(account)
    say(f"A call to {account.user.extension} [bold]{route}[/bold].")
    for reason in route.because:
        say(f"  {reason}")
    say(
        f"{account.user.id} is {account.state}, {account.selection} is saved; "
        f"the device in use is {device_in_use(account)}; colleagues see {presence(account).name.lower()}."
    )
    if route.ring:
        say(f"It rings for {route.ring.seconds} s. If it is not answered:")
        for outcome in Outcome:
            say(f"  {outcome.replace('_', ' '):<12} {installed.destination(outcome)}")
