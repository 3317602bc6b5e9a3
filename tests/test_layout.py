"""Each module stands in a room, each test module in the room of what it tests, and none grows too long."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median
from typing import Final

from tests.paths import ROOT

PACKAGE: Final = ROOT / "src" / "unique_account"
TESTS: Final = ROOT / "tests"

LOOSE: Final = {"__init__.py", "__main__.py", "bootstrap.py", "json_documents.py"}
"""The only modules that stand beside the rooms."""

OTHER_ROOMS: Final = {"data", "deploy", "docs", "e2e", "fuzz", "installed", "postgresql", "rabbitmq"}
"""The rooms of tests that test no room of the package alone."""

LONGEST: Final = 350


def _modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _functions() -> list[int]:
    """How many lines the body of each function of the package has, its docstring apart."""
    return [
        _lines(node)
        for path in _modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _tested(module: ast.Module) -> set[str]:
    """The modules of tests that a module imports."""
    froms = [node for node in ast.walk(module) if isinstance(node, ast.ImportFrom) and node.level == 0]
    return {node.module for node in froms if node.module and node.module.startswith("tests.")}


def test_no_module_is_outside_a_room() -> None:
    assert {path.name for path in PACKAGE.glob("*.py")} == LOOSE


def test_rooms_of_tests_are_rooms_of_the_package() -> None:
    rooms = {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    others = {room for room in rooms if room.parts and room.parts[0] not in OTHER_ROOMS}
    assert [room for room in sorted(others) if not (PACKAGE / room).exists()] == []


def test_no_test_module_imports_another() -> None:
    found = [
        (path.relative_to(ROOT), name)
        for path in sorted(TESTS.rglob("*.py"))
        for name in _tested(ast.parse(path.read_text("utf-8")))
        if name.rpartition(".")[2].startswith("test_")
    ]
    assert found == []


def test_no_module_is_too_long() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in _modules()}
    assert [path for path, lines in lengths.items() if lines > LONGEST] == []
    assert 60 <= median(lines for path, lines in lengths.items() if path.name != "__init__.py") <= 150


def test_functions_are_small() -> None:
    lengths = sorted(_functions())
    assert median(lengths) <= 8
    assert lengths[len(lengths) * 9 // 10] < 20
