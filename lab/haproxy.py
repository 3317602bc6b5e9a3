"""HAProxy before the processes of a group, with the configuration that a test gives it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.programs import haproxy_command


class InvalidConfiguration(Exception):
    """HAProxy refuses a configuration; the sentence is its own."""


@contextmanager
def haproxy(configuration: str, folder: Path) -> Iterator[None]:
    """Run HAProxy until the context closes.

    Args:
        configuration: The text of its configuration.
        folder: Where its files are.

    Raises:
        NotInstalled: There is no HAProxy.
        InvalidConfiguration: It refuses the configuration.
    """
    file = folder / "haproxy.cfg"
    file.write_text(configuration, "utf-8")
    command = (*haproxy_command(), "-f", str(file))
    tried = subprocess.run([*command, "-c"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise InvalidConfiguration(tried.stderr)
    with (folder / "haproxy.log").open("ab") as log:
        running = subprocess.Popen([*command, "-db"], stdout=log, stderr=log, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
