"""The rule book and its proofs: the rules that docs/rules.md states, and the tests that say they prove one.

A test says so in its docstring, or in that of its class, which then begins with the ids of rules:
``R4: ...``, ``S5, S7: ...`` or ``R1 to R4: ...``. The tests of a contract class repeat sentences of a port,
and cite in brackets as these do: ``... (C1).`` The documentation lists these proofs under each rule when it
is built, so nobody keeps such a list by hand.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from tests.paths import ROOT

PAGE: Final = ROOT / "docs" / "rules.md"
TESTS: Final = ROOT / "tests"
CONTRACTS: Final = ROOT / "src" / "unique_account" / "testing"

Test = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

_ID: Final = "[MSRPHVCA][0-9]*"
_HEAD: Final = re.compile(rf"^- \*\*(?P<id>{_ID})\*\* ", re.MULTILINE)
_END: Final = re.compile(r"^(?=- \*\*|#)|^\n(?! )", re.MULTILINE)
_BRACKETED: Final = re.compile(rf"\((?P<ids>{_ID}(?:, {_ID})*)\)")
_CITED: Final = re.compile(rf"(?P<ids>{_ID}(?:(?:, | and | to ){_ID})*): ")


@frozen
class Rule:
    """One item of the rule book.

    Attributes:
        id: Its id, e.g. ``R4``; that of the table of group M is ``M``.
        text: What it says, the marks included.
        start: Where in the page its item begins.
        end: Where in the page its item is over.
    """

    id: str
    text: str
    start: int
    end: int


@frozen
class Proof:
    """A test, or a class of tests, that says which rules it proves.

    Attributes:
        path: Its file, relative to the project's root.
        name: Its name, with that of its class.
        rules: The ids that its docstring begins with.
    """

    path: str
    name: str
    rules: tuple[str, ...]


def rules(page: str) -> tuple[Rule, ...]:
    """The rules that a page states, in its order."""
    found = []
    for head in _HEAD.finditer(page):
        end = _END.search(page, head.end())
        stop = end.start() if end else len(page)
        found.append(Rule(head["id"], page[head.end() : stop].rstrip(), head.start(), stop))
    return tuple(found)


def cited(docstring: str | None) -> tuple[str, ...]:
    """The ids that a docstring begins with, ranges spelt out."""
    match = _CITED.match(docstring or "")
    if match is None:
        return ()
    ids: list[str] = []
    for part in re.split(", | and ", match["ids"]):
        first, _, last = part.partition(" to ")
        ids += _range(first, last) if last else [first]
    return tuple(ids)


def _range(first: str, last: str) -> list[str]:
    return [f"{first[0]}{number}" for number in range(int(first[1:]), int(last[1:]) + 1)]


def proofs(*folders: Path) -> tuple[Proof, ...]:
    """What the test modules and the contract classes in these folders say that they prove."""
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return tuple(proof for path in files for proof in _proofs_in(path))


def _proofs_in(path: Path) -> Iterator[Proof]:
    where = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()
    body = ast.parse(path.read_text("utf-8")).body
    for name, node in _tests(body):
        if ids := cited(ast.get_docstring(node)):
            yield Proof(where, name, ids)
    for contract in body:
        if isinstance(contract, ast.ClassDef) and contract.name.endswith("Contract"):
            docstrings = (ast.get_docstring(test) or "" for _, test in _tests(contract.body))
            if ids := tuple(dict.fromkeys(rule for text in docstrings for rule in _bracketed(text))):
                yield Proof(where, contract.name, ids)


def _bracketed(docstring: str) -> Iterator[str]:
    for match in _BRACKETED.finditer(docstring):
        yield from match["ids"].split(", ")


def _tests(body: Iterable[ast.stmt]) -> Iterator[tuple[str, Test]]:
    """Each test and each class that holds tests, its own or those of its bases."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            inner = tuple(_tests(node.body))
            if inner or node.bases:
                yield node.name, node
            yield from ((f"{node.name}.{name}", test) for name, test in inner)


def by_rule(found: Iterable[Proof]) -> Mapping[str, tuple[Proof, ...]]:
    """The proofs of each rule."""
    listed: dict[str, tuple[Proof, ...]] = {}
    for proof in found:
        for rule in proof.rules:
            listed[rule] = (*listed.get(rule, ()), proof)
    return listed


def unproved(stated: Iterable[Rule], found: Iterable[Proof]) -> tuple[str, ...]:
    """The rules that no test proves."""
    proved = by_rule(found)
    return tuple(rule.id for rule in stated if rule.id not in proved)


def strangers(stated: Iterable[Rule], found: Iterable[Proof]) -> tuple[str, ...]:
    """The proofs that cite what is no rule."""
    known = {rule.id for rule in stated}
    return tuple(
        f"{proof.path}: {proof.name} cites {rule}"
        for proof in found
        for rule in proof.rules
        if rule not in known
    )


def with_proofs(page: str, found: Iterable[Proof]) -> str:
    """The page with an anchor at each rule, and under it the tests that prove it."""
    proved = by_rule(found)
    parts, end = [], 0
    for rule in rules(page):
        parts += [page[end : rule.start], f"- [**{rule.id}**]{{#{rule.id} .rule}} {rule.text}\n"]
        if rule.id in proved:
            parts.append(f"\n  {{.proof}}\n  Proved by {_listed(proved[rule.id])}.\n\n")
        end = rule.end
    return "".join((*parts, page[end:]))


def _listed(found: Iterable[Proof]) -> str:
    """The proofs, file by file."""
    names: dict[str, list[str]] = {}
    for proof in found:
        names.setdefault(proof.path, []).append(f"`{proof.name}`")
    return "; ".join(f"{', '.join(tests)} in `{path}`" for path, tests in names.items())
