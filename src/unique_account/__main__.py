"""``python -m unique_account``, and the script ``unique-account``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any, Final

_INTERRUPTED: Final = 130
"""The exit code that shells expect after SIGINT."""


def main() -> None:
    """Run the command line, or say which extra brings it."""
    try:
        command = _command()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a terminal may lack the letters of a name
        command()
    except KeyboardInterrupt:  # before the command could handle it
        sys.stderr.write("Error: interrupted\n")
        sys.exit(_INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the interpreter's own end would show a traceback


def _command() -> Callable[[], Any]:
    try:
        from unique_account.cli import command
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unique_account"):
            raise
        sys.exit(f"the command line needs {error.name}: pip install 'unique_account[cli]' brings it")
    return command


if __name__ == "__main__":
    main()
