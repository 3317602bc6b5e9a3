"""``unique-account doctor``: what it finds is its result, for people and for machines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.cli.rendered_folder import CONFIG
from unique_account.cli import command


def doctor(folder: Path, *options: str) -> Result:
    (folder / "unique_account.toml").write_text(f"{CONFIG}port = 9\n", "utf-8")
    return CliRunner().invoke(command, ["doctor", "--config", "unique_account.toml", *options])


class TestFindings:
    """A4: everything that a node lacks is reported, on standard output."""

    def test_are_lines_for_people(self, folder: Path) -> None:
        done = doctor(folder)
        verdict, problem = done.stdout.splitlines()
        assert (done.exit_code, done.stderr, verdict) == (1, "", "default: 1 problem")
        assert problem.startswith("default: 127.0.0.1:9: ")

    def test_are_an_object_for_machines(self, folder: Path) -> None:
        done = doctor(folder, "--json")
        node = json.loads(done.stdout)
        assert (done.exit_code, done.stderr) == (1, "")
        assert (node["node"], node["users"], len(node["problems"]), node["notes"]) == ("default", 1, 1, [])

    @pytest.mark.parametrize("options", [(), ("--json",)])
    def test_of_a_configuration_that_cannot_be_used_are_an_error(
        self, folder: Path, options: tuple[str, ...]
    ) -> None:
        (folder / "ami.secret").unlink()
        done = doctor(folder, *options)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "Error: unique_account.toml cannot be used:" in done.stderr
