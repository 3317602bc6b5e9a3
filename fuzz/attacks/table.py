"""The attacks by name; a whole run writes what came of each into the page on the server's security."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from fuzz.attacks import connects, events, frames, kills, parsers, scripts, tokens
from fuzz.attacks.attack import Attack
from fuzz.target import Broken

ATTACKS: Final[Mapping[str, Attack]] = {
    module.ATTACK.name: module.ATTACK
    for module in (kills, frames, events, parsers, scripts, tokens, connects)
}

RESULTS: Final = Path(__file__).with_name("results.json")
PAGE: Final = Path(__file__).parents[2] / "docs" / "security-cti.md"
HEADING: Final = "## Attacked in vain\n"
_TABLE: Final = "| attack | what was tried, and what came of it |\n| --- | --- |\n"


def main(arguments: Sequence[str]) -> int:
    """Make the attacks that are named, or all; returns the exit code."""
    asked = _asked(arguments)
    harmed = 0
    for name in asked.names or ATTACKS:
        sentence = _made(ATTACKS[name], asked.scale)
        if sentence is None:
            harmed += 1
        elif asked.keep:
            keep({name: sentence})
    return int(harmed > 0)


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m fuzz attacks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ATTACKS)}")
    parser.add_argument("--scale", type=float, default=1.0, help="how many of all attempts to make (1)")
    parser.add_argument("--keep", action="store_true", help="write what came of it into the documentation")
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.names) - set(ATTACKS)):
        parser.error(f"no attack is called {', '.join(unknown)}; there are {', '.join(ATTACKS)}")
    return asked


def _made(attack: Attack, scale: float) -> str | None:
    """What came of an attack; None if it was not in vain."""
    began = time.monotonic()
    try:
        sentence = asyncio.run(attack.made(max(1, round(attack.attempts * scale))))
    except Broken as broken:
        print(f"{attack.name}: HARM: {broken}", flush=True)
        return None
    print(f"{attack.name}: {sentence} ({time.monotonic() - began:.0f} s)", flush=True)
    return sentence


def keep(results: Mapping[str, str]) -> None:
    """Keep what came of attacks, for programs and for the readers of the page."""
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    kept = {name: {**kept, **results}[name] for name in ATTACKS if name in kept or name in results}
    RESULTS.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")
    page = re.sub(re.escape(_TABLE) + r"(\|.*\n)*", lambda _: table(kept), PAGE.read_text("utf-8"))
    PAGE.write_text(page, "utf-8")


def table(results: Mapping[str, str]) -> str:
    """The table of the page."""
    return _TABLE + "".join(f"| `{name}` | {sentence} |\n" for name, sentence in results.items())
