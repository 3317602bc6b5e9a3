"""Console blocks of the documentation, run: what a command prints must be what the page shows.

A block holds commands, each after ``$``, and under each its output; a line ``...`` there stands for any
lines. Known are ``unique-account``, within this process and piped through ``python -m json.tool`` if need
be, ``echo $?`` for the exit code, which else must be 0, and ``cat``, which makes the file that it shows if
there is none yet. What sets a checkout up is shown and not run: ``pip``, ``git``, ``nox``, and scripts of the
project, which must be there. Each page has a folder of its own.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Final

from attrs import frozen
from click.testing import CliRunner
from sybil import Example

from tests.paths import ROOT
from unique_account.cli import command

_PIPE: Final = " | python -m json.tool"
_SET_UP: Final = (".", ".venv/bin/pip", "cd", "git", "nox", "pip", "python3")
_ANY: Final = r"(?:.*\n)*"
_ENVIRONMENT: Final = {"COLUMNS": "100", "NO_COLOR": "1"}


@frozen
class Shown:
    """A command, and the output that the page shows for it."""

    command: str
    output: str


def shown(block: str) -> tuple[Shown, ...]:
    """The commands of a block, each with its output."""
    found: list[tuple[str, list[str]]] = []
    for line in block.rstrip("\n").split("\n"):
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif not found:
            raise ValueError(f"a console block begins with a command after $, not with {line!r}")
        elif found[-1][0].endswith("\\"):
            found[-1] = (found[-1][0][:-1] + line.strip(), [])
        else:
            found[-1][1].append(line)
    return tuple(Shown(typed, "\n".join(output)) for typed, output in found)


def matches(expected: str, printed: str) -> bool:
    """Whether an output is the expected one, in which a line ``...`` stands for any lines."""
    lines = (_ANY if line == "..." else re.escape(line) + "\n" for line in expected.split("\n"))
    rest = "\n".join(line.rstrip() for line in printed.rstrip("\n").split("\n"))
    return re.fullmatch("".join(lines), rest + "\n") is not None


def evaluate(example: Example) -> None:
    """Run a console block in the current folder.

    Raises:
        AssertionError: A command prints something else, or fails without the page saying so.
    """
    commands = shown(example.parsed)
    for place, each in enumerate(commands):
        printed, code = _run(each, example.namespace.get("exit code", 0))
        example.namespace["exit code"] = code
        said = place + 1 < len(commands) and commands[place + 1].command == "echo $?"
        where = f"{example.path}, line {example.line}: $ {each.command}"
        assert code == 0 or said, f"{where}\nends with {code}:\n{printed}"
        assert matches(each.output, printed), f"{where}\nprints:\n{printed}"


def _run(each: Shown, last_code: int) -> tuple[str, int]:
    """What a command prints, and its exit code."""
    typed, pipe, flags = each.command.partition(_PIPE)
    name, *arguments = shlex.split(typed, comments=True)
    if name == "unique-account":
        done = CliRunner().invoke(command, arguments, env=_ENVIRONMENT, catch_exceptions=False)
        return (_indented(done.output, flags) if pipe else done.output), done.exit_code
    if each.command == "echo $?":
        return str(last_code), 0
    if name == "cat":
        file = Path(arguments[0])
        if not file.exists():
            file.write_text(each.output + "\n", "utf-8")
        return file.read_text("utf-8"), 0
    if name in _SET_UP or (name.startswith("./") and (ROOT / name).is_file()):
        return each.output, 0
    raise ValueError(f"a console block cannot run {name}")


def _indented(output: str, flags: str) -> str:
    """What ``json.tool`` makes of an output, or with ``--json-lines`` of each line of it."""
    texts = output.splitlines() if "--json-lines" in flags else [output]
    return "\n".join(json.dumps(json.loads(text), indent=4) for text in texts)
