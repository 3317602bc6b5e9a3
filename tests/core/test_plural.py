"""Numbers of things, in words."""

from __future__ import annotations

import pytest

from unique_account.core.plural import counted


@pytest.mark.parametrize(
    ("number", "words", "sentence"),
    [(0, ("user",), "0 users"), (1, ("user",), "1 user"), (2, ("entry", "entries"), "2 entries")],
)
def test_things_are_counted_in_words(number: int, words: tuple[str, ...], sentence: str) -> None:
    assert counted(number, *words) == sentence
