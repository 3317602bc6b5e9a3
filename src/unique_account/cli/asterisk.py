"""``asterisk render``: the files that a PBX node includes."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Final

import click
from attrs import frozen

from unique_account.adapters.asterisk import (
    Expected,
    Secrets,
    completed,
    endpoints,
    manager_secret,
    read_secrets,
    render,
    render_manager,
    render_phones,
    secrets_text,
)
from unique_account.adapters.asterisk.config_files.manager_conf import MANAGER_FILE, MANAGER_SECRET_FILE
from unique_account.adapters.asterisk.config_files.pjsip import PJSIP_FILE, SECRETS_FILE
from unique_account.cli import options
from unique_account.core.errors import InvalidFields
from unique_account.serve.config import NodeSettings, read_config
from unique_account.serve.nodes import expectations
from unique_account.serve.rosters import roster

DIALPLAN_FILE: Final = "unique_account.conf"


@click.group()
def asterisk() -> None:
    """The files with which an Asterisk carries Unique Accounts."""


@asterisk.command("render")
@options.config("The TOML file of serve.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write to, such as /etc/asterisk. Without it, the files are printed, without secrets.",
)
@options.json("One JSON object for each file, for machines.")
def render_files(file: Path, into: Path | None, as_json: bool) -> None:
    """Write the dialplan, the phones and the manager account of each node, and say what changed.

    Passwords are made for phones that have none yet, and never changed. With several nodes, each has a
    folder of its name.
    """
    config = read_config(file)
    users = asyncio.run(roster(config.users).users())
    nodes = list(expectations(config, users))
    for node, expected in nodes:
        texts = _texts(node, expected)
        if into is None:
            _print(node, texts, as_json)
        else:
            folder = into if len(nodes) == 1 else into / node.name
            for written in _write(folder, texts, _secret_texts(folder, node, expected)):
                click.echo(_json(node, written) if as_json else str(written))


def _texts(node: NodeSettings, expected: Expected) -> dict[str, str]:
    """The files without secrets, by name."""
    behind = {trunk.name: f"PJSIP/{trunk.endpoint}" for trunk in expected.trunks}
    return {
        DIALPLAN_FILE: render((*expected.users, *expected.away), behind),
        PJSIP_FILE: render_phones(expected.users, expected.trunks, expected.websocket),
        MANAGER_FILE: render_manager(node.username, node.host),
    }


def _secret_texts(folder: Path, node: NodeSettings, expected: Expected) -> dict[str, str]:
    """The files with secrets, by name; passwords that are there stay."""
    kept = folder / SECRETS_FILE
    try:
        known = read_secrets(kept.read_text("utf-8")) if kept.exists() else Secrets({})
    except ValueError as error:
        raise InvalidFields((f"{kept}: {error}",)) from error
    secret = node.secret.look_up() if node.secret else ""
    return {
        kept.name: secrets_text(completed(endpoints(expected.users), known)),
        MANAGER_SECRET_FILE: manager_secret(node.username, secret),
    }


def _print(node: NodeSettings, texts: Mapping[str, str], as_json: bool) -> None:
    for name, text in texts.items():
        printed = {"node": node.name, "file": name, "text": text}
        click.echo(
            json.dumps(printed, ensure_ascii=False) if as_json else f"; ---- {node.name}: {name}\n{text}"
        )


@frozen
class _Written:
    """A file, and what it was before.

    Attributes:
        path: The file.
        change: What became of it: new, changed or unchanged.
        lines: The lines that changed; none of a file with secrets.
    """

    path: Path
    change: str
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n  ".join((f"{self.path}: {self.change}", *self.lines))


def _json(node: NodeSettings, written: _Written) -> str:
    fields = {"node": node.name, "file": str(written.path), "change": written.change, "lines": written.lines}
    return json.dumps(fields, ensure_ascii=False)


def _write(folder: Path, texts: Mapping[str, str], secret_texts: Mapping[str, str]) -> Iterator[_Written]:
    """Write files, each whole or not at all; those with secrets are the owner's and the group's alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**texts, **secret_texts}.items():
        path = folder / name
        before = path.read_text("utf-8", "replace") if path.exists() else None
        if text != before:
            _replace(path, text, 0o640 if name in secret_texts else 0o644)
        elif name in secret_texts and path.stat().st_mode & 0o007:
            path.chmod(0o640)
        yield _changed(path, before, text, quiet=name in secret_texts)


def _replace(path: Path, text: str, mode: int) -> None:
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
        if path.exists():  # Asterisk may run as a user of its own, to whom an administrator gave the file
            there = path.stat()
            os.chown(new, there.st_uid, there.st_gid)
    new.replace(path)


def _changed(path: Path, before: str | None, after: str, *, quiet: bool) -> _Written:
    if before is None:
        return _Written(path, "new")
    if before == after:
        return _Written(path, "unchanged")
    return _Written(path, "changed", () if quiet else tuple(_difference(before, after)))


def _difference(before: str, after: str) -> Iterator[str]:
    lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return (line for line in lines if not line.startswith(("---", "+++", "@@")))
