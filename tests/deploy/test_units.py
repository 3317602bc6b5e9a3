"""The units of systemd: what systemd says of them, and what the service needs of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path
from typing import Final

import pytest

from tests.paths import ROOT

UNITS: Final = sorted((ROOT / "deploy/systemd").glob("*.service"))
PAGES: Final = "".join(
    (ROOT / "docs" / name).read_text("utf-8") for name in ("deployment.md", "deployment-groups.md")
)
CLOSES_WITHIN: Final = 20.0
"""How many seconds a process of a group takes at most until it ends."""

pytestmark = pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)


def settings(unit: Path) -> ConfigParser:
    read = ConfigParser(interpolation=None)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read(unit, "utf-8")
    return read


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    name = unit.name.replace("@", "@one")
    program = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text("utf-8"), flags=re.MULTILINE)
    (tmp_path / name).write_text(program, "utf-8")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")


def test_a_page_shows_it(unit: Path) -> None:
    assert f"```ini\n{unit.read_text('utf-8')}```" in PAGES


def test_the_watchdog_of_hints_outlives_the_service(unit: Path) -> None:
    """Any other mode but this one kills it as soon as the service has ended."""
    assert settings(unit)["Service"]["KillMode"] == "process"


def test_it_ends_by_itself_before_systemd_ends_it(unit: Path) -> None:
    assert float(settings(unit)["Service"]["TimeoutStopSec"]) > CLOSES_WITHIN


def test_it_has_no_rights(unit: Path) -> None:
    service = settings(unit)["Service"]
    assert service["User"] == "unique-account"
    assert service["NoNewPrivileges"] == "yes"
    assert service["StateDirectoryMode"] == "0700"
