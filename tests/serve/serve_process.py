"""``unique-account serve`` as a process on a PBX double, in a folder of its own."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

CONFIG = """
[users]
file = "users.toml"

[accounts]
file = "accounts.sqlite"

[monitor]
port = 0

[[nodes]]
kind = "memory"
"""
USER = '[[users]]\nid = "{0}"\nextension = "{1}"\ndeskphone = "PJSIP/{0}"\nwebrtc = "PJSIP/{0}_w"\n'
ALICE = USER.format("alice", "1001")
BOB = USER.format("bob", "1002")
PATIENCE = 30.0


class Serve:
    """A running ``unique-account serve`` in a folder of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._log = folder / "log"
        command = [sys.executable, "-m", "unique_account", "serve", "--config", "unique_account.toml"]
        with self._log.open("a") as log:
            less = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (256, 4096))
            self.process = subprocess.Popen([*command, *options], cwd=folder, stderr=log, preexec_fn=less)

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")

    def logs(self, what: str) -> re.Match[str]:
        """Wait until this is in the log."""
        found: re.Match[str] = wait(lambda: re.search(what, self.log), f"{what} in {self.log}")
        return found

    @property
    def url(self) -> str:
        return self.logs(r"ready: .*; (http://\S+)/health")[1]

    def ends(self) -> int:
        return self.process.wait(PATIENCE)


def wait(true: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)
    return found
