"""The public surface: what is exported, in which order, and that each of it says what it means."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import unique_account

SOURCE = Path(unique_account.__file__).parent

PROMISED = [
    "Account",
    "CallChanged",
    "CallEnded",
    "CallRecord",
    "ContactsChanged",
    "Device",
    "DeviceSelected",
    "DeviceToggled",
    "DoNotDisturbSet",
    "ForwardSet",
    "Forwarding",
    "ForwardingChanged",
    "ForwardingDialled",
    "Ineligible",
    "InvalidImport",
    "LeaseExpired",
    "LineChanged",
    "LineStatus",
    "LoggedIn",
    "LoggedOut",
    "MessagesChanged",
    "FactsReplaced",
    "Plan",
    "Presence",
    "Refused",
    "SessionLost",
    "State",
    "Trigger",
    "UniqueAccountError",
    "User",
    "apply",
    "deadline",
    "device_in_use",
    "merge",
    "page",
    "plan",
    "presence",
    "route",
]
"""What other code relies on from the first release."""


def modules() -> list[str]:
    """Every module of the package."""
    found = pkgutil.walk_packages([str(SOURCE)], "unique_account.")
    return [module.name for module in found if not module.name.endswith("__main__")]


def test_what_was_promised_is_exported() -> None:
    assert set(PROMISED) <= set(unique_account.__all__)


def test_exports_are_sorted_and_each_named_once() -> None:
    assert unique_account.__all__ == sorted(set(unique_account.__all__))


def test_every_export_exists_and_nothing_else_is_public() -> None:
    public = {
        name
        for name in dir(unique_account)
        if not name.startswith("_") and not inspect.ismodule(getattr(unique_account, name))
    }
    assert public - {"TYPE_CHECKING"} == set(unique_account.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = unique_account.nonsense  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [n for n in unique_account.__all__ if n not in ("Destination", "Event")])
def test_every_exported_class_and_function_is_documented(name: str) -> None:
    documentation = inspect.getdoc(getattr(unique_account, name))
    assert documentation
    assert len(documentation.split()) >= 3


@pytest.mark.parametrize("name", modules())
def test_every_module_opens_with_a_docstring_and_documents_what_is_public(name: str) -> None:
    file = importlib.import_module(name).__file__
    assert file is not None
    tree = ast.parse(Path(file).read_text("utf-8"))
    assert ast.get_docstring(tree)
    documented = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bare = [
        node.name
        for node in tree.body
        if isinstance(node, documented) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert bare == []


FIRST = """
import importlib, os, sys, traceback
import click, psycopg, rich, starlette.applications, uvicorn  # each is slow to import, and none of ours

for name in sys.argv[1:]:
    if os.fork() == 0:
        try:
            importlib.import_module(name)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.wait()[1]:
        print(name)
"""


def imported_first(*names: str) -> tuple[list[str], str]:
    """Those of some modules that cannot be the first one imported, and why; each in a process of its own."""
    done = subprocess.run([sys.executable, "-c", FIRST, *names], capture_output=True, text=True, check=True)
    return done.stdout.split(), done.stderr


def test_every_module_can_be_the_first_one_imported() -> None:
    """No module works only because another was imported before it."""
    failed, why = imported_first(*modules())
    assert failed == [], why


def test_one_that_cannot_is_found() -> None:
    failed, why = imported_first("unique_account.core", "unique_account.core.nobody", "unique_account.sql")
    assert failed == ["unique_account.core.nobody"]
    assert "ModuleNotFoundError" in why


def test_rule_ids_in_docstrings_are_rules() -> None:
    """A rule id is a letter of the groups and a number; a typo would send readers looking for nothing."""
    highest = {"M": 5, "S": 7, "R": 17, "P": 6, "H": 7, "V": 2, "C": 2, "A": 5}
    for file in SOURCE.rglob("*.py"):
        for group, number in re.findall(r"\b([MSRPHVCA])(\d{1,2})\b", file.read_text("utf-8")):
            assert 1 <= int(number) <= highest[group], f"{file.name} cites {group}{number}"
