"""The pages of the documentation."""

from __future__ import annotations

from typing import Final

from tests.paths import ROOT

PAGES: Final = sorted((*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")))
