"""``python -m unique_account``, and the script ``unique-account``."""

from __future__ import annotations

import sys
from io import TextIOWrapper


def main() -> None:
    """Run the command line, or say which extra brings it."""
    try:
        from unique_account.cli import command
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unique_account"):
            raise
        sys.exit(f"the command line needs {error.name}: pip install 'unique_account[cli]' brings it")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names may have letters that a terminal has not
    command()


if __name__ == "__main__":
    main()
