"""What can go wrong, as types that carry their causes."""

from __future__ import annotations

import copy
import pickle

import pytest

from unique_account.core.errors import (
    Ineligible,
    InvalidCursor,
    InvalidImport,
    InvalidUser,
    Problems,
    Refused,
    UniqueAccountError,
)

ERRORS = (
    Refused("logged_out", "select_webrtc", "a reason", "a way out"),
    InvalidUser(["id: is empty"]),
    Ineligible(["no", "never"]),
    InvalidImport(["line 7, id: is empty", "line 9, id: is empty"]),
    InvalidCursor("damaged"),
    Problems(["here: is wrong", "there: too"]),
)


class TestErrors:
    """M3, A1, A3, A5: errors say all that is wrong at once, also through a copy and between processes."""

    @pytest.mark.parametrize("error", ERRORS)
    def test_a_copy_says_and_carries_the_same(self, error: UniqueAccountError) -> None:
        for other in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
            assert type(other) is type(error)
            assert (str(other), vars(other)) == (str(error), vars(error))

    def test_each_says_its_causes_in_words(self) -> None:
        assert [str(error) for error in ERRORS] == [
            "select_webrtc is refused while logged_out: a reason; a way out",
            "not a Unique Account:\n  id: is empty",
            "not eligible:\n  no\n  never",
            "nothing was imported:\n  line 7, id: is empty\n  line 9, id: is empty",
            "damaged",
            "here: is wrong\nthere: too",
        ]

    def test_problems_may_come_one_by_one(self) -> None:
        assert Ineligible(problem for problem in ("no", "never")).problems == ("no", "never")

    def test_what_is_wrong_with_a_value_is_a_value_error(self) -> None:
        assert [isinstance(error, ValueError) for error in ERRORS] == [False, True, False, False, True, False]
