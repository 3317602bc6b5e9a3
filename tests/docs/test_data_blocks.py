"""Every TOML and every JSON block of the documentation is what the product reads or sends."""

from __future__ import annotations

import asyncio
import re
from functools import cache
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.myst import CodeBlockParser

from tests.docs.data_blocks import Real, UnknownBlock, check_toml, differences, sent
from tests.docs.pages import PAGES

CHECKED = {"console", "ini", "json", "nginx", "python", "sh", "text", "toml", "yaml"}
"""The languages of blocks; the end-to-end tests run ``ini``, ``sh`` and ``yaml``."""

DIRECTIVES = {"mermaid", "{eval-rst}", "{toctree}", "{include}"}


@cache
def real() -> Real:
    """What the product sends, made once."""
    return asyncio.run(sent())


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
class TestBlocks:
    """Blocks of data are as the product has them."""

    def test_toml_is_read(self, page: Path, tmp_path: Path) -> None:
        def evaluate(example: Example) -> None:
            check_toml(example.parsed, tmp_path)

        for example in Sybil([CodeBlockParser("toml", evaluate)]).parse(page).examples():
            example.evaluate()

    def test_json_is_sent(self, page: Path) -> None:
        def evaluate(example: Example) -> None:
            real().check(example)

        for example in Sybil([CodeBlockParser("json", evaluate)]).parse(page).examples():
            example.evaluate()

    def test_every_block_has_a_language(self, page: Path) -> None:
        fences = re.findall(r"^ *```(.*)$", page.read_text("utf-8"), re.MULTILINE)
        languages = {fence.split(" ")[0] for fence in fences[::2]}
        assert languages <= CHECKED | DIRECTIVES


class TestChecking:
    """A wrong block is noticed."""

    @pytest.mark.parametrize(
        "text",
        [
            'ownr = "office"\n[users]\nfile = "users.toml"',
            '[[users]]\nid = "alice"',
            '[[people]]\nlogin = "alice"\nuser = "alice"\npassword = "sesame"',
            "[[nodes]]\nport = 99999",
            '[project.entry-points."unique_account.lamp"]\nmine = "my:Lamp"',
        ],
    )
    def test_toml_that_is_not_read(self, text: str, tmp_path: Path) -> None:
        with pytest.raises((AssertionError, ValueError)):
            check_toml(text, tmp_path)

    def test_toml_of_no_known_kind(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownBlock):
            check_toml("x = 1", tmp_path)

    @pytest.mark.parametrize(
        ("shown", "sent"),
        [
            ({"a": 1}, {}),
            ({}, {"a": 1}),
            ({"a": 1}, {"a": "1"}),
            ({"a": [{"b": 1}]}, {"a": [{"c": 1}]}),
            ({"a": {"b": True}}, {"a": {"b": 1}}),
        ],
    )
    def test_json_of_another_shape(self, shown: object, sent: object) -> None:
        assert differences(shown, sent)

    def test_values_may_differ(self) -> None:
        assert differences({"a": [1], "b": None}, {"a": [2, 3], "b": "x"}) == []
