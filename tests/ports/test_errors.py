"""What the ports raise builds its own sentence."""

from __future__ import annotations

import pytest

from unique_account.ports.accounts import StaleVersion
from unique_account.ports.inbound.events import UnknownUser
from unique_account.ports.pbx import CommandFailed


class TestStaleVersion:
    """S2: who writes over what somebody else wrote is told what is there."""

    @pytest.mark.parametrize(
        ("expected", "found", "said"),
        [
            (None, 3, "alice has an account already, of version 3"),
            (2, 3, "the account of alice changed meanwhile: version 2 was read, version 3 is stored"),
            (2, None, "the account of alice changed meanwhile: version 2 was read, there is none any more"),
        ],
    )
    def test_its_sentence_says_what_was_read_and_what_is_stored(
        self, expected: int | None, found: int | None, said: str
    ) -> None:
        stale = StaleVersion("alice", expected, found)
        assert str(stale) == said
        assert (stale.user, stale.expected, stale.found) == ("alice", expected, found)


def test_a_command_that_failed_says_its_reason_only() -> None:
    assert str(CommandFailed("the call is over")) == "the call is over"


def test_an_unknown_user_is_named() -> None:
    assert str(UnknownUser("carol")) == "there is no Unique Account of carol"
