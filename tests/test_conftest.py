"""What holds for a run of tests holds for one by workers, too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

PASSES = "def test_passes():\n    pass\n"
SKIPPED = "import pytest\n\ndef test_skipped():\n    pytest.skip('for no reason')\n"
NOT_COLLECTED = "import pytest\n\npytest.importorskip('nothing_of_this_name')\n"
LEAVES_A_SOCKET = """
import socket

class Ring:
    pass

def test_leaves_a_socket_open():
    ring = Ring()
    ring.itself, ring.socket = ring, socket.socket()
"""


@pytest.mark.parametrize(
    ("text", "passes"),
    [(PASSES, True), (SKIPPED, False), (NOT_COLLECTED, False), (LEAVES_A_SOCKET, False)],
    ids=["passes", "skipped", "not-collected", "leaves-a-socket"],
)
def test_in_continuous_integration_a_run_by_workers(tmp_path: Path, text: str, passes: bool) -> None:
    file = tmp_path / "test_written.py"
    file.write_text(text, "utf-8")
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    options = ("-c", str(ROOT / "pyproject.toml"), f"--rootdir={tmp_path}", "-p", "no:cacheprovider")
    command = (sys.executable, "-m", "pytest", "-p", "tests.conftest", *options, "-n1", str(file))
    ran = subprocess.run(command, cwd=ROOT, env=outside | {"CI": "true"}, capture_output=True, check=False)
    assert ran.returncode == (0 if passes else 1), ran.stdout.decode()
