"""What the pages say of the machine, of the command line and of other files is so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from attrs import has
from click import Group, Option
from click.testing import CliRunner

from tests.docs.pages import PAGES
from tests.paths import ROOT
from unique_account.cli import command
from unique_account.core import diagram
from unique_account.serve.config import Config, NamedFile, Secret

CLI_PAGES = "\n".join((ROOT / "docs" / name).read_text("utf-8") for name in ("cli.md", "cli-admin.md"))
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text("utf-8")
RECORDING = ROOT / "tests" / "data" / "recordings"


class TestTheMachine:
    """The concepts show the machine as it is: paste what the command prints."""

    PAGE = (ROOT / "docs" / "concepts.md").read_text("utf-8")

    def test_the_diagram_is_that_of_the_command(self) -> None:
        assert f"```mermaid\n{diagram.mermaid()}\n```" in self.PAGE

    def test_the_table_is_that_of_the_command(self) -> None:
        assert f"\n\n{diagram.markdown()}\n\n" in self.PAGE


def section(name: str) -> str:
    """The section of one command in the pages of the command line."""
    return CLI_PAGES.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def first_cells(text: str, heading: str) -> set[str]:
    """The code in the first cells of every table with this heading."""
    rows = re.findall(rf"^\| {heading} \|.*\n\|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    cells = [row.split(" | ")[0] for table in rows for row in table.splitlines()]
    return {code for cell in cells for code in re.findall(r"`([^`]+)`", cell)}


class TestTheCommandLine:
    """The pages of the command line name every command, option and field, and no other."""

    NAMES = tuple(command.commands)

    def test_every_command_has_its_section(self) -> None:
        assert set(re.findall(r"^## ([a-z]+)$", CLI_PAGES, re.MULTILINE)) == set(self.NAMES)

    @pytest.mark.parametrize("name", NAMES)
    def test_every_option_is_there(self, name: str) -> None:
        named = command.commands[name]
        own = [named, *(named.commands.values() if isinstance(named, Group) else ())]
        options = [each for one in own for each in one.params if isinstance(each, Option)]
        known = {flag for option in options for flag in (*option.opts, *option.secondary_opts)}
        described = first_cells(section(name), "(?:argument or )?option")
        assert {text.split(" ")[0] for text in described if text.startswith("-")} == known

    @pytest.mark.parametrize(
        "arguments",
        [
            ["demo"],
            ["replay", str(RECORDING / "lost.ami"), "--users", str(RECORDING / "users.toml")],
            ["explain"],
        ],
        ids=lambda arguments: arguments[0],
    )
    def test_every_field_of_its_json_is_there(self, arguments: list[str]) -> None:
        printed = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False).stdout
        fields = set.intersection(*(set(json.loads(line)) for line in printed.splitlines()))
        assert first_cells(section(arguments[0]), "field") == fields


class TestTheConfiguration:
    """The page of the configuration names every key, and no other."""

    def test_every_key_is_there(self) -> None:
        assert first_cells(CONFIGURATION, "key") == set(_keys(Config))


_PLACES = (Secret, NamedFile)
"""What says only where something stands."""


def _keys(kind: type) -> Iterator[str]:
    """The keys of a configuration, with those of its tables."""
    for name, annotation in get_type_hints(kind).items():
        kinds = [each for each in (annotation, *get_args(annotation)) if has(each) and each not in _PLACES]
        for each in kinds:
            yield from (f"{name}.{key}" for key in _keys(each))
        if not kinds:
            yield name


def test_contributors_are_told_of_every_session() -> None:
    page, noxfile = ((ROOT / name).read_text("utf-8") for name in ("CONTRIBUTING.md", "noxfile.py"))
    sessions = re.findall(r"^@nox\.session.*\ndef (\w+)", noxfile, re.MULTILINE)
    assert first_cells(page, "session") == set(sessions)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
class TestNames:
    """Files that a page names are there, and so are the classes that it names in them."""

    def test_files_of_the_project_exist(self, page: Path) -> None:
        named = re.findall(
            r"`((?:benchmarks|docs(?!/_build)|scripts|src|tests)/[\w./-]+)", page.read_text("utf-8")
        )
        assert [name for name in named if not (ROOT / name).exists()] == []

    def test_links_lead_somewhere(self, page: Path) -> None:
        links = re.findall(r"\]\(([^)#:]+)(?:#[\w-]*)?\)", page.read_text("utf-8"))
        assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_house_shows_every_room() -> None:
    page = (ROOT / "docs" / "design.md").read_text("utf-8")
    house = page.partition("src/unique_account/\n")[2].partition("```")[0]
    shown = set(re.findall(r"^ {4}(\w+)", house, re.MULTILINE))
    package = ROOT / "src" / "unique_account"
    rooms = {path.stem for path in package.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert shown == {room for room in rooms if not room.startswith("__")}
