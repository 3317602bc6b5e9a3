"""``python -m lab install`` installs what the lab needs; ``python -m lab missing`` lists it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lab.install import CannotInstall, install
from lab.programs import home, missing

USAGE = "usage: python -m lab install | missing"


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status is 0 if the lab is whole afterwards."""
    if arguments == ["install"]:
        try:
            install()
        except CannotInstall as error:
            print(f"the lab is not installed: {error}", file=sys.stderr)
            return 1
    elif arguments != ["missing"]:
        print(USAGE, file=sys.stderr)
        return 2
    absent = missing()
    print(f"missing: {', '.join(absent)}" if absent else f"the lab is whole, in {home()}")
    return 1 if absent else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
