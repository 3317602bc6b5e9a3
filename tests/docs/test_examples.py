"""The examples of the documentation: all Python and all console blocks run, and print what the pages show."""

from __future__ import annotations

from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser, SkipParser

from tests.docs.shell_examples import Shown, evaluate, matches, shown
from tests.paths import ROOT

PAGES = sorted((*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")))
SYBIL = Sybil([PythonCodeBlockParser(), CodeBlockParser("console", evaluate), SkipParser()])


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    monkeypatch.chdir(tmp_path)
    for example in SYBIL.parse(page).examples():
        example.evaluate()


class TestConsoleBlocks:
    """What a console block is, and when an output is the one that is shown."""

    def test_each_command_has_its_output(self) -> None:
        assert shown("$ one\n1\n$ two \\\n    more\n$ three\n\n3\n") == (
            Shown("one", "1"),
            Shown("two more", ""),
            Shown("three", "\n3"),
        )

    def test_a_block_begins_with_a_command(self) -> None:
        with pytest.raises(ValueError, match="after \\$"):
            shown("1\n$ one")

    @pytest.mark.parametrize(
        ("expected", "printed"),
        [
            ("", ""),
            ("a\nb", "a\nb\n"),
            ("a\n...\nd", "a\nb\nc\nd"),
            ("...\nd", "a\nd"),
            ("a\n...", "a\nb"),
            ("a\n...\nc\n...\ne", "a\nb\nc\nd\ne"),
            ("a\n...\nb", "a\nb"),
        ],
    )
    def test_what_is_shown_may_leave_lines_out(self, expected: str, printed: str) -> None:
        assert matches(expected, printed)

    @pytest.mark.parametrize(
        ("expected", "printed"),
        [
            ("", "a"),
            ("a", ""),
            ("a\nb", "a"),
            ("a\n...\nd", "a\nb\nc"),
            ("...\nd", "d\ne"),
            ("a\n...\nc\n...\ne", "a\nc"),
            ("a\n...\nc\n...\ne", "a\nd\ne"),
            ("a\n...\na", "a"),
        ],
    )
    def test_everything_else_is_noticed(self, expected: str, printed: str) -> None:
        assert not matches(expected, printed)
