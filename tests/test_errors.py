"""Every exception of the package has one base, so that one ``except`` catches what is raised on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from inspect import isclass
from pkgutil import walk_packages

import pytest

import unique_account
from tests.paths import ROOT
from unique_account.core.errors import UniqueAccountError, Unreachable
from unique_account.ports.accounts import StoreDown
from unique_account.ports.pbx import NodeDown

OUTCOMES = {"unique_account.cli.exits.Interrupted"}
"""How a command ends: click's own exceptions, which no caller of the library sees."""


def exceptions() -> Iterator[type[BaseException]]:
    """Every exception class that a module of the package defines."""
    for found in walk_packages(unique_account.__path__, "unique_account."):
        if not found.name.endswith("__main__"):
            for value in vars(import_module(found.name)).values():
                if isclass(value) and issubclass(value, BaseException) and value.__module__ == found.name:
                    yield value


def test_every_exception_has_the_one_base() -> None:
    names = {
        f"{each.__module__}.{each.__name__}"
        for each in exceptions()
        if not issubclass(each, UniqueAccountError)
    }
    assert names == OUTCOMES


@pytest.mark.parametrize("kind", [Unreachable, NodeDown, StoreDown])
def test_what_cannot_be_reached_is_a_connection_error_too(kind: type[Unreachable]) -> None:
    assert issubclass(kind, Unreachable)
    assert isinstance(kind("gone"), ConnectionError)
    assert str(kind("gone")) == "gone"


def test_nothing_raises_a_bare_connection_error() -> None:
    """What cannot be reached is `Unreachable`, which has the one base."""
    sources = (ROOT / "src").rglob("*.py")
    assert [path.name for path in sources if "raise ConnectionError(" in path.read_text("utf-8")] == []
