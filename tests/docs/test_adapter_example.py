"""The adapter that the documentation writes as an example passes the contract of its port."""

from __future__ import annotations

from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

from tests.paths import ROOT

PAGE = ROOT / "docs" / "adapters.md"
NAME = "TestJsonAccounts"


def shown() -> type:
    """The test class that the page shows, of the adapter that it shows."""
    document = Sybil([PythonCodeBlockParser()]).parse(PAGE)
    for example in document.examples():
        example.evaluate()
        if NAME in document.namespace:
            break
    found = document.namespace[NAME]
    assert isinstance(found, type)
    return found


TestJsonAccounts = shown()
